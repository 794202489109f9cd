"""Lists of words as people keep them: plain text files, one word a line.

Owns: reading and naming them. Does not own: finding the words (`words.py`).

`#` begins a line that is a remark; `[gambling]` begins a category, and words before the first one
are of the category that the file is called. Files are UTF-8, with or without a byte order mark;
UTF-16 with one and GB18030, which spreadsheets and editors on Windows write, are read too.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpusmith.errors import SpecError
from corpusmith.places import given_path
from corpusmith.presets.load import word_lists
from corpusmith.quality.variants import spaced
from corpusmith.quality.words import Word

MAX_BYTES = 64 << 20
MAX_CHARS = 100
"""A longer line is no word: somebody gave a text instead of a list."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CATEGORY = re.compile(r"\[([^\[\]]{1,40})\]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def words_of(name: str) -> list[Word]:
    """The words of a shipped list (`zh`, `zh/gambling`) or of a file.

    A shipped list wins: a file of the same name is called `./zh`. Raises SpecError:
    `words_unknown`, `file_unreadable`, `file_is_folder`, `file_too_large`, `words_not_text`,
    `words_empty`, `words_line_long`.
    """
    shipped = [one for one in word_lists() if one == name or one.startswith(f"{name}/")]
    if shipped:
        return [
            word
            for one in shipped
            for word in parse(word_lists()[one], file=one, category=one.rpartition("/")[2])
        ]
    path = given_path(name)
    return parse(_bytes_of(path), file=name, category=path.stem)


def is_shipped(name: str) -> bool:
    """Whether `name` is a shipped list rather than a file."""
    return name in shipped_names()


def shipped_names() -> tuple[str, ...]:
    """All names of shipped lists: the languages, then each list."""
    return (*dict.fromkeys(one.partition("/")[0] for one in word_lists()), *word_lists())


def by_category(words: Sequence[Word]) -> dict[str, list[str]]:
    """Category → its words, each in the order that they came in."""
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(word.category, []).append(word.text)
    return found


def of_categories(words: Mapping[str, Sequence[str]]) -> list[Word]:
    """`by_category` undone."""
    return [Word(text=text, category=name) for name, texts in words.items() for text in texts]


def parse(data: bytes, *, file: str, category: str) -> list[Word]:
    """The words of a list's bytes. `file` is for errors; `category` is that of the first words."""
    words: list[Word] = []
    for number, line in enumerate(_text_of(data, file).splitlines(), start=1):
        entry = line.strip()
        if entry.startswith("#") or not spaced(entry).strip():
            continue
        if header := _CATEGORY.fullmatch(entry):
            category = header[1].strip() or category
        elif len(entry) > MAX_CHARS:
            raise SpecError("words_line_long", file=file, line=number, limit=MAX_CHARS)
        else:
            words.append(Word(text=entry, category=category))
    if not words:
        raise SpecError("words_empty", file=file)
    return words


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # a device has no size, and may have no end
    except (FileNotFoundError, ValueError) as error:
        known = ", ".join(shipped_names())
        raise SpecError("words_unknown", name=str(path), known=known) from error
    except OSError as error:
        code = "file_is_folder" if os.path.isdir(path) else "file_unreadable"
        raise SpecError(code, file=str(path), problem=error.strerror) from error
    if len(data) > MAX_BYTES:
        raise SpecError("file_too_large", file=str(path), limit=f"{MAX_BYTES >> 20} MB")
    return data


def _text_of(data: bytes, file: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], (encoding,), file)
    # What is UTF-8 is hardly ever anything else; nearly all bytes are some GB18030.
    return _decoded(data, ("utf-8", "gb18030"), file)


def _decoded(data: bytes, encodings: Sequence[str], file: str) -> str:
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    raise SpecError("words_not_text", file=file)
