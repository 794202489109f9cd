"""Known endpoints and list prices, as data (`presets/providers.json`, `presets/prices.json`).

Owns: finding a preset or a price. Does not own: what a user changes of it (`connect.py`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from corpusmith.errors import NotFound
from corpusmith.providers.base_url import normalise_base_url
from corpusmith.values import Price, Protocol, StructuredMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A known endpoint."""

    name: str
    title: str
    protocol: Protocol
    base_url: str
    """Normalised."""
    key_env: str | None = None
    """The variable that usually holds its key; None: it wants none."""
    modes: tuple[StructuredMode, ...] = ()
    """Structured-output ways that it is known to have; empty: not known, try them in turn."""
    local: bool = False
    """True for a server on the user's own machine: its tokens cost nothing."""


def preset(name: str) -> Preset:
    """The preset of that name. Raises NotFound `unknown_provider`, naming what there is."""
    found = _presets().get(name)
    if found is None:
        raise NotFound("unknown_provider", kind="provider", name=name, known=_known())
    return found


def preset_names() -> list[str]:
    """All presets, in the order of the file."""
    return list(_presets())


def price_of(provider: str, base_url: str, model: str) -> Price | None:
    """The list price, only at the provider's own address; None means unknown.

    A dated or numbered snapshot (`gpt-4o-2024-08-06`) costs what its model costs, unless it is
    listed itself.
    """
    known = _presets().get(provider)
    if known is None or base_url != known.base_url:
        return None
    if known.local:
        return Price(input_usd=0.0, output_usd=0.0)
    prices = _prices()
    name = model.removeprefix("models/")
    return prices.get((provider, name)) or prices.get((provider, _SNAPSHOT.sub("", name)))


_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|latest)$")


def _known() -> str:
    return ", ".join(_presets())


@lru_cache
def _presets() -> dict[str, Preset]:
    return {row["name"]: _preset(row) for row in _rows("providers.json")}


def _preset(row: dict[str, Any]) -> Preset:
    base_url = normalise_base_url(row["base_url"])
    return Preset(**{**row, "base_url": base_url, "modes": tuple(row.get("modes", ()))})


@lru_cache
def _prices() -> dict[tuple[str, str], Price]:
    return {
        (row["provider"], row["model"]): Price(
            input_usd=row["input_usd"],
            output_usd=row["output_usd"],
            cached_usd=row.get("cached_usd"),
        )
        for row in _rows("prices.json")
    }


def _rows(file: str) -> list[dict[str, Any]]:
    text = (resources.files("corpusmith") / "presets" / file).read_text("utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows
