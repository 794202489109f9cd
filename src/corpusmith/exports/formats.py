"""What a format's name, a file's name and some options come to: an exporter and a container.

Owns: the rule which container it is, and whose an option is. Does not own: the formats.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from corpusmith import registry
from corpusmith.contracts import Container, Exporter
from corpusmith.errors import UsageError
from corpusmith.values import Json

SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
"""A file's suffix → its container."""
TOLD = frozenset({"self", "nested", "columns"})
"""Parameters that are no options: they are told by whoever puts the two together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What to write rows with, and into what."""

    exporter: Exporter
    container: Container


def format_of(form: str, path: str, options: Mapping[str, Json]) -> Format:
    """The exporter `form`, and the container of a file at `path`.

    Raises NotFound for an unknown format, UsageError for an option that neither of them has.
    """
    make = registry.load("exporter", form)
    make_container = registry.load("container", container_of(form, path))
    names, container_names = option_names(make), option_names(make_container)
    for name in options:
        if name not in (*names, *container_names):
            known = ", ".join([*names, *container_names])
            if not known:
                raise UsageError("export_option_none", name=name, format=form)
            raise UsageError("export_option_unknown", name=name, format=form, known=known)
    told: dict[str, Any] = {"nested": make_container.nested} if _takes(make, "nested") else {}
    exporter = make(**told, **{name: options[name] for name in names if name in options})
    chosen = {name: options[name] for name in container_names if name in options}
    return Format(exporter=exporter, container=make_container(columns=exporter.columns, **chosen))


def container_of(form: str, path: str) -> str:
    """The container's name. Raises NotFound for an unknown format.

    A format that is named after a container is that one, whatever the file is called; any other
    goes into the container that the file's suffix names, else into its usual one.
    """
    usual: str = registry.load("exporter", form).container
    if form == usual:
        return usual
    return SUFFIXES.get(PurePath(path).suffix.lower(), usual)


def option_names(make: Any) -> tuple[str, ...]:
    """The options that an exporter or a container takes, in its own order."""
    return tuple(name for name in inspect.signature(make).parameters if name not in TOLD)


def _takes(make: Any, name: str) -> bool:
    return name in inspect.signature(make).parameters
