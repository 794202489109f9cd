"""Every fault ends in exact records or a typed reason (DESIGN.md §8, promise 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
from fault_runs import SEED, TIMEOUT_S, Case, Ran, endpoint, run_all, task_fields

from corpusmith import Studio
from corpusmith.engine.adaptive import START
from corpusmith.errors import ProviderError
from corpusmith.providers.connect import connection_of
from corpusmith.service.connections import provider_of
from corpusmith.service.tasks import Result
from corpusmith.simulator.config import FAULTS, STANDING_FAULTS, SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import ChatRequest, Counts, Json, Message, Price, Protocol

pytestmark = pytest.mark.timeout(240)

MODES = ("single", "turns")
PROTOCOLS: tuple[Protocol, ...] = ("openai", "gemini", "anthropic")
RATE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What a fault may come to, by mode of the recipe (`single`, `turns`)."""

    attempt: tuple[str, str] = ("", "")
    """Code of the failed attempts, which are tried again; empty: none fails."""
    miss: tuple[str, str] = ("", "")
    """Reason of the samples that are lost to it; empty: none is."""
    paid: tuple[bool, bool] = (False, False)
    """Whether the endpoint says what its reply cost."""


def both(code: str) -> tuple[str, str]:
    return code, code


PAID = (True, True)

# A fault that the simulator learns tomorrow has no line here, and the first test says so.
ENDS: dict[str, Ends] = {
    "rate_limit": Ends(attempt=both("rate_limited")),
    "rate_limit_bare": Ends(attempt=both("rate_limited")),
    "error_500": Ends(attempt=both("server_error"), miss=both("server_error")),
    "error_503": Ends(attempt=both("overloaded"), miss=both("overloaded")),
    "error_529": Ends(attempt=both("overloaded"), miss=both("overloaded")),
    "hang": Ends(attempt=both("timed_out"), miss=both("timed_out")),
    "drip": Ends(attempt=both("timed_out"), miss=both("timed_out")),
    "reset": Ends(attempt=both("malformed_reply"), miss=both("malformed_reply")),
    "cut_json": Ends(
        attempt=("", "malformed_reply"),
        miss=("invalid_reply", "malformed_reply"),
        paid=(True, False),
    ),
    "fences": Ends(paid=PAID),
    "think": Ends(paid=PAID),
    "empty_content": Ends(attempt=both("empty_reply"), miss=both("empty_reply"), paid=PAID),
    "empty_choices": Ends(attempt=both("malformed_reply"), miss=both("malformed_reply"), paid=PAID),
    "invalid_utf8": Ends(attempt=both("malformed_reply"), miss=both("malformed_reply")),
    "html": Ends(attempt=both("malformed_reply"), miss=both("malformed_reply")),
    "truncation": Ends(miss=both("truncated"), paid=PAID),
    "refusal": Ends(miss=both("refused"), paid=PAID),
    "refusal_text": Ends(miss=("refusal", "refusal"), paid=PAID),
    "wrong_schema": Ends(miss=("invalid_reply", ""), paid=PAID),
}


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert set(ENDS) == set(FAULTS)
    assert set(STANDING_FAULTS) == {"bad_key", "reject_response_format", "reject_json_schema"}


# ---------------------------------------------------------------- the runs

ALONE = [Case(faults={name: RATE}, mode=mode) for name in FAULTS for mode in MODES]
MIXED = [
    Case(faults={"all": RATE}, mode=mode, protocol=protocol, count=40)
    for mode in MODES
    for protocol in PROTOCOLS
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran | Exception]:
    """All runs by name, made at once: each waits for its own timeouts and retries."""
    cases = [replace(case, count=8) if case.mode == "turns" else case for case in (*ALONE, *MIXED)]
    return asyncio.run(run_all(cases, tmp_path_factory.mktemp("faults")))


@pytest.fixture(params=[case.name for case in (*ALONE, *MIXED)])
def ran(request: pytest.FixtureRequest, runs: dict[str, Ran | Exception]) -> Ran:
    found = runs[request.param]
    if isinstance(found, Exception):
        raise found
    return found


def test_all_records_come_or_the_shortfall_is_told(ran: Ran) -> None:
    counts = ran.task.counts
    assert ran.result.status == "finished", ran.result.cause
    assert counts.accepted + counts.rejected + counts.failed == counts.attempted
    assert counts == ran.quotas == ran.result.counts
    assert len(ran.records) == counts.accepted
    assert len(ran.misses) == counts.rejected + counts.failed
    wanted = {"code": "attempts_used", "shortfall": counts.shortfall} if counts.shortfall else None
    assert ran.result.cause == wanted
    # Two thirds of the samples may be lost before six tries a record are not enough.
    assert counts.shortfall == 0


def test_each_failure_has_its_own_reason(ran: Ran) -> None:
    met = {said.fault for said in ran.said if said.fault is not None}
    place = MODES.index(ran.case.mode)
    assert met, "the run was too short to meet the fault"
    assert {miss.reason for miss in ran.misses} <= {_end(fault, ran).miss[place] for fault in met}
    attempts = {_end(fault, ran).attempt[place] for fault in met} - {""}
    assert set(ran.retries) == attempts
    assert all(
        miss.kind == ("rejected" if miss.reason == "refusal" else "failed") for miss in ran.misses
    )


def _end(fault: str, ran: Ran) -> Ends:
    """What `fault` may come to in this run."""
    if fault == "empty_choices" and ran.case.protocol == "anthropic":
        fault = "empty_content"  # it has no choices: what is empty is the content
    return ENDS[fault]


