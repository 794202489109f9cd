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
from pathlib import Path
from typing import Any

import pytest
from echo_server import echoing
from sqlalchemy import inspect, text

from corpusmith import Studio
from corpusmith.contracts import Secret
from corpusmith.errors import CorpusmithError, ProviderError
from corpusmith.providers.connect import connection_of
from corpusmith.service.connections import provider_of
from corpusmith.service.keys import key_of, load_key
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import ChatRequest, Message, Protocol

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
PIECES = ("canary7f3a9c", "Zq81mBvX0w")
CANARY = f'sk-{PIECES[0]}/+="<&%\\{PIECES[1]}'
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
        for table in inspect(connection).get_table_names():
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


def _generate(studio: Studio, folder: Path, connection: Any, count: int = 3) -> Any:
    return studio.generate(
        characters=[str(CARD)],
        scenarios=["日常对话"],
        count=count,
        turns=1,
        concurrency=2,
        connection=connection,
        output=str(folder / "out.json"),
    )


def _endpoint(url: str, protocol: Protocol, variable: str | None = "CANARY_KEY") -> dict[str, Any]:
    base_url = f"{url}/v1" if protocol == "openai" else url
    return {
        "provider": protocol,
        "base_url": base_url,
        "model": "any",
        "api_key_env": variable,
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_leaves_no_key_behind(
    protocol: Protocol,
    store_url: str,
    simulator: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with Studio(store_url) as studio:
        good = _generate(studio, tmp_path, _endpoint(simulator.url, protocol))
        with echoing(RUN) as url:
            bad = _generate(studio, tmp_path, _endpoint(url, protocol), count=50)
        assert good.status == "finished"
        assert (bad.status, bad.cause["code"]) == ("failed", "unauthorised")
        assert "***" in bad.cause["cause"]
        misses = studio.store.tasks.misses(bad.task_id)
        assert misses
        assert_unseen(good, bad, *misses, studio.tasks.last(), *studio.tasks.list())
        assert_unseen(*studio.store.tasks.executions(bad.task_id))
        assert_unseen_in_tables(studio)
        assert_unseen_in_files(tmp_path)  # while it is open, with its WAL
    assert_unseen_in_files(tmp_path)
    said = capfd.readouterr()
    assert_unseen(caplog.text, said.out, said.err, simulator.requests())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("status", [*ECHOED, 401])
async def test_no_error_shows_the_key(protocol: Protocol, status: int) -> None:
    with echoing([status]) as url:
        part = _endpoint(url, protocol)
        connection = connection_of(
            name="c", provider=protocol, base_url=part["base_url"], key_env="CANARY_KEY"
        )
        secret = Secret(CANARY)
        provider = provider_of(connection, secret)
        request = ChatRequest(model="any", messages=(Message("user", "你好"),))
        with pytest.raises(ProviderError) as caught:
            await provider.chat(request)
        await provider.close()
    error = caught.value
    assert_unseen(error, error.data, error.raw, error.message("zh"), error.message("en"))
    assert_unseen(connection, secret, provider, provider.encode(request))
    assert_unseen("".join(traceback.format_exception(error)))
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_command_line_shows_no_key(simulator: Running, tmp_path: Path) -> None:
    with echoing(RUN) as echo:
        for url, code in ((simulator.url, 0), (echo, 1)):
            for more in ([], ["--json"]):
                done = _cli(url, tmp_path, *more)
                assert done.returncode == code, done.stderr
                assert_unseen(done.stdout, done.stderr)
    assert_unseen_in_files(tmp_path)


def _cli(url: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-X", "dev", "-m", "corpusmith.cli.main", *words, "generate", "--yes"),
        *("--character", str(CARD), "--scenario", "日常对话", "--count", "20", "--turns", "1"),
        *("--base-url", f"{url}/v1", "--model", "any", "--api-key-env", "CANARY_KEY"),
        *("--output", str(folder / "cli.json"), "--concurrency", "4"),
    ]
    return subprocess.run(
        command, env={**os.environ}, capture_output=True, text=True, timeout=60, check=False
    )


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
        assert _generate(studio, tmp_path, "mine").status == "finished"
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
