"""Charts as inline SVG: bars, histograms, stacks, an icicle. Pure.

Owns: geometry and what a screen reader is told. Colours are classes of the style sheet. Everything
is placed in hundredths of the width: a chart fits a telephone, and its words keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corpusmith.reports.counting import Bin
from corpusmith.reports.diversity import Branch
from corpusmith.reports.figures import number, percent, share_of
from corpusmith.reports.markup import Markup, cut, element, joined

HISTOGRAM_HEIGHT = 150
_AXIS = 22
_HEAD = 16
_TICKS = 5
_WIDEST = 14.0
"""Hundredths that a column takes at most."""
_LINE = 17
"""Pixels that a line of words in an icicle needs."""


def bar(value: float, most: float, *, mark: float | None = None, colour: str = "c1") -> Markup:
    """One bar, with a mark where it was meant to end. The numbers stand beside it in the table."""
    whole = max(most, mark or 0.0) or 1.0
    parts = [element("rect", x="0", y=3, width=_at(value, whole), height=10, rx=2, class_=colour)]
    if mark is not None:
        at = _at(mark, whole)
        parts.append(element("line", x1=at, x2=at, y1=0, y2=16, class_="mark"))
    return element("svg", *parts, class_="bar", height=16, aria_hidden="true")


def stack(parts: Sequence[tuple[str, float, str]], label: str) -> Markup:
    """One bar of several parts: (name, value, colour class)."""
    whole = sum(value for _, value, _ in parts)
    drawn, start = [], 0.0
    for name, value, colour in parts:
        if value:
            told = f"{name}: {number(value)} ({percent(share_of(value, whole))})"
            drawn.append(_box(start, value, whole, colour, told))
        start += value
    return _figure("stack", 18, label, *drawn)


def histogram(bins: Sequence[Bin], label: str, *, single: bool = False) -> Markup:
    """Columns; `single`: each stands for one number, not for a range."""
    most = max(one.count for one in bins)
    whole = HISTOGRAM_HEIGHT - _AXIS - _HEAD
    base = HISTOGRAM_HEIGHT - _AXIS
    width = _column(bins)
    columns = []
    for place, one in enumerate(bins):
        height = max(1.0, whole * one.count / most) if one.count else 0.0
        columns.append(
            element(
                "rect",
                element("title", f"{range_of(one, single=single)}: {number(one.count)}"),
                x=f"{place * width + 0.1 * width:.3f}%",
                y=base - height,
                width=f"{0.8 * width:.3f}%",
                height=height,
                class_="c1",
            )
        )
    grid = [
        element("line", x1="0", x2="100%", y1=at, y2=at, class_="grid")
        for at in (_HEAD, _HEAD + whole / 2)
    ]
    axis = element("line", x1="0", x2="100%", y1=base, y2=base, class_="axis")
    top = element("text", number(most), x="100%", y=_HEAD - 4, class_="tick end")
    ticks = list(_ticks(bins, single=single))
    return _figure("histogram", HISTOGRAM_HEIGHT, label, *grid, *columns, axis, top, *ticks)


def range_of(one: Bin, *, single: bool = False) -> str:
    """`20–39`, `40+`, or one number."""
    if one.high is None:
        return f"{number(one.low)}+"
    last = one.high - 1
    return number(one.low) if single or last == one.low else f"{number(one.low)}–{number(last)}"


def _ticks(bins: Sequence[Bin], *, single: bool) -> Iterator[Markup]:
    """Numbers below the axis: under the columns' middles when they are few, else at their left."""
    width = _column(bins)
    step = max(1, -(-len(bins) // (_TICKS if len(bins) > 2 * _TICKS else 2 * _TICKS)))
    middle = single or len(bins) <= _TICKS
    for place in range(0, len(bins), step):
        text = range_of(bins[place], single=single) if middle else number(bins[place].low)
        at = (place + 0.5) * width if middle else place * width
        side = "middle" if middle else "start" if place == 0 else "middle"
        yield element("text", text, x=f"{at:.3f}%", y=HISTOGRAM_HEIGHT - 6, class_=f"tick {side}")


def _column(bins: Sequence[Bin]) -> float:
    return min(_WIDEST, 100 / len(bins))


# ---------------------------------------------------------------- icicle


def icicle(root: Branch, depth: int, height: int, others: str, label: str) -> Markup:
    """Branches from left to right, each as high as its share; words where there is room."""
    cells: list[Markup] = []
    top = 0.0
    for place, branch in enumerate(root.branches):
        tall = height * branch.count / root.count
        colour = f"t{place % 8}" if branch.word else "t-others"
        cells += _cells(branch, 0, depth, top, tall, colour, root.count, others)
        top += tall
    return _figure("icicle", height, label, *cells)


def _cells(
    branch: Branch,
    level: int,
    depth: int,
    top: float,
    tall: float,
    colour: str,
    whole: int,
    others: str,
) -> Iterator[Markup]:
    width = 100 / depth
    word = branch.word or others
    told = f"{word}: {number(branch.count)} ({percent(share_of(branch.count, whole))})"
    inside: list[Markup] = [
        element("title", told),
        element("rect", width="100%", height="100%", class_=colour if branch.word else "t-others"),
    ]
    if tall >= _LINE:
        text = f"{cut(word, 28)} {percent(share_of(branch.count, whole))}"
        y = min(tall / 2 + 5, 20.0)
        inside.append(element("text", text, x=8, y=y, class_="word"))
    yield element(
        "svg",
        *inside,
        x=f"{level * width:.3f}%",
        y=top,
        # What is not told apart any further goes through to the right.
        width=f"{width if branch.word else 100 - level * width:.3f}%",
        height=max(tall, 0.5),
    )
    for inner in branch.branches if level + 1 < depth else ():
        part = tall * inner.count / branch.count
        yield from _cells(inner, level + 1, depth, top, part, colour, whole, others)
        top += part


# ---------------------------------------------------------------- pieces


def _figure(kind: str, height: int, label: str, *parts: Markup) -> Markup:
    return element(
        "svg",
        element("title", label),
        joined(parts),
        class_=f"chart {kind}",
        height=height,
        role="img",
        aria_label=label,
    )


def _box(start: float, value: float, whole: float, colour: str, told: str) -> Markup:
    return element(
        "rect",
        element("title", told),
        x=_at(start, whole),
        width=_at(value, whole),
        height="100%",
        class_=colour,
    )


def _at(value: float, whole: float) -> str:
    return f"{100 * share_of(value, whole):.3f}%"
