"""A key is nowhere but in the request (DESIGN.md §8, promise 8).

The canary is looked for in every byte that a run leaves: the whole of it, any piece of it, and
each in base64. It has the characters that JSON, URLs and HTML write in another way.
"""

from __future__ import annotations

import base64
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from echo_server import echoing
from sqlalchemy import inspect, text

from corpusmith import Studio
from corpusmith.cli.main import main
from corpusmith.contracts import Secret
from corpusmith.errors import CorpusmithError, ProviderError
from corpusmith.providers.connect import connection_of
from corpusmith.service.connections import provider_of
from corpusmith.service.keys import key_of, load_key
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import ChatRequest, Message, Protocol, Sampling
from recipe_ways import WAYS, lines_in, options, words

PIECES = ("canary7f3a9c", "Zq81mBvX0w", "linnet5e0b12", "Kd47rWqT9s")
CANARY = f'sk-{PIECES[0]}/+="<&%\\{PIECES[1]}'
FIELD = f'{PIECES[2]}/+="<&%\\{PIECES[3]}'
PROTOCOLS: tuple[Protocol, ...] = ("openai", "gemini", "anthropic")
ECHOED = [400, 500, 200, 429, 503, 422, 403]
"""Answers that repeat the headers."""
RUN = [400, 422, 400, 422, 500, 200, 503, *[422, 400] * 8]
"""What a run gets: some steps down the ladder, some retries, then failed items. A 401 ends it."""


def _in_base64(piece: bytes) -> list[bytes]:
    """How `piece` looks inside base64, wherever it begins: without its uncertain ends."""
    return [base64.b64encode(b"\0" * at + piece)[4:-4] for at in range(3)]


NEEDLES = [needle for piece in PIECES for needle in (piece.encode(), *_in_base64(piece.encode()))]


def assert_unseen(*places: Any) -> None:
    """Nothing of the canary is in these texts, bytes, or the representations of anything else."""
    for place in places:
        found = place if isinstance(place, bytes) else str(place).encode()
        shown = b"" if isinstance(place, bytes | str) else repr(place).encode()
        for needle in NEEDLES:
            assert needle not in found, found[:2000]
            assert needle not in shown, shown[:2000]


