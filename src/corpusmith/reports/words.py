"""What the page says, in the reader's language, and the pieces that every section is made of.

Owns: looking words up, tables, hints, what stands where there is nothing. Does not own: the texts
(the catalog: `report.*`, and the names of reasons, recipes and statuses that all faces share).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from corpusmith.messages import catalog, say
from corpusmith.reports import charts
from corpusmith.reports.figures import number, percent, share_of
from corpusmith.reports.markup import Markup, Part, cut, element, foreign, joined
from corpusmith.values import Json, Language

LONGEST_LABEL = 80
MOST_ROWS = 15
"""Rows of a table that are seen at once."""
_SHARES = ("share",)
_FULL_WIDTH = "，。、；：？！）"


class Words:
    """The catalog of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, **data: str | int | float) -> str:
        """The text of `report.<key>`."""
        return say(f"report.{key}", self.language, **data)

    def of(self, family: str, code: str) -> Markup:
        """A code's few words, such as `short.turns`; a code that has none is shown as it is."""
        text = catalog(self.language).get(f"{family}.{code}")
        return foreign(cut(code, LONGEST_LABEL)) if text is None else element("span", text)

    def told(self, code: str, data: Mapping[str, Json]) -> str:
        """A finding's sentence."""
        return self(
            f"finding.{code}", **{name: self.value(name, one) for name, one in data.items()}
        )

    def value(self, name: str, value: Json) -> str:
        if name in _SHARES:
            return percent(value)
        if name == "reason":
            return catalog(self.language).get(f"short.{value}", str(value))
        if name == "language":
            return catalog(self.language).get(f"report.language.{value}", str(value))
        if name == "label":
            return catalog(self.language).get(f"report.label.{value}", cut(str(value), 40))
        if isinstance(value, list):
            return self("comma").join(self("quoted", name=cut(str(one), 30)) for one in value)
        if isinstance(value, float):
            return f"{value:.2f}"
        return number(value) if isinstance(value, int) else str(value)


def section(words: Words, name: str, *parts: Part) -> Markup:
    """A part of the page, with its heading."""
    heading = element("h2", words(f"section.{name}"), id=name)
    return element("section", heading, *parts, aria_labelledby=name)


def panel(title: str, *parts: Part, wide: bool = False) -> Markup:
    """A titled piece of a section."""
    kind = "panel wide" if wide else "panel"
    return element("div", element("h3", title), *parts, class_=kind)


def panels(*parts: Part) -> Markup:
    return element("div", *parts, class_="panels")


def hint(text: str) -> Markup:
    return element("p", text, class_="hint")


def missing(text: str, command: str | None = None) -> Markup:
    """What stands where there is nothing: what would fill it."""
    return element("p", text, gap(text) if command else None, code(command), class_="missing")


def gap(text: str) -> str:
    """What stands between `text` and a command: a full-width sign brings its own room."""
    return "" if text.endswith(tuple(_FULL_WIDTH)) else " "


def code(command: str | None) -> Markup | None:
    return None if command is None else element("code", command)


def table(
    caption: str,
    headers: Sequence[Part],
    rows: Iterable[Sequence[Part]],
    *,
    right: Sequence[int] = (),
    wide: Sequence[int] = (),
) -> Markup:
    """A table; columns of `right` hold numbers, those of `wide` take the room that is left."""
    kinds = {**dict.fromkeys(right, "number"), **dict.fromkeys(wide, "wide")}
    head = element(
        "tr",
        [element("th", one, scope="col", class_=kinds.get(at)) for at, one in enumerate(headers)],
    )
    body = [_row(cells, kinds) for cells in rows]
    inner = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", body),
    )
    return element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _row(cells: Sequence[Part], kinds: Mapping[int, str]) -> Markup:
    first, *others = cells
    return element(
        "tr",
        element("th", first, scope="row", class_=kinds.get(0)),
        [element("td", one, class_=kinds.get(at)) for at, one in enumerate(others, 1)],
    )


def counted(caption: str, head: str, counts: Mapping[str, int], words: Words) -> Markup:
    """Names with their numbers and bars; only the largest."""
    whole, most = sum(counts.values()), max(counts.values(), default=0)
    shown = list(counts.items())[:MOST_ROWS]
    body = table(
        caption,
        [head, words("records"), words("share"), ""],
        [
            (label(name), number(n), percent(share_of(n, whole)), charts.bar(n, most))
            for name, n in shown
        ],
        right=(1, 2),
        wide=(3,),
    )
    left = len(counts) - len(shown)
    return joined(body, hint(words("and_more", n=number(left))) if left else None)


def pairs(rows: Iterable[tuple[str, Part]]) -> Markup:
    """Names and values."""
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in rows]
    )


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """(name, colour class)"""
    return element(
        "ul",
        [
            element("li", element("i", class_=f"swatch {colour}", aria_hidden="true"), name)
            for name, colour in entries
        ],
        class_="legend",
    )


def folded(title: str, *parts: Part, open_: bool = False) -> Markup:
    """Something long that is opened on a click."""
    return element("details", element("summary", title), joined(*parts), open=open_)


def label(text: str) -> Markup:
    """A name that a user or a model gave, not longer than fits a table."""
    return foreign(cut(" ".join(text.split()), LONGEST_LABEL))
