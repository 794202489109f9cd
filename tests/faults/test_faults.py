"""Every fault ends in exact records or a typed reason (DESIGN.md §8, promise 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
from fault_runs import SEED, Case, Ran, endpoint, run_all, task_fields
from fault_texts import STOCK, WORDS

from corpusmith import Studio, registry
from corpusmith.engine.adaptive import START
from corpusmith.errors import ProviderError
from corpusmith.providers.connect import connection_of
from corpusmith.service.connections import provider_of
from corpusmith.service.task_file import recipe_in
from corpusmith.service.tasks import Result
from corpusmith.simulator.config import FAULTS, STANDING_FAULTS, SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import ChatRequest, Counts, Json, Message, Price, Protocol
from recipe_ways import WAYS

pytestmark = pytest.mark.timeout(240)

PROTOCOLS: tuple[Protocol, ...] = ("openai", "gemini", "anthropic")
RATE = 0.2
COUNTS = {"single": 16, "turns": 6, "template": 24, "rounds": 5, "selfplay": 6, "evaluate": 16}
"""The ways that are run, and of how many records: few, where each is many calls."""
STRUCTURED = [name for name in COUNTS if WAYS[name].structured]
CALL_S = 1.5
PRICE = Price(input_usd=1.0, output_usd=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What a fault may come to."""

    attempt: str = ""
    """Code of the failed attempts, which are tried again; empty: none fails."""
    miss: tuple[str, ...] = ()
    """Reasons of the samples that are lost to it; empty: none is."""
    paid: bool = False
    """Whether the endpoint says what its reply cost."""


def tried(code: str, *, paid: bool = False) -> Ends:
    """The attempt failed and is tried again; the sample is lost only when all of them fail."""
    return Ends(attempt=code, miss=(code,), paid=paid)


def lost(*reasons: str) -> Ends:
    """The reply was completed and paid, and is of no use."""
    return Ends(miss=reasons, paid=True)


WAITED = Ends(attempt="rate_limited")
NOTHING = Ends(paid=True)

# A fault that the simulator learns tomorrow has no line here, and the first test says so.
ENDS: dict[str, Ends] = {
    "rate_limit": WAITED,
    "rate_limit_bare": WAITED,
    "error_500": tried("server_error"),
    "error_503": tried("overloaded"),
    "error_529": tried("overloaded"),
    "hang": tried("timed_out"),
    "drip": tried("timed_out"),
    "reset": tried("malformed_reply"),
    "cut_json": tried("malformed_reply"),
    "fences": NOTHING,
    "think": NOTHING,
    "empty_content": tried("empty_reply", paid=True),
    "empty_choices": tried("malformed_reply", paid=True),
    "invalid_utf8": tried("malformed_reply"),
    "html": tried("malformed_reply"),
    "truncation": lost("truncated"),
    "refusal": lost("refused"),
    "refusal_text": lost("refusal"),
    "wrong_schema": NOTHING,
}
IF_STRUCTURED: dict[str, Ends] = {
    "cut_json": lost("invalid_reply"),
    # A refusal in plain words is no JSON; in the strings of a fitting value it is one.
    "refusal_text": lost("refusal", "invalid_reply"),
    "wrong_schema": lost("invalid_reply"),
}
"""Where the replies are JSON of a schema, and that makes a difference."""
BY_CHECK = {"refusal"}
"""Reasons of the checks: samples that were made, and are not wanted."""


def ends(fault: str, case: Case) -> Ends:
    """What `fault` may come to in this run."""
    if fault == "empty_choices" and case.protocol == "anthropic":
        fault = "empty_content"  # it has no choices: what is empty is the content
    return (IF_STRUCTURED if WAYS[case.way].structured else {}).get(fault, ENDS[fault])


def test_every_fault_of_the_simulator_is_tried_in_every_recipe(tmp_path: Path) -> None:
    assert set(ENDS) == set(FAULTS)
    assert set(STANDING_FAULTS) == {"bad_key", "reject_response_format", "reject_json_schema"}
    tried = {recipe_in(WAYS[way].own(1, tmp_path)) for way in COUNTS}
    assert tried == set(registry.names("recipe"))


