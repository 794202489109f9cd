"""The manifest of an export: which records, made how, in which files with which bytes.

Owns: its shape. Does not own: counting (`export_facts.py`), writing (`exports/file_set.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import orjson

from corpusmith import __version__
from corpusmith.exports.file_set import WrittenFile
from corpusmith.service.export_facts import Facts, Maker, shown
from corpusmith.service.export_pairs import PairRule
from corpusmith.service.export_parts import Balance, Split, described
from corpusmith.service.export_rows import Refusals
from corpusmith.values import Json, Selection

SUFFIX = ".manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that a manifest and a data card say."""

    form: str
    options: Mapping[str, Any]
    selection: Selection
    seed: int
    balance: Balance | None
    split: Split | None
    pairs: PairRule | None
    facts: Facts
    makers: Sequence[Maker]
    refusals: Refusals
    passed_over: Refusals
    left_out: int
    """By balance."""
    without_character: Mapping[str, int]
    """Records that lack the character's prompt that was asked for, by the character's name."""
    files: Mapping[str, WrittenFile]
    """Name as seen from the manifest → file."""


def manifest(told: Told) -> bytes:
    """As JSON with every script as it is."""
    return orjson.dumps(_body(told), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _body(told: Told) -> dict[str, Json]:
    facts = told.facts
    return {
        "corpusmith": __version__,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "simulated": facts.simulated > 0,
        "format": told.form,
        "options": shown(told.options),
        "selection": selected(told.selection),
        "seed": told.seed,
        **described(told.balance, told.split),
        "pairs": None if told.pairs is None else told.pairs.told(),
        "records": facts.records,
        "rows": facts.rows.total(),
        "refused": _reasons(told.refusals),
        "passed_over": _reasons(told.passed_over),
        "left_out_by_balance": told.left_out,
        "without_character": dict(sorted(told.without_character.items())),
        "parts": {
            part: {"records": count, "rows": facts.rows[part]}
            for part, count in sorted(facts.parts.items())
        },
        "categories": dict(sorted(facts.categories.items())),
        "states": dict(sorted(facts.states.items())),
        "simulated_records": facts.simulated,
        "imported_records": facts.imported,
        "models": dict(sorted(facts.models.items())),
        "tasks": [_task(one) for one in told.makers],
        "files": [
            {"file": name, "rows": one.rows, "bytes": one.bytes, "sha256": one.sha256}
            for name, one in told.files.items()
        ],
    }


def _reasons(refusals: Refusals) -> dict[str, Json]:
    """Counts, and the first records' numbers."""
    return {
        reason: {"count": count, "records": refusals.ids[reason]}
        for reason, count in refusals.counts.items()
    }


def selected(selection: Selection) -> dict[str, Json]:
    """What of a selection was asked for."""
    given = asdict(selection)
    return {name: value for name, value in given.items() if value not in (None, False)}


def _task(maker: Maker) -> dict[str, Json]:
    """All of it but the recipe's parameters: those may hold paths."""
    return {one.name: getattr(maker, one.name) for one in fields(maker) if one.name != "spec"}
