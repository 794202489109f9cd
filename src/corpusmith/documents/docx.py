"""Word documents: paragraphs, headings, lists and tables, in their order.

Owns: which parts of a document are its text, and that a small file cannot unpack to a huge one.
Does not own: the package and its styles (python-docx).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from corpusmith.documents.document import Block, Document, assembled
from corpusmith.documents.extra import library
from corpusmith.errors import UsageError

MAX_UNPACKED = 512 << 20
MAX_XML = 64 << 20
"""Bytes of one XML part. A book of 1,000 pages has about 10 MiB; a tree in memory takes ten times
as much."""
_OLE = b"\xd0\xcf\x11\xe0"
"""An old .doc, or a .docx with a password: both are OLE files."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_NOT_SHOWN = frozenset((f"{_W}del", f"{_W}moveFrom", f"{_W}rPr", f"{_W}pPr", f"{_MC}Fallback"))
"""Deleted text, and the second copy that is kept of a text box for old readers."""
_SIGNS = {
    f"{_W}tab": "\t",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
}
_HEADING_NAME = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_BODY_LEVEL = 9
"""The outline level of what is no heading."""


def read_docx(data: bytes, file: str) -> Document:
    """The text of a .docx; headers, footers, notes and comments are left out. Raises UsageError."""
    docx = library("docx", file)
    if data.startswith(_OLE):
        raise UsageError("document_old_word", file=file)
    _check_size(data, file)
    try:
        word = docx.Document(io.BytesIO(data))
        text, headings = assembled(_Body(word).blocks())
        title = str(word.core_properties.title or "").strip()
    # python-docx reads what it expects, and a broken package makes lxml, zipfile or it itself
    # raise nearly anything.
    except Exception as error:
        raise UsageError("document_broken", file=file, cause=_cause(error)) from error
    top = next((heading.text for heading in headings if heading.level == 1), "")
    return Document(title=title or top, source=file, text=text, headings=headings)


def _check_size(data: bytes, file: str) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UsageError("document_broken", file=file, cause=_cause(error)) from error
    # zipfile reads no more of a part than it says here, so these numbers cannot lie.
    xml = max((one.file_size for one in parts if one.filename.endswith(".xml")), default=0)
    if sum(one.file_size for one in parts) > MAX_UNPACKED or xml > MAX_XML:
        raise UsageError("document_unpacks_large", file=file, limit=f"{MAX_XML >> 20} MiB")


def _cause(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:200]


class _Body:
    """Walks the elements of a document's body."""

    def __init__(self, word: Any) -> None:
        self._body = word.element.body
        self._styles = {style.get(f"{_W}styleId"): style for style in word.styles.element}
        self._levels: dict[str, int | None] = {}
        self._in_list = False

    def blocks(self) -> Iterator[Block]:
        """Every paragraph and table row, in order."""
        for element in _walk(self._body):
            if element.tag == f"{_W}p":
                yield self._paragraph(element)
            else:
                yield from _table(element)
                self._in_list = False

    def _paragraph(self, element: Any) -> Block:
        text = "".join(_texts(element))
        level = self._level(element)
        item = level is None and bool(text.strip()) and self._is_item(element)
        tight, self._in_list = item and self._in_list, item
        return Block(text=f"- {text}" if item else text, level=level, tight=tight)

    def _level(self, element: Any) -> int | None:
        """1 for the highest heading; None: no heading."""
        own = _value(element, "pPr/outlineLvl")
        if own is not None:
            return int(own) + 1 if int(own) < _BODY_LEVEL else None
        return self._style_level(_value(element, "pPr/pStyle") or "")

    def _style_level(self, style_id: str) -> int | None:
        if style_id not in self._levels:
            # Set first: a style that is based on itself must not go round for ever.
            self._levels[style_id] = None
            self._levels[style_id] = self._look_up(style_id)
        return self._levels[style_id]

    def _look_up(self, style_id: str) -> int | None:
        style = self._styles.get(style_id)
        if style is None:
            return None
        if named := _HEADING_NAME.match(_value(style, "name") or ""):
            return int(named[1])
        own = _value(style, "pPr/outlineLvl")
        if own is not None:
            return int(own) + 1 if int(own) < _BODY_LEVEL else None
        return self._style_level(_value(style, "basedOn") or "")

    def _is_item(self, element: Any) -> bool:
        """A list item: numbered itself, or by its style. Number 0 takes a style's away."""
        own = _value(element, "pPr/numPr/numId")
        if own is not None:
            return own != "0"
        style = self._styles.get(_value(element, "pPr/pStyle") or "")
        return style is not None and _find(style, "pPr/numPr/numId") is not None


def _walk(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables, also those inside content controls."""
    for element in parent:
        if element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"):
            yield from _walk(element)


def _texts(element: Any) -> Iterator[str]:
    """The pieces of text that are shown, in order, also inserted ones and links."""
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == f"{_W}p":
            yield "\n"
            yield from _texts(child)
        elif child.tag not in _NOT_SHOWN:
            yield from _texts(child)


def _table(table: Any) -> Iterator[Block]:
    """One line a row, its cells apart by bars; what is merged stands once."""
    tight = False
    for row in _rows(table):
        cells = [" ".join("".join(_texts(cell)).split()) for cell in _cells(row)]
        if any(cells):
            yield Block(text=" | ".join(cells), tight=tight)
            tight = True


def _rows(table: Any) -> Iterator[Any]:
    return (row for row in table.iter(f"{_W}tr") if _owner(row, f"{_W}tbl") is table)


def _cells(row: Any) -> Iterator[Any]:
    return (cell for cell in row.iter(f"{_W}tc") if _owner(cell, f"{_W}tr") is row)


def _owner(element: Any, tag: str) -> Any:
    """The nearest element of that tag around `element`."""
    return next(element.iterancestors(tag), None)


def _find(element: Any, path: str) -> Any:
    return element.find("/".join(f"{_W}{step}" for step in path.split("/")))


def _value(element: Any, path: str) -> str | None:
    """The `val` of the element at `path`; None: it is not there."""
    found = _find(element, path)
    return None if found is None else found.get(f"{_W}val")
