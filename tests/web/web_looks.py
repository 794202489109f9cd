"""What is asked of every page, in every look.

Each language is looked at in both themes and both widths, but only the two together in all four
looks: English wide in the light and narrow in the dark, Chinese the other way round.
`LOOKS_WHOLE` (`make soak`) asks for all four of each.

Does not own: the pages (`web_addresses`, `staffed_store`), the browser (`web_kit`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import unquote

from playwright.sync_api import Page
from web_kit import PHONE, SHOTS, WIDE, Look, Site, axe, dress, photograph, sideways

from corpusmith.values import Language

Asked = tuple[str, tuple[int, int], tuple[str, ...]]
"""Theme, width, and the only rules that are asked for; none: all. A theme changes colours alone, so
in the dark nothing else can be new."""

WHOLE: tuple[Asked, ...] = (
    ("light", WIDE, ()),
    ("dark", WIDE, ("color-contrast",)),
    ("dark", PHONE, ("color-contrast",)),
    ("light", PHONE, ()),
)
LOOKED_INTO: Mapping[Language, tuple[Asked, ...]] = (
    {"en": WHOLE, "zh": WHOLE}
    if os.environ.get("LOOKS_WHOLE") or SHOTS
    else {"en": WHOLE[0::2], "zh": WHOLE[1::2]}
)


def read_by_everybody(site: Site, address: str, language: Language) -> None:
    """In both themes, wide and narrow: nothing scrolls sideways, and axe finds nothing."""
    page = site.turn(address, Look(language=language))
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert page.locator("h1").count() == 1
    is_readable(page, unquote(address), language)


def is_readable(page: Page, name: str, language: Language) -> None:
    """The page as it stands now; `name` is its pictures'."""
    found = []
    for theme, width, rules in LOOKED_INTO[language]:
        dress(page, theme, width)
        photograph(page, f"{name} {language} {theme} {width[0]}")
        found += axe(page, *rules)
        assert not sideways(page), (theme, width)
    assert found == []
