"""Which models write a template task, and with which parameters.

Owns: mixes of models by weight, a role for each endpoint, whose parameters win. Does not own:
finding a single endpoint (`service/endpoints.py`), who writes which item (the recipe).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

from pydantic import Field

from corpusmith.errors import UsageError
from corpusmith.nouns import Template
from corpusmith.recipes.template_spec import WriterPart
from corpusmith.service.cards import has
from corpusmith.service.endpoints import endpoints_of, find_connection
from corpusmith.service.task_file import EndpointPart, Part, TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection

Preset = Literal["high_quality", "fast", "creative"]

PRESETS: dict[str, dict[str, float | int]] = {
    "high_quality": {"temperature": 0.4, "top_p": 0.9},
    "fast": {"temperature": 0.2, "top_p": 0.9, "sample_tokens": 512},
    "creative": {"temperature": 0.9, "top_p": 0.98},
}
"""SPEC.md, job B: the middle of its ranges. `sample_tokens`: of one sample, as a call may hold
several."""
PARAMETERS = ("temperature", "top_p", "max_tokens")


class ModelPart(Part):
    """One model of a mix, and its share next to the others."""

    name: str | None = Field(default=None, min_length=1)
    """A stored connection, else a model of the task's own endpoint."""
    connection: str | EndpointPart | None = None
    model: str | None = Field(default=None, min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class Wishes(Protocol):
    """What a category, or a task without categories, says of its models."""

    @property
    def connection(self) -> str | EndpointPart | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def models(self) -> tuple[ModelPart, ...]: ...


@dataclass(slots=True)
class Writers:
    """Gives each endpoint its role while the categories are gone through."""

    file: TaskFile
    store: SqlStore
    mix: tuple[ModelPart, ...]
    """The task's own mix, for categories that have none."""
    endpoints: dict[str, Connection] = field(default_factory=dict)
    """By role: `writer`, `writer2`, …"""
    _base: _Base = field(init=False)

    def __post_init__(self) -> None:
        self._base = _Base(self.file, self.store)

    def of(self, wishes: Wishes | None, template: Template) -> tuple[WriterPart, ...]:
        """Who writes a category. Raises UsageError, NotFound."""
        mix = wishes.models if wishes is not None else ()
        if wishes is not None and mix and (wishes.connection or wishes.model):
            raise UsageError("template_models_twice", template=template.name)
        alone = wishes is None or not (mix or wishes.connection or wishes.model)
        mix = mix or (self.mix if alone else ())
        if mix:
            found = [(self._of_mix(one, template), one.weight) for one in mix]
        else:
            found = [(self._single(wishes, template), 1.0)]
        weights: dict[str, float] = {}
        for connection, weight in found:
            role = self._role(connection)
            weights[role] = weights.get(role, 0.0) + weight
        return tuple(WriterPart(role=role, weight=one) for role, one in weights.items())

    def _single(self, wishes: Wishes | None, template: Template) -> Connection:
        if wishes is not None and wishes.connection is not None:
            return self._own(wishes.connection, wishes.model, template)
        chosen = (wishes.model if wishes else None) or self._base.model or template.model
        return _with_model(self._base.connection, chosen)

    def _of_mix(self, one: ModelPart, template: Template) -> Connection:
        if one.connection is not None:
            return self._own(one.connection, one.model or one.name, template)
        if one.name is not None and has(self.store.connections, one.name):
            return self._own(one.name, one.model, template)
        chosen = one.model or one.name
        if chosen is None:
            raise UsageError("template_model_nameless", template=template.name)
        return _with_model(self._base.connection, chosen)

    def _own(self, wish: str | EndpointPart, model: str | None, template: Template) -> Connection:
        """An endpoint named for this category: its own model is nearer than the template's."""
        connection = find_connection(wish, self.store)
        on_the_spot = wish.model if isinstance(wish, EndpointPart) else None
        return _with_model(connection, model or on_the_spot or template.model)

    def _role(self, connection: Connection) -> str:
        for role, known in self.endpoints.items():
            if known == connection:
                return role
        number = len(self.endpoints) + 1
        role = "writer" if number == 1 else f"writer{number}"
        self.endpoints[role] = connection
        return role


class _Base:
    """The task's own endpoint, looked for only when some category needs it."""

    def __init__(self, file: TaskFile, store: SqlStore) -> None:
        self._file = file
        self._store = store

    @cached_property
    def connection(self) -> Connection:
        return endpoints_of(self._file, self._store, ("writer",))["writer"]

    @property
    def model(self) -> str | None:
        """The model that the task names; None: a template's may be taken."""
        wish = self._file.roles.get("writer", self._file.connection)
        on_the_spot = wish.model if isinstance(wish, EndpointPart) else None
        return on_the_spot if "writer" in self._file.roles else self._file.model or on_the_spot


def _with_model(connection: Connection, model: str | None) -> Connection:
    return replace(connection, model=model) if model else connection


def parameters_of(*, own: dict[str, Any], preset: str | None, template: Template) -> dict[str, Any]:
    """The parameters that a category's calls are made with, by the nearest who has a wish.

    `own`: the category's; then the task's or category's `preset`, then the template's own, then
    its preset. What the task itself gives is laid over all of them when a call is made.
    """
    found: dict[str, Any] = {}
    layers: Sequence[dict[str, Any]] = (
        PRESETS.get(template.preset, {}),
        {name: getattr(template, name) for name in PARAMETERS},
        PRESETS.get(preset or "", {}),
        own,
    )
    for layer in layers:
        said = {name: value for name, value in layer.items() if value is not None}
        if said.keys() & {"max_tokens", "sample_tokens"}:
            # Both say how long a reply may be: the nearer wish counts, whichever it is.
            found = {n: v for n, v in found.items() if n not in ("max_tokens", "sample_tokens")}
        found |= said
    return found
