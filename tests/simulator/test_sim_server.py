"""The server: HTTP, limits, latency, faults, counters."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from corpusmith.errors import SpecError
from corpusmith.simulator import FAULTS, Running, Simulator, SimulatorConfig, run_in_thread
from corpusmith.simulator.faults import Dice, choose
from corpusmith.simulator.limits import Bucket

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
    "additionalProperties": False,
}
STRICT = {
    "type": "json_schema",
    "json_schema": {"name": "pair", "schema": SCHEMA, "strict": True},
}


def chat(text: str = "你好，请回答：怎样晨跑？", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


PATHS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "openai": ("/v1/chat/completions", chat(), {}),
    "gemini": (
        "/v1beta/models/g:generateContent",
        {"contents": [{"parts": [{"text": "你好"}]}]},
        {},
    ),
    "anthropic": ("/v1/messages", chat(max_tokens=500), {"anthropic-version": "2023-06-01"}),
}


async def post(
    url: str, body: Any, path: str = "/v1/chat/completions", headers: Any = None
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of one request on a connection of its own."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + path, json=body, headers=headers or {}) as reply,
    ):
        return reply.status, dict(reply.headers), await reply.read()


async def ask(url: str, body: Any) -> Any:
    status, _, text = await post(url, body)
    assert status == 200, text
    return json.loads(text)


def content(reply: Any) -> Any:
    return reply["choices"][0]["message"]["content"]


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(record=3)) as running:
        yield running


# ---------------------------------------------------------------- HTTP


def raw(running: Running, *pieces: bytes) -> bytes:
    """What the server says to these bytes, until it closes or stays silent for a while."""
    port = int(running.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
        got = b""
        try:
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(0.02)
            while data := sock.recv(65536):
                got += data
        except (TimeoutError, ConnectionError):
            pass
        return got


def request(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /v1/chat/completions HTTP/1.1", b"host: x", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_a_chunked_body_in_pieces_is_read(plain: Running) -> None:
    body = json.dumps(chat()).encode()
    framed = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    half = len(framed) // 2
    head = request(b"", b"transfer-encoding: chunked", b"connection: close")
    assert raw(plain, head, framed[:half], framed[half:]).startswith(b"HTTP/1.1 200 OK\r\n")


def test_pipelined_requests_are_answered_in_order(plain: Running) -> None:
    bodies = [json.dumps(chat(f"问题{n}", model=f"m{n}")).encode() for n in range(40)]
    data = b"".join(request(b, b"content-length: %d" % len(b)) for b in bodies)
    got = raw(plain, data)
    places = [got.find(f'"model":"m{n}"'.encode()) for n in range(40)]
    assert -1 not in places and places == sorted(places)


def test_a_waiting_client_is_told_to_continue(plain: Running) -> None:
    body = json.dumps(chat()).encode()
    length = b"content-length: %d" % len(body)
    got = raw(plain, request(b"", length, b"expect: 100-continue", b"connection: close"), body)
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello there\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n", 400),
        (request(b"", b"content-length: 99999999999"), 413),
        (request(b"", b"content-length: -5"), 400),
        (request(b"", b"x-long: " + b"a" * 100_000), 431),
        (request(b"{", b"content-length: 1", b"connection: close"), 400),
        (request(b"[1]", b"content-length: 3", b"connection: close"), 400),
        (b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 404),
    ],
)
def test_bad_requests_are_refused(plain: Running, data: bytes, status: int) -> None:
    assert raw(plain, data).split(b" ", 2)[1] == str(status).encode()


def test_a_chunked_body_beyond_the_bound_is_refused() -> None:
    with run_in_thread(SimulatorConfig(max_body_bytes=100)) as running:
        chunk = b"64\r\n" + b"a" * 100 + b"\r\n"
        got = raw(running, request(b"", b"transfer-encoding: chunked"), chunk, chunk)
    assert got.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("name", PATHS)
async def test_every_reply_is_marked_as_simulated(plain: Running, name: str) -> None:
    path, body, headers = PATHS[name]
    status, got, _ = await post(plain.url, body, path, headers)
    assert (status, got["x-simulated-by"]) == (200, "corpusmith")


# ---------------------------------------------------------------- replies


async def test_the_same_request_gets_the_same_reply_from_another_server() -> None:
    bodies = [chat(), chat(response_format=STRICT), chat("Write about money.")]
    texts = []
    for _ in range(2):
        with run_in_thread(SimulatorConfig(seed=7)) as running:
            texts.append([content(await ask(running.url, body)) for body in bodies])
    assert texts[0] == texts[1]


async def test_another_seed_gives_other_replies() -> None:
    with run_in_thread(SimulatorConfig(seed=1)) as one, run_in_thread(SimulatorConfig()) as other:
        assert content(await ask(one.url, chat())) != content(await ask(other.url, chat()))


async def test_a_reply_is_cut_at_max_tokens(plain: Running) -> None:
    reply = await ask(plain.url, chat("请用约300字回答：怎样晨跑？", max_tokens=20))
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] <= 20
    cut = await ask(plain.url, chat(response_format=STRICT, max_tokens=10))
    assert cut["choices"][0]["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(content(cut))


async def test_a_stop_sequence_ends_the_reply(plain: Running) -> None:
    whole = content(await ask(plain.url, chat()))
    assert content(await ask(plain.url, chat(stop="。"))).count("。") == 0 < whole.count("。")


async def test_a_schema_in_the_prompt_is_kept(plain: Running) -> None:
    text = f"请只输出符合以下 JSON Schema 的 JSON：\n{json.dumps(SCHEMA)}"
    assert sorted(json.loads(content(await ask(plain.url, chat(text))))) == ["answer", "question"]


async def test_json_mode_wants_the_word(plain: Running) -> None:
    status, _, body = await post(plain.url, chat(response_format={"type": "json_object"}))
    assert (status, json.loads(body)["error"]["param"]) == (400, "messages")


async def test_a_schema_that_cannot_be_is_refused_with_400(plain: Running) -> None:
    wish = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "strange"}}}
    status, _, body = await post(plain.url, chat(response_format=wish))
    assert (status, json.loads(body)["error"]["param"]) == (400, "response_format")


# ---------------------------------------------------------------- counters


async def test_counters_tell_what_was_served() -> None:
    with run_in_thread(SimulatorConfig(record=2)) as running:
        for text in ("一", "二", "二", "三"):
            await ask(running.url, chat(text))
        await post(running.url, {"model": "m"})
        shown = running.stats()
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{running.url}/__requests?last=1") as reply:
                kept = await reply.json()
            async with session.post(f"{running.url}/__reset") as reply:
                assert reply.status == 200
            async with session.get(f"{running.url}/__stats") as reply:
                again = await reply.json()
    assert shown.pop("prompt_tokens") > 0
    assert shown.pop("completion_tokens") > 0
    assert shown.pop("started_at")
    assert shown == {
        "requests": 5,
        "by_route": {"openai.chat": 5},
        "by_status": {"200": 4, "400": 1},
        "by_fault": {},
        "in_flight": 0,
        "max_in_flight": 1,
        "distinct": 3,
        "repeated": 1,
        "uncounted": 0,
        "rejected_429": 0,
        "aborted": 0,
    }
    assert [one["body"] for one in kept] == [{"model": "m"}]
    assert again["requests"] == 0


async def test_a_client_that_leaves_is_counted() -> None:
    with run_in_thread(SimulatorConfig(latency_ms=5_000)) as running:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(running.url, chat()), 0.3)
        await asyncio.sleep(0.2)
        shown = running.stats()
    assert (shown["requests"], shown["aborted"], shown["in_flight"]) == (1, 1, 0)


# ---------------------------------------------------------------- limits and latency


def test_a_bucket_refills_evenly_and_holds_its_burst() -> None:
    bucket = Bucket(120, burst_s=1.0, now=0.0)
    taken = []
    for step in range(21):
        now = step / 10
        if bucket.wait_s(1, now) == 0:
            bucket.take(1)
            taken.append(now)
    assert taken == [0.0, 0.1, 0.5, 1.0, 1.5, 2.0]
    assert bucket.wait_s(1, 2.0) == pytest.approx(0.5)


def test_more_than_a_bucket_holds_is_taken_from_a_full_one_and_paid_back() -> None:
    bucket = Bucket(60, burst_s=2.0, now=0.0)
    assert bucket.wait_s(10, 0.0) == 0
    bucket.take(10)
    assert bucket.wait_s(1, 0.0) == pytest.approx(9)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("retry_after", [True, False])
async def test_a_hidden_limit_answers_429_in_the_vendors_shape(
    name: str, retry_after: bool
) -> None:
    path, body, headers = PATHS[name]
    with run_in_thread(SimulatorConfig(rpm=6, retry_after=retry_after)) as running:
        first = await post(running.url, body, path, headers)
        status, got, text = await post(running.url, body, path, headers)
        assert running.stats()["rejected_429"] == 1
    error = json.loads(text)["error"]
    kind = {"openai": "requests", "gemini": "RESOURCE_EXHAUSTED", "anthropic": "rate_limit_error"}
    assert (first[0], status) == (200, 429)
    assert kind[name] in (error.get("type"), error.get("status"))
    assert ("retry-after" in {key.lower() for key in got}) is retry_after


async def test_a_token_limit_counts_prompt_and_completion() -> None:
    with run_in_thread(SimulatorConfig(tpm=60, burst_s=60)) as running:
        first = await ask(running.url, chat("请用约50字回答"))
        status, _, text = await post(running.url, chat("请用约40字回答"))
    assert first["usage"]["total_tokens"] > 20
    assert (status, json.loads(text)["error"]["type"]) == (429, "tokens")


async def test_chats_above_the_ceiling_are_turned_away() -> None:
    path, body, headers = PATHS["anthropic"]
    with run_in_thread(SimulatorConfig(latency_ms=600, max_in_flight=2)) as running:
        replies = await asyncio.gather(*(post(running.url, body, path, headers) for _ in range(4)))
    assert sorted(status for status, _, _ in replies) == [200, 200, 529, 529]


async def test_latency_and_its_tail_are_kept() -> None:
    config = SimulatorConfig(latency_ms=60, jitter=0.1, tail_rate=0.1, tail_factor=20)
    with run_in_thread(config) as running:

        async def timed(number: int) -> float:
            start = time.monotonic()
            await ask(running.url, chat(str(number)))
            return time.monotonic() - start

        seconds = await asyncio.gather(*(timed(number) for number in range(60)))
    slow = sum(one > 0.9 for one in seconds)
    assert min(seconds) >= 0.053
    assert 1 <= slow <= 18


# ---------------------------------------------------------------- faults


def with_fault(name: str, rate: float = 1.0) -> SimulatorConfig:
    return SimulatorConfig(faults={name: rate})


@pytest.mark.parametrize(
    ("fault", "status", "retry"),
    [
        ("rate_limit", 429, True),
        ("rate_limit_bare", 429, False),
        ("error_500", 500, False),
        ("error_503", 503, False),
        ("error_529", 529, False),
        ("bad_key", 401, False),
    ],
)
@pytest.mark.parametrize("name", PATHS)
async def test_a_fault_of_status_has_the_vendors_shape(
    name: str, fault: str, status: int, retry: bool
) -> None:
    path, body, headers = PATHS[name]
    with run_in_thread(with_fault(fault)) as running:
        found, got, text = await post(running.url, body, path, headers)
        assert running.stats()["by_fault"] == {fault: 1}
    assert (found, "retry-after" in {key.lower() for key in got}) == (status, retry)
    assert json.loads(text)["error"]["message"]


def read(name: str, reply: Any) -> tuple[str | None, str]:
    """(text, why it ended) of a reply in any protocol."""
    if name == "openai":
        choice = reply["choices"][0]
        return choice["message"]["content"], choice["finish_reason"]
    if name == "gemini":
        first = reply["candidates"][0]
        parts = first.get("content", {}).get("parts", [])
        return "".join(part["text"] for part in parts), first["finishReason"]
    return "".join(block["text"] for block in reply["content"]), reply["stop_reason"]


@pytest.mark.parametrize("name", PATHS)
async def test_faults_of_content_come_in_every_protocol(name: str) -> None:
    path, body, headers = PATHS[name]
    got = {}
    for fault in ("fences", "think", "empty_content", "truncation", "refusal", "refusal_text"):
        with run_in_thread(with_fault(fault)) as running:
            status, _, text = await post(running.url, body, path, headers)
            assert (status, running.stats()["distinct"]) == (200, 0)
            got[fault] = read(name, json.loads(text))
    ends = {
        "openai": ("stop", "length", "stop"),
        "gemini": ("STOP", "MAX_TOKENS", "SAFETY"),
        "anthropic": ("end_turn", "max_tokens", "refusal"),
    }[name]
    assert (got["fences"][0] or "").startswith("```") and (got["fences"][0] or "").endswith("```")
    assert (got["think"][0] or "").startswith("<think>\n")
    assert got["empty_content"] == ("", ends[0])
    assert got["truncation"][0] and got["truncation"][1] == ends[1]
    assert not got["refusal"][0] and got["refusal"][1] == ends[2]
    assert any(word in (got["refusal_text"][0] or "") for word in ("抱歉", "对不起"))


@pytest.mark.parametrize("name", PATHS)
async def test_faults_of_bytes_come_in_every_protocol(name: str) -> None:
    path, body, headers = PATHS[name]
    got = {}
    for fault in ("cut_json", "invalid_utf8", "html", "empty_choices"):
        with run_in_thread(with_fault(fault)) as running:
            status, found, got[fault] = await post(running.url, body, path, headers)
        assert status == 200
        assert ("html" in found["Content-Type"]) is (fault == "html")
    with pytest.raises(json.JSONDecodeError):
        json.loads(got["cut_json"])
    with pytest.raises(UnicodeDecodeError):
        got["invalid_utf8"].decode()
    assert got["html"].startswith(b"<!DOCTYPE html>")
    empty = json.loads(got["empty_choices"])
    assert not (empty.get("choices") or empty.get("candidates") or empty.get("content"))


async def test_faults_of_structured_output() -> None:
    body = chat(response_format=STRICT)
    texts = {}
    for fault in ("cut_json", "fences", "wrong_schema"):
        with run_in_thread(with_fault(fault)) as running:
            texts[fault] = content(await ask(running.url, body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(texts["cut_json"])
    assert texts["fences"].startswith("```json\n{") and texts["fences"].endswith("}\n```")
    wrong = json.loads(texts["wrong_schema"])
    fits = isinstance(wrong, dict) and sorted(wrong) == ["answer", "question"]
    assert not (fits and all(isinstance(value, str) for value in wrong.values()))


async def test_a_polite_refusal_also_hides_in_fitting_fields() -> None:
    with run_in_thread(with_fault("refusal_text")) as running:
        texts = [content(await ask(running.url, chat(response_format=STRICT))) for _ in range(2)]
    assert not texts[0].startswith("{")
    assert set(json.loads(texts[1]).values()) == {texts[0]}


@pytest.mark.parametrize(
    ("name", "body", "blamed"),
    [
        ("openai", chat(response_format=STRICT), "response_format"),
        (
            "gemini",
            {
                "contents": [{"parts": [{"text": "你好"}]}],
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseSchema": SCHEMA,
                },
            },
            "generation_config.response_schema",
        ),
        (
            "anthropic",
            chat(
                max_tokens=99,
                output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
            ),
            "output_config.format",
        ),
    ],
)
async def test_an_endpoint_without_schemas_names_what_it_refuses(
    name: str, body: Any, blamed: str
) -> None:
    path, _, headers = PATHS[name]
    with run_in_thread(with_fault("reject_response_format")) as running:
        status, _, text = await post(running.url, body, path, headers)
        plain = await post(running.url, *(PATHS[name][1], path, headers))
    assert (status, plain[0]) == (400, 200)
    assert blamed in text.decode()


async def test_a_hang_never_answers() -> None:
    with run_in_thread(with_fault("hang")) as running:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(running.url, chat()), 0.5)
        await asyncio.sleep(0.2)
        assert running.stats()["aborted"] == 1


async def test_a_drip_comes_byte_by_byte() -> None:
    with run_in_thread(with_fault("drip")) as running:
        got = b""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{running.url}/v1/chat/completions", json=chat()) as reply,
        ):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.3):
                    while True:
                        got += await reply.content.readany()
    assert got == b'{"id":'[: len(got)] and 1 <= len(got) <= 5


async def test_a_reset_breaks_the_reply_off() -> None:
    with run_in_thread(with_fault("reset")) as running:
        with pytest.raises(aiohttp.ClientError):
            await ask(running.url, chat())
        assert running.stats()["in_flight"] == 0


def test_faults_are_drawn_by_seed_and_number() -> None:
    rates = SimulatorConfig(faults={"all": 0.2, "hang": 0.1}).fault_rates()

    def draws(seed: int) -> list[str | None]:
        dice = Dice(seed)
        return [choose(rates, dice.draw(b"fault", number)) for number in range(20_000)]

    found = draws(1)
    assert found == draws(1) != draws(2)
    counts = {name: found.count(name) / 20_000 for name in FAULTS}
    assert sum(counts.values()) == pytest.approx(0.3, abs=0.02)
    assert counts["hang"] == pytest.approx(0.1 + 0.2 / len(FAULTS), abs=0.01)
    assert min(counts.values()) > 0.005


@pytest.mark.parametrize(
    "options",
    [
        {"faults": {"hnag": 0.1}},
        {"faults": {"hang": 1.5}},
        {"faults": {"hang": 0.7, "drip": 0.7}},
        {"latency_ms": -1},
        {"latency_ms": float("nan")},
        {"rpm": 0},
        {"tail_rate": 2},
    ],
)
def test_options_out_of_bounds_are_refused(options: Any) -> None:
    with pytest.raises(SpecError) as caught:
        SimulatorConfig(**options)
    assert "{" not in caught.value.message("zh") + caught.value.message("en")


def test_the_key_is_not_shown_with_the_options() -> None:
    assert "secret" not in repr(SimulatorConfig(require_key="secret"))


# ---------------------------------------------------------------- running


async def test_a_server_lives_in_the_callers_loop_too() -> None:
    simulator = Simulator(SimulatorConfig())
    port = await simulator.start()
    assert simulator.url == f"http://127.0.0.1:{port}"
    assert content(await ask(simulator.url, chat()))
    await simulator.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(simulator.url, chat())


def test_the_command_says_where_it_is_and_stops_on_a_signal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "corpusmith.simulator", "--port", "0", "--fault", "hang=0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert line.count("http://127.0.0.1:") == 3


def test_the_command_explains_a_wrong_option() -> None:
    command = [sys.executable, "-m", "corpusmith.simulator", "--fault", "nonsense=0.5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, "nonsense" in done.stderr, done.stdout) == (2, True, "")
