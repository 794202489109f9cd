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
from markupsafe import Markup

from corpusmith.api.paths import url_of
from corpusmith.messages import catalog, say
from corpusmith.values import Language
from corpusmith.web import figures
from corpusmith.web.assets import address
from corpusmith.web.folding import FoldingEnvironment
from corpusmith.web.nav import PAGES

FOLDER = Path(__file__).parent / "templates"


@lru_cache
def environment(language: Language) -> Environment:
    """Templates that speak one language: `_` needs no request, so macros are imported plainly."""
    say_here = spoken(language)
    made = FoldingEnvironment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "_": say_here,
        "said_of": partial(_said_of, language),
        "language": language,
        "html_language": HTML_LANGUAGE[language],
        "asset": address,
        "url_of": url_of,
        "at": at,
        "has": has,
        "icon_of": icon_of,
        "pill_of": pill_of,
    }
    made.known = {
        "_": whole_texts(language).get,
        "asset": address,
        "icon": icon_of,
        "ui.icon": icon_of,
        "has": has,
    }
    made.filters |= {name: getattr(figures, name) for name in figures.FILTERS}
    return made


HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}


def spoken(language: Language) -> Callable[..., str]:
    """`_` of the templates: the text of a key. Raises KeyError for a key that there is not."""

    texts, whole = catalog(language), whole_texts(language)

    def text(key: str, /, **data: Any) -> str:
        if (found := whole.get(key)) is not None:
            return found
        if key not in texts:
            raise KeyError(key)
        return say(key, language, **data)

    return text


@lru_cache
def whole_texts(language: Language) -> Mapping[str, str]:
    """The texts into which nothing is filled, and that are the same wherever they are said."""
    texts = catalog(language)
    return {
        key: text for key, text in texts.items() if "{" not in text and f"page.{key}" not in texts
    }


# `typed`: markup and text that looks like it are equal, and only one of them is safe as it is.
@lru_cache(maxsize=1000, typed=True)
def icon_of(name: str, label: str = "") -> Markup:
    """A picture of our own set; with a label it says something, without one it adorns."""
    said = Markup(' role="img" aria-label="{}"').format(label) if label else _ADORNS
    return Markup('<svg class="ico"{}><use href="{}#{}"/></svg>').format(
        said, address("vendor/icons.svg"), name
    )


_ADORNS = Markup(' aria-hidden="true"')


@lru_cache(maxsize=1000, typed=True)
def pill_of(text: str, tone: str = "", icon_name: str = "") -> Markup:
    """A word that says what something is: tables have several in each row."""
    icon = icon_of(icon_name) if icon_name else ""
    return Markup('<span class="pill {}">{}{}</span>').format(tone, icon, text)


def _said_of(language: Language, key: str, /, otherwise: str = "") -> str:
    """The text of a key that may not be there: a preset's or a plug-in's own."""
    return catalog(language).get(key, otherwise)


def at(path: str, query: Mapping[str, str], /, **changes: str) -> str:
    """An address with another query: `changes` over `query`, without what is empty."""
    given = {name: value for name, value in {**query, **changes}.items() if value}
    return f"{path}?{_encoded(tuple(given.items()))}" if given else path


@lru_cache(maxsize=256)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    # Every row of a table leads on with the same filters.
    return urlencode(query)


def has(group: str) -> bool:
    """Whether there is a group of pages of that name, to lead to it."""
    return any(one.name == group for one in PAGES)


def rendered(template: str, language: Language, **data: Any) -> str:
    """The page as HTML."""
    return environment(language).get_template(template).render(**data)
