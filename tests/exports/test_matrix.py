"""Every kind of record in every format: how many rows it gives, or why it is refused.

`tests/conformance/test_every_kind.py` has the trainers read all of these rows. The same for people:
`docs/export.md`, "What a record gives".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from export_cases import CONTENTS, RATINGS, record

from corpusmith import registry
from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.messages import catalog
from corpusmith.values import Json, Record

CHATS = ("messages", "sharegpt", "prompt_completion", "alpaca")
PAIRS = ("dpo", "dpo_trl", "dpo_alpaca")
LABELS = ("kto", "kto_trl")
NATIVE = ("json", "jsonl", "csv", "parquet")

Cell = int | str
"""Rows, or the code of the refusal without `export_`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a kind of record gives."""

    chats: Cell
    pairs: Cell
    labels: Cell
    axolotl: Cell
    """In `kto_axolotl`, which has room for one question."""
    sharegpt: Cell | None = None
    """Where it differs from other chats: it has room for tools."""


_ONE = Outcome(1, "no_pair", "no_label", "no_label")
_RATED = Outcome(1, "no_pair", 1, 1)
_LABELLED_BAD = Outcome("unwanted", "no_pair", 1, 1)
_SAME = Outcome(1, "pair_same", "pair_same", "pair_same")
_NONE = Outcome("no_chat", "no_chat", "no_chat", "no_chat")

MATRIX: dict[str, Outcome] = {
    "dialogue_zh": Outcome(1, "no_pair", 1, "history"),
    "greeting_en": Outcome("greeting", "no_pair", "no_label", "no_label"),
    "chat_with_system": _ONE,
    "chat_two_users": Outcome("turn_order", "no_pair", "no_label", "no_label"),
    "chat_with_tool": Outcome("tools", "tools", "tools", "tools", sharegpt=1),
    "kto_true": _RATED,
    "kto_false": _LABELLED_BAD,
    "pair": Outcome(1, 1, 2, "history"),
    "qa": _RATED,
    "alpaca": _ONE,
    "prompt_response": _ONE,
    "summary": _ONE,
    "classification": _ONE,
    "rounds": Outcome(1, 2, 4, "history"),
    "triple": Outcome(1, 1, 2, 2),
    "refinement": Outcome(1, 1, 2, 2),
    "refinement_unchanged": _SAME,
    "feedback_good": _RATED,
    "feedback_middling": Outcome(1, "no_pair", "rating_between", "rating_between"),
    "feedback_bad": _RATED,
    "unknown_fields": _NONE,
    "no_object": _NONE,
    # Kinds that have no golden file.
    "sharegpt": _ONE,
    "grounded_qa": _ONE,
    "sample_of_ones_own": _ONE,
    "pair_alpaca": Outcome(1, 1, 2, 2),
    "pair_trl": Outcome(1, 1, 2, 2),
    "pair_rated_too": Outcome(1, 1, 1, 1),
    "text_only": _NONE,
    "picture": Outcome("turn_shape", "no_pair", "no_label", "no_label"),
    "calls_apart": Outcome("tool_calls", "no_pair", "no_label", "no_label"),
}
_GOOD, _BAD = "a good answer", "a bad answer"
_ASK, _REPLY = {"role": "user", "content": "q"}, {"role": "assistant", "content": _GOOD}
_PICTURE = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
MORE: dict[str, Json] = {
    "sharegpt": {
        "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": _GOOD}],
        "system": "s",
    },
    "grounded_qa": {"问题": "q", "答案": _GOOD, "chunk": 1, "source": "x.txt", "evidence": "e"},
    "sample_of_ones_own": {"指令": "q", "输入": "i", "输出": _GOOD, "难度": 3, "tags": ["t"]},
    "pair_alpaca": {"instruction": "q", "input": "i", "chosen": _GOOD, "rejected": _BAD},
    "pair_trl": {"prompt": [_ASK], "chosen": [_REPLY], "rejected": [{**_REPLY, "content": _BAD}]},
    "pair_rated_too": {"prompt": "q", "chosen": _GOOD, "rejected": _BAD, "rating": 5},
    "text_only": {"text": "only"},
    "picture": {"messages": [{"role": "user", "content": _PICTURE}, _REPLY]},
    "calls_apart": {"messages": [_ASK, {**_REPLY, "content": "", "tool_calls": [{"id": "1"}]}]},
}
KINDS: dict[str, Json] = {**CONTENTS, **MORE}


def kind(name: str, number: int = 7) -> Record:
    return record(KINDS[name], number, rating=RATINGS.get(name))


def wanted(name: str, form: str) -> Cell:
    """The cell of the table."""
    told = MATRIX[name]
    if form == "sharegpt" and told.sharegpt is not None:
        return told.sharegpt
    groups = {CHATS: told.chats, PAIRS: told.pairs, LABELS: told.labels, NATIVE: 1}
    return next((cell for forms, cell in groups.items() if form in forms), told.axolotl)


def cells() -> Iterator[Any]:
    for name in KINDS:
        for form in registry.names("exporter"):
            yield pytest.param(name, form, id=f"{name}-{form}")


@pytest.mark.parametrize(("name", "form"), list(cells()))
def test_a_kind_of_record_gives_rows_or_a_reason(name: str, form: str) -> None:
    exporter = format_of(form, "x", {}).exporter
    cell = wanted(name, form)
    if isinstance(cell, int):
        rows: list[Any] = list(exporter.rows(kind(name)))
        assert len(rows) == cell
        assert all(exporter.columns is None or [*row] == [*exporter.columns] for row in rows)
        return
    with pytest.raises(UsageError) as caught:
        exporter.rows(kind(name))
    assert caught.value.reason == f"export_{cell}"
    for language in ("zh", "en"):
        told = caught.value.message(language)  # type: ignore[arg-type]
        assert "7" in told and "{" not in told
        assert f"export.reason.export_{cell}" in catalog(language)  # type: ignore[arg-type]


def test_the_table_has_every_kind_and_every_format() -> None:
    assert MATRIX.keys() == KINDS.keys()
    assert {*CHATS, *PAIRS, *LABELS, *NATIVE, "kto_axolotl"} == {*registry.names("exporter")}


# ---------------------------------------------------------------- what the page says

PAGE_ROWS = (
    ("dialogue_zh",),
    ("qa", "grounded_qa", "sample_of_ones_own"),
    ("rounds", "triple"),
    ("refinement",),
    ("feedback_good", "feedback_bad"),
    ("chat_with_system", "alpaca", "sharegpt"),
    ("pair", "pair_alpaca", "pair_trl"),
    ("kto_true", "kto_false"),
)
"""The kinds that each row of the page's table speaks of."""


@pytest.mark.parametrize(
    ("page", "heading"),
    [("export.md", "## What a record gives"), ("export.zh-CN.md", "## ")],
)
def test_the_page_has_a_dash_exactly_where_no_pair_is_made(page: str, heading: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    tables = re.findall(r"^\|[^\n]*SFT \| DPO \| KTO \|\n\|[-| ]+\|\n((?:\|.*\n)+)", text, re.M)
    rows = [line.split(" | ") for line in tables[-1].splitlines()]
    assert len(rows) == len(PAGE_ROWS) and heading in text
    for row, names in zip(rows, PAGE_ROWS, strict=True):
        for name in names:
            assert (row[2].strip() == "–") == (MATRIX[name].pairs == "no_pair"), (name, row)
