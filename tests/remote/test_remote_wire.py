"""Between a Studio and its server: tokens, addresses, a server that goes and comes back."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remote_kit import Site, site

from corpusmith import Studio
from corpusmith.errors import (
    CorpusmithError,
    LoginNeeded,
    NotAllowed,
    NotFound,
    StoreUnavailable,
    UsageError,
)
from corpusmith.nouns import Scenario
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from running_kit import until


def dialogue(simulator: Running, count: int, **more: Any) -> dict[str, Any]:
    return {
        "connection": {"base_url": f"{simulator.url}/v1", "model": "any"},
        "characters": ["贺三娘"],
        "scenarios": ["日常对话"],
        "count": count,
        "turns": 1,
        "seed": 7,
        **more,
    }


@pytest.fixture
def slow() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=250)) as found:
        yield found


# ---------------------------------------------------------------- addresses and tokens


@pytest.mark.parametrize(
    "url",
    [
        *("http://", "http://u:secretword@host", "http://host:99999", "https://h/?q=1"),
        *("http://h#x", "http://u:secretword@host:99999", "http://u:secretword@[::1"),
        *("http://u:secret/word@host", "http://u:1/secretword@host:8000"),
        *("http://u:p?secretword@host:x", "http://u:secretword%40host", "http://u:secretword＠h"),
        *("http://u:secretword", "http://h:99999/?token=secretword", "http://a@secretword@h:x"),
    ],
)
def test_an_odd_address_is_refused_without_what_may_be_secret(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        Studio(url)
    assert refused.value.reason == "server_address" and "secretword" not in str(refused.value)
    assert "secret" not in str(refused.value.data)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@host:99999", "https://host:99999"),
        ("http://a.example/?q=1", "http://a.example"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_an_odd_address_is_still_known_again(url: str, shown: str) -> None:
    with pytest.raises(UsageError) as refused:
        Studio(url)
    assert refused.value.data["url"] == shown


def test_a_token_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(UsageError) as refused:
        Studio("http://data.example.com", token="csm_canary")
    assert refused.value.reason == "server_in_clear" and "canary" not in str(refused.value)
    for fine in (
        "https://data.example.com",
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
    ):
        Studio(fine, token="csm_canary").close()
    Studio("http://data.example.com").close()


@pytest.mark.parametrize("token", ["a b", "a\nb", "密"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UsageError) as refused:
        Studio("http://127.0.0.1:9", token=token)
    assert refused.value.reason == "server_token" and token not in str(refused.value)


def test_tokens_their_scopes_and_their_end(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Studio(sqlite_url, language="en") as local:
        reading = local.tokens.add("reads", scope="read")
        editing = local.tokens.add("edits", scope="edit")
        ruling = local.tokens.add("rules", scope="admin")
    with site(sqlite_url, login=True, worker=False) as server:
        with server.studio() as nobody, pytest.raises(LoginNeeded) as needed:
            nobody.scenarios.list()
        assert needed.value.reason == "login_needed"
        with server.studio(token="csm_wrong") as wrong, pytest.raises(LoginNeeded) as unknown:
            wrong.scenarios.list()
        assert "csm_wrong" not in str(unknown.value) + repr(unknown.value)
        monkeypatch.setenv("CORPUSMITH_TOKEN", reading.secret)
        with server.studio() as reader:
            assert reader.scenarios.list() == []
            with pytest.raises(NotAllowed):
                reader.scenarios.add(Scenario(name="a"))
        with server.studio(token=editing.secret) as editor:  # wins over the environment's
            editor.scenarios.add(Scenario(name="a"))
            with pytest.raises(NotAllowed):
                editor.users.list()
        with server.studio(token=ruling.secret) as ruler:
            assert {one.name for one in ruler.tokens.list()} == {"reads", "edits", "rules"}
            assert ruler.audit.list(who="edits", limit=5)
            made = ruler.tokens.add("more", scope="read", days=1)
            assert made.secret.startswith("csm_")
            ruler.tokens.revoke(made.token.id)
            ruler.tokens.revoke(editing.token.id)
            anna = ruler.users.add("anna", "correct horse battery")
            assert (anna.role, ruler.users.any()) == ("admin", True)
            assert ruler.users.get("anna").name == "anna"
        with server.studio(token=editing.secret) as ended, pytest.raises(LoginNeeded):
            ended.scenarios.list()
    for one in (reading, editing, ruling):
        assert one.secret not in caplog.text


def test_nobody_reviews_in_anothers_name(server: Site) -> None:
    with server.studio() as studio, pytest.raises(UsageError) as refused:
        studio.reviews.last_action(reviewer="somebody")
    assert refused.value.reason == "remote_own_name"


# ---------------------------------------------------------------- coming and going


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Studio(f"http://127.0.0.1:{port}", language="zh") as studio:
        with pytest.raises(StoreUnavailable) as away:
            studio.scenarios.list()
        assert away.value.reason == "server_away" and str(port) in away.value.message("zh")
    with pytest.raises(UsageError) as closed:
        studio.scenarios.list()
    assert closed.value.reason == "server_closed"


def test_what_is_no_corpusmith_says_so() -> None:
    page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\noops"
    with _answering([page]) as (address, _), Studio(address) as studio:
        with pytest.raises(StoreUnavailable) as odd:
            studio.scenarios.get("x")
        assert odd.value.reason == "server_odd"


def test_a_look_survives_a_restart_of_the_server(sqlite_url: str) -> None:
    with site(sqlite_url, worker=False) as server, server.studio() as studio:
        studio.scenarios.add(Scenario(name="a"))
        server.stop()
        server.start()
        assert [one.name for one in studio.scenarios.list()] == ["a"]
        server.stop()
        with pytest.raises(StoreUnavailable):
            studio.scenarios.list()
        server.start()
        assert studio.scenarios.get("a").name == "a"


def test_a_task_is_waited_for_over_a_restart(server: Site, slow: Running) -> None:
    with server.studio() as studio:
        task = studio.tasks.create(dialogue(slow, 8, concurrency=1))
        seen: list[int] = []
        found: dict[str, Any] = {}

        def wait() -> None:
            found["result"] = studio.tasks.run(task, show=lambda s: seen.append(s.counts.accepted))

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: any(seen), 20)
        server.stop()  # the worker is another process's: the task goes on
        time.sleep(0.2)
        server.start()
        waiting.join(40)
        assert found["result"].counts.accepted == 8 and seen[-1] == 8
        assert seen == sorted(seen)


def test_a_task_is_made_once_though_its_answer_is_lost(
    sqlite_url: str, slow: Running, tmp_path: Path
) -> None:
    with (
        site(sqlite_url, worker=False) as server,
        _losing_first_answer(server.port) as address,
        Studio(address) as studio,
    ):
        task = studio.tasks.create(dialogue(slow, 1))
        assert [one.id for one in studio.task_views.list()] == [task.id]
        first, replayed = studio.tasks.submit(dialogue(slow, 1), start=False, key="mine")
        again, known = studio.tasks.submit(dialogue(slow, 1), start=False, key="mine")
        assert (first.id, replayed, again.id, known) == (again.id, False, first.id, True)
        assert len(studio.task_views.list()) == 2


def test_what_changes_something_is_not_asked_twice() -> None:
    with _answering([b""]) as (address, heard), Studio(address) as studio:
        with pytest.raises(StoreUnavailable):
            studio.scenarios.add(Scenario(name="a"))
        assert len(heard) == 1


async def test_who_stops_waiting_does_not_stop_the_task(server: Site, slow: Running) -> None:
    with server.studio() as studio:
        task = studio.tasks.create(dialogue(slow, 6, concurrency=1))
        waiting = asyncio.ensure_future(studio.tasks.run_async(task))
        await asyncio.sleep(0.6)
        assert await asyncio.to_thread(studio.tasks.stop, task)
        result = await waiting
        assert result.status == "paused" and result.counts.accepted < 6
        assert not studio.tasks.stop(task)


def test_a_task_that_is_deleted_while_it_is_waited_for(server: Site, slow: Running) -> None:
    with server.studio() as studio, server.studio() as other:
        task = studio.tasks.create(dialogue(slow, 40, concurrency=1))

        def delete() -> None:
            until(lambda: other.task_views.get(task.id).state == "running", 20)
            other.tasks.ask(task, "cancel")

        gone = threading.Thread(target=delete)
        gone.start()
        assert studio.tasks.run(task).status == "cancelled"
        gone.join()
        studio.tasks.delete(task)
        with pytest.raises(NotFound):
            studio.tasks.run(task)


def test_errors_speak_both_languages(server: Site) -> None:
    with Studio(server.address, language="zh") as studio, pytest.raises(NotFound) as error:
        studio.scenarios.get("没有")
    assert "没有" in error.value.message("zh") and error.value.message("zh") != str(error.value)
    assert error.value.message("en").isascii() is False  # the name
    assert str(error.value).startswith("There is no") or "没有" in str(error.value)


def test_importing_it_costs_nothing_before_it_is_used() -> None:
    code = (
        "import sys; from corpusmith import Studio; "
        "bad = [m for m in sys.modules if m.startswith('corpusmith.service.remote.')];"
        "assert not bad, bad; s = Studio('http://127.0.0.1:9');"
        "assert 'fastapi' not in sys.modules and 'aiohttp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# ---------------------------------------------------------------- sockets that misbehave


class _answering:
    """Answers each connection with the next of these bytes, and hangs up."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self.heard: list[bytes] = []

    def __enter__(self) -> tuple[str, list[bytes]]:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}", self.heard

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                self.heard.append(peer.recv(65536))
                peer.sendall(self._answers[min(len(self.heard), len(self._answers)) - 1])


class _losing_first_answer:
    """Passes everything on to a server, and hangs up instead of the first answer to a POST."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lost = False

    def __enter__(self) -> str:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *error: object) -> None:
        self._socket.close()
        assert self._lost

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(peer,), daemon=True).start()

    def _pass(self, peer: socket.socket) -> None:
        with peer, socket.create_connection(("127.0.0.1", self._port)) as onward:
            asked = self._request(peer)
            onward.sendall(asked.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b""
            while some := onward.recv(1 << 16):
                answer += some
            if asked.startswith(b"POST") and not self._lost:
                self._lost = True
                return
            peer.sendall(answer)

    def _request(self, peer: socket.socket) -> bytes:
        data = peer.recv(1 << 20)
        if not data:
            return b""
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
                while len(body) < length:
                    more = peer.recv(1 << 20)
                    body += more
                    data += more
        return data


def test_kinds_of_errors_are_the_same_classes() -> None:
    from corpusmith import errors
    from corpusmith.service.remote.faults import fault

    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, CorpusmithError):
            made = fault({"code": "c", "message": "m", "details": {}}, "en", kind=name)
            assert isinstance(made, kind) and made.message("en") == "m"
