"""Templates into pages.

Owns: the environment of templates, one a language. Does not own: what stands on a page (`pages/`,
`templates/`), texts (`locales/`).
Everything is escaped, and a name that is not there is an error: also a text's key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from corpusmith.api.paths import url_of
from corpusmith.messages import catalog, say
from corpusmith.values import Language
from corpusmith.web import figures
from corpusmith.web.assets import address
from corpusmith.web.nav import PAGES

FOLDER = Path(__file__).parent / "templates"


@lru_cache
def environment(language: Language) -> Environment:
    """Templates that speak one language: `_` needs no request, so macros are imported plainly."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "_": spoken(language),
        "said_of": partial(_said_of, language),
        "language": language,
        "html_language": HTML_LANGUAGE[language],
        "asset": address,
        "url_of": url_of,
        "at": at,
        "has": has,
    }
    made.filters |= {name: getattr(figures, name) for name in figures.FILTERS}
    return made


HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}


def spoken(language: Language) -> Callable[..., str]:
    """`_` of the templates: the text of a key. Raises KeyError for a key that there is not."""

    def text(key: str, /, **data: Any) -> str:
        if key not in catalog(language):
            raise KeyError(key)
        return say(key, language, **data)

    return text


def _said_of(language: Language, key: str, /, otherwise: str = "") -> str:
    """The text of a key that may not be there: a preset's or a plug-in's own."""
    return catalog(language).get(key, otherwise)


def at(path: str, query: Mapping[str, str], /, **changes: str) -> str:
    """An address with another query: `changes` over `query`, without what is empty."""
    given = {name: value for name, value in {**query, **changes}.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def has(group: str) -> bool:
    """Whether there is a group of pages of that name, to lead to it."""
    return any(one.name == group for one in PAGES)


def rendered(template: str, language: Language, **data: Any) -> str:
    """The page as HTML."""
    return environment(language).get_template(template).render(**data)
