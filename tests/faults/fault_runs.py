"""Runs a task against a simulator with faults, and knows what the simulator meant to say.

Owns: one run and all that can be seen of it from outside. Does not own: the ways of asking
(`recipe_ways.py`), what must hold (the tests).

What was meant: every request that the faulty simulator got is sent once more to a healthy one
with the same seed. Its replies are what each request's whole, unspoilt reply is.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson

from corpusmith import Studio
from corpusmith.engine.progress import Snapshot
from corpusmith.service.tasks import Result
from corpusmith.simulator import faults
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.store.values import MissRow, Task
from corpusmith.values import Counts, Json, Protocol, Record
from recipe_ways import WAYS

TIMEOUT_S = 3.0
TIMES = 3
"""How often a run is looked at, when it is the machine that spoils it."""
PATIENT_S = 60.0
"""Where no fault waits for the timeout, a machine that others slow down must not either."""
RUN_WITHIN_S = 90.0
AT_ONCE = 32
"""Cases in progress: with more of them, one core keeps replies waiting beyond their timeout."""
SEED = 7
MOST_RETRIES = 40
"""A sample of several calls is lost more often than not; after so many times it is not chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is run: these faults, against this protocol, so many records in this way."""

    faults: Mapping[str, float]
    way: str
    count: int
    protocol: Protocol = "openai"

    @property
    def name(self) -> str:
        return f"{'+'.join(self.faults)} {self.way} {self.protocol}"

    @property
    def timeout_s(self) -> float:
        return PATIENT_S if {"hang", "drip", "all"}.isdisjoint(self.faults) else TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A request with the fault that it met (None: none) and the reply that was meant."""

    fault: str | None
    text: str
    prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a run showed when it had ended."""

    result: Result
    task: Task
    quotas: Counts
    misses: Sequence[MissRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """All that a task showed: its first run, and how it was retried until nothing was missing."""

    case: Case
    first: Ended
    last: Ended
    """The same as `first` when nothing was missing."""
    records: Sequence[Record]
    retries: Counter[str]
    """Failed attempts by code, of all runs."""
    said: Sequence[Said]


async def run_all(cases: Sequence[Case], folder: Path) -> dict[str, Ran | Exception]:
    """Many cases at once: they mostly wait. Each has a simulator and a database of its own.

    A case that breaks (it does not end, or the healthy simulator refuses) is its exception.
    """
    empty = folder / "empty.db"
    Studio(f"sqlite:///{empty}").close()
    healthy = Simulator(SimulatorConfig(seed=SEED))
    await healthy.start()
    async with aiohttp.ClientSession(healthy.url) as session:
        room = asyncio.Semaphore(AT_ONCE)

        async def run(number: int, case: Case) -> Ran:
            async with room:
                for again in range(TIMES):
                    place = folder / f"{number}-{again}"
                    place.mkdir()
                    shutil.copyfile(empty, place / "x.db")
                    ran = await _run(case, place, session, lively_seed(case, number))
                    if _in_time(ran):
                        break
                return ran

        runs = [run(number, case) for number, case in enumerate(cases)]
        done = await asyncio.gather(*runs, return_exceptions=True)
    await healthy.stop()
    names = [case.name for case in cases]
    return {
        name: ran if isinstance(ran, Ran | Exception) else RuntimeError(repr(ran))
        for name, ran in zip(names, done, strict=True)
    }


def _in_time(ran: Ran) -> bool:
    """False when replies came too late that nothing held up: the whole machine stood still."""
    return ran.retries["timed_out"] <= sum(one.fault in ("hang", "drip") for one in ran.said)


async def _run(case: Case, folder: Path, healthy: aiohttp.ClientSession, fault_seed: int) -> Ran:
    config = SimulatorConfig(seed=SEED, faults=case.faults, fault_seed=fault_seed, record=1_000_000)
    faulty = Simulator(config)
    await faulty.start()
    try:
        with Studio(f"sqlite:///{folder / 'x.db'}") as studio:
            task = await studio.tasks.create_async(
                task_fields(case.way, case.count, folder)
                | {"connection": endpoint(faulty.url, case.protocol, case.timeout_s)}
            )
            retries: Counter[str] = Counter()
            async with asyncio.timeout(RUN_WITHIN_S):
                first = last = await _ended(studio, task, retries)
                for _ in range(MOST_RETRIES):
                    if not studio.tasks.retry(task, ("failed", "rejected")):
                        break
                    last = await _ended(studio, task, retries)
            return Ran(
                case=case,
                first=first,
                last=last,
                records=list(studio.store.records.iterate(task_id=task.id)),
                retries=retries,
                said=await _meant(faulty, healthy, case, fault_seed),
            )
    finally:
        await faulty.stop()


async def _ended(studio: Studio, task: Task, retries: Counter[str]) -> Ended:
    seen: list[Snapshot] = []
    result = await studio.tasks.run_async(task, show=seen.append)
    retries.update(seen[-1].retries)
    return Ended(
        result=result,
        task=studio.tasks.get(task.id),
        quotas=sum((one.counts for one in seen[-1].categories), Counts()),
        misses=studio.tasks.misses(task, limit=10_000),
    )


def task_fields(way: str, count: int, folder: Path) -> dict[str, Json]:
    """The task but its endpoint; a way's own files go into `folder`.

    Attempts: so many that what can be replaced is never missing; what cannot is tried twice.
    """
    return {
        "seed": 11,
        "max_attempts_multiplier": 2 if WAYS[way].closed else 30,
        **WAYS[way].own(count, folder),
    }


def endpoint(url: str, protocol: Protocol, timeout_s: float = PATIENT_S) -> dict[str, Json]:
    """The simulator as an endpoint of this protocol."""
    base_url = f"{url}/v1" if protocol == "openai" else url
    return {
        "provider": protocol,
        "base_url": base_url,
        "model": "any",
        "timeout_s": timeout_s,
        "price": {"input": 1.0, "output": 2.0},
    }


# ---------------------------------------------------------------- what was meant


async def _meant(
    faulty: Simulator, healthy: aiohttp.ClientSession, case: Case, fault_seed: int
) -> list[Said]:
    """Every request of the run, in the order of its arrival."""
    requests = faulty.requests(1_000_000)
    assert len(requests) == faulty.stats()["requests"]
    return [
        await _said(healthy, request, case, fault_of(case.faults, fault_seed, number))
        for number, request in enumerate(requests, start=1)
    ]


async def _said(
    session: aiohttp.ClientSession, request: Json, case: Case, fault: str | None
) -> Said:
    headers = {"anthropic-version": "2023-06-01"} if case.protocol == "anthropic" else {}
    async with session.post(request["path"], json=request["body"], headers=headers) as reply:
        body = orjson.loads(await reply.read())
        assert reply.status == 200, body
    text, prompt_tokens = _READ[case.protocol](body)
    return Said(fault=fault, text=text, prompt_tokens=prompt_tokens)


def _openai(body: Json) -> tuple[str, int]:
    return body["choices"][0]["message"]["content"], body["usage"]["prompt_tokens"]


def _gemini(body: Json) -> tuple[str, int]:
    parts = body["candidates"][0]["content"]["parts"]
    return "".join(part["text"] for part in parts), body["usageMetadata"]["promptTokenCount"]


def _anthropic(body: Json) -> tuple[str, int]:
    texts = [
        block["text"] if block["type"] == "text" else orjson.dumps(block["input"]).decode()
        for block in body["content"]
    ]
    usage = body["usage"]
    cached = usage.get("cache_read_input_tokens", 0) + usage.get("cache_creation_input_tokens", 0)
    return "".join(texts), usage["input_tokens"] + cached


_READ = {"openai": _openai, "gemini": _gemini, "anthropic": _anthropic}


def fault_of(case_faults: Mapping[str, float], fault_seed: int, number: int) -> str | None:
    """The fault that the simulator's own dice gave request `number`."""
    rates = SimulatorConfig(faults=case_faults).fault_rates()
    return faults.choose(rates, faults.Dice(fault_seed).draw(b"fault", number))


def lively_seed(case: Case, first: int) -> int:
    """A fault seed that spoils at least one in eight of the first requests: dice can be kind."""
    requests = WAYS[case.way].requests(case.count)
    for fault_seed in range(1000 * first, 1000 * first + 1000):
        met = [fault_of(case.faults, fault_seed, number) for number in range(1, requests + 1)]
        if len(met) - met.count(None) >= requests / 8:
            return fault_seed
    raise AssertionError("no seed in a thousand")
