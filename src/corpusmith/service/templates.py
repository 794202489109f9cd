"""Use-cases of templates."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from corpusmith.errors import NotFound
from corpusmith.messages import language_of
from corpusmith.nouns import Template
from corpusmith.presets import load as presets
from corpusmith.service.template_file import TEMPLATE_SUFFIXES, read_template
from corpusmith.store.store import SqlStore
from corpusmith.values import Language

_VERSIONED = re.compile(r"(.+)@(\d{1,9})")
_SPOKEN = re.compile(r"(.+)\.(zh|en)")


def find_template(wish: str, store: SqlStore, language: Language | None = None) -> Template:
    """A file, a stored template (`qa`, or `qa@3`: its third version), or a shipped one.

    A shipped one speaks `language` (None: the one messages are in) unless the wish says otherwise:
    `qa.en`. Raises NotFound naming what is called almost so, SpecError for a file.
    """
    path = Path(wish).expanduser()
    if path.suffix.lower() in TEMPLATE_SUFFIXES or path.is_file():
        return read_template(path)
    found = _stored(wish, store) or shipped_template(wish, language or language_of())
    if found is None:
        raise _unknown(wish, store)
    return found


def shipped_template(wish: str, language: Language) -> Template | None:
    """The shipped template of that name in `language`, or as `name.zh`, `name.en`; None: none."""
    if spoken := _SPOKEN.fullmatch(wish):
        wish, language = spoken[1], "zh" if spoken[2] == "zh" else "en"
    return next((one for one in presets.templates(language) if one.name == wish), None)


def _stored(wish: str, store: SqlStore) -> Template | None:
    """Raises NotFound for a version that a stored template does not have."""
    versioned = _VERSIONED.fullmatch(wish)
    tries = [(wish, None), *([(versioned[1], int(versioned[2]))] if versioned else [])]
    for name, version in tries:
        try:
            return store.templates.get(name, version)
        except NotFound as error:
            if error.reason != "unknown_template":
                raise
    return None


def _unknown(wish: str, store: SqlStore) -> NotFound:
    names = [one.name for one in store.templates.list(limit=None)]
    names += [one.name for one in presets.templates("en")]
    near = get_close_matches(wish, list(dict.fromkeys(names)), n=3)
    code = "unknown_template_near" if near else "unknown_template"
    return NotFound(code, kind="template", name=wish, near=", ".join(near))
