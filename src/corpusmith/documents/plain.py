"""Plain text and Markdown: kept as they are, with the headings found.

Owns: which lines are headings. Does not own: encodings (`decode.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from corpusmith.documents.document import Document, Heading

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r"\s*$| {4}|\t| {0,3}(?:[>|*+-]\s|\d+[.)]\s|[*_-]{3,}\s*$)")
"""What cannot be the text above a heading's underline: blank, code, quote, table, list, rule."""
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
_FRONT_TITLE = re.compile(r"^title:[ \t]*(?P<quote>[\"']?)(.+?)(?P=quote)[ \t]*$", re.MULTILINE)

_NUMBER = "[0-9０-９零〇一二两三四五六七八九十百千]+"
_NUMBERED = re.compile(
    rf"[ \t\u3000]*(?:第{_NUMBER}(?P<sign>[卷部编篇集章回节])"
    r"|(?P<word>part|book|chapter|section)[ \t]+(?:[0-9]+|[ivxlc]+)\b)",
    re.IGNORECASE,
)
_LEVELS = {
    **dict.fromkeys("卷部编篇集", 1),
    **dict.fromkeys("章回", 2),
    "节": 3,
    **dict.fromkeys(("part", "book"), 1),
    "chapter": 2,
    "section": 3,
}
_MAX_NUMBERED = 60
"""Characters: a longer line is a sentence that mentions a chapter."""
_SENTENCE_END = tuple("。！？；，,!?;.…")

Lines = Iterator[tuple[int, str]]


def read_text(text: str, file: str) -> Document:
    """A plain text; its headings are the lines such as `第一章 …` and `Chapter 1 …`."""
    return Document(title="", source=file, text=text, headings=_all(text, _numbered))


def read_markdown(text: str, file: str) -> Document:
    """A Markdown text without its front matter; code that looks like a heading is none."""
    front = _FRONT_MATTER.match(text)
    body = text[front.end() :].lstrip("\n") if front else text
    headings = _all(body, _marked)
    named = _FRONT_TITLE.search(front[0]) if front else None
    top = next((heading.text for heading in headings if heading.level == 1), "")
    title = (named[2] if named else "") or top
    return Document(title=title, source=file, text=body, headings=headings)


def _all(text: str, find: Callable[[Lines], Iterator[Heading]]) -> tuple[Heading, ...]:
    return tuple(find(_lines(text)))


def _lines(text: str) -> Lines:
    """Each line with where it starts."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, text[start:end]
        start = end + 1


def _numbered(lines: Lines) -> Iterator[Heading]:
    for start, line in lines:
        if len(line) > _MAX_NUMBERED or line.rstrip().endswith(_SENTENCE_END):
            continue
        if found := _NUMBERED.match(line):
            level = _LEVELS[(found["sign"] or found["word"]).lower()]
            end = start + len(line)
            yield Heading(level=level, text=" ".join(line.split()), start=start, end=end)


def _marked(lines: Lines) -> Iterator[Heading]:
    fence = ""
    above: tuple[int, str] | None = None
    for start, line in lines:
        if fence:
            closing = _FENCE.match(line)
            if closing and closing[1].startswith(fence) and not line[closing.end() :].strip():
                fence = ""
            continue
        if opening := _FENCE.match(line):
            fence, above = opening[1], None
            continue
        found = _heading(start, line, above)
        if found and found.text:
            yield found
        can_be_above = found is None and not _NO_PARAGRAPH.match(line)
        above = (start, line) if can_be_above else None


def _heading(start: int, line: str, above: tuple[int, str] | None) -> Heading | None:
    end = start + len(line)
    if found := _ATX.match(line):
        return Heading(level=len(found[1]), text=found[2] or "", start=start, end=end)
    if above and (found := _UNDERLINE.match(line)):
        level = 1 if found[1][0] == "=" else 2
        return Heading(level=level, text=above[1].strip(), start=above[0], end=end)
    return None
