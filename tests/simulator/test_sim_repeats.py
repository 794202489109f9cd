"""A request that comes again: the same reply, or other words."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Literal

import pytest

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import run_in_thread


def _said(repeats: Literal["same", "vary"], **fields: Any) -> list[str]:
    body = {"model": "any", "messages": [{"role": "user", "content": "讲个故事"}], **fields}
    with run_in_thread(SimulatorConfig(repeats=repeats)) as simulator:
        return [_ask(f"{simulator.url}/v1/chat/completions", body) for _ in range(3)]


def _ask(url: str, body: dict[str, Any]) -> str:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as reply:
        return str(json.load(reply)["choices"][0]["message"]["content"])


def test_it_is_answered_alike() -> None:
    assert len(set(_said("same"))) == 1


def test_it_is_answered_in_other_words_and_the_next_server_says_the_same() -> None:
    said = _said("vary")
    assert len(set(said)) == 3
    assert _said("vary") == said


@pytest.mark.parametrize("repeats", ["same", "vary"])
def test_at_temperature_0_it_is_always_answered_alike(repeats: Literal["same", "vary"]) -> None:
    assert len(set(_said(repeats, temperature=0))) == 1
