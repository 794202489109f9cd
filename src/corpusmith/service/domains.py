"""Use-cases of domains: the fields of knowledge that self-play is played in.

Owns: finding a domain by name or file, and a file to begin one's own with. Does not own: what a
domain is (`recipes/selfplay_domain.py`), the shipped ones (`presets/domains/`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from corpusmith.errors import NotFound, UsageError
from corpusmith.places import given_output, means_file
from corpusmith.presets import load as presets
from corpusmith.recipes.selfplay_domain import Domain, is_name
from corpusmith.service.fields import FieldsError
from corpusmith.service.yaml_file import read_fields
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

DEFAULT = "short_video"
FILE_SUFFIXES = (".yaml", ".yml", ".json")
_STARTER_NAME = "my_domain"


def find_domain(wish: str | None = None, language: Language | None = None) -> Domain:
    """A domain file, or a shipped domain by name; None: the default one.

    `language`: the one it must speak. A shipped domain that speaks another is looked for as
    `NAME_<language>`. Raises NotFound, FieldsError (a SpecError) that names the file's fields,
    UsageError for a domain in another language.
    """
    name = wish or DEFAULT
    domain = read_domain(name) if is_file(name) else _shipped(name, language)
    if language is not None and domain.language != language:
        raise UsageError(
            "domain_language", name=domain.name, speaks=domain.language, language=language
        )
    return domain


def is_file(wish: str) -> bool:
    """Whether a wish means a file, rather than a shipped domain's name."""
    return "/" in wish or means_file(wish, FILE_SUFFIXES)


def read_domain(path: str | Path) -> Domain:
    """The domain of a YAML or JSON file. Raises SpecError naming the file and the fields."""
    fields = read_fields(path)
    try:
        return Domain.model_validate(fields)
    except ValidationError as error:
        raise FieldsError.of(error, Domain, str(path)) from None


def shipped_domains() -> list[Domain]:
    """Those that come with Corpusmith, the default first."""
    names = sorted(presets.domains(), key=lambda name: (name != DEFAULT, name))
    return [Domain.model_validate(presets.domains()[name]) for name in names]


def starter(name: str, language: Language) -> str:
    """A commented domain file called `name`, ready to run. Raises UsageError for a bad name."""
    if not is_name(name):
        raise UsageError("domain_name", name=name)
    return presets.domain_starter(language).replace(_STARTER_NAME, name)


def write_starter(
    name: str, language: Language, folder: str | Path = ".", *, force: bool = False
) -> Path:
    """Writes `<name>.yaml`, commented and ready to run; returns where.

    Raises UsageError for a bad name, or when it is there already and not `force`.
    """
    text = starter(name, language)
    path = given_output(folder) / f"{name}.yaml"
    if path.exists() and not force:
        raise UsageError("domain_file_exists", file=str(path))
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError("cannot_write", path=str(path), cause=error.strerror) from None
    return path


def _shipped(name: str, language: Language | None) -> Domain:
    found = presets.domain(name)
    if found is not None and language is not None and found["language"] != language:
        found = presets.domain(f"{name}_{language}") or found
    if found is None:
        known = ", ".join(domain.name for domain in shipped_domains())
        raise NotFound("domain_unknown", name=name, known=known)
    return Domain.model_validate(found)


class Domains:
    """`studio.domains`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> list[Domain]:
        """The shipped ones; others are files."""
        return shipped_domains()

    def find(self, wish: str | None = None, *, language: Language | None = None) -> Domain:
        """See `find_domain`."""
        return find_domain(wish, language)

    def init(self, name: str, *, folder: str | Path = ".", force: bool = False) -> Path:
        """See `write_starter`; in the Studio's language."""
        return write_starter(name, self._studio.language, folder, force=force)
