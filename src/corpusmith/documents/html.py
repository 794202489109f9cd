"""HTML: the text that people read, with its headings. Nothing is ever fetched.

Owns: which parts of a page are its text. Does not own: parsing (selectolax, by the HTML5 rules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from corpusmith.documents.decode import decoded
from corpusmith.documents.document import Block, Document, assembled
from corpusmith.documents.extra import library
from corpusmith.documents.wrapped import joined

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_NO_TEXT = (
    *("script", "style", "noscript", "template", "nav", "footer", "svg", "math", "canvas"),
    *("iframe", "object", "embed", "audio", "video", "map", "dialog"),
    *("button", "select", "textarea", "input", "datalist", "[hidden]", "[role=navigation]"),
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARAGRAPHS = frozenset(
    (
        *("p", "div", "section", "article", "main", "header", "aside", "body", "center"),
        *("ul", "ol", "dl", "table", "blockquote", "pre", "figure", "hr", "form", "fieldset"),
        *("address", "details", *_HEADINGS),
    )
)
_LINES = frozenset(("li", "tr", "dt", "dd", "br", "caption", "figcaption", "legend", "summary"))
_CELLS = frozenset(("td", "th"))
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_META_WITHIN = 4096
_AS_BROWSERS = {
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii"), "cp1252"),
}
"""The WHATWG Encoding Standard reads a smaller set's name as the larger one that holds it."""
_BLANKS = re.compile(r"[ \t\n\f\r\xa0]+")


def read_html(data: bytes, file: str, encoding: str | None = None) -> Document:
    """The text of a page: its `main` part, if it says which. Raises UsageError."""
    parser = library("selectolax.lexbor", file).LexborHTMLParser
    tree = parser(decoded(data, file, encoding, hint=_declared(data)))
    title = tree.css_first("title")
    shown = joined(title.text().split("\n")) if title else ""
    mains = tree.css("main")
    root = mains[0] if len(mains) == 1 else tree.body
    if root is None:
        return Document(title=shown, source=file, text="")
    for selector in _NO_TEXT:
        for node in root.css(selector):
            node.decompose()
    text, headings = assembled(_Page().blocks(root))
    return Document(title=shown, source=file, text=text, headings=headings)


def _declared(data: bytes) -> str | None:
    """The encoding that the page says it has; None: it says nothing."""
    found = _META.search(data[:_META_WITHIN])
    if found is None:
        return None
    name = found[1].decode("ascii").lower()
    return _AS_BROWSERS.get(name, name)


class _Page:
    """Walks a page's nodes and gives its blocks."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._tight = False
        self._preformatted = 0

    def blocks(self, root: LexborNode) -> Iterator[Block]:
        """Every block of text under `root`, in order."""
        # Not recursive: a page may be nested deeper than Python's stack.
        waiting: list[tuple[LexborNode, bool]] = [(root, False)]
        while waiting:
            node, left = waiting.pop()
            tag = node.tag or ""
            if tag == "-text":
                self._pieces.append(node.text_content or "")
                continue
            yield from self._leave(tag) if left else self._enter(tag)
            if not left:
                waiting.append((node, True))
                waiting.extend((child, False) for child in reversed(_children(node)))

    def _enter(self, tag: str) -> Iterator[Block]:
        if tag in _PARAGRAPHS:
            yield from self._flush(tight=False)
        elif tag in _LINES:
            yield from self._flush(tight=True)
        if tag == "li":
            self._pieces.append("- ")
        elif tag == "pre":
            self._preformatted += 1
        elif tag in _CELLS and "".join(self._pieces).strip():
            self._pieces.append(" | ")

    def _leave(self, tag: str) -> Iterator[Block]:
        if tag in _HEADINGS:
            yield from self._flush(tight=False, level=_HEADINGS[tag])
        elif tag in _PARAGRAPHS:
            yield from self._flush(tight=False)
        elif tag in _LINES and tag != "br":
            yield from self._flush(tight=True)
        if tag == "pre":
            self._preformatted -= 1

    def _flush(self, *, tight: bool, level: int | None = None) -> Iterator[Block]:
        """The text so far as a block; the next one is on the next line, or a paragraph apart."""
        whole = "".join(self._pieces)
        text = whole if self._preformatted else _flowing(whole)
        if not text.strip(" -|\n"):
            # Nothing but marks: an item's own text may still come in a paragraph inside it.
            self._pieces = ["- "] if text.strip() == "-" else []
            self._tight = self._tight and tight
            return
        yield Block(text=text, level=level, tight=self._tight)
        self._pieces = []
        self._tight = tight


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _flowing(text: str) -> str:
    """Blanks and line ends as a browser shows them, but none between two Chinese characters."""
    return _BLANKS.sub(" ", joined(text.split("\n"))).strip()
