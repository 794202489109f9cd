"""The shipped characters, scenarios, templates, word lists and prompt texts, as values.

Owns: reading `presets/`. Does not own: what a user made of them (`store/`), or community cards
(`cards/`). Each is read once and kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from corpusmith.nouns import Character, Scenario, Template
from corpusmith.placeholders import example_text
from corpusmith.values import Language, Message

_SECTION = re.compile(r"^<!-- ([a-z_.]+) -->\n", re.MULTILINE)


def characters(language: Language) -> list[Character]:
    """The shipped characters of a language, by file name."""
    return list(_characters(language).values())


def character(name: str, language: Language) -> Character | None:
    """The shipped character of a file name such as `lin`; None if there is none."""
    return _characters(language).get(name)


def scenarios(language: Language) -> list[Scenario]:
    """The shipped scenarios of a language, in their file's order."""
    return list(_scenarios(language))


@cache
def templates(language: Language) -> tuple[Template, ...]:
    """The shipped templates of a language, by file name; a file's name is its template's.

    A template has the same name in every language.
    """
    # On use: YAML is heavy, and dialogues need none.
    import yaml

    folder = _folder() / "templates" / language
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found: list[Template] = []
    for file in files:
        fields: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
        # A block ends with a line end, which is no part of the text.
        fields["prompt"] = fields["prompt"].strip()
        fields["keep"] = tuple(fields.get("keep", ()))
        fields["name"] = file.name.removesuffix(".yaml")
        found.append(Template(**fields, language=language))
    return tuple(found)


@cache
def rubrics(language: Language) -> Mapping[str, Mapping[str, Any]]:
    """The shipped rubrics of a language by name, their fields as they are written.

    A rubric has the same name, and the same names of dimensions, in every language.
    """
    import yaml

    folder = _folder() / "rubrics" / language
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return MappingProxyType(
        {file.name.removesuffix(".yaml"): yaml.safe_load(file.read_text("utf-8")) for file in files}
    )


def rubric_text(name: str, language: Language) -> str:
    """A shipped rubric's file, to be written from. Raises KeyError for one that there is not."""
    if name not in rubrics(language):
        raise KeyError(name)
    return _read(f"rubrics/{language}/{name}.yaml")


@cache
def domains() -> Mapping[str, Mapping[str, Any]]:
    """The fields of the shipped domains of self-play, by name; a file's name is its domain's."""
    # On use: YAML is heavy, and dialogues need none.
    import yaml

    folder = _folder() / "domains"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found = {f.name.removesuffix(".yaml"): yaml.safe_load(f.read_text("utf-8")) for f in files}
    return MappingProxyType(found)


def domain(name: str) -> Mapping[str, Any] | None:
    """The fields of a shipped domain of self-play; None if there is none of that name."""
    return domains().get(name)


def domain_starter(language: Language) -> str:
    """The text of a commented domain file, called `my_domain`, to begin one's own with."""
    return _read(f"starter/domain.{language}.yaml")


@cache
def traditional() -> Mapping[str, str]:
    """Traditional characters, each with the simplified one that it is compared as."""
    lines = (line for line in _read("traditional.txt").splitlines() if not line.startswith("#"))
    return MappingProxyType({pair[0]: pair[1] for line in lines for pair in line.split()})


@cache
def word_lists() -> Mapping[str, bytes]:
    """The shipped lists of sensitive words: `zh/gambling` -> the file's bytes, by name."""
    root = _folder() / "words"
    files = {
        f"{folder.name}/{file.name.removesuffix('.txt')}": file
        for folder in root.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
        if file.name.endswith(".txt")
    }
    return MappingProxyType({name: files[name].read_bytes() for name in sorted(files)})


@cache
def variation(language: Language) -> Mapping[str, tuple[str, ...]]:
    """The shipped variation lists of a language by their names, in their file's order."""
    lists = json.loads(_read(f"variation.{language}.json"))
    return MappingProxyType({name: tuple(entries) for name, entries in lists.items()})


@cache
def prompts(recipe: str, language: Language) -> Mapping[str, str]:
    """A recipe's prompt texts by their names, from the sections of its Markdown file.

    A section begins at a line `<!-- name -->`; blank lines around its text are not part of it.
    """
    parts = _SECTION.split(_read(f"prompts/{recipe}.{language}.md"))
    return MappingProxyType(
        {name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    )


@cache
def _characters(language: Language) -> dict[str, Character]:
    folder = _folder() / "characters" / language
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return {file.name.removesuffix(".json"): _character(file, language) for file in files}


def _character(file: Traversable, language: Language) -> Character:
    fields: dict[str, Any] = json.loads(file.read_text("utf-8"))
    examples = [
        [
            message
            for turn in dialogue
            for message in (Message("user", turn["user"]), Message("assistant", turn["assistant"]))
        ]
        for dialogue in fields.pop("example_dialogues")
    ]
    image = _folder() / "characters" / language / file.name.replace(".json", ".png")
    return Character(
        **{**fields, "tags": tuple(fields["tags"])},
        example_dialogues=example_text(examples),
        language=language,
        image=image.read_bytes() if image.is_file() else None,
    )


@cache
def _scenarios(language: Language) -> tuple[Scenario, ...]:
    rows = json.loads(_read(f"scenarios.{language}.json"))
    return tuple(
        Scenario(**{**row, "weight": float(row["weight"])}, language=language) for row in rows
    )


def _read(name: str) -> str:
    return (_folder() / name).read_text("utf-8")


def _folder() -> Traversable:
    return resources.files("corpusmith") / "presets"
