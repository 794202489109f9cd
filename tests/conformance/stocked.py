"""A real studio with records of every kind: tasks on the simulator, and imported files.

Owns: how each kind gets in, and what its records should teach, worked out here by itself. Does not
own: exporters, trainers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainers import Turn
from written import Row, messages_row, pair, pair_row, reply, said, system, user, write

from corpusmith import Studio
from corpusmith.service.export_files import Exported
from corpusmith.values import Json, Record
from recipe_ways import WAYS

COUNT = 4
RULES = "你是茶馆的老板。\nBe brief: {name} — “quotes”."
"""A system prompt of the user's own."""
OPENER = "（推门进来）"

Texts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record. `way`: the recipe that makes it; else `rows` are imported."""

    chat: Callable[[Texts], list[Turn]]
    """What a record's content should teach; an Alpaca row of it is one question and its answer."""
    way: str = ""
    rows: tuple[Row, ...] = ()
    pairs: Callable[[Texts], list[dict[str, list[Turn]]]] | None = None
    label: Callable[[Texts], bool] | None = None
    options: Mapping[str, Json] = field(default_factory=dict)


def _spoken(lines: Iterable[Texts]) -> list[Turn]:
    speak = {"system": system, "user": user, "assistant": reply}
    return [speak[line["role"]](line["content"]) for line in lines]


def _dialogue(content: Texts) -> list[Turn]:
    return _spoken(content["dialogues"])


def _messages(content: Texts) -> list[Turn]:
    return _spoken(content["messages"])


def _greeted(content: Texts) -> list[Turn]:
    return [user(OPENER), *_messages(content)]


def _qa(content: Texts) -> list[Turn]:
    return [user(content["question"]), reply(content["answer"])]


def _rounds(content: Texts) -> list[Turn]:
    return [
        turn
        for one in content["rounds"]
        for turn in (user(one["question"]), reply(one["correction"]))
    ]


def _corrections(content: Texts) -> list[dict[str, list[Turn]]]:
    """The correction over the answer, after the rounds before it as they should have been."""
    made, before = [], list[Turn]()
    for one in content["rounds"]:
        asked = [*before, user(one["question"])]
        made.append(pair([*asked, reply(one["correction"])], one["answer"]))
        before = [*asked, said(one["correction"])]
    return made


def _refined(content: Texts) -> list[Turn]:
    return [user(content["question"]), reply(content["final_answer"])]


def _refinements(content: Texts) -> list[dict[str, list[Turn]]]:
    return [pair(_refined(content), content["initial_answer"])]


def _paired(content: Texts) -> list[Turn]:
    return _spoken([*content["messages"], content["chosen"]])


def _preferred(content: Texts) -> list[dict[str, list[Turn]]]:
    return [pair(_paired(content), content["rejected"]["content"])]


PLAIN = [
    [user("在吗？"), reply("在。\n有事吗")],
    [user("=1+1 等于？"), reply("2 & <b>no</b> more")],
]
TALK = [user(" 茶？ "), reply("\n龙井 👋\n"), user('Why,\t"that"?'), reply("因为\\n好喝")]
GREETINGS = [
    [reply("*抬头* 「坐」"), user("来壶茶"), reply("好")],
    [reply('"Oh, hello."'), user("Hi"), reply("What will it be?"), user("Tea"), reply("Here.")],
]

KINDS: Mapping[str, Kind] = {
    "dialogue": Kind(way="turns", chat=_dialogue),
    "template": Kind(way="template", chat=_qa),
    "rounds": Kind(way="rounds", chat=_rounds, pairs=_corrections),
    "selfplay": Kind(way="selfplay", chat=_refined, pairs=_refinements),
    "greeting": Kind(
        rows=tuple(map(messages_row, GREETINGS)),
        chat=_greeted,
        options={"greeting": "opener", "opener": OPENER},
    ),
    "chats": Kind(
        rows=tuple(map(messages_row, [*PLAIN, TALK, [system("短答"), *PLAIN[0]]])), chat=_messages
    ),
    "pairs": Kind(
        rows=(
            pair_row(PLAIN[0], "不在。"),
            pair_row(TALK, "Z\n"),
            pair_row([system("短答"), *PLAIN[1]], "两个"),
        ),
        chat=_paired,
        pairs=_preferred,
    ),
    "labels": Kind(
        rows=(
            {**messages_row(PLAIN[0]), "label": True},
            {**messages_row(PLAIN[1]), "label": False},
        ),
        chat=_messages,
        label=lambda content: bool(content["label"]),
    ),
    "label chats": Kind(
        rows=(
            {**messages_row([system("短答"), *TALK]), "label": False},
            {**messages_row(PLAIN[1]), "label": True},
        ),
        chat=_messages,
        label=lambda content: bool(content["label"]),
    ),
}
QUESTIONS = ("template", "selfplay")
"""Kinds whose records are one question and its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The studio, and the task of each kind."""

    studio: Studio
    tasks: Mapping[str, int]

    def export(self, kind: str, path: Path, form: str, reader: str = "", **wish: Any) -> Exported:
        """The kind's records into a file; with an entry for it if `reader` finds files by that."""
        return self.studio.exports.write(
            path,
            task=self.tasks[kind],
            form=form,
            dataset_info=reader.startswith("llamafactory"),
            **wish,
        )

    def contents(self, kind: str) -> list[Json]:
        return [record.content for record in self.records(kind)]

    def records(self, kind: str) -> Iterator[Record]:
        return self.studio.store.records.iterate(task_id=self.tasks[kind])


def stock(studio: Studio, simulator: str, folder: Path) -> Stock:
    """Fill the studio: a task for each kind."""
    return Stock(
        studio=studio,
        tasks={name: _task(studio, simulator, folder, name) for name in KINDS},
    )


def _task(studio: Studio, simulator: str, folder: Path, name: str) -> int:
    kind = KINDS[name]
    place = folder / name.replace(" ", "-")
    place.mkdir()
    if not kind.way:
        return studio.imports.run(write(place / "rows.jsonl", kind.rows), name).task_id
    result = studio.generate(
        **WAYS[kind.way].own(COUNT, place),
        seed=11,
        connection={"base_url": simulator, "model": "tiny"},
        checks="none",
    )
    assert result.counts.accepted == COUNT
    return result.task_id
