"""What each recipe's options become on the wire (DESIGN.md §8, promise 7).

By parameter over the recipes, from Python and from the command line. What all tasks have in common
is tried over the protocols in `test_wire_parameters.py`; here one protocol is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from corpusmith import Studio, registry
from corpusmith.cli.main import main
from corpusmith.service.task_file import recipe_in
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import Json
from recipe_ways import QA, WAYS, lines_in, options, words

SAMPLING: dict[str, Json] = {
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 4321,
    "seed": 77,
    "stop": ["ZZZ", "〆〆"],
}
EXTRA: dict[str, Json] = {"enable_thinking": False, "frequency_penalty": 0}
PLAIN = {"model": "model-1"}
SENT = SAMPLING | EXTRA | PLAIN
"""In each call of the task's first item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What the calls of one item of a recipe look like."""

    roles: Sequence[str]
    """Who is asked, call by call."""
    own: Mapping[str, Json] = field(default_factory=dict)
    """Its own options that go with `SAMPLING`."""
    sent: Sequence[Mapping[str, Json]] = ()
    """What those change, call by call; empty: nothing."""
    silent: Sequence[Mapping[str, Json]] = ()
    """The recipe's own parameters when nobody gives any, call by call; empty: none."""
    refused: Sequence[str] = ()
    """Of `SAMPLING`: the recipe has options of its own instead."""


ROUND = ({"max_tokens": 256}, {"max_tokens": 1024}, {"max_tokens": 1024})
WARM = {"temperature": 0.7}
WIRES: dict[str, Wire] = {
    "single": Wire(roles=["writer"]),
    "turns": Wire(roles=["user", "character"] * 2),
    "template": Wire(roles=["writer"]),
    "rounds": Wire(roles=["ask", "answer", "correct"] * 2, silent=ROUND * 2),
    "selfplay": Wire(
        roles=["learner", "expert", "judge", "expert"],
        own={"max_tokens_other": 600, "max_tokens_answer": 4000},
        sent=[{"max_tokens": 600}, {"max_tokens": 4000}] * 2,
        silent=[WARM | {"max_tokens": 512}, WARM | {"max_tokens": 16_000}] * 2,
        refused=["max_tokens"],
    ),
    "evaluate": Wire(roles=["judge"], silent=[{"temperature": 0}]),
}


def test_every_recipe_is_looked_at(tmp_path: Path) -> None:
    looked_at = {recipe_in(WAYS[name].own(1, tmp_path)) for name in WIRES}
    assert looked_at == set(registry.names("recipe"))


# ---------------------------------------------------------------- two doors

Door = Callable[[Mapping[str, Json], Mapping[str, Json]], list[Json]]
"""From a recipe's own fields and the common ones: the bodies of the requests, in their order."""


@pytest.fixture
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(record=100)) as running:
        yield running


@pytest.fixture(autouse=True)
def connections(
    simulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """Makes a stored connection whose model is called so too; `model-1` is there."""
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))

    def add(name: str) -> str:
        with Studio() as studio:
            studio.connections.add(
                name, provider="openai", base_url=f"{simulator.url}/v1", model=name
            )
        return name

    add("model-1")
    return add


@pytest.fixture(params=["python", "command line"])
def door(request: pytest.FixtureRequest, simulator: Running, tmp_path: Path) -> Door:
    def ask(own: Mapping[str, Json], common: Mapping[str, Json]) -> list[Json]:
        given = {"connection": "model-1", "concurrency": 1, **common}
        if request.param == "python":
            with Studio() as studio:
                assert studio.generate(**own, **given).status == "finished"
        else:
            line = [*words(own, tmp_path), *options(given), "--yes"]
            assert main([*line, *_nowhere(line, tmp_path)]) == 0
        return [dict(one["body"]) for one in simulator.requests()]

    return ask


def _nowhere(line: Sequence[str], folder: Path) -> list[str]:
    """Self-play writes a file where the program stands, unless it is told where."""
    return ["--output", str(folder / "out.json")] if line[0] == "selfplay" else []


def one_item(way: str, folder: Path) -> dict[str, Json]:
    """A recipe's own fields for the records of one item."""
    own = dict(WAYS[way].own(WAYS[way].per_request, folder))
    return own | ({"vars": {"topic": "化学", "level": "易"}} if way == "template" else {})


