"""Functions and their calls: those at which LLaMA-Factory would stop are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from export_cases import record

from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.values import Json

USER, REPLY = {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}
RESULT = {"role": "tool", "content": "1"}
CALL = '{"name": "f", "arguments": {}}'
FUNCTION: Json = {"name": "f", "parameters": {"properties": {"x": {"type": "string"}}}}


def calling(call: str) -> dict[str, Any]:
    return {"messages": [USER, {"role": "function_call", "content": call}, RESULT, REPLY]}


def rows(form: str, content: Json) -> list[Any]:
    return list(format_of(form, "x.jsonl", {}).exporter.rows(record(content, 42)))


def refusal(form: str, content: Json) -> str:
    with pytest.raises(UsageError) as caught:
        rows(form, content)
    assert caught.value.data["record"] == 42
    for language in ("zh", "en"):
        assert "42" in caught.value.message(language)  # type: ignore[arg-type]
    return caught.value.reason


@pytest.mark.parametrize(
    ("call", "tools"),
    [
        (CALL, [FUNCTION]),
        (f"[{CALL}, {CALL}]", [{"type": "function", "function": FUNCTION}]),
        (CALL, "[]"),
    ],
)
def test_calls_and_functions_that_llamafactory_reads_are_kept(call: str, tools: Json) -> None:
    (row,) = rows("sharegpt", {**calling(call), "tools": tools})
    assert row["conversations"][1] == {"from": "function_call", "value": call}
    assert json.loads(row["tools"]) == (json.loads(tools) if isinstance(tools, str) else tools)


@pytest.mark.parametrize("call", ["f()", "[]", "{}", '"f"', '{"name": "f"}', "[1]", "null", "{"])
def test_a_call_at_which_llamafactory_stops_is_refused(call: str) -> None:
    assert refusal("messages", calling(call)) == "export_call_shape"
    context = calling(call)["messages"][:-1]
    pair = {"messages": context, "chosen": "a", "rejected": "b"}
    assert refusal("dpo", pair) == "export_call_shape"


@pytest.mark.parametrize(
    "tools",
    [
        "text",
        "{}",
        [1],
        [{"name": "f"}],
        [{"name": 1, "parameters": {"properties": {}}}],
        [{"name": "f", "parameters": {}}],
        [{"name": "f", "parameters": {"properties": {"x": 1}}}],
        [{"type": "function", "function": "f"}],
    ],
)
def test_functions_at_which_llamafactory_stops_are_refused(tools: Json) -> None:
    content = {"messages": [USER, REPLY], "tools": tools}
    assert refusal("sharegpt", content) == "export_tools_shape"