def test_no_text_is_partial_spoilt_or_stock(ran: Ran) -> None:
    meant = [said.text for said in ran.said]
    if ran.case.mode == "single":
        whole = {orjson.dumps(one["turns"]) for text in meant for one in _dialogues(text)}
        found = [orjson.dumps(_turns(record)) for record in ran.records]
        assert [one for one in found if one not in whole] == []
    else:
        lines = {text.strip() for text in meant}
        said = [line["content"] for record in ran.records for line in record["dialogues"]]
        assert [line for line in said if line not in lines] == []


def test_what_was_paid_is_counted(ran: Ran) -> None:
    place = MODES.index(ran.case.mode)
    paid = [one for one in ran.said if one.fault is None or ENDS[one.fault].paid[place]]
    spend = ran.task.spend
    # Money is a sum of fractions, and the store adds it up in another order.
    assert replace(ran.result.spend, cost_usd=spend.cost_usd) == spend
    assert ran.result.spend.cost_usd == pytest.approx(spend.cost_usd)
    assert spend.calls == len(paid)
    assert spend.usage.prompt_tokens == sum(one.prompt_tokens for one in paid)
    price = Price(input_usd=1.0, output_usd=2.0)
    assert spend.cost_usd == pytest.approx(price.cost_usd(spend.usage))


def _dialogues(text: str) -> list[Json]:
    return list(orjson.loads(text)["dialogues"])


def _turns(record: Json) -> list[Json]:
    """The dialogue as its single reply had it."""
    lines = [line["content"] for line in record["dialogues"]]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [{"user": user, "assistant": assistant} for user, assistant in pairs]


# ---------------------------------------------------------------- one call


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_call_hangs_beyond_its_timeout(protocol: Protocol) -> None:
    took_s = await asyncio.gather(*(_one_call(fault, protocol) for fault in FAULTS))
    assert {name: s for name, s in zip(FAULTS, took_s, strict=True) if s > TIMEOUT_S + 1} == {}


async def _one_call(fault: str, protocol: Protocol) -> float:
    """Seconds that one call takes which surely meets the fault; it ends typed, if badly."""
    simulator = Simulator(SimulatorConfig(faults={fault: 1.0}))
    await simulator.start()
    part = endpoint(simulator.url, protocol)
    connection = connection_of(
        name="c", provider=protocol, base_url=part["base_url"], total_s=TIMEOUT_S
    )
    provider = provider_of(connection, None)
    request = ChatRequest(model="any", messages=(Message("user", "你好"),))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        await provider.chat(request)
    except ProviderError:
        pass
    finally:
        took_s = loop.time() - began_s
        await provider.close()
        await simulator.stop()
    return took_s


# ---------------------------------------------------------------- what an endpoint is


async def standing(
    faults: Mapping[str, float], folder: Path, **fields: Json
) -> tuple[Studio, Result, Mapping[str, Json]]:
    """A run against an endpoint that is like this; (studio, result, the simulator's counters)."""
    simulator = Simulator(SimulatorConfig(seed=SEED, faults=faults))
    await simulator.start()
    studio = Studio(f"sqlite:///{folder / 'standing.db'}")
    protocol = fields.pop("protocol", "openai")
    given = task_fields(simulator.url, protocol=protocol, **fields)
    try:
        result = await asyncio.wait_for(studio.generate_async(**given), 60)
    finally:
        await simulator.stop()
    return studio, result, simulator.stats()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_wrong_key_stops_at_once_with_its_cause(
    mode: str, protocol: Protocol, tmp_path: Path
) -> None:
    studio, result, stats = await standing(
        {"bad_key": 1.0}, tmp_path, mode=mode, protocol=protocol, count=500
    )
    studio.close()
    assert (result.status, result.counts) == ("failed", Counts(requested=500))
    assert result.cause is not None
    assert result.cause["code"] == "unauthorised"
    assert result.cause["cause"] == "Incorrect API key provided."
    # Those that were on their way when the first answer came, and not one more.
    assert stats["requests"] <= START


async def test_a_key_that_fails_midway_keeps_what_was_made(tmp_path: Path) -> None:
    studio, result, _ = await standing({"bad_key": 0.05}, tmp_path, mode="single", count=500)
    with studio:
        kept = studio.store.records.count(task_id=result.task_id)
    assert result.status == "failed"
    assert result.cause is not None
    assert result.cause["code"] == "unauthorised"
    assert result.counts == Counts(requested=500, attempted=kept, accepted=kept)


@pytest.mark.parametrize("fault", ["reject_response_format", "reject_json_schema"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_endpoint_without_native_schemas_is_asked_another_way(
    fault: str, protocol: Protocol, tmp_path: Path
) -> None:
    studio, result, stats = await standing(
        {fault: 1.0}, tmp_path, mode="single", count=60, protocol=protocol
    )
    with studio:
        base_url = studio.tasks.last().connections["writer"]["base_url"]
        mode = studio.store.mode(base_url, "any")
    assert result.status == "finished"
    assert result.counts == Counts(requested=60, attempted=60, accepted=60)
    assert mode == WORKING[protocol][fault]
    # Each step down is paid for by the calls in flight at that moment, never by later ones.
    assert stats["requests"] - 60 == stats["by_fault"][fault] <= 2 * START


WORKING: dict[Protocol, dict[str, str]] = {
    "openai": {"reject_response_format": "prompt", "reject_json_schema": "json"},
    "gemini": {"reject_response_format": "prompt", "reject_json_schema": "json"},
    "anthropic": {"reject_response_format": "tool", "reject_json_schema": "tool"},
}
"""The way of asking that is left."""
