"""Reads a document of any known kind.

Owns: which reader is for which suffix, size limits, and that every problem of a file is a
UsageError that names it. Does not own: the kinds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from corpusmith.documents.decode import decoded
from corpusmith.documents.document import Document
from corpusmith.documents.docx import read_docx
from corpusmith.documents.html import read_html
from corpusmith.documents.pdf import read_pdf
from corpusmith.documents.plain import read_markdown, read_text
from corpusmith.errors import UsageError

Reader = Callable[[bytes, str, str | None], Document]
"""(bytes, the file's path for errors, encoding) -> its document; an empty title: it has none."""

_MIB = 1 << 20


def _plain(data: bytes, file: str, encoding: str | None) -> Document:
    return read_text(decoded(data, file, encoding), file)


def _markdown(data: bytes, file: str, encoding: str | None) -> Document:
    return read_markdown(decoded(data, file, encoding), file)


def _docx(data: bytes, file: str, encoding: str | None) -> Document:
    return read_docx(data, file)


def _pdf(data: bytes, file: str, encoding: str | None) -> Document:
    return read_pdf(data, file)


# Suffix -> its reader, and the largest file in MiB. The longest novels have 20 MiB of text; a PDF
# or Word file is mostly pictures.
KINDS: dict[str, tuple[Reader, int]] = {
    **dict.fromkeys((".txt", ".text"), (_plain, 64)),
    **dict.fromkeys((".md", ".markdown"), (_markdown, 64)),
    **dict.fromkeys((".html", ".htm", ".xhtml"), (read_html, 64)),
    ".docx": (_docx, 256),
    ".pdf": (_pdf, 256),
}
SUFFIXES = tuple(KINDS)


def read_document(path: str | Path, *, encoding: str | None = None) -> Document:
    """The document in a file. `encoding`: of a text or page; None: found out.

    Raises UsageError: not readable, of no known kind, too large, broken, encrypted, without any
    text, or a library is not installed.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in KINDS:
        known = " ".join(SUFFIXES)
        raise UsageError("document_unknown_suffix", file=str(path), suffix=suffix, known=known)
    reader, largest = KINDS[suffix]
    document = reader(_bytes(file, largest), str(path), encoding)
    if not document.text.strip():
        raise UsageError("document_empty", file=str(path))
    return replace(document, source=file.name, title=document.title or file.stem)


def _bytes(file: Path, largest: int) -> bytes:
    try:
        # One more than allowed tells a larger file, also one that has no size, such as a pipe.
        with file.open("rb") as opened:
            data = opened.read(largest * _MIB + 1)
    except OSError as error:
        code = "document_is_folder" if os.path.isdir(file) else "document_unreadable"
        raise UsageError(code, file=str(file), cause=error.strerror or str(error)) from error
    if len(data) > largest * _MIB:
        raise UsageError("document_too_large", file=str(file), limit=f"{largest} MiB")
    return data
