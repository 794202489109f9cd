"""Jobs: long work that goes on when the request has been answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from corpusmith.api import jobs as jobs_module
from corpusmith.api.access import LOCAL, Principal
from corpusmith.api.jobs import ENDED, Jobs, Run
from corpusmith.errors import NotFound, TooOften, UsageError
from corpusmith.service.studio import Studio
from corpusmith.store.store import SqlStore

ANN = Principal(name="ann", scope="edit", via="token", token_id=1)
BOB = Principal(name="ann", scope="edit", via="token", token_id=2)
"""Another of the same name."""


@pytest.fixture
def studio(opened, sqlite_url: str) -> Studio:  # type: ignore[no-untyped-def]
    store: SqlStore = opened(sqlite_url)
    return Studio.over(store, "en")


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def steps(studio: Studio, run: Run) -> dict[str, int]:
    """Goes on until it is stopped, at most ten seconds."""
    for number in range(1000):
        run.show(number, 1000)
        time.sleep(0.01)
    return {"done": 1000}


def test_a_job_ends_with_its_result(jobs: Jobs, studio: Studio) -> None:
    def work(studio: Studio, run: Run) -> dict[str, int]:
        run.show(3, 4, "rows")
        return {"n": 4}

    found = jobs.get(jobs.start("count", work, studio=studio, by=LOCAL), LOCAL, "en", 10)
    assert (found.status, found.result, found.error) == ("done", {"n": 4}, None)
    assert found.progress is not None
    assert (found.progress.done, found.progress.total) == (3, 4)
    assert found.progress.text == "rows read"
    assert found.ended_at is not None and found.ended_at >= found.created_at


def test_a_job_that_fails_says_why_in_the_language_of_who_asks(jobs: Jobs, studio: Studio) -> None:
    def work(studio: Studio, run: Run) -> None:
        raise UsageError("task_or_dataset")

    job_id = jobs.start("count", work, studio=studio, by=LOCAL)
    found = jobs.get(job_id, LOCAL, "en", 10)
    assert found.status == "failed" and found.error is not None
    assert found.error.code == "task_or_dataset"
    chinese = jobs.get(job_id, LOCAL, "zh")
    assert chinese.error is not None and chinese.error.message != found.error.message


def test_an_unforeseen_fault_gives_a_number_and_no_text_of_its_own(
    jobs: Jobs, studio: Studio
) -> None:
    def work(studio: Studio, run: Run) -> None:
        raise ValueError("sk-canary-0123")

    found = jobs.get(jobs.start("count", work, studio=studio, by=LOCAL), LOCAL, "en", 10)
    assert found.status == "failed" and found.error is not None
    assert found.error.code == "internal" and "canary" not in found.model_dump_json()
    # The thread lives on.
    assert jobs.get(
        jobs.start("n", lambda s, r: 1, studio=studio, by=LOCAL), LOCAL, "en", 10
    ).result


def test_a_job_stops_between_batches(jobs: Jobs, studio: Studio) -> None:
    job_id = jobs.start("count", steps, studio=studio, by=ANN)
    assert jobs.get(job_id, ANN, "en", 0.05).status in {"waiting", "running"}
    jobs.cancel(job_id, ANN)
    found = jobs.get(job_id, ANN, "en", 5)
    assert (found.status, found.result) == ("cancelled", None)


def test_a_job_is_its_starters_and_an_admins(jobs: Jobs, studio: Studio) -> None:
    job_id = jobs.start("count", lambda studio, run: 1, studio=studio, by=ANN)
    assert jobs.get(job_id, ANN, "en", 10).status == "done"
    assert [one.id for one in jobs.seen_by(LOCAL, "en")] == [job_id]
    assert jobs.seen_by(BOB, "en") == []
    for ask in (jobs.cancel, lambda job_id, who: jobs.get(job_id, who, "en"), jobs.files):
        with pytest.raises(NotFound, match="no job"):
            ask(job_id, BOB)


def test_two_run_at_a_time(jobs: Jobs, studio: Studio) -> None:
    go, running = threading.Event(), threading.Semaphore(0)

    def work(studio: Studio, run: Run) -> None:
        running.release()
        go.wait(10)

    ids = [jobs.start("w", work, studio=studio, by=LOCAL) for _ in range(3)]
    assert running.acquire(timeout=5) and running.acquire(timeout=5)
    assert not running.acquire(timeout=0.1)
    go.set()
    assert all(jobs.get(one, LOCAL, "en", 10).status == "done" for one in ids)


def test_jobs_are_forgotten_after_an_hour_with_their_files(studio: Studio) -> None:
    now = [0.0]
    jobs = Jobs(clock=lambda: now[0])
    places = []

    def work(studio: Studio, run: Run) -> None:
        places.append(run.folder())
        (run.folder() / "a.txt").write_text("a")

    try:
        job_id = jobs.start("w", work, studio=studio, by=LOCAL)
        assert jobs.get(job_id, LOCAL, "en", 10).files == ["a.txt"]
        folder, files = jobs.files(job_id, LOCAL)
        assert (folder, files) == (places[0], [places[0] / "a.txt"])
        now[0] = 3599
        assert jobs.get(job_id, LOCAL, "en").status == "done"
        now[0] = 3601
        with pytest.raises(NotFound):
            jobs.get(job_id, LOCAL, "en")
        assert not places[0].exists()
    finally:
        jobs.close()


def test_too_many_jobs_are_refused_and_ended_ones_make_room(
    jobs: Jobs, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "MOST", 3)
    first = jobs.start("w", lambda studio, run: 1, studio=studio, by=LOCAL)
    assert jobs.get(first, LOCAL, "en", 10).status == "done"
    ids = [jobs.start("w", steps, studio=studio, by=LOCAL) for _ in range(3)]
    with pytest.raises(NotFound):
        jobs.get(first, LOCAL, "en")
    with pytest.raises(TooOften):
        jobs.start("w", steps, studio=studio, by=LOCAL)
    for one in ids:
        jobs.cancel(one, LOCAL)
    assert {jobs.get(one, LOCAL, "en", 5).status for one in ids} == {"cancelled"}


def test_a_server_that_stops_stops_its_jobs(studio: Studio) -> None:
    jobs = Jobs()
    ids = [jobs.start("w", steps, studio=studio, by=LOCAL) for _ in range(4)]
    before = time.monotonic()
    jobs.close()
    assert time.monotonic() - before < 5
    assert {jobs.get(one, LOCAL, "en").status for one in ids} <= {*ENDED, "waiting"}
    assert "done" not in {jobs.get(one, LOCAL, "en").status for one in ids}


def test_what_holds_for_the_request_holds_for_its_job(jobs: Jobs, studio: Studio) -> None:
    here: ContextVar[str] = ContextVar("here", default="elsewhere")
    here.set("in a request")
    job_id = jobs.start("w", lambda studio, run: here.get(), studio=studio, by=LOCAL)
    assert jobs.get(job_id, LOCAL, "en", 10).result == "in a request"
