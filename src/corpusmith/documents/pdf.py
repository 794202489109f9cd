"""PDF: the text of its pages, with the headings of its outline (bookmarks).

Owns: lines that were broken for the page's width, running heads and page numbers. Does not own:
parsing (pypdf). A scanned page has no text, and no text is made up for it.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from corpusmith.documents.document import Block, Document, assembled
from corpusmith.documents.extra import library
from corpusmith.documents.wrapped import joined, width
from corpusmith.errors import UsageError

_FULL_LINE = 0.8
"""Of the page's widest line: a shorter one ends its paragraph."""
_ITEM = re.compile(
    r"\s*(?:[-*•·●■◆○]|\(?\d{1,3}[.)、]|[（(][一二三四五六七八九十\d]+[）)]|[①-⑳])\s*\S"
)
_PAGE_NUMBER = re.compile(r"\W*(?:第\s*)?\d+(?:\s*页)?(?:\s*(?:/|of|共)\s*\d+)?(?:\s*页)?\W*$")
_DIGITS = re.compile(r"\d+")
_RUNNING_FROM = 3
"""Pages that must start or end with the same line for it to be a running head."""
_MAX_LEVEL = 6

Page = list[str]
Marks = list[tuple[int, int, str]]
"""(page, level, text) of the outline's entries, in order."""


def read_pdf(data: bytes, file: str) -> Document:
    """The text of a PDF. Raises UsageError: encrypted, broken, or pictures only."""
    pypdf = library("pypdf", file)
    # It warns of every oddity of a file on standard error, where our progress is shown.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UsageError("document_encrypted", file=file)
        pages = [(page.extract_text() or "").split("\n") for page in reader.pages]
        marks = _marks(reader)
        title = str((reader.metadata or {}).get("/Title") or "").strip()
    except UsageError:
        raise
    # A broken file makes pypdf raise nearly anything: KeyError, RecursionError, zlib.error.
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"[:200]
        raise UsageError("document_broken", file=file, cause=cause) from error
    if pages and not any(line.strip() for page in pages for line in page):
        raise UsageError("document_only_pictures", file=file, pages=len(pages))
    text, headings = assembled(_blocks(_without_running(pages), marks))
    return Document(title=title, source=file, text=text, headings=headings)


def _marks(reader: Any) -> Marks:
    """The outline; empty when there is none, or a broken one: the text is there all the same."""
    try:
        return list(_entries(reader, reader.outline, 1))
    except Exception:  # noqa: BLE001  as above
        return []


def _entries(reader: Any, outline: Sequence[Any], level: int) -> Iterator[tuple[int, int, str]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from _entries(reader, entry, min(level + 1, _MAX_LEVEL))
            continue
        page = reader.get_destination_page_number(entry)
        if page is not None and page >= 0 and str(entry.title or "").strip():
            yield page, level, " ".join(str(entry.title).split())


def _without_running(pages: Sequence[Page]) -> list[Page]:
    """The pages without blank edges, page numbers, and heads and feet that most pages share."""
    trimmed = [_trimmed(page) for page in pages]
    for edge in (0, -1):
        seen = Counter(_DIGITS.sub("#", page[edge].strip()) for page in trimmed if page)
        running = {
            line for line, times in seen.items() if times >= max(_RUNNING_FROM, len(pages) / 2)
        }
        for page in trimmed:
            if page and _is_running(page[edge].strip(), running):
                del page[edge]
    return [_trimmed(page) for page in trimmed]


def _is_running(line: str, running: set[str]) -> bool:
    return _DIGITS.sub("#", line) in running or bool(_PAGE_NUMBER.match(line))


def _trimmed(page: Page) -> Page:
    kept = list(page)
    for edge in (0, -1):
        while kept and not kept[edge].strip():
            del kept[edge]
    return kept


def _blocks(pages: Sequence[Page], marks: Marks) -> Iterator[Block]:
    for number, page in enumerate(pages):
        due = [(level, text) for at, level, text in marks if at == number]
        yield from _page_blocks(page, due)


def _page_blocks(page: Page, due: list[tuple[int, str]]) -> Iterator[Block]:
    """Paragraphs of a page; an entry of the outline is a heading where its line is found."""
    widest = max(map(width, page), default=0)
    pending: list[str] = []
    lines = {_bare(line): at for at, line in reversed(list(enumerate(page)))}
    headings = {lines[_bare(text)]: (level, text) for level, text in due if _bare(text) in lines}
    # What is not on the page as a line of its own stands before its text.
    for level, text in due:
        if _bare(text) not in lines:
            yield Block(text=text, level=level)
    for at, line in enumerate(page):
        starts_anew = at in headings or not line.strip() or bool(_ITEM.match(line))
        if pending and (starts_anew or width(pending[-1].rstrip()) < widest * _FULL_LINE):
            yield Block(text=joined(pending, hyphens=True))
            pending = []
        if at in headings:
            level, text = headings[at]
            yield Block(text=text, level=level)
        elif line.strip():
            pending.append(line)
    if pending:
        yield Block(text=joined(pending, hyphens=True))


def _bare(line: str) -> str:
    """For comparing: an outline's `1.1 Title` and a page's `1.1  TITLE` are one."""
    return re.sub(r"[\W_]+", "", line).lower()
