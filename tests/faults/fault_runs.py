"""Runs a task against a simulator with faults, and knows what the simulator meant to say.

Owns: one run and all that can be seen of it from outside. Does not own: what must hold (the
tests).

What was meant: every request that the faulty simulator got is sent once more to a healthy one
with the same seed. Its replies are what each request's whole, unspoilt reply is.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from corpusmith import Studio
from corpusmith.engine.progress import Snapshot
from corpusmith.service.tasks import Result
from corpusmith.simulator import faults
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.store.values import MissRow, Task
from corpusmith.values import Counts, Json, Protocol

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
TIMEOUT_S = 1.5
RUN_WITHIN_S = 90.0
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is run: these faults, against this protocol, in this mode of the recipe."""

    faults: Mapping[str, float]
    mode: str
    protocol: Protocol = "openai"
    count: int = 20

    @property
    def name(self) -> str:
        return f"{'+'.join(self.faults)} {self.mode} {self.protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A request with the fault that it met (None: none) and the reply that was meant."""

    fault: str | None
    text: str
    prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """All that a run showed."""

    case: Case
    result: Result
    task: Task
    records: list[Json]
    quotas: Counts
    misses: list[MissRow]
    retries: Mapping[str, int]
    """Failed attempts by code."""
    said: list[Said]
    stats: Mapping[str, Any]
    took_s: float


async def run_all(cases: Sequence[Case], folder: Path) -> dict[str, Ran | Exception]:
    """All cases at once: they mostly wait. Each has a simulator and a database of its own.

    A case that breaks (it does not end, or the healthy simulator refuses) is its exception.
    """
    empty = folder / "empty.db"
    Studio(f"sqlite:///{empty}").close()
    runs = [_run(case, folder, empty, number) for number, case in enumerate(cases)]
    done = await asyncio.gather(*runs, return_exceptions=True)
    names = [case.name for case in cases]
    return {
        name: ran if isinstance(ran, Ran | Exception) else RuntimeError(repr(ran))
        for name, ran in zip(names, done, strict=True)
    }


async def _run(case: Case, folder: Path, empty: Path, number: int) -> Ran:
    fault_seed = lively_seed(case, number)
    config = SimulatorConfig(seed=SEED, faults=case.faults, fault_seed=fault_seed, record=1_000_000)
    faulty, healthy = Simulator(config), Simulator(SimulatorConfig(seed=SEED))
    await faulty.start()
    await healthy.start()
    path = folder / f"{number}.db"
    shutil.copyfile(empty, path)
    try:
        with Studio(f"sqlite:///{path}") as studio:
            began_s = time.monotonic()
            seen: list[Snapshot] = []
            fields = task_fields(
                faulty.url, mode=case.mode, count=case.count, protocol=case.protocol
            )
            made = studio.generate_async(show=seen.append, **fields)
            result = await asyncio.wait_for(made, RUN_WITHIN_S)
            took_s = time.monotonic() - began_s
            said = await _meant(faulty, healthy, case, fault_seed)
            return _ran(studio, case, result, seen[-1], said, faulty.stats(), took_s)
    finally:
        await faulty.stop()
        await healthy.stop()


def task_fields(
    url: str, *, mode: str, count: int, protocol: Protocol = "openai", turns: int = 2
) -> dict[str, Json]:
    """The task against the simulator at `url`."""
    return {
        "characters": [str(CARD)],
        "scenarios": {"日常对话": 2, "情感交流": 1},
        "count": count,
        "turns": turns,
        "mode": mode,
        "seed": 11,
        "max_attempts_multiplier": 6,
        "connection": endpoint(url, protocol),
    }


def endpoint(url: str, protocol: Protocol) -> dict[str, Json]:
    """The simulator as an endpoint of this protocol, with a short timeout."""
    base_url = f"{url}/v1" if protocol == "openai" else url
    return {
        "provider": protocol,
        "base_url": base_url,
        "model": "any",
        "timeout_s": TIMEOUT_S,
        "price": {"input": 1.0, "output": 2.0},
    }


def _ran(
    studio: Studio,
    case: Case,
    result: Result,
    last: Snapshot,
    said: list[Said],
    stats: Mapping[str, Any],
    took_s: float,
) -> Ran:
    task = studio.tasks.get(result.task_id)
    return Ran(
        case=case,
        result=result,
        task=task,
        records=[one.content for one in studio.store.records.iterate(task_id=task.id)],
        quotas=sum((one.counts for one in last.categories), Counts()),
        misses=list(studio.store.tasks.misses(task.id, limit=10_000)),
        retries=last.retries,
        said=said,
        stats=stats,
        took_s=took_s,
    )


# ---------------------------------------------------------------- what was meant


async def _meant(faulty: Simulator, healthy: Simulator, case: Case, fault_seed: int) -> list[Said]:
    """Every request of the run, in the order of its arrival."""
    requests = faulty.requests(1_000_000)
    assert len(requests) == faulty.stats()["requests"]
    async with aiohttp.ClientSession(healthy.url) as session:
        return [
            await _said(session, request, case, fault_of(case.faults, fault_seed, number))
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
    for fault_seed in range(1000 * first, 1000 * first + 1000):
        met = [fault_of(case.faults, fault_seed, number) for number in range(1, case.count + 1)]
        if len(met) - met.count(None) >= case.count / 8:
            return fault_seed
    raise AssertionError("no seed in a thousand")
