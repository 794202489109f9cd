"""Real exports of a real studio, through each trainer that FORMATS.md names for the format.

Every row arrives, in order, with the same texts, roles and labels, and nothing else: what is
expected is worked out from the records by `stocked.py`, never by the exporters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stocked import KINDS, QUESTIONS, Stock
from trainers import Trainers
from ways import (
    CHATS,
    LABELS,
    PAIRS,
    Expect,
    Load,
    axolotl_alpaca,
    axolotl_kto,
    chats,
    judged,
    judged_questions,
    last_answers,
    llamafactory,
    pairs,
    questions,
    trl_completions,
)

EVERY = tuple(KINDS)
PREFERRED = tuple(name for name, kind in KINDS.items() if kind.pairs)
JUDGED = (*PREFERRED, *(name for name, kind in KINDS.items() if kind.label))
NESTED = ("jsonl", "json", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A format, who reads it, and what should arrive there."""

    form: str
    reader: str
    load: Load
    expect: Expect
    kinds: Sequence[str]
    endings: Sequence[str] = NESTED


WAYS = (
    *(
        Way(form=form, reader=reader, load=load, expect=expect, kinds=kinds)
        for readers, expect, kinds in (
            (CHATS, chats, EVERY),
            (PAIRS, pairs, PREFERRED),
            (LABELS, judged, JUDGED),
        )
        for reader, (form, load) in readers.items()
    ),
    Way(
        form="prompt_completion",
        reader="trl",
        load=trl_completions,
        expect=last_answers,
        kinds=EVERY,
    ),
    Way(
        form="alpaca",
        reader="llamafactory",
        load=llamafactory("sft"),
        expect=chats,
        kinds=(*QUESTIONS, "labels"),
        endings=("csv",),
    ),
    Way(
        form="alpaca",
        reader="axolotl",
        load=axolotl_alpaca,
        expect=questions,
        kinds=(*QUESTIONS, "labels"),
        endings=("csv", *NESTED),
    ),
    Way(
        form="kto_axolotl",
        reader="axolotl",
        load=axolotl_kto,
        expect=judged_questions,
        kinds=("selfplay", "labels"),
    ),
)


def cases() -> Iterator[Any]:
    for way in WAYS:
        for ending in way.endings:
            for kind in way.kinds:
                name = f"{way.form}-{ending}-{kind}-{way.reader}"
                yield pytest.param(way, ending, kind, id=name.replace(" ", "_"))


@pytest.mark.parametrize(("way", "ending", "kind"), list(cases()))
def test_a_trainer_trains_on_every_row_of_an_export(
    way: Way, ending: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    told = KINDS[kind]
    path = folder / f"rows.{ending}"
    done = stocked.export(kind, path, way.form, way.reader, **told.options)
    expected = way.expect(told, stocked.contents(kind))
    assert done.rows == len(expected) > 0
    assert way.load(trainers, path) == expected


@pytest.mark.parametrize(
    ("form", "way", "kind"),
    [("messages", "sft", "chats"), ("dpo_trl", "dpo", "pairs"), ("kto_trl", "kto", "labels")],
)
def test_trl_makes_a_step_of_training_on_an_export(
    form: str, way: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    path = folder / "rows.jsonl"
    stocked.export(kind, path, form)
    assert 0 < trainers.train_with_trl(path, way) < math.inf


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", ["dialogue", "template", "rounds", "selfplay", "pairs"])
def test_the_native_rows_are_read_as_they_are_by_datasets(
    form: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    path = folder / f"rows.{form}"
    stocked.export(kind, path, form)
    assert trainers.load_with_datasets(path) == stocked.contents(kind)
