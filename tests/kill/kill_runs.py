"""Kills a run again and again and compares what is left with a run that nobody touched.

Owns: when to kill, and what is read right after. Does not own: how often, and on what (the tests).

What is exact here, and why there is no race: a call is in flight at a kill when the simulator got
its request and the journal lacks its reply once the process is dead. Both are read after the
process was reaped, the server has let go of its sockets, and the database of its transactions.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from kill_child import HEAVY, Picky, main
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Engine, make_url

from corpusmith import Studio
from corpusmith.simulator.thread import Running
from corpusmith.store.values import Task
from corpusmith.values import Counts, Json, Record
from recipe_ways import WAYS, Way

CHILD = Path(__file__).with_name("kill_child.py")
CONCURRENCY = 8
MOST_ITEMS = CONCURRENCY + CONCURRENCY // 2 + 32
"""Items in progress at most (`Runner._room`), so calls without a journalled reply at most."""
SETTLED_WITHIN_S = 20.0


def fields(simulator: Running, way: str, count: int, folder: Path) -> dict[str, Json]:
    """The task: a third of its drafts is rejected."""
    return {
        "seed": 20_260_101,
        "concurrency": CONCURRENCY,
        "checks": CHECKS.get(way, ["format", Picky.name]),
        "max_attempts_multiplier": 6,
        "connection": {"base_url": f"{simulator.url}/v1", "model": "any"},
        **WAYS[way].own(count, folder),
    }


EVERYTHING: dict[str, Json] = {
    "checks": [
        "all",
        Picky.name,
        {
            "judge": {"min_score": 2.6},
            "near_duplicates": {"threshold": 0.3},
            "semantic_duplicates": {"threshold": 0.9},
        },
    ],
    "roles": {"embedder": {"model": "vectors"}},
}
"""All checks that there are: those that ask models, and those that compare records."""

COUNTS = {
    "single": 50,
    "three-a-request": 90,
    "turns": 15,
    "template": 90,
    "ratio": 50,
    "rounds": 15,
    "selfplay": 15,
    "evaluate": 50,
}
"""Records of each way, in CI."""
CHECKS: dict[str, Json] = {"evaluate": [Picky.name]}
"""Where others than a dialogue's are asked for."""


def kill_and_compare(
    way: str,
    peace: str,
    killed: str,
    simulator: Running,
    *,
    folder: Path,
    kills: int,
    times: int,
    seed: int,
    more: Mapping[str, Json] | None = None,
) -> int:
    """Run the task in `peace`, and `times` as large as in CI; run it under `kills` in `killed`.

    `folder`: where the task's files go; `more`: fields of the task in place of the usual ones.
    Returns how many kills there were: fewer than asked for when a run ended first.
    """
    shape = WAYS[way]
    count = COUNTS[way] * times
    task = fields(simulator, way, count, folder) | dict(more or {})
    run_to_end(peace, task)
    wanted = left_by(peace)
    peaceful_calls = simulator.stats()["requests"]
    assert len(wanted.calls) == peaceful_calls
    assert wanted.counts.accepted == count
    tried_again = peaceful_calls // shape.calls - count
    assert (tried_again if shape.closed else wanted.counts.rejected) > count // 10
    if more is not None:
        _assert_all_checks_spoke(wanted)

    rng = random.Random(f"{way} {seed}")
    needed = asked_in(peace)
    seen = kill_often(
        killed, task, simulator, kills=kills, total_calls=peaceful_calls, rng=rng, needed=needed
    )
    assert left_by(killed) == wanted
    assert_adds_up(killed)
    assert seen.paid_again == []
    assert max(seen.in_flight) <= MOST_ITEMS
    extra = simulator.stats()["requests"] - 2 * peaceful_calls
    assert extra == sum(seen.in_flight)
    if more is None:
        _check_finished(killed, shape, simulator)
    return len(seen.in_flight)


def _assert_all_checks_spoke(left: Left) -> None:
    """Else nothing is shown: each kind of check turned something down."""
    reasons = {reason for _, reason in left.misses}
    assert {"picked", "score_low"} <= reasons
    assert reasons & {"near_duplicate", "semantic_duplicate", "duplicate"}, left.misses


