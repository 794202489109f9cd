"""Builds HTML and SVG so that foreign text can never become markup.

Owns: elements, escaping, making invisible signs visible. Does not own: what is on the page.
Why no template language: most of the page are charts and tables that are worked out in Python, and
here escaping is not an option that a template could forget: only `element` makes a `Markup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

VOID = frozenset({"meta", "br", "hr", "col", "rect", "line"})
"""Elements without content; of SVG those that are always empty here."""
# Controls but line break and tab, half surrogates, and signs that turn the writing direction.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Markup(str):
    """Text that is markup already. Made by `element` and `trusted` alone."""

    __slots__ = ()


Part: TypeAlias = "str | Markup | Iterable[Part] | None"


def element(tag: str, *parts: Part, **attributes: str | int | float | bool | None) -> Markup:
    """`<tag …>parts</tag>`; every text in it is escaped. `class_` is class, `aria_label`
    aria-label. An attribute that is None or False is left out, True stands alone."""
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in VOID and not parts:
        return Markup(f"<{tag}{written}>" if tag not in ("rect", "line") else f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{joined(*parts)}</{tag}>")


def joined(*parts: Part) -> Markup:
    """The parts one after the other."""
    return Markup("".join(_written(part) for part in parts))


def foreign(text: str) -> Markup:
    """Text of a record, a model or a user: it neither turns the writing around it nor hides."""
    return Markup(f"<bdi>{escape(visible(text))}</bdi>")


def visible(text: str) -> str:
    """`text` with � for what steers a screen and is not seen."""
    return _STEERING.sub("\ufffd", text)


def cut(text: str, size: int) -> str:
    """At most `size` characters, with … where something is missing."""
    return text if len(text) <= size else text[: size - 1] + "…"


def trusted(text: str) -> Markup:
    """Our own markup as it is, such as the style sheet. Never for text from elsewhere."""
    return Markup(text)


def _written(part: Part) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return escape(visible(part))
    return "".join(_written(one) for one in part)


def _attribute(name: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    shown = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {shown}="{escape(visible(text))}"'
