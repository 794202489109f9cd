"""Workers as processes: killed, several, stopped in good order; and tasks that cannot start."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.providers.transport import Transport
from corpusmith.service.worker import Worker
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import Counts
from running_kit import dialogue, program, until, working

CONCURRENCY = 4


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=40)) as running:
        yield running


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))


def contents(studio: Studio, number: int) -> list[Any]:
    """What its records say, in the plan's order, without when they were made."""
    times = ("batch_id", "generation_time")
    return [
        (one.category, one.ordinal, {k: v for k, v in one.content.items() if k not in times})
        for one in studio.store.records.iterate(task_id=number)
    ]


def assert_adds_up(studio: Studio, number: int) -> None:
    task = studio.tasks.get(number)
    runs = sum((one.counts for one in studio.tasks.executions(number)), Counts())
    assert replace(runs, requested=task.requested) == task.counts
    assert studio.store.records.count(task_id=number) == task.counts.accepted


def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    store_url: str, simulator: Running, tmp_path: Path
) -> None:
    with Studio(store_url, language="en") as studio:
        peace = studio.tasks.create(dialogue(simulator, 60, concurrency=CONCURRENCY))
        simulator.reset()
        assert studio.tasks.run(peace).status == "finished"
        peaceful = simulator.stats()["requests"]
        # The journal would answer it all: another seed, and the same task in peace and in war.
        simulator.reset()
        killed, _ = studio.tasks.submit(dialogue(simulator, 60, concurrency=CONCURRENCY, seed=8))
        kills = 0
        for at in (10, 30):
            worker = program("worker", home=tmp_path / "home", url=store_url)
            until(lambda at=at: simulator.stats()["requests"] >= at)
            worker.kill()
            worker.communicate()
            kills += 1
            assert studio.tasks.get(killed.id).queued_at is not None
        with working(store_url):
            until(lambda: studio.tasks.get(killed.id).queued_at is None)
        task = studio.tasks.get(killed.id)
        assert (task.status, task.counts.accepted) == ("finished", 60)
        assert_adds_up(studio, killed.id)
        paid = simulator.stats()["requests"]
        assert paid <= peaceful + kills * (CONCURRENCY + CONCURRENCY // 2 + 32)
        left = contents(studio, killed.id)
        assert len({(category, ordinal) for category, ordinal, _ in left}) == 60
        # The same seed again, from the journal: the same records, for nothing.
        again = studio.tasks.create(dialogue(simulator, 60, concurrency=CONCURRENCY, seed=8))
        assert studio.tasks.run(again).status == "finished"
        assert simulator.stats()["requests"] == paid
        assert contents(studio, again.id) == left


def test_two_workers_share_tasks_and_run_each_once(postgres_url: str, simulator: Running) -> None:
    with Studio(postgres_url, language="en") as studio:
        numbers = [studio.tasks.submit(dialogue(simulator, 10, seed=at))[0].id for at in range(6)]
        with working(postgres_url, 2), working(postgres_url, 2):
            until(lambda: all(studio.tasks.get(one).queued_at is None for one in numbers))
        owners = set()
        for one in numbers:
            (run,) = studio.store.tasks.executions(one)
            owners.add(run.owner)
            assert studio.tasks.get(one).status == "finished"
            assert_adds_up(studio, one)


def test_a_worker_that_is_stopped_leaves_its_task_to_the_next(
    store_url: str, simulator: Running, tmp_path: Path
) -> None:
    with Studio(store_url, language="en") as studio:
        task, _ = studio.tasks.submit(dialogue(simulator, 300, seed=31, concurrency=2))
        worker = program("worker", home=tmp_path / "home", url=store_url)
        until(lambda: studio.tasks.get(task.id).counts.accepted > 3)
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=30)
        assert worker.returncode == 0, said
        after = studio.tasks.get(task.id)
        assert (after.status, after.cause) == ("paused", {"code": "server_stopping"})
        assert after.queued_at is not None and 3 < after.counts.accepted < 300
        assert studio.task_views.get(task.id).state == "queued"
        assert studio.workers.alive().workers == 0
        studio.tasks.change(task.id, concurrency=40)
        with working(store_url):
            assert until(lambda: studio.workers.alive().workers) == 1
            until(lambda: studio.tasks.get(task.id).queued_at is None)
        assert studio.tasks.get(task.id).counts.accepted == 300
        assert_adds_up(studio, task.id)


