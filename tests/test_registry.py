"""Every name in the tables resolves."""

from __future__ import annotations

import pytest

from corpusmith import registry
from corpusmith.errors import NotFound

ENTRIES = [(kind, name) for kind, table in registry.TABLES.items() for name in table]


@pytest.mark.parametrize(("kind", "name"), ENTRIES, ids=lambda value: str(value))
def test_every_entry_resolves(kind: registry.Kind, name: str) -> None:
    assert callable(registry.load(kind, name))


@pytest.mark.parametrize("kind", ["recipe", "check", "exporter"])
def test_a_plug_in_knows_its_name(kind: registry.Kind) -> None:
    table = registry.TABLES[kind]
    assert {name: registry.load(kind, name).name for name in table} == {n: n for n in table}


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(NotFound) as caught:
        registry.load("exporter", "docx")
    assert caught.value.data == {
        "kind": "exporter",
        "name": "docx",
        "known": ", ".join(registry.names("exporter")),
    }
