"""Real exports of a real studio, through each trainer that FORMATS.md names for the format.

Every row arrives, in order, with the same texts, roles and labels, and nothing else: what is
expected is worked out from the records by `stocked.py`, never by the exporters.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stocked import KINDS, QUESTIONS, RULES, Kind, Stock, stock
from trainers import Trainers, Turn
from written import AXOLOTL_KTO, AXOLOTL_SHAREGPT, context, system

from corpusmith import Studio
from corpusmith.simulator import SimulatorConfig, run_in_thread
from corpusmith.values import Json

Load = Callable[[Trainers, Path], Any]
Expect = Callable[[Kind, Sequence[Json]], list[Any]]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    folder = tmp_path_factory.mktemp("studio")
    with (
        run_in_thread(SimulatorConfig(seed=3)) as running,
        Studio(f"sqlite:///{folder}/studio.db", language="zh") as studio,
    ):
        yield stock(studio, running.url, folder)


# ---------------------------------------------------------------- what should arrive


def chats(kind: Kind, contents: Sequence[Json]) -> list[list[Turn]]:
    """Every chat but those whose label says that nobody should learn it."""
    return [kind.chat(one) for one in contents if kind.label is None or kind.label(one)]


def last_answers(kind: Kind, contents: Sequence[Json]) -> list[list[Turn]]:
    """The same, trained on the last answer alone."""
    return [[*context(chat), chat[-1]] for chat in chats(kind, contents)]


def pairs(kind: Kind, contents: Sequence[Json]) -> list[dict[str, list[Turn]]]:
    assert kind.pairs is not None
    return [made for one in contents for made in kind.pairs(one)]


def judged(kind: Kind, contents: Sequence[Json]) -> list[dict[str, Any]]:
    """Answers with their labels; a pair gives one of each."""
    if kind.label is None:
        return [
            {"said": made[one], "label": one == "chosen"}
            for made in pairs(kind, contents)
            for one in ("chosen", "rejected")
        ]
    told = [(kind.chat(one), kind.label(one)) for one in contents]
    return [{"said": [*context(chat), chat[-1]], "label": label} for chat, label in told]


def questions(kind: Kind, contents: Sequence[Json]) -> list[tuple[str, str]]:
    return [(chat[0][1], chat[1][1]) for chat in chats(kind, contents)]


def judged_questions(kind: Kind, contents: Sequence[Json]) -> list[tuple[str, str, bool]]:
    told = [(one["said"], one["label"]) for one in judged(kind, contents)]
    return [(said[0][1], said[1][1], label) for said, label in told]


# ---------------------------------------------------------------- who reads it


def llamafactory(stage: str) -> Load:
    def load(trainers: Trainers, path: Path) -> Any:
        return trainers.load_with_llamafactory(path.parent, path.stem, stage)

    return load


def axolotl_chat(**config: Any) -> Load:
    return lambda trainers, path: trainers.load_with_axolotl_chat(path, config)


def axolotl_alpaca(trainers: Trainers, path: Path) -> list[tuple[str, str]]:
    """Question and answer, out of the frame that it puts around them."""
    rows = trainers.load_with_axolotl(path, {"type": "alpaca"})
    return [
        (
            prompt.partition("### Instruction:\n")[2].removesuffix("\n\n### Response:\n"),
            answer.removesuffix("<|im_end|>"),
        )
        for (prompt, _), (answer, _) in (row["text"] for row in rows)
    ]


def axolotl_kto(trainers: Trainers, path: Path) -> list[tuple[str, str, bool]]:
    rows = trainers.load_with_axolotl(path, AXOLOTL_KTO, rl="kto")
    return [(row["text"][0][0], row["text"][1][0], row["label"]) for row in rows]


def trl_completions(trainers: Trainers, path: Path) -> list[list[Turn]]:
    return trainers.load_with_trl_sft(path, assistant_only_loss=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A format, who reads it, and what should arrive there."""

    form: str
    reader: str
    load: Load
    expect: Expect
    kinds: Sequence[str]
    endings: Sequence[str] = ("jsonl",)
    listed: bool = False
    """Read by its entry in `dataset_info.json`."""
    options: Mapping[str, Json] = field(default_factory=dict)


