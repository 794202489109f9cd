"""Every option that belongs in a request is in the request (DESIGN.md §8, promise 7).

From Python and from the command line, for each protocol; what is not given is not sent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.recipes.dialogue_prompts import dialogue_schema
from corpusmith.service.task_file import EndpointPart
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import Json, Protocol, Sampling

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
PROTOCOLS: tuple[Protocol, ...] = ("openai", "gemini", "anthropic")

# What is sent: with the values that the tests give. Zero is the value that is easily lost.
SAMPLING: dict[str, Json] = {
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 4321,
    "seed": 77,
    "stop": ["ZZZ", "终"],
}
EXTRA: dict[Protocol, dict[str, Json]] = {
    "openai": {"frequency_penalty": 0, "enable_thinking": False},
    "gemini": {"generationConfig": {"topK": 40}},
    "anthropic": {"top_k": 40},
}
CONNECTION_EXTRA: dict[str, Json] = {"metadata": {"user_id": "u-1"}}
SENT: dict[Protocol, dict[str, Json]] = {
    "openai": {
        "model": "model-1",
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 4321,
        "seed": 77,
        "stop": ["ZZZ", "终"],
        "frequency_penalty": 0,
        "enable_thinking": False,
        "metadata": {"user_id": "u-1"},
    },
    "gemini": {
        "generationConfig": {
            "temperature": 0,
            "topP": 0.5,
            "maxOutputTokens": 4321,
            "seed": 77,
            "stopSequences": ["ZZZ", "终"],
            "topK": 40,
            "responseMimeType": "application/json",
        },
        "metadata": {"user_id": "u-1"},
    },
    # Its API has no seed: https://docs.anthropic.com/en/api/messages
    "anthropic": {
        "model": "model-1",
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 4321,
        "stop_sequences": ["ZZZ", "终"],
        "top_k": 40,
        "metadata": {"user_id": "u-1"},
    },
}
PLAIN: dict[Protocol, dict[str, Json]] = {
    "openai": {"model": "model-1"},
    "gemini": {"generationConfig": {"responseMimeType": "application/json"}},
    "anthropic": {"model": "model-1", "max_tokens": 4096},
}
"""When nothing is given. Anthropic's API demands max_tokens."""


@pytest.fixture
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(record=100, require_key="sk-fidelity")) as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIDELITY_KEY", "sk-fidelity")


def _sent(simulator: Running) -> tuple[dict[str, Json], Json, Mapping[str, Json]]:
    """(body without its messages and schema, the schema, the whole request) of the last call."""
    (request,) = simulator.requests(1)
    body = dict(request["body"])
    for name in ("messages", "contents", "system", "systemInstruction"):
        body.pop(name, None)
    if "response_format" in body:
        schema = body.pop("response_format")["json_schema"]["schema"]
    elif "output_config" in body:
        schema = body.pop("output_config")["format"]["schema"]
    else:
        schema = body["generationConfig"].pop("responseJsonSchema")
    return body, schema, request


def _connection(simulator: Running, protocol: Protocol, **more: Json) -> dict[str, Json]:
    base_url = f"{simulator.url}/v1" if protocol == "openai" else simulator.url
    return {
        "provider": protocol,
        "base_url": base_url,
        "model": "model-1",
        "api_key_env": "FIDELITY_KEY",
        **more,
    }


def _generate(folder: Path, connection: Json, **fields: Any) -> None:
    with Studio(f"sqlite:///{folder / 'fidelity.db'}") as studio:
        result = studio.generate(
            characters=[str(CARD)],
            scenarios=["日常对话"],
            count=1,
            turns=2,
            connection=connection,
            **fields,
        )
        assert (result.status, result.counts.accepted) == ("finished", 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_python_sends_every_option(protocol: Protocol, simulator: Running, tmp_path: Path) -> None:
    endpoint = _connection(simulator, protocol, extra=CONNECTION_EXTRA, headers={"X-Team": "blue"})
    _generate(tmp_path, endpoint, **SAMPLING, extra=EXTRA[protocol])
    body, schema, request = _sent(simulator)
    assert body == SENT[protocol]
    assert type(_temperature(body)) in (int, float)
    assert request["headers"]["x-team"] == "blue"
    assert ("model-1" in request["path"]) == (protocol == "gemini")
    assert schema == _asked(protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_not_given_is_not_sent(
    protocol: Protocol, simulator: Running, tmp_path: Path
) -> None:
    _generate(tmp_path, _connection(simulator, protocol))
    assert _sent(simulator)[0] == PLAIN[protocol]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_command_line_sends_every_option(
    protocol: Protocol, simulator: Running, tmp_path: Path
) -> None:
    endpoint = _connection(simulator, protocol)
    extra = {**CONNECTION_EXTRA, **EXTRA[protocol]}
    output = tmp_path / "out.json"
    command = [
        *(sys.executable, "-m", "corpusmith.cli.main", "generate", "--yes"),
        *("--character", str(CARD), "--scenario", "日常对话=1", "--count", "1", "--turns", "2"),
        *("--provider", protocol, "--base-url", endpoint["base_url"]),
        *("--model", "model-1", "--api-key-env", "FIDELITY_KEY"),
        *("--temperature", "0", "--top-p", "0.5", "--max-tokens", "4321", "--seed", "77"),
        *("--stop", "ZZZ", "--stop", "终", "--output", str(output)),
        *(word for name in extra for word in ("--extra", f"{name}={json.dumps(extra[name])}")),
    ]
    environment = {**os.environ, "CORPUSMITH_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    body, schema, _ = _sent(simulator)
    assert body == SENT[protocol]
    assert schema == _asked(protocol)
    assert len(json.loads(output.read_text("utf-8"))) == 1


def test_both_models_of_a_talk_get_the_options(simulator: Running, tmp_path: Path) -> None:
    fields = {**SAMPLING, "extra": EXTRA["openai"], "mode": "turns"}
    roles = {"character": _connection(simulator, "openai") | {"model": "other"}}
    endpoint = _connection(simulator, "openai")
    _generate(tmp_path, endpoint, **fields, roles=roles)
    wanted = {name: value for name, value in SENT["openai"].items() if name != "metadata"}
    models = []
    for request in simulator.requests():
        body = {name: value for name, value in request["body"].items() if name != "messages"}
        models.append(body["model"])
        assert body == wanted | {"model": body["model"]}
    assert models == ["model-1", "other"] * 2


def _temperature(body: Mapping[str, Json]) -> Json:
    return body.get("generationConfig", body)["temperature"]


def _asked(protocol: Protocol) -> Json:
    """The schema of one dialogue of two turns, in the vendor's own dialect."""
    body = dict(dialogue_schema(2, 1).body)
    if protocol != "anthropic":
        return body
    import anthropic  # here, for it takes two seconds, and every worker collects this file

    return anthropic.transform_schema(body)


# ---------------------------------------------------------------- nothing is forgotten


def test_every_option_of_an_endpoint_is_placed() -> None:
    """A new one must be tested above if it is sent. A recipe's options: `test_wire_recipes.py`."""
    assert {one.name for one in fields_of(Sampling)} == {*SAMPLING, "extra"}
    sent = {"provider", "base_url", "model", "api_key_env", "headers", "extra"}
    around = {"proxy", "ca_file", "connect_timeout_s", "timeout_s", "price"}
    assert set(EndpointPart.model_fields) == sent | around