# ---------------------------------------------------------------- the runs

ALONE = [
    Case(faults={name: RATE}, way=way, count=count)
    for name in FAULTS
    for way, count in COUNTS.items()
]
MIXED = [
    Case(faults={"all": RATE}, way=way, count=2 * count, protocol=protocol)
    for way, count in COUNTS.items()
    for protocol in PROTOCOLS
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran | Exception]:
    """All runs by name, made at once: each waits for its own timeouts and retries."""
    return asyncio.run(run_all([*ALONE, *MIXED], tmp_path_factory.mktemp("faults")))


@pytest.fixture(params=[case.name for case in (*ALONE, *MIXED)])
def ran(request: pytest.FixtureRequest, runs: dict[str, Ran | Exception]) -> Ran:
    found = runs[request.param]
    if isinstance(found, Exception):
        raise found
    return found


def test_all_records_come_or_the_shortfall_is_told(ran: Ran) -> None:
    code = "items_missed" if WAYS[ran.case.way].closed else "attempts_used"
    for run in (ran.first, ran.last):
        counts = run.task.counts
        assert run.result.status == "finished", run.result.cause
        assert counts.accepted + counts.rejected + counts.failed == counts.attempted
        assert counts == run.quotas == run.result.counts
        assert len(run.misses) == counts.rejected + counts.failed
        short = counts.shortfall
        assert run.result.cause == ({"code": code, "shortfall": short} if short else None)
    assert len(ran.records) == ran.last.task.counts.accepted == ran.case.count


def test_nothing_given_is_replaced_and_what_can_be_is(ran: Ran) -> None:
    """What a closed task misses is tried again itself, in the run and when it is retried."""
    count, first = ran.case.count, ran.first.task.counts
    if not WAYS[ran.case.way].closed:
        assert (first.accepted, ran.first) == (count, ran.last)
        return
    assert first == Counts(
        requested=count,
        attempted=count,
        accepted=count - len(ran.first.misses),
        rejected=first.rejected,
        failed=first.failed,
    )
    assert ran.last.task.counts == Counts(requested=count, attempted=count, accepted=count)
    assert [record.ordinal for record in ran.records] == list(range(count))


def test_each_failure_has_its_own_reason(ran: Ran) -> None:
    met = {said.fault for said in ran.said if said.fault is not None}
    assert met, "the run was too short to meet the fault"
    may = [ends(fault, ran.case) for fault in met]
    missed = {(miss.kind, miss.reason) for miss in (*ran.first.misses, *ran.last.misses)}
    assert {reason for _, reason in missed} <= {reason for one in may for reason in one.miss}
    assert set(ran.retries) == {one.attempt for one in may} - {""}
    assert all((kind == "rejected") == (reason in BY_CHECK) for kind, reason in missed)


def test_no_text_is_partial_spoilt_or_stock(ran: Ran) -> None:
    words = WORDS[ran.case.way]
    whole = {_sorted(part) for said in ran.said for part in words.in_reply(said.text)}
    contents = [record.content for record in ran.records]
    parts = {_sorted(part) for content in contents for part in words.in_record(content)}
    assert parts - whole == set()
    poor = {_sorted(part) for content in contents for part in words.to_be_corrected(content)}
    assert poor - whole - {_sorted(text) for text in STOCK} == set()


def test_what_was_paid_is_counted(ran: Ran) -> None:
    paid = [one for one in ran.said if one.fault is None or ends(one.fault, ran.case).paid]
    result, spend = ran.last.result, ran.last.task.spend
    # Money is a sum of fractions, and the store adds it up in another order.
    assert replace(result.spend, cost_usd=spend.cost_usd) == spend
    assert result.spend.cost_usd == pytest.approx(spend.cost_usd)
    assert spend.calls == len(paid)
    assert spend.usage.prompt_tokens == sum(one.prompt_tokens for one in paid)
    assert spend.cost_usd == pytest.approx(PRICE.cost_usd(spend.usage))


def _sorted(part: Json) -> bytes:
    return orjson.dumps(part, option=orjson.OPT_SORT_KEYS)