EVERY = tuple(KINDS)
PREFERRED = tuple(name for name, kind in KINDS.items() if kind.pairs)
JUDGED = (*PREFERRED, *(name for name, kind in KINDS.items() if kind.label))
NESTED = ("jsonl", "json", "parquet")
LF: dict[str, Any] = {"reader": "llamafactory", "listed": True}
WAYS = (
    Way(form="messages", load=llamafactory("sft"), expect=chats, kinds=EVERY, endings=NESTED, **LF),
    Way(
        form="messages",
        reader="trl",
        load=Trainers.load_with_trl_sft,
        expect=chats,
        kinds=EVERY,
        endings=NESTED,
    ),
    Way(
        form="messages",
        reader="axolotl",
        load=axolotl_chat(),
        expect=chats,
        kinds=EVERY,
        endings=NESTED,
    ),
    Way(
        form="prompt_completion",
        reader="trl",
        load=trl_completions,
        expect=last_answers,
        kinds=EVERY,
        endings=NESTED,
    ),
    Way(form="alpaca", load=llamafactory("sft"), expect=chats, kinds=EVERY, endings=NESTED, **LF),
    Way(
        form="alpaca",
        load=llamafactory("sft"),
        expect=chats,
        kinds=(*QUESTIONS, "labels"),
        endings=("csv",),
        **LF,
    ),
    Way(
        form="alpaca",
        reader="axolotl",
        load=axolotl_alpaca,
        expect=questions,
        kinds=(*QUESTIONS, "labels"),
        endings=("jsonl", "json", "csv", "parquet"),
    ),
    Way(form="sharegpt", load=llamafactory("sft"), expect=chats, kinds=EVERY, endings=NESTED, **LF),
    Way(
        form="sharegpt",
        reader="axolotl",
        load=axolotl_chat(**AXOLOTL_SHAREGPT),
        expect=chats,
        kinds=EVERY,
        endings=NESTED,
    ),
    Way(form="dpo", load=llamafactory("rm"), expect=pairs, kinds=PREFERRED, endings=NESTED, **LF),
    Way(
        form="dpo",
        reader="axolotl",
        load=Trainers.load_with_axolotl_dpo,
        expect=pairs,
        kinds=PREFERRED,
        endings=NESTED,
    ),
    Way(
        form="dpo_trl",
        reader="trl",
        load=Trainers.load_with_trl_dpo,
        expect=pairs,
        kinds=PREFERRED,
        endings=NESTED,
    ),
    Way(
        form="dpo_alpaca",
        load=llamafactory("rm"),
        expect=pairs,
        kinds=PREFERRED,
        endings=NESTED,
        **LF,
    ),
    Way(form="kto", load=llamafactory("kto"), expect=judged, kinds=JUDGED, endings=NESTED, **LF),
    Way(
        form="kto_trl",
        reader="trl",
        load=Trainers.load_with_trl_kto,
        expect=judged,
        kinds=JUDGED,
        endings=NESTED,
    ),
    Way(
        form="kto_axolotl",
        reader="axolotl",
        load=axolotl_kto,
        expect=judged_questions,
        kinds=("selfplay", "labels"),
        endings=NESTED,
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
    done = stocked.studio.exports.write(
        path,
        task=stocked.tasks[kind],
        form=way.form,
        dataset_info=way.listed,
        **told.options,
        **way.options,
    )
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
    stocked.studio.exports.write(path, task=stocked.tasks[kind], form=form)
    assert 0 < trainers.train_with_trl(path, way) < math.inf


READERS: Mapping[str, tuple[str, Load]] = {
    "trl": ("messages", Trainers.load_with_trl_sft),
    "axolotl": ("messages", axolotl_chat()),
    "llamafactory": ("messages", llamafactory("sft")),
    "llamafactory-alpaca": ("alpaca", llamafactory("sft")),
    "llamafactory-sharegpt": ("sharegpt", llamafactory("sft")),
    "axolotl-sharegpt": ("sharegpt", axolotl_chat(**AXOLOTL_SHAREGPT)),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_system_prompt_of_ones_own_reaches_every_trainer(
    reader: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = READERS[reader]
    path = folder / "rows.jsonl"
    stocked.studio.exports.write(
        path,
        task=stocked.tasks["dialogue"],
        form=form,
        system="own",
        system_text=RULES,
        dataset_info=True,
    )
    expected = chats(KINDS["dialogue"], stocked.contents("dialogue"))
    assert load(trainers, path) == [[system(RULES), *chat] for chat in expected]


@pytest.mark.parametrize("reader", READERS)
def test_the_characters_system_prompt_reaches_every_trainer(
    reader: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = READERS[reader]
    path = folder / "rows.jsonl"
    stocked.studio.exports.write(
        path,
        task=stocked.tasks["dialogue"],
        form=form,
        system="character",
        dataset_info=True,
    )
    arrived = load(trainers, path)
    names = [record.labels["character"] for record in stocked.records("dialogue")]
    assert [chat[0][0] for chat in arrived] == ["system"] * len(names)
    assert all(name in chat[0][1] for name, chat in zip(names, arrived, strict=True))
    assert [chat[1:] for chat in arrived] == chats(KINDS["dialogue"], stocked.contents("dialogue"))


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", ["dialogue", "template", "rounds", "selfplay", "pairs"])
def test_the_native_rows_are_read_as_they_are_by_datasets(
    form: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    path = folder / f"rows.{form}"
    stocked.studio.exports.write(path, task=stocked.tasks[kind], form=form)
    assert trainers.load_with_datasets(path) == stocked.contents(kind)


def test_a_folder_for_the_hub_is_loaded_with_its_splits_by_all_who_read_the_hub(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    stocked.studio.exports.write(
        folder / "hub",
        task=stocked.tasks["dialogue"],
        form="hf",
        shape="messages",
        split="train=0.5,validation=0.5",
    )
    parts = {
        split: [
            _chat(row["messages"]) for row in trainers.load_with_datasets(folder / "hub", split)
        ]
        for split in ("train", "validation")
    }
    expected = chats(KINDS["dialogue"], stocked.contents("dialogue"))
    assert sorted([*parts["train"], *parts["validation"]]) == sorted(expected)
    assert trainers.load_with_trl_sft(folder / "hub") == parts["train"]
    assert trainers.load_with_axolotl_chat(folder / "hub", {}) == parts["train"]


def test_the_parts_of_a_split_have_entries_of_their_own(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    stocked.studio.exports.write(
        folder / "rows.jsonl",
        task=stocked.tasks["dialogue"],
        form="messages",
        split="train=0.5,validation=0.5",
        dataset_info=True,
    )
    names = list(json.loads((folder / "dataset_info.json").read_text("ascii")))
    arrived = [chat for name in names for chat in trainers.load_with_llamafactory(folder, name)]
    assert len(names) == 2
    assert sorted(arrived) == sorted(chats(KINDS["dialogue"], stocked.contents("dialogue")))


def test_exports_into_one_folder_are_all_listed(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    for name, kind in {"语料": "template", "sft": "rounds"}.items():
        stocked.studio.exports.write(
            folder / f"{kind}.jsonl",
            task=stocked.tasks[kind],
            form="messages",
            dataset_info=True,
            dataset_info_name=name,
        )
    for name, kind in {"语料": "template", "sft": "rounds"}.items():
        expected = chats(KINDS[kind], stocked.contents(kind))
        assert trainers.load_with_llamafactory(folder, name) == expected


def test_reasoning_is_trained_on_when_the_export_includes_it_and_not_otherwise(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    place = folder / "thoughts.jsonl"
    asked = {"role": "user", "content": "1+1?"}
    ways = [
        {"role": "assistant", "content": "二", "reasoning_content": "数一数"},
        {"role": "assistant", "content": "二", "reasoning": "数一数"},
        {"role": "assistant", "content": "<think>数一数</think>\n二"},
    ]
    rows = [json.dumps({"messages": [asked, way], "id": n}) for n, way in enumerate(ways)]
    place.write_text("\n".join(rows), "utf-8")
    task = stocked.studio.imports.run(place, "thoughts").task_id
    for reasoning, text in {True: "<think>数一数</think>\n二", False: "二"}.items():
        path = folder / f"{reasoning}.jsonl"
        stocked.studio.exports.write(
            path, task=task, form="messages", reasoning=reasoning, dataset_info=True
        )
        expected = [[("user", "1+1?", False), ("assistant", text, True)]] * len(ways)
        assert trainers.load_with_trl_sft(path) == expected
        assert trainers.load_with_axolotl_chat(path, {}) == expected
        assert trainers.load_with_llamafactory(folder, path.stem) == expected


def _chat(messages: Sequence[Mapping[str, str]]) -> list[Turn]:
    return [(one["role"], one["content"], one["role"] == "assistant") for one in messages]
