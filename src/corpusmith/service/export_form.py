"""From a format's name and options to what makes the rows and what writes them.

Owns: which option belongs to which of the two, and saying so when it belongs to neither. Does not
own: the options' meaning (exporters, containers).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmith import registry
from corpusmith.contracts import Container, Exporter
from corpusmith.errors import NotFound, UsageError

HF = "hf"
"""Not one file but a folder in the layout of the hub (`hf_layout.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What makes rows, and what writes them."""

    name: str
    exporter: Exporter
    container_name: str
    options: Mapping[str, Any]
    _container: Any
    _its_options: Mapping[str, Any]

    def container(self) -> Container:
        """A fresh one: each writes one file."""
        made: Container = self._container(columns=self.exporter.columns, **self._its_options)
        return made

    @property
    def suffix(self) -> str:
        return str(self._container.suffix)


def form_of(name: str, options: Mapping[str, Any], *, container: str | None = None) -> Form:
    """The format `name`; `container` None: its usual one. Options of None are not given.

    Raises NotFound for a format that there is not, UsageError for an option that it does not take.
    """
    factory = _loaded("exporter", name)
    holder = _loaded("container", container or factory.container)
    given = {key: value for key, value in options.items() if value is not None}
    own, its = _parameters(factory), _parameters(holder)
    _refuse_unknown(name, given, own | its)
    nested = {"nested": holder.nested} if "nested" in own else {}
    form = Form(
        name=name,
        exporter=factory(**{key: given[key] for key in given if key in own}, **nested),
        container_name=holder.name,
        options=given,
        _container=holder,
        _its_options={key: value for key, value in given.items() if key in its - own},
    )
    form.container()  # its options that make no sense are told now
    return form


def _loaded(kind: registry.Kind, name: str) -> Any:
    try:
        return registry.load(kind, name)
    except NotFound as error:
        if kind == "exporter" and error.reason == "unknown_plugin":
            known = ", ".join([*registry.names(kind), HF])
            raise NotFound("unknown_plugin", kind=kind, name=name[:60], known=known) from None
        raise


def _parameters(factory: Any) -> frozenset[str]:
    return frozenset(inspect.signature(factory).parameters)


def _refuse_unknown(form: str, given: Mapping[str, Any], known: frozenset[str]) -> None:
    takes = sorted(known - {"nested", "columns"})
    unknown = sorted(set(given) - set(takes))
    if not unknown:
        return
    if not takes:
        raise UsageError("export_no_options", option=unknown[0], format=form)
    raise UsageError("export_option", option=unknown[0], format=form, known=", ".join(takes))
