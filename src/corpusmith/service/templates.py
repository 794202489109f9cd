"""Use-cases of templates: find, save with versions, copy, compare, export.

Owns: which template a name stands for, and what may be done to which. Does not own: rows (store),
whether a template makes sense (`template_check.py`), trying one (`template_trial.py`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.errors import CorpusmithError, NotFound, UsageError
from corpusmith.exports.files import translated
from corpusmith.messages import language_of
from corpusmith.nouns import Template, TemplateType
from corpusmith.places import given_output, given_path, means_file
from corpusmith.presets import load as presets
from corpusmith.service import loop
from corpusmith.service.template_check import About, about, check, check_name, schema_like
from corpusmith.service.template_diff import Line, lines_of
from corpusmith.service.template_file import (
    TEMPLATE_SUFFIXES,
    dump_template,
    read_template,
    template_fields,
    template_of,
)
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.template_trial import Trial

_VERSIONED = re.compile(r"(.+)@(\d{1,9})")
_SPOKEN = re.compile(r"(.+)\.(zh|en)")


class Templates:
    """`studio.templates`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    # ------------------------------------------------------------ looking

    def find(self, wish: str) -> Template:
        """A file, a stored template (`name`, `name@2`) or a shipped one; see `find_template`."""
        return find_template(wish, self._studio.store, self._studio.language)

    def get(self, name: str, version: int | None = None) -> Template:
        """A stored one: its newest version, or that one. Raises NotFound."""
        return self._studio.store.templates.get(name, version)

    def list(
        self,
        search: str | None = None,
        *,
        type: TemplateType | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Sequence[Template]:
        """The newest versions of the stored ones, by name; `after`: the last name seen;
        `limit` None: all."""
        return self._studio.store.templates.list(search, type=type, limit=limit, after=after)

    def shipped(self, language: Language | None = None) -> Sequence[Template]:
        """The templates that come with Corpusmith, in the Studio's language or another one."""
        return presets.templates(language or self._studio.language)

    def versions(self, name: str) -> Sequence[tuple[int, str]]:
        """(version, when it was made), oldest first. Raises NotFound."""
        self._refuse_shipped(name)
        return self._studio.store.templates.versions(name)

    def diff(self, name: str, old: int | None = None, new: int | None = None) -> str:
        """What changed between two versions (None: the one before, the newest), as a unified diff
        of their YAML; empty: nothing. Raises NotFound."""
        self._refuse_shipped(name)
        later = self._studio.store.templates.get(name, new)
        earlier = self._studio.store.templates.get(
            name, max(1, later.version - 1) if old is None else old
        )
        lines = difflib.unified_diff(
            dump_template(earlier).splitlines(keepends=True),
            dump_template(later).splitlines(keepends=True),
            fromfile=f"{name}@{earlier.version}",
            tofile=f"{name}@{later.version}",
        )
        return "".join(lines)

    def compared(self, name: str, old: int, new: int) -> Sequence[Line]:
        """What changed between two versions, by lines and words; empty: nothing. Raises
        NotFound."""
        self._refuse_shipped(name)
        stored = self._studio.store.templates
        return lines_of(stored.get(name, old), stored.get(name, new))

    def restore(self, name: str, version: int) -> Template:
        """An old version once more, as the newest. Raises NotFound."""
        self._refuse_shipped(name)
        return self.save(self._studio.store.templates.get(name, version))

    def schema_like(self, sample: str) -> Mapping[str, Json]:
        """The JSON Schema of samples that look like this text. Raises SpecError."""
        return schema_like(sample)

    def about(self, template: Template | str) -> About:
        """Its variables and the shape of its samples. Raises NotFound, SpecError."""
        return about(self.find(template) if isinstance(template, str) else template)

    def unsaved(self, fields: Mapping[str, Json]) -> Template:
        """A template that is not stored. Raises SpecError, UsageError."""
        return _sound(fields)

    def look(self, fields: Mapping[str, Json]) -> tuple[About | None, CorpusmithError | None]:
        """What a template that is being written asks for and brings, as far as that can be told,
        and what keeps it from being stored; None: nothing does."""
        found = None
        try:
            named = {**fields, "name": fields.get("name") or "template"}
            found = about(template_of(named, source="template"))
            _sound(fields)
        except CorpusmithError as error:
            return found, error
        return found, None

    def test(
        self, template: Template | str, *, vars: Mapping[str, Json] | None = None, **fields: Any
    ) -> Trial:
        """One sample of the template, made now, and what was asked. It costs a call or a few.

        `fields`: those of a template task, such as `connection` and `input`.
        """
        return loop.run(self.test_async(template, vars=vars, **fields))

    async def test_async(
        self, template: Template | str, *, vars: Mapping[str, Json] | None = None, **fields: Any
    ) -> Trial:
        """`test`, awaited."""
        from corpusmith.service.template_trial import try_one

        found = self.find(template) if isinstance(template, str) else template
        return await try_one(self._studio, found, {**fields, "vars": dict(vars or {})})

    # ------------------------------------------------------------ changing

    def add(self, template: Template | Mapping[str, Json]) -> Template:
        """A new one, as version 1. Raises Conflict when the name is taken, UsageError."""
        return self._studio.store.templates.add(_sound(template))

    def save(self, template: Template | Mapping[str, Json]) -> Template:
        """A new one, or the next version of the one of its name; nothing changed: the newest.

        Raises UsageError and its kinds.
        """
        return self._studio.store.templates.save(_sound(template))

    def edit(self, name: str, /, **fields: Json) -> Template:
        """Change the given fields, as the next version; None takes one away.

        Raises NotFound, UsageError.
        """
        self._refuse_shipped(name)
        if "name" in fields:
            raise UsageError("template_name_fixed", name=name)
        old = template_fields(self._studio.store.templates.get(name))
        return self.save({k: v for k, v in {**old, **fields}.items() if v is not None})

    def copy(self, wish: str, new_name: str) -> Template:
        """Any template (a stored version, a shipped one, a file) as a new stored one."""
        return self.add(replace(self.find(wish), name=new_name))

    def rename(self, name: str, new_name: str) -> None:
        """With all its versions. Raises NotFound, Conflict, UsageError."""
        self._refuse_shipped(name)
        check_name(new_name)
        self._studio.store.templates.rename(name, new_name)

    def delete(self, name: str) -> None:
        """With all its versions; tasks keep their own copy of what they ran. Raises NotFound."""
        self._refuse_shipped(name)
        self._studio.store.templates.delete(name)

    def export_file(self, wish: str, path: str | Path) -> Path:
        """The template as a YAML file that `find` reads back. Raises NotFound, UsageError."""
        target = given_output(path)
        text = dump_template(self.find(wish))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        except OSError as error:
            raise translated(error, target) from None
        return target

    def _refuse_shipped(self, name: str) -> None:
        """Raises UsageError for a template that is shipped and not stored, NotFound for neither."""
        try:
            self._studio.store.templates.get(name)
        except NotFound:
            if shipped_template(name, self._studio.language):
                raise UsageError("template_shipped", name=name) from None
            raise _unknown(name, self._studio.store) from None


# ---------------------------------------------------------------- finding


def find_template(wish: str, store: SqlStore, language: Language | None = None) -> Template:
    """A file, a stored template (`qa`, or `qa@3`: its third version), or a shipped one.

    A shipped one speaks `language` (None: the one messages are in) unless the wish says otherwise:
    `qa.en`. Raises NotFound naming what is called almost so, SpecError for a file.
    """
    if means_file(wish, TEMPLATE_SUFFIXES):
        return read_template(given_path(wish).expanduser())
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
    near = get_close_matches(wish, list(dict.fromkeys(names)), n=3, cutoff=0.7)
    code = "unknown_template_near" if near else "unknown_template"
    return NotFound(code, kind="template", name=wish, near=", ".join(near))


def _sound(template: Template | Mapping[str, Json]) -> Template:
    """As it may be stored: every field checked by itself, then all together."""
    given = template_fields(template) if isinstance(template, Template) else dict(template)
    source = str(given.get("name") or "template")
    sound = template_of(given, source=source)
    check(sound)
    return sound