def test_a_task_that_cannot_start_says_why_and_is_left_alone(
    store_url: str, simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = dialogue(simulator, 3)
    fields["connection"] |= {"api_key_env": "CORPUSMITH_TEST_KEY"}
    monkeypatch.setenv("CORPUSMITH_TEST_KEY", "sk-test")
    with Studio(store_url, language="en") as studio:
        task, _ = studio.tasks.submit(fields)
        monkeypatch.delenv("CORPUSMITH_TEST_KEY")
        with working(store_url):
            until(lambda: studio.tasks.get(task.id).status == "failed")
        after = studio.tasks.get(task.id)
        assert (after.cause or {})["code"] == "key_missing" and after.queued_at is None
        assert "CORPUSMITH_TEST_KEY" in (studio.task_views.get(task.id).cause_text or "")
        assert studio.tasks.executions(task.id) == []


def test_a_task_that_another_process_runs_is_left_alone(store_url: str, simulator: Running) -> None:
    with Studio(store_url, language="en") as studio:
        task, _ = studio.tasks.submit(dialogue(simulator, 3))
        lease = studio.store.acquire(task.id, "elsewhere|boot|space|4711|1|x", 60, 4e9)
        with working(store_url):
            other, _ = studio.tasks.submit(dialogue(simulator, 3, seed=5))
            until(lambda: studio.tasks.get(other.id).queued_at is None)
            assert studio.tasks.get(task.id).lease_owner == lease.owner
            studio.store.release(lease, "paused", None, again=True)
            until(lambda: studio.tasks.get(task.id).status == "finished")


def test_a_pause_takes_a_task_out_of_the_queue(store_url: str, simulator: Running) -> None:
    with Studio(store_url, language="en") as studio:
        task, _ = studio.tasks.submit(dialogue(simulator, 3))
        studio.tasks.ask(task, "pause")
        assert studio.store.queue.waiting() == []
        assert studio.tasks.get(task.id).status == "paused"
        studio.tasks.queue(task)
        assert studio.store.queue.waiting() == [task.id]


def test_who_asks_anew_while_a_run_ends_is_heard(store_url: str, simulator: Running) -> None:
    with Studio(store_url, language="en") as studio:
        task, _ = studio.tasks.submit(dialogue(simulator, 3))
        lease = studio.store.acquire(task.id, "me", 60, 4e9, asked=True)
        studio.store.queue.put(task.id)
        studio.store.release(lease, "paused", {"code": "budget_calls"})
        assert studio.store.queue.waiting() == [task.id]
        lease = studio.store.acquire(task.id, "me", 60, 4e9, asked=True)
        studio.store.release(lease, "paused", {"code": "budget_calls"})
        assert studio.store.queue.waiting() == []


def test_no_more_tasks_run_at_once_than_a_worker_may(sqlite_url: str, simulator: Running) -> None:
    with Studio(sqlite_url, language="en") as studio:
        assert Worker(studio, tasks_at_once=2).running == []
        numbers = [
            studio.tasks.submit(dialogue(simulator, 30, seed=at, concurrency=2))[0].id
            for at in range(4)
        ]
        most = 0

        def done() -> bool:
            nonlocal most
            most = max(most, sum(one.alive for one in studio.store.task_states.active()))
            return all(studio.tasks.get(one).queued_at is None for one in numbers)

        with working(sqlite_url, 2):
            until(done)
        assert most == 2


async def test_a_worker_without_tasks_feeds_the_search(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(f'{{"question": "第{n}问", "answer": "茶"}}\n' for n in range(450)), "utf-8"
    )
    with Studio(f"sqlite:///{tmp_path / 'store.db'}") as studio:
        studio.imports.run(rows, "d")
        worker = Worker(studio)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(60):
            while studio.store.record_text.missing(1):
                await asyncio.sleep(0.05)
        worker.stop()
        await running


async def test_who_cancels_again_and_again_leaves_no_socket_behind(
    sqlite_url: str, simulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = []

    def opened(self: Transport) -> Any:
        sessions.append(opening(self))
        return sessions[-1]

    opening = Transport._open
    monkeypatch.setattr(Transport, "_open", opened)
    with Studio(sqlite_url, language="en") as studio:
        for pause in range(6):
            simulator.reset()
            task = await studio.tasks.create_async(dialogue(simulator, 60, concurrency=CONCURRENCY))
            run = asyncio.create_task(studio.tasks.run_async(task))
            while not simulator.stats()["requests"] and not run.done():
                await asyncio.sleep(0.002)
            while not run.done():
                run.cancel()
                for _ in range(pause):
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
            await asyncio.gather(run, return_exceptions=True)
            assert run.cancelled()
    assert len(sessions) == 6
    assert [one.connector for one in sessions] == [None] * 6