# ---------------------------------------------------------------- one call


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_call_hangs_beyond_its_timeout(protocol: Protocol) -> None:
    # What the first call of a process imports is no waiting for an endpoint.
    await _one_call("html", protocol)
    took_s = await asyncio.gather(*(_one_call(fault, protocol) for fault in FAULTS))
    assert {name: s for name, s in zip(FAULTS, took_s, strict=True) if s > CALL_S + 1} == {}


async def _one_call(fault: str, protocol: Protocol) -> float:
    """Seconds that one call takes which surely meets the fault; it ends typed, if badly."""
    simulator = Simulator(SimulatorConfig(faults={fault: 1.0}))
    await simulator.start()
    part = endpoint(simulator.url, protocol)
    connection = connection_of(
        name="c", provider=protocol, base_url=part["base_url"], total_s=CALL_S
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
    faults: Mapping[str, float], folder: Path, way: str, count: int, protocol: Protocol = "openai"
) -> tuple[Studio, Result, Mapping[str, Json]]:
    """A run against an endpoint that is like this; (studio, result, the simulator's counters)."""
    simulator = Simulator(SimulatorConfig(seed=SEED, faults=faults))
    await simulator.start()
    studio = Studio(f"sqlite:///{folder / 'standing.db'}")
    fields = {**task_fields(way, count, folder), "connection": endpoint(simulator.url, protocol)}
    try:
        result = await asyncio.wait_for(studio.generate_async(**fields), 60)
    finally:
        await simulator.stop()
    return studio, result, simulator.stats()


def _each(ways: Iterable[str]) -> list[tuple[str, Protocol]]:
    """Each way against one protocol, and one way against each."""
    first, *others = ways
    return [(first, protocol) for protocol in PROTOCOLS] + [(way, "openai") for way in others]


@pytest.mark.parametrize(("way", "protocol"), _each(COUNTS))
async def test_a_wrong_key_stops_at_once_with_its_cause(
    way: str, protocol: Protocol, tmp_path: Path
) -> None:
    studio, result, stats = await standing({"bad_key": 1.0}, tmp_path, way, 500, protocol)
    studio.close()
    assert (result.status, result.counts) == ("failed", Counts(requested=500))
    assert result.cause is not None
    assert result.cause["code"] == "unauthorised"
    assert result.cause["cause"] == "Incorrect API key provided."
    # Those that were on their way when the first answer came, and not one more.
    assert stats["requests"] <= START


@pytest.mark.parametrize("way", COUNTS)
async def test_a_key_that_fails_midway_keeps_what_was_made(way: str, tmp_path: Path) -> None:
    studio, result, _ = await standing({"bad_key": 0.05}, tmp_path, way, 500)
    with studio:
        kept = studio.store.records.count(task_id=result.task_id)
    assert result.status == "failed"
    assert result.cause is not None
    assert result.cause["code"] == "unauthorised"
    assert result.counts == Counts(requested=500, attempted=kept, accepted=kept)


@pytest.mark.parametrize("fault", ["reject_response_format", "reject_json_schema"])
@pytest.mark.parametrize(("way", "protocol"), _each(STRUCTURED))
async def test_an_endpoint_without_native_schemas_is_asked_another_way(
    fault: str, way: str, protocol: Protocol, tmp_path: Path
) -> None:
    studio, result, stats = await standing({fault: 1.0}, tmp_path, way, 60, protocol)
    with studio:
        connection = next(iter(studio.tasks.last().connections.values()))
        mode = studio.store.mode(connection["base_url"], "any")
    assert result.status == "finished"
    assert result.counts == Counts(requested=60, attempted=60, accepted=60)
    assert mode == WORKING[protocol][fault]
    # Each step down is paid for by the calls in flight at that moment, never by later ones.
    refused = stats["requests"] - WAYS[way].requests(60)
    assert refused == stats["by_fault"][fault] <= 2 * START


WORKING: dict[Protocol, dict[str, str]] = {
    "openai": {"reject_response_format": "prompt", "reject_json_schema": "json"},
    "gemini": {"reject_response_format": "prompt", "reject_json_schema": "json"},
    "anthropic": {"reject_response_format": "tool", "reject_json_schema": "tool"},
}
"""The way of asking that is left."""
