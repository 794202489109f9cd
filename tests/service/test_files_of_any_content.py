"""Whatever a file holds, its reader gives what was asked for or one of our own errors.

Good files are changed in a few places at random, so that what is wrong lies deep; besides, files of
anything, and texts that are hardly YAML. The examples are the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusmith.errors import CorpusmithError
from corpusmith.service.chain_file import read_chain
from corpusmith.service.domains import read_domain, starter
from corpusmith.service.evaluations import rubric_file
from corpusmith.service.feedback_file import read_feedback_file
from corpusmith.service.forms.evaluate import find_rubric
from corpusmith.service.sample_file import sample_file
from corpusmith.service.template_check import check
from corpusmith.service.template_file import read_template
from corpusmith.service.yaml_file import read_fields, read_task_file
from corpusmith.values import Language

FIXED = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=list(HealthCheck),
)

TEMPLATE: dict[str, Any] = {
    "name": "reviews",
    "description": "Reviews of a place",
    "type": "classification",
    "language": "en",
    "prompt": 'Write {count} reviews of {topic}, {tone}: {"text": "...", "stars": 1-5}',
    "system": "You write reviews of {topic}.",
    "schema": {
        "type": "object",
        "properties": {"text": {"type": "string"}, "stars": {"type": "integer", "minimum": 1}},
        "required": ["text"],
    },
    "vars": {"tone": {"kind": 3, "cross": 1}, "topic": ["a café", "a hotel"]},
    "keep": ["topic"],
    "preset": "fast",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 300,
}
ENDPOINT = {
    "provider": "openai",
    "base_url": "http://127.0.0.1:9/v1",
    "model": "any",
    "timeout_s": 3,
    "price": {"input": 1, "output": 2.5},
    "headers": {"X-Team": "data"},
    "extra": {"reasoning": {"effort": "low"}},
}
TASK = {"count": 4, "seed": 1, "connection": ENDPOINT, "output": "out.jsonl", "checks": ["format"]}
RATIO = {
    **TASK,
    "recipe": "template",
    "template": TEMPLATE,
    "models": [{"name": "a", "weight": 2}, "b"],
    "categories": [
        {"name": "good", "share": "40%", "vars": {"topic": "a bar"}, "keep": ["topic"]},
        {"name": "bad", "share": "60%", "model": "other", "temperature": 0.2},
    ],
}
SAMPLE = {
    "recipe": "sample",
    "total": 10,
    "dataset": "mixed",
    "categories": [
        {"name": "a", "share": "40%", "dataset": "one", "where": {"state": ["accepted"]}},
        {"name": "b", "share": "60%", "task": 3},
    ],
}
ROUNDS = {
    **{name: value for name, value in TASK.items() if name != "count"},
    "recipe": "rounds",
    "input": "triples.jsonl",
    "map": {"question": "q"},
    "sample": 3,
    "rounds": 2,
    "output_dir": "data",
    "roles": {"ask": "one", "answer": ENDPOINT},
}
SELFPLAY = {**TASK, "recipe": "selfplay", "domain": "short_video", "models": {"judge": "big"}}
EVALUATE = {
    "recipe": "evaluate",
    "of": {"path": "rows.jsonl", "where": {"label": ["a", 2]}, "sample": 3},
    "rubric": "general",
    "judges": [{"connection": "one", "weight": 2}, "two"],
}
DIALOGUE = {**TASK, "characters": ["lin.json"], "scenarios": [{"name": "chat", "weight": 2}]}
FEEDBACK = {
    "recipe": "feedback",
    "feedback_file": "f.jsonl",
    "min_rating": 4,
    "formats": ["json", "alpaca"],
    "map": {"user_input": "prompt"},
    "map_values": {"rating": {"up": 5, "down": 1}},
    "pairs": True,
    "pairs_margin": 1.5,
}
CHAIN = {
    "name": "all",
    "connection": "one",
    "max_cost": 2.5,
    "steps": [
        {"name": "seeds", "recipe": "import", "file": "x.jsonl", "dataset": "seeds", "limit": 9},
        {"name": "ask", "template": TEMPLATE, "input": {"step": "seeds", "limit": 2}},
        {"name": "mix", "total": 3, "categories": [{"name": "q", "share": 1, "input": "step:ask"}]},
        {"name": "score", "recipe": "evaluate", "of": "step:mix", "rubric": "general"},
    ],
}


def _rubric(path: Path) -> None:
    find_rubric(str(path), "en")


def _template(path: Path) -> None:
    check(read_template(path))


def _sample(path: Path) -> None:
    sample_file(read_fields(path), source=str(path))


READERS: dict[str, tuple[Callable[[Path], object], Any]] = {
    "template": (_template, TEMPLATE),
    "ratio": (read_task_file, RATIO),
    "sample": (_sample, SAMPLE),
    "rounds": (read_task_file, ROUNDS),
    "selfplay": (read_task_file, SELFPLAY),
    "evaluate": (read_task_file, EVALUATE),
    "dialogue": (read_task_file, DIALOGUE),
    "feedback": (read_feedback_file, FEEDBACK),
    "chain": (read_chain, CHAIN),
    "domain": (read_domain, yaml.safe_load(starter("mine", "en"))),
    "rubric": (_rubric, yaml.safe_load(rubric_file("general", "en"))),
}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        (
            "",
            " ",
            "{topic}",
            "{nobody}",
            "step:ask",
            "step:",
            "dataset:x",
            "/",
            "../..",
            "\x1b[2J",
            "1e9",
            "40%",
            "nan",
            "\u202e",
            "a" * 300,
            "qa@9",
            "#/$defs/x",
            "http://h/s.json",
            "$ref",
        )
    )
)
KEYS = st.text(max_size=8) | st.sampled_from(("$ref", "type", "name", "step", "column", "items"))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> list[Place]:
    """Every place inside a value, itself first."""
    if not isinstance(value, dict | list):
        return [at]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [at, *(place for key, one in inner for place in places(one, (*at, key)))]


def changed(value: Any, place: Place, other: Any, how: str) -> Any:
    """A copy of `value` with another value, another key or nothing at `place`."""
    if not place:
        return other if how == "value" else value
    if not isinstance(value, dict | list):  # an earlier change took the place away
        return value
    copy = value.copy()
    head, rest = place[0], place[1:]
    if isinstance(copy, list) and not (isinstance(head, int) and head < len(copy)):
        return copy
    if isinstance(copy, dict) and head not in copy:
        return copy
    if rest:
        copy[head] = changed(copy[head], rest, other, how)  # type: ignore[index]  # see above
    elif how == "drop":
        del copy[head]  # type: ignore[arg-type]  # see above
    elif how == "rename" and isinstance(copy, dict):
        copy[f"{head}x"] = copy.pop(head)
    else:
        copy[head] = other  # type: ignore[index]  # see above
    return copy


def ends_well(read: Callable[[Path], object], path: Path) -> None:
    """Nothing but our own errors comes out, and each can be said in every language."""
    try:
        read(path)
    except CorpusmithError as error:
        for language in get_args(Language):
            assert error.message(language).strip()


@pytest.mark.parametrize("name", READERS)
@FIXED
@given(data=st.data())
def test_a_file_that_is_wrong_anywhere_is_read_or_refused(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    read, good = READERS[name]
    fields = good
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(good)))
        how = data.draw(st.sampled_from(("value", "value", "value", "drop", "rename")))
        fields = changed(fields, place, data.draw(ANYTHING), how)
    path = tmp_path / "file.yaml"
    path.write_text(yaml.safe_dump(fields, allow_unicode=True, sort_keys=False), "utf-8")
    ends_well(read, path)


@pytest.mark.parametrize("name", READERS)
@FIXED
@given(fields=ANYTHING)
def test_a_file_of_anything_is_read_or_refused(name: str, fields: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(fields), "utf-8")
    ends_well(READERS[name][0], path)


MARKS = st.sampled_from(
    (": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&a ", "*a", "<<: ", "? ", "| ", "> ", "'",
     '"', "#", "%", "@", "---\n", "...\n", "count", "steps", "!!int ", "!!bool ", "!!float ",
     "!!timestamp ", "!!binary ", "!!set ", "!!omap ", "!!python/object:os.system ", "!x ",
     "0o9", "1:99", "2025-13-45", ".inf", "~", "=", "\t", "\x00", "\ud7ff", "9" * 5000)
)  # fmt: skip


@FIXED
@given(pieces=st.lists(MARKS | st.text(max_size=3), max_size=14))
def test_a_text_that_is_hardly_yaml_is_read_or_refused(pieces: list[str], tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    ends_well(read_fields, path)


@FIXED
@given(data=st.binary(max_size=60))
def test_bytes_are_read_or_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(data)
    ends_well(read_fields, path)
