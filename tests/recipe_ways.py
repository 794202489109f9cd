"""The recipes as tests ask for them: by parameter, not by copy.

Owns: each way's own fields for so many records, the words of the command line that say the same,
and what is true of it whatever is done to it. Does not own: endpoints, checks, limits, and what a
test does with a way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from corpusmith.service.task_file import recipe_in
from corpusmith.values import Json

CARDS = Path(__file__).parents[1] / "examples" / "cards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A recipe with its parameters."""

    own: Callable[[int, Path], Mapping[str, Json]]
    """The recipe's own fields for so many records; its files go into the folder."""
    calls: int = 1
    """Calls of a record that is asked for alone."""
    per_request: int = 1
    """Records that one call brings."""
    structured: bool = False
    """Replies are JSON of a schema; otherwise they are texts."""
    closed: bool = False
    """What is rejected is tried again itself: nothing is replaced, nothing can be added."""

    def requests(self, count: int) -> int:
        """Calls of so many records when nothing goes wrong."""
        return -(-count // self.per_request) * self.calls


def _dialogue(**more: Json) -> Callable[[int, Path], Mapping[str, Json]]:
    """Two characters, three scenarios of uneven weight."""
    return lambda count, folder: {
        "recipe": "dialogue",
        "characters": [str(CARDS / "lin.json"), str(CARDS / "he.png")],
        "scenarios": {"日常对话": 3, "情感交流": 2, "学习讨论": 1},
        "turns": 2,
        "count": count,
        **more,
    }


QA: Mapping[str, Json] = {
    "name": "qa",
    "prompt": "就{topic}出 {count} 道{level}题，给出答案，不要重复。",
    "schema": {
        "type": "object",
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
        "required": ["question", "answer"],
    },
}


def _template(count: int, folder: Path) -> Mapping[str, Json]:
    """Three samples a request, the same words for many of them."""
    return {
        "template": QA,
        "vars": {"topic": "化学", "level": ["简单", "困难"]},
        "per_request": 3,
        "count": count,
    }


def _ratio(count: int, folder: Path) -> Mapping[str, Json]:
    """Two categories with their own models, one of them mixed."""
    return {
        "categories": [
            {
                "name": "甲",
                "share": "60%",
                "template": QA,
                "vars": {"topic": "物理", "level": "易"},
            },
            {
                "name": "乙",
                "share": "40%",
                "template": QA,
                "vars": {"topic": "历史", "level": ["易", "难"]},
                "models": {"red": 2, "blue": 1},
            },
        ],
        "total": count,
    }


def _rounds(count: int, folder: Path) -> Mapping[str, Json]:
    """Two more rounds of conversations that begin with a triple."""
    rows = [
        {"question": f"第{n}种茶怎么泡？", "answer": "随便泡", "correction": f"水温{70 + n % 30}度"}
        for n in range(count)
    ]
    return {
        "recipe": "rounds",
        "input": str(lines_in(folder / "triples.jsonl", rows)),
        "output_dir": str(folder / "data"),
        "rounds": 2,
    }


def _selfplay(count: int, folder: Path) -> Mapping[str, Json]:
    return {"recipe": "selfplay", "count": count, "refinement_iterations": 1}


def _evaluate(count: int, folder: Path) -> Mapping[str, Json]:
    rows = [{"id": f"r{n}", "question": f"{n}的平方？", "answer": str(n * n)} for n in range(count)]
    return {"recipe": "evaluate", "of": str(lines_in(folder / "rows.jsonl", rows))}


def lines_in(path: Path, rows: list[Json]) -> Path:
    """`path`, once it holds the rows as JSON lines."""
    path.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    return path


WAYS: dict[str, Way] = {
    "single": Way(own=_dialogue(mode="single"), structured=True),
    "three-a-request": Way(
        own=_dialogue(mode="single", dialogues_per_request=3), per_request=3, structured=True
    ),
    "turns": Way(own=_dialogue(mode="turns"), calls=4),
    "template": Way(own=_template, per_request=3, structured=True),
    "ratio": Way(own=_ratio, structured=True),
    "rounds": Way(own=_rounds, calls=6, closed=True),
    "selfplay": Way(own=_selfplay, calls=4),
    "evaluate": Way(own=_evaluate, structured=True, closed=True),
}
"""A recipe of a new kind is a line here; kills, faults and fidelity then ask it of each."""


# ---------------------------------------------------------------- the command line

_COMMANDS = {
    "dialogue": ("generate",),
    "template": ("template",),
    "rounds": ("rounds", "run"),
    "selfplay": ("selfplay",),
    "evaluate": ("evaluate",),
}
_OPTIONS = {
    "characters": "--character",
    "scenarios": "--scenario",
    "vars": "--var",
    "of": "--input",
    "judges": "--judge",
    "roles": "--role",
}
"""Where an option is not called like its field."""
_MODELS = {"template": "--mix", "selfplay": "--role-model"}


def words(fields: Mapping[str, Json], folder: Path) -> list[str]:
    """The command that asks for a recipe's own fields; files that it needs go into the folder."""
    if "categories" in fields:
        return ["ratio", str(_yaml(folder / "ratio.yaml", fields))]
    recipe = recipe_in(fields)
    given = {name: value for name, value in fields.items() if name != "recipe"}
    if isinstance(given.get("template"), Mapping):
        given["template"] = str(_yaml(folder / "template.yaml", given["template"]))
    return [*_COMMANDS[recipe], *options(given, models=_MODELS.get(recipe, ""))]


def options(fields: Mapping[str, Json], *, models: str = "") -> list[str]:
    """Options of the command line for these fields. `models`: what the field `models` is called."""
    names = {**_OPTIONS, "models": models}
    return [
        word
        for name, value in fields.items()
        for text in _texts(name, value)
        for word in (names.get(name, f"--{name.replace('_', '-')}"), text)
        if word is not None
    ]


def _texts(name: str, value: Json) -> list[str | None]:
    """What stands after each of a field's options; None: nothing does."""
    if value is True:
        return [None]
    if name == "extra":
        return [f"{key}={orjson.dumps(one).decode()}" for key, one in value.items()]
    if isinstance(value, Mapping):
        return [f"{key}={','.join(map(str, _listed(one)))}" for key, one in value.items()]
    return [str(one) for one in _listed(value)]


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _yaml(path: Path, fields: Mapping[str, Json]) -> Path:
    """`path`, once it holds the fields: JSON is YAML."""
    path.write_bytes(orjson.dumps(fields))
    return path