def bare(body: Mapping[str, Json]) -> Json:
    """A body without what is asked: its parameters."""
    return {
        name: value for name, value in body.items() if name not in ("messages", "response_format")
    }


def each(wire: Wire, base: Mapping[str, Json], more: Sequence[Mapping[str, Json]]) -> list[Json]:
    """The parameters of every call: `base`, and what is its own."""
    return [{**base, **own} for own in more or [{}] * len(wire.roles)]


# ---------------------------------------------------------------- what every recipe sends


@pytest.mark.parametrize("way", WIRES)
def test_every_option_is_in_every_call(way: str, door: Door, tmp_path: Path) -> None:
    wire = WIRES[way]
    sampling = {name: one for name, one in SAMPLING.items() if name not in wire.refused}
    bodies = door({**one_item(way, tmp_path), **wire.own}, {**sampling, "extra": EXTRA})
    assert [bare(body) for body in bodies] == each(wire, SENT, wire.sent)
    assert {type(body["temperature"]) for body in bodies} <= {int, float}


@pytest.mark.parametrize("way", WIRES)
def test_what_nobody_gives_is_the_recipes_own_or_not_sent(
    way: str, door: Door, tmp_path: Path
) -> None:
    bodies = door(one_item(way, tmp_path), {})
    assert [bare(body) for body in bodies] == each(WIRES[way], PLAIN, WIRES[way].silent)


@pytest.mark.parametrize("way", WIRES)
def test_each_role_is_asked_at_its_own_connection(
    way: str, door: Door, tmp_path: Path, connections: Callable[[str], str]
) -> None:
    wire = WIRES[way]
    roles = {role: connections(f"of-{role}") for role in dict.fromkeys(wire.roles)}
    bodies = door(one_item(way, tmp_path), {"roles": roles})
    assert [body["model"] for body in bodies] == [roles[role] for role in wire.roles]


@pytest.mark.parametrize("way", WIRES)
def test_a_schema_is_asked_for_where_the_reply_is_to_have_one(
    way: str, door: Door, tmp_path: Path
) -> None:
    bodies = door(one_item(way, tmp_path), {})
    assert {"response_format" in body for body in bodies} == {WAYS[way].structured}


# ---------------------------------------------------------------- templates: the nearest wins

FAST = {"temperature": 0.2, "top_p": 0.9, "max_tokens": 3 * 512}


@pytest.mark.parametrize(
    ("template", "task", "sent"),
    [
        (
            {"temperature": 0, "top_p": 0.3, "max_tokens": 900},
            {},
            {"temperature": 0, "top_p": 0.3, "max_tokens": 900},
        ),
        ({"preset": "creative"}, {}, {"temperature": 0.9, "top_p": 0.98}),
        ({"preset": "creative", "temperature": 0}, {}, {"temperature": 0, "top_p": 0.98}),
        ({"temperature": 0, "max_tokens": 900}, {"preset": "fast"}, FAST),
        ({"preset": "fast"}, {"temperature": 0}, FAST | {"temperature": 0}),
        ({"preset": "fast"}, {"max_tokens": 800}, FAST | {"max_tokens": 800}),
        ({"model": "other"}, {}, {"model": "other"}),
        ({"model": "other"}, {"model": "third"}, {"model": "third"}),
    ],
)
def test_a_templates_parameters_are_sent_unless_the_task_has_its_own(
    template: dict[str, Json],
    task: dict[str, Json],
    sent: dict[str, Json],
    door: Door,
    tmp_path: Path,
) -> None:
    own = one_item("template", tmp_path) | {"template": {**QA, **template}}
    (body,) = door(own, task)
    assert bare(body) == PLAIN | sent


def test_a_categorys_parameters_are_its_own_and_the_tasks_are_for_the_others(
    door: Door, tmp_path: Path
) -> None:
    own: dict[str, dict[str, Json]] = {
        "茶": {"temperature": 0},
        "酒": {"preset": "fast"},
        "水": {"model": "other"},
        "汤": {"max_tokens": 700},
    }
    categories = [
        {"name": topic, "template": QA, "vars": {"topic": topic, "level": "易"}, **wishes}
        for topic, wishes in own.items()
    ]
    bodies = door({"categories": categories, "total": 4}, {"temperature": 0.5, "top_p": 0.4})
    base = PLAIN | {"temperature": 0.5, "top_p": 0.4}
    assert {body["messages"][0]["content"][1]: bare(body) for body in bodies} == {
        "茶": base | {"temperature": 0},
        "酒": base | {"max_tokens": 512},
        "水": base | {"model": "other"},
        "汤": base | {"max_tokens": 700},
    }