def _check_finished(url: str, way: Way, simulator: Running) -> None:
    """A finished task costs nothing to resume, and one more record costs one record."""
    simulator.reset()
    run_to_end(url, {})
    assert simulator.stats()["requests"] == 0
    if way.closed:
        return

    with Studio(url) as studio:
        before = studio.tasks.last().counts
        studio.tasks.extend(studio.tasks.last(), before.requested + 1)
    run_to_end(url, {})
    after = assert_adds_up(url).counts
    tries = after.attempted - before.attempted
    assert after == replace(
        before,
        requested=before.requested + 1,
        accepted=before.accepted + 1,
        attempted=before.attempted + tries,
        rejected=before.rejected + tries - 1,
    )
    assert simulator.stats()["requests"] == tries * way.calls


def two_databases(url: str, folder: Path) -> tuple[str, str]:
    """Two fresh databases of one kind, `url` itself the second."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'peace.db'}", url
    name = f"{make_url(url).database}_peace"
    with engine_of(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return make_url(url).set(database=name).render_as_string(hide_password=False), url


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a finished task left behind, without what must differ: ids and times."""

    records: list[Json]
    counts: Counts
    quotas: list[tuple[str, Counts]]
    misses: dict[Any, int]
    missed: list[Json]
    """Each missing sample with all that is known of why."""
    calls: list[bytes]
    """Journal keys, sorted, so that a call journalled twice would show."""
    spend: Any


@dataclass(slots=True, kw_only=True)
class Kills:
    """What was seen at the kills."""

    in_flight: list[int] = field(default_factory=list)
    """For each kill: requests received and not journalled."""
    paid_again: list[str] = field(default_factory=list)
    """Calls that were journalled at a kill and requested after it."""


_PROCESSES = multiprocessing.get_context("forkserver")
# Each run is a process of its own, forked from one that has imported all and opened nothing:
# importing again would be most of the time, and is not what can go wrong.
#
# This Python's server does not have our path: it would pass over `kill_child` without a word.
_PROCESSES.set_forkserver_preload(HEAVY)
Process = multiprocessing.process.BaseProcess


def start(url: str, task: Mapping[str, Json]) -> Process:
    """The process that runs the task."""
    process = _PROCESSES.Process(target=main, args=(url, task))
    process.start()
    return process


def ended(process: Process) -> int | None:
    """Its exit status (negative: the signal's number), once it is gone and reaped."""
    process.join(120)
    return process.exitcode


def run_to_end(url: str, task: Mapping[str, Json]) -> None:
    """Run it, or go on with it, and let it end."""
    assert ended(start(url, task)) == 0


def kill_often(
    url: str,
    task: Mapping[str, Json],
    simulator: Running,
    *,
    kills: int,
    total_calls: int,
    rng: random.Random,
    needed: Counter[str],
) -> Kills:
    """Kill `kills` runs of the task (fewer if one ends first), and let the last one end."""
    seen = Kills()
    ledger = Ledger(url, simulator, needed)
    for left in range(kills, 0, -1):
        process = start(url, task)
        wait_for_moment(process, simulator, (total_calls - ledger.journalled) // left, rng)
        process.kill()
        if ended(process) == 0:
            return seen
        ledger.settle()
        seen.in_flight.append(ledger.in_flight())
        seen.paid_again += ledger.paid_again()
    run_to_end(url, task)
    ledger.settle()
    seen.paid_again += ledger.paid_again()
    return seen


def wait_for_moment(process: Process, simulator: Running, share: int, rng: random.Random) -> None:
    """Until a random moment: of the start in one of five, else when some calls were made."""
    if rng.random() < 0.2:
        time.sleep(rng.uniform(0, 0.3))
        return
    wanted = simulator.stats()["requests"] + rng.randint(1, max(1, share * 4 // 5))
    while simulator.stats()["requests"] < wanted and process.is_alive():
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.05))


class Ledger:
    """Requests that the simulator got against replies that the journal holds.

    Items may ask the same words (a template with the same values), and each call is its own: so
    words are counted. `needed`: how often a run in peace asked each.
    """

    def __init__(self, url: str, simulator: Running, needed: Counter[str]) -> None:
        self._url = url
        self._engine = engine_of(url)
        self._simulator = simulator
        self._needed = needed
        self._first = self._known = len(simulator.requests())
        self._journal: Counter[str] = Counter()

    @property
    def journalled(self) -> int:
        return self._journal.total()

    def settle(self) -> None:
        """Wait until nothing of the dead process goes on, in the server or in the database."""
        until(lambda: self._simulator.stats()["in_flight"] == 0)
        before = -1
        while before != (before := self._simulator.stats()["requests"]):
            time.sleep(0.03)
        if self._engine.dialect.name == "postgresql":
            until(lambda: not self._query(_OTHERS))

    def in_flight(self) -> int:
        """Requests of the run that just died whose reply is not in the journal."""
        received = len(self._simulator.requests()) - self._known
        return received - (asked_in(self._url).total() - self.journalled)

    def paid_again(self) -> list[str]:
        """Requests since the last look for what was in the journal already, as often as needed."""
        requests = self._simulator.requests()
        fresh = [asked(one["body"]) for one in requests[self._known :]]
        again = [asked for asked in fresh if self._journal[asked] >= self._needed[asked]]
        self._known = len(requests)
        self._journal = asked_in(self._url)
        return again

    def _query(self, statement: str) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.scalars(text(statement)))


_OTHERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def asked_in(url: str) -> Counter[str]:
    """What the journal's calls asked, and how often."""
    engine = engine_of(url)
    if not inspect(engine).has_table("calls"):
        return Counter()
    with engine.connect() as connection:
        rows = connection.scalars(text("SELECT request FROM calls"))
        return Counter(question(orjson.loads(row)["messages"]) for row in rows)


def asked(body: Json) -> str:
    """What a request asks, a chat or a vector."""
    return question(body.get("messages") or [{"role": "user", "content": body["input"]}])


def question(messages: Json) -> str:
    """What is asked, as the wire and the journal both have it."""
    return orjson.dumps(messages, option=orjson.OPT_SORT_KEYS).decode()


def engine_of(url: str) -> Engine:
    """The database, seen without the store. No pool: nothing of ours stays open in it."""
    from sqlalchemy.pool import NullPool

    found = make_url(url)
    if found.drivername == "postgresql":
        found = found.set(drivername="postgresql+psycopg")
    return create_engine(found, poolclass=NullPool)


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so. Raises AssertionError after `SETTLED_WITHIN_S`."""
    end_s = time.monotonic() + SETTLED_WITHIN_S
    while not true():
        assert time.monotonic() < end_s, "nothing settles"
        time.sleep(0.01)


def left_by(url: str) -> Left:
    """Everything the database's task left."""
    with Studio(url) as studio:
        store = studio.store
        task = studio.tasks.last()
        keys = engine_of(url)
        with keys.connect() as connection:
            calls = sorted(bytes(key) for key in connection.scalars(text("SELECT key FROM calls")))
        return Left(
            records=[shown(record) for record in store.records.iterate(task_id=task.id)],
            counts=task.counts,
            quotas=[
                (
                    quota.name,
                    Counts(
                        requested=quota.count,
                        attempted=quota.attempted,
                        accepted=quota.accepted,
                        rejected=quota.rejected,
                        failed=quota.failed,
                    ),
                )
                for quota in store.quotas(task.id)
            ],
            misses=dict(store.tasks.miss_counts(task.id)),
            missed=[
                [miss.item, miss.reason, miss.detail]
                for miss in store.tasks.misses(task.id, limit=1_000_000)
            ],
            calls=calls,
            spend=task.spend,
        )


def shown(record: Record) -> Json:
    """A record without its id and its times."""
    content = {
        name: value
        for name, value in record.content.items()
        if name not in ("batch_id", "generation_time")
    }
    return {
        "place": [record.category, record.ordinal, record.sample],
        "content": content,
        "labels": dict(record.labels),
        "provenance": dict(record.provenance),
        "verdicts": dict(record.verdicts),
        "flags": list(record.flags),
        "score": record.score,
    }


def assert_adds_up(url: str) -> Task:
    """Counts, quotas, records, executions and spend of the database's task agree."""
    with Studio(url) as studio:
        task = studio.tasks.last()
        executions = studio.store.tasks.executions(task.id)
        counts = sum((one.counts for one in executions), Counts())
        records = studio.store.records.count(task_id=task.id)
    left = left_by(url)
    total = sum((counts for _, counts in left.quotas), Counts())
    assert task.counts == total
    assert task.counts.pending == 0
    assert records == task.counts.accepted == len(left.records)
    assert replace(counts, requested=task.requested) == task.counts
    assert sum(one.spend.calls for one in executions) == task.spend.calls == len(left.calls)
    assert sum(left.misses.values()) == task.counts.rejected + task.counts.failed
    return task
