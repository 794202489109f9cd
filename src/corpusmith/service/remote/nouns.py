"""Scenarios over REST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from corpusmith.nouns import Scenario
from corpusmith.service import library
from corpusmith.service.remote.wire import Wire
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


class Scenarios(library.Scenarios):
    """`studio.scenarios`, of a server."""

    def __init__(self, studio: Studio, wire: Wire) -> None:
        super().__init__(studio)
        self._wire = wire

    def add(self, scenario: Scenario) -> Scenario:
        return self._one("POST", "scenarios", body=asdict(scenario))

    def get(self, name: str) -> Scenario:
        return self._one("GET", "scenarios", name)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Scenario]:
        found = self._wire.items(Scenario, "scenarios", query={"search": search})
        return [one for one in found if after is None or one.name > after][:limit]

    def shipped(self, language: Language | None = None) -> Sequence[Scenario]:
        query = {"language": language}
        return list(self._wire.items(Scenario, "scenarios", "shipped", query=query))

    def update(self, name: str, **fields: Any) -> Scenario:
        return self._one("PATCH", "scenarios", name, body=fields)

    def delete(self, name: str) -> None:
        self._wire.ask("DELETE", "scenarios", name)

    def _one(self, method: str, *path: object, **given: Any) -> Scenario:
        found: Scenario = self._wire.value(Scenario, method, *path, **given)
        return found