def test_a_mix_of_models_is_asked_by_weight(door: Door, tmp_path: Path) -> None:
    own = one_item("template", tmp_path) | {"count": 12, "models": {"red": 3, "blue": 1}}
    bodies = door(own, {})
    assert sorted(body["model"] for body in bodies) == ["blue", "red", "red", "red"]


# ---------------------------------------------------------------- what is each recipe's own


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        # Each new round adds a question and its correction to what went before.
        ({}, [2, 3, 4, 4, 5, 6, 6, 7, 8]),
        ({"context_messages": 4}, [2, 3, 4, 4, 3, 4, 4, 3, 4]),
        ({"context_messages": 1}, [2, 1, 2] * 3),
        ({"context_tokens": 1}, [2, 1, 2] * 3),
    ],
)
def test_rounds_show_as_much_of_the_talk_as_they_are_told(
    window: dict[str, Json], shown: list[int], door: Door, tmp_path: Path
) -> None:
    bodies = door({**one_item("rounds", tmp_path), "rounds": 3, **window}, {})
    # Ours: what the model is to do, and for two of the three what it is to write now.
    ours = [2, 1, 2] * 3
    assert [len(body["messages"]) - n for body, n in zip(bodies, ours, strict=True)] == shown


def test_rounds_go_on_from_the_rows_that_are_meant(door: Door, tmp_path: Path) -> None:
    rows = [{"q": f"问题{n}？", "a": "答", "c": "改"} for n in range(9)]
    own = {
        "recipe": "rounds",
        "input": str(lines_in(tmp_path / "t.jsonl", rows)),
        "map": {"question": "q", "answer": "a", "correction": "c"},
        "sample": 2,
        "rounds": 1,
        "output_dir": str(tmp_path / "data"),
    }
    asked = [body["messages"][1]["content"] for body in door(own, {"seed": 4})]
    assert len(set(asked)) == 2
    assert set(asked) <= {row["q"] for row in rows}


def test_a_judge_that_may_end_the_refinement_is_asked_for_a_verdict(
    door: Door, tmp_path: Path
) -> None:
    own = one_item("selfplay", tmp_path) | {"stop_when_satisfied": True, "satisfied_score": 10}
    bodies = door(own, {})
    assert ["response_format" in body for body in bodies][:3] == [False, False, True]


def test_roles_of_self_play_may_have_models_of_their_own(door: Door, tmp_path: Path) -> None:
    own = one_item("selfplay", tmp_path) | {"models": {"judge": "strict", "learner": "young"}}
    models = [body["model"] for body in door(own, {})]
    assert models == ["young", "model-1", "strict", "model-1"]


def test_every_judge_is_asked_at_its_connection(
    door: Door, tmp_path: Path, connections: Callable[[str], str]
) -> None:
    judges = {connections("a"): 1, connections("b"): 2}
    bodies = door(one_item("evaluate", tmp_path) | {"judges": judges}, {"connection": "a"})
    assert [body["model"] for body in bodies] == ["a", "b"]


def test_a_row_is_shown_to_a_judge_as_far_as_is_wanted(door: Door, tmp_path: Path) -> None:
    rows = [{"id": 1, "question": "一" * 3000, "answer": "二" * 3000}]
    own = {"recipe": "evaluate", "of": str(lines_in(tmp_path / "long.jsonl", rows))}
    (body,) = door({**own, "max_row_tokens": 500}, {})
    assert 100 < sum(body["messages"][1]["content"].count(sign) for sign in "一二") < 1000


def test_a_rubric_is_told_to_the_judge(door: Door, tmp_path: Path) -> None:
    dimension = {"name": "wit", "description": "D7f", "score_1": "L7f", "score_5": "H7f"}
    rubric = {"name": "own", "judged": "J7f", "dimensions": [dimension]}
    file = lines_in(tmp_path / "rubric.yaml", [rubric])
    (body,) = door(one_item("evaluate", tmp_path) | {"rubric": str(file)}, {})
    told = body["messages"][0]["content"]
    assert [text for text in ("wit", "D7f", "L7f", "H7f", "J7f") if text not in told] == []
    schema = body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["comment", "wit"]
