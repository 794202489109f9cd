"""What Corpusmith says to people, in Chinese and English.

Owns: finding a text by its key and filling it; that pages get the twin `page.<key>` of a text that
speaks of the command line.
Does not own: the texts (`locales/<language>/<part>.json`).
Every key exists in every language; `tests/test_messages.py` holds that.
"""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import resources
from typing import Any, cast, get_args

from corpusmith.values import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)(?::(?:,|([^{}|]*)\|([^{}|]*)))?\}")
"""`{name}`; of a count `{name:,}`, which groups its digits, or `{name:record|records}`: also the
word for one or for any other number."""
_KNOWN = {"problem": "os", "cause": "os", "kind": "kind", "scope": "scope", "status": "status"}
"""Places whose value may be the last part of a key, with the first part of that key: an
`OSError.strerror` (English, whatever the user speaks), a kind of thing, a right, a status."""
_ON_PAGE: ContextVar[bool] = ContextVar("on_page", default=False)


@lru_cache
def catalog(language: Language) -> dict[str, str]:
    """All texts of a language by key, from every file of its folder."""
    import json

    texts: dict[str, str] = {}
    folder = resources.files("corpusmith") / "locales" / language
    for file in folder.iterdir():
        texts |= cast(dict[str, str], json.loads(file.read_text("utf-8")))
    return texts


def say(key: str, language: Language, /, **data: Any) -> str:
    """The text of `key` with each `{name}` replaced once from `data`; an unknown key is itself.
    `{n:record|records}` is `1 record`, and `2,000 records`; `{n:,}` is `2,000`.

    Values are put in as they are and never expanded again; what the operating system says of a
    file (a `problem` or `cause`), a `kind`, a `scope` and a `status` are said in this language.
    """
    texts = catalog(language)
    text = texts.get(f"page.{key}") if _ON_PAGE.get() else None
    if text is None:
        text = texts.get(key)
    if text is None:
        details = ", ".join(f"{name}={value}" for name, value in data.items() if value is not None)
        return f"{key} ({details})" if details else key
    return PLACE.sub(lambda place: _filled(place, data, language), text)


def say_page(key: str, language: Language, /, **data: Any) -> str:
    """`say` for pages and REST: the twin `page.<key>` where there is one."""
    with for_pages():
        return say(key, language, **data)


@contextmanager
def for_pages() -> Iterator[None]:
    """Within it every text is the page's: also those of which another is made."""
    before = _ON_PAGE.set(True)
    try:
        yield
    finally:
        _ON_PAGE.reset(before)


def places_of(key: str) -> set[str]:
    """The names of what is filled into a text; an unknown key has none."""
    return {place[1] for place in PLACE.finditer(catalog("en").get(key, ""))}


def _filled(place: re.Match[str], data: Mapping[str, Any], language: Language) -> str:
    name, one, others = place.groups()
    if name not in data:
        return place[0]
    value = str(data[name])
    if name in _KNOWN:
        value = catalog(language).get(f"{_KNOWN[name]}.{value}", value)
    if (one is not None or place[0].endswith(":,}")) and value.isascii() and value.isdigit():
        value = f"{int(value):,}"
    return value if one is None else f"{value} {one if value == '1' else others}"


def language_of(wish: str | None = None) -> Language:
    """The language to speak: `wish`, else CORPUSMITH_LANG, else the locale, else English."""
    candidates = (wish, os.environ.get("CORPUSMITH_LANG"), _locale_name())
    for candidate in candidates:
        if candidate and candidate.lower()[:2] in LANGUAGES:
            return cast(Language, candidate.lower()[:2])
    return "en"


def _locale_name() -> str | None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return value
    return locale.getlocale()[0]