def assert_unseen_in_files(folder: Path) -> None:
    """Nor in any file below `folder`: database, WAL, exports, the file of the secret key."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert_unseen(path.read_bytes())


def assert_unseen_in_tables(studio: Studio) -> None:
    """Nor in any row, as the database itself writes it out."""
    with studio.store._database.read() as connection:
        # What the index of words holds is in tables of its own on SQLite; itself it has no rows.
        index = {"record_text"} if connection.dialect.name == "sqlite" else set()
        for table in set(inspect(connection).get_table_names()) - index:
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                assert_unseen(*(bytes(c) if isinstance(c, memoryview) else c for c in row))


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CANARY_KEY", CANARY)
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CORPUSMITH_SECRET_KEY", raising=False)


@pytest.fixture
def simulator() -> Iterator[Running]:
    """Lets in only who sends the canary, and keeps what it was sent."""
    with run_in_thread(SimulatorConfig(require_key=CANARY, record=100)) as running:
        yield running


OWN = {"gateway": {"session_token": FIELD}}
"""A task's own field of every request's body."""


def _make(
    studio: Studio, way: str, folder: Path, connection: Any, count: int = 3, **more: Any
) -> Any:
    folder.mkdir(exist_ok=True)
    fields = {**WAYS[way].own(count, folder), "output": str(folder / "out.json")}
    return studio.generate(**fields, **more, concurrency=2, connection=connection)


def _endpoint(url: str, protocol: Protocol, variable: str | None = "CANARY_KEY") -> dict[str, Any]:
    base_url = f"{url}/v1" if protocol == "openai" else url
    return {
        "provider": protocol,
        "base_url": base_url,
        "model": "any",
        "api_key_env": variable,
        # A gateway's key goes in a header of the endpoint's own: it is kept and shown like a key.
        "headers": {"X-Api-Key": CANARY},
    }


RUNS = [("single", protocol, kind) for protocol in PROTOCOLS for kind in ("sqlite", "postgres")]
RUNS += [(way, "openai", "sqlite") for way in WAYS if way != "single"]


@pytest.mark.parametrize(("way", "protocol", "database"), RUNS)
def test_a_run_leaves_no_key_behind(
    way: str,
    protocol: Protocol,
    database: str,
    request: pytest.FixtureRequest,
    simulator: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with Studio(request.getfixturevalue(f"{database}_url")) as studio:
        good = _make(studio, way, tmp_path / "good", _endpoint(simulator.url, protocol))
        with echoing(RUN) as url:
            at = _endpoint(url, protocol)
            bad = _make(studio, way, tmp_path / "bad", at, count=50, extra=OWN)
        with echoing([400, 422] * 100) as url:
            poor = _make(studio, way, tmp_path / "poor", _endpoint(url, protocol), extra=OWN)
        assert (good.status, poor.status, poor.counts.accepted) == ("finished", "finished", 0)
        assert (bad.status, bad.cause["code"]) == ("failed", "unauthorised")
        assert "***" in bad.cause["cause"]
        for result in (bad, poor):
            misses = studio.store.tasks.misses(result.task_id)
            assert misses
            assert_unseen(*misses, *studio.store.tasks.executions(result.task_id))
        assert_unseen(good, bad, poor, studio.tasks.last(), *studio.tasks.list())
        assert_unseen_in_tables(studio)
        assert_unseen_in_files(tmp_path)  # while it is open, with its WAL
    assert_unseen_in_files(tmp_path)
    said = capfd.readouterr()
    assert_unseen(caplog.text, said.out, said.err, simulator.requests())


def test_what_failed_is_listed_without_the_key(simulator: Running, tmp_path: Path) -> None:
    with Studio(f"sqlite:///{tmp_path / 'x.db'}") as studio, echoing([400, 422] * 100) as url:
        _make(studio, "rounds", tmp_path / "poor", _endpoint(url, "openai"))
    failed = tmp_path / "poor" / "data" / "failed.jsonl"
    assert failed.read_text("utf-8").count("***") >= 3
    assert_unseen(failed.read_bytes())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("status", [*ECHOED, 401])
async def test_no_error_shows_the_key(protocol: Protocol, status: int) -> None:
    with echoing([status]) as url:
        part = _endpoint(url, protocol)
        connection = connection_of(
            name="c",
            provider=protocol,
            base_url=part["base_url"],
            key_env="CANARY_KEY",
            headers=part["headers"],
        )
        secret = Secret(CANARY)
        provider = provider_of(connection, secret)
        request = ChatRequest(model="any", messages=(Message("user", "你好"),))
        sent = replace(request, sampling=Sampling(extra=OWN))
        with pytest.raises(ProviderError) as caught:
            await provider.chat(sent)
        await provider.close()
    error = caught.value
    assert_unseen(error, error.data, error.raw, error.message("zh"), error.message("en"))
    assert_unseen(connection, secret, provider, provider.encode(request))
    assert_unseen("".join(traceback.format_exception(error)))
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize("way", WAYS)
def test_the_command_line_shows_no_key(
    way: str, simulator: Running, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with echoing(RUN) as echo:
        for url, code in ((simulator.url, 0), (echo, 1)):
            for more in (["--json"], ["--log-level", "DEBUG"]):
                assert main([*more, *_line(way, url, tmp_path)]) == code
    said = capfd.readouterr()
    assert "[user]" in said.err  # the DEBUG lines are there
    assert_unseen(said.out, said.err)
    assert_unseen_in_files(tmp_path)


def test_the_program_shows_no_key(simulator: Running, tmp_path: Path) -> None:
    """In a process of its own, with all that Python can say of itself."""
    with echoing(RUN) as echo:
        for url, code in ((simulator.url, 0), (echo, 1)):
            command = [sys.executable, "-X", "dev", "-m", "corpusmith.cli.main"]
            done = subprocess.run(
                [*command, *_line("single", url, tmp_path)],
                env={**os.environ},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == code, done.stderr
            assert_unseen(done.stdout, done.stderr)
    assert_unseen_in_files(tmp_path)


def _line(way: str, url: str, folder: Path) -> list[str]:
    """The command for forty records."""
    endpoint = {"base_url": f"{url}/v1", "model": "any", "api_key_env": "CANARY_KEY"}
    more = {"concurrency": 4, "output": str(folder / "cli.json"), "yes": True}
    return [*words(WAYS[way].own(40, folder), folder), *options({**endpoint, **more})]


def test_jobs_beside_a_task_write_no_key(simulator: Running, tmp_path: Path) -> None:
    """Documents become rows of a task, feedback becomes files; a key is stored meanwhile."""
    rows = [{"user_input": f"q{n}", "model_response": "a", "rating": n} for n in range(7)]
    (tmp_path / "doc.md").write_text("# 一\n\n段落。\n\n# 二\n\n段落。\n", "utf-8")
    with Studio(f"sqlite:///{tmp_path / 'x.db'}") as studio:
        studio.connections.add("mine", **_endpoint(simulator.url, "openai", None))
        studio.connections.set_key("mine", CANARY)
        prompt = {"name": "t", "prompt": "就下文出一题：{text}", "type": "qa"}
        documents = {"template": prompt, "input": str(tmp_path / "doc.md"), "keep": ["source"]}
        assert studio.generate(**documents, dataset="d", connection="mine").status == "finished"
        judged = studio.generate(recipe="evaluate", of="dataset:d", judges=["mine"])
        feedback = studio.feedback.run(
            feedback_file=str(lines_in(tmp_path / "fb.jsonl", rows)),
            output_dir=str(tmp_path / "samples"),
            pairs=True,
            kto=True,
        )
        assert (judged.status, feedback.kept) == ("finished", 2)
        assert_unseen(judged, feedback, studio.evaluations.of(judged.task_id))
        assert_unseen_in_tables(studio)
        assert_unseen_in_files(tmp_path)
    assert_unseen_in_files(tmp_path)


def test_a_stored_key_is_sealed_and_opens(
    store_url: str, simulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANARY_KEY")
    with Studio(store_url) as studio:
        endpoint = _endpoint(simulator.url, "openai", None)
        studio.connections.add("mine", **endpoint)
        studio.connections.set_key("mine", CANARY)
        connection = studio.connections.get("mine")
        assert load_key("mine", studio.store).reveal() == CANARY
        secret = key_of(connection, studio.store)
        assert secret is not None
        assert secret.reveal() == CANARY
        assert _make(studio, "single", tmp_path, "mine").status == "finished"
        assert_unseen(connection, secret, studio.connections.list())
        assert_unseen_in_tables(studio)
        assert_unseen_in_files(tmp_path)
        # The key file opens it, so it must be ours alone.
        assert (tmp_path / "home" / "secret.key").stat().st_mode & 0o777 == 0o600

        studio.connections.add("other", **endpoint)
        sealed = studio.store.connections.get_key("mine")
        studio.store.connections.set_key("other", sealed)
        with pytest.raises(CorpusmithError) as caught:
            load_key("other", studio.store)
        assert caught.value.reason == "secret_key_wrong"
    assert_unseen_in_files(tmp_path)
