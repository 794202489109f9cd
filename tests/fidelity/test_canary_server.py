"""No secret of a server is ever told: not by REST, pages, logs, figures, files or backups.

Each kind of secret has a canary of its own. Everything is done that a secret goes through, well and
badly, and then everything that a server tells anybody is asked for and searched.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from echo_server import echoing
from sqlalchemy import inspect, text
from test_canary_key import RUN, _in_base64

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.store.store import SqlStore

for folder in ("api", "web"):
    sys.path.append(str(Path(__file__).parents[1] / folder))

from access_kit import CHEAP  # noqa: E402  found by the line above
from api_kit import served  # noqa: E402
from web_addresses import ADDRESSES  # noqa: E402

from corpusmith.api.rates import Rates  # noqa: E402
from corpusmith.api.serving import Serving  # noqa: E402
from corpusmith.service.passwords import Passwords  # noqa: E402
from corpusmith.web.app import create_app  # noqa: E402
from running_kit import until, working  # noqa: E402

API = "/api/v1"
KEY = 'sk-canary7f3a9c/+="<&%Zq81mBvX0w'
HEADER = "hdr-canary-5d0e71-Kw3nQz"
PASSWORD = "pw-canary-91c4Yt7Rq2-word"
HUB = "hf_canary_b82e6f_Lp0x"
ENDED = ("finished", "failed", "cancelled", "paused")
FIELD = "fld-canary-a61d3e-Jx8pRb"
OWN = frozenset({"cookie", "token"})


def needles(secret: str) -> list[bytes]:
    """How it, or a good piece of it, looks in bytes, in JSON, in an address and in base64."""
    pieces = [one for one in re.split(r'[/+="<&%\\ ]+', secret) if len(one) > 9]
    assert pieces
    forms = [form for one in pieces for form in (one, quote(one), json.dumps(one)[1:-1])]
    raw = [one.encode() for one in dict.fromkeys(forms)]
    return [*raw, *(form for one in raw for form in _in_base64(one))]


class Search:
    """The secrets that are looked for, and where they were."""

    def __init__(self) -> None:
        self.known: dict[str, list[bytes]] = {}
        self.found: list[str] = []
        self.looked = 0

    def add(self, name: str, secret: str) -> None:
        self.known[name] = needles(secret)

    def look(self, where: str, told: bytes | str, but: frozenset[str] = frozenset()) -> None:
        body = told.encode() if isinstance(told, str) else told
        self.looked += 1
        for name, forms in self.known.items():
            if name not in but and any(one in body for one in forms):
                self.found.append(f"{name} in {where}")


@pytest.fixture
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(require_key=KEY)) as running:
        yield running


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    for name in ("HF_TOKEN", "CORPUSMITH_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_no_secret_of_a_server_is_told(
    opened: Any,
    sqlite_url: str,
    simulator: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    store, search = opened(sqlite_url), Search()
    for name, secret in (("key", KEY), ("header", HEADER), ("field", FIELD)):
        search.add(name, secret)
    for name, secret in (("password", PASSWORD), ("hub", HUB)):
        search.add(name, secret)
    serving = Serving(store=store, language="en", metrics=True, passwords=Passwords(CHEAP))
    app = create_app(serving)
    with served(app) as client:
        site = Site(client, app, search)
        site.enter()
        with echoing(RUN * 4) as echo, working(sqlite_url):
            site.live(simulator.url, echo)
        site.be_wrong()
        site.carry_out()
        site.tell_all()
        _search_tables(store, search)
        cookie = site.cookie
    said = capfd.readouterr()
    for name in {record.name for record in caplog.records}:
        # The library of HTTP tells the answers that this test's own client gets, too.
        but = OWN if name.startswith("http") else frozenset()
        lines = [f"{one.getMessage()} {one.exc_text}" for one in caplog.records if one.name == name]
        search.look(f"log {name}", "\n".join(lines), but)
    search.look("stdout, stderr", said.out + said.err)
    for path in tmp_path.rglob("*"):
        if path.suffix == ".zip":
            for member in _members(path.read_bytes()):
                search.look(f"{path} unzipped", member)
        elif path.is_file():
            search.look(str(path), path.read_bytes())
    assert not search.found, str(search.found)
    assert search.looked > 200 and len(cookie) > 20
    assert caplog.records


class Site:
    """A server with an admin who is logged in."""

    def __init__(self, client: httpx2.Client, app: Any, search: Search) -> None:
        self._client, self._app, self._search = client, app, search
        self._origin = {"Origin": str(client.base_url).rstrip("/")}
        self.cookie = ""
        self.job = ""
        self.upload = ""

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        """Whatever comes back is searched."""
        self._app.state.door.rates = Rates()
        headers = {**self._origin, **more.pop("headers", {})}
        answer = self._client.request(method, path, json=body, headers=headers, **more)
        told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        but = frozenset({"cookie"}) if path in (f"{API}/login", f"{API}/users") else frozenset()
        self._search.look(f"{method} {path} headers", told, but)
        but = frozenset({"token"}) if (method, path) == ("POST", f"{API}/tokens") else frozenset()
        body_told = answer.content
        self._search.look(f"{method} {path} {answer.status_code}", body_told, but)
        if body_told[:2] == b"PK":
            for member in _members(body_told):
                self._search.look(f"{method} {path} unzipped", member)
        return answer

    def done(self, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.ask("POST", f"{API}/{path}", body, params={"wait": 30})
        assert answer.status_code == status, answer.text
        return answer.json()

    def enter(self) -> None:
        """The first user, a session, a token."""
        self.done("users", {"name": "anna", "password": PASSWORD, "role": "admin"}, 201)
        self.done("login", {"name": "anna", "password": PASSWORD})
        (self.cookie,) = [one for one in self._client.cookies.values() if len(one) > 20]
        self._search.add("cookie", self.cookie)
        made = self._client.post(
            f"{API}/tokens", json={"name": "t", "scope": "admin"}, headers=self._origin
        ).json()
        self._search.add("token", made["secret"])
        self._token = made["secret"]

    def live(self, url: str, echo: str) -> None:
        """Connections, trials, talks, tasks that go well and that fail, a template on trial."""
        extra = {"gateway": {"accessToken": FIELD}, "top_k": 3}
        own = {"model": "any", "key": KEY, "headers": {"X-Api-Key": HEADER}, "extra": extra}
        self.done("connections", {"name": "mine", "base_url": f"{url}/v1", **own}, 201)
        self.done("connections", {"name": "echo", "base_url": f"{echo}/v1", **own}, 201)
        talk = {"messages": [{"role": "user", "content": "你好"}]}
        for name in ("mine", "echo"):
            self.ask("POST", f"{API}/connections/{name}/test", {})
            self.ask("GET", f"{API}/connections/{name}/models")
            self.ask("POST", f"{API}/connections/{name}/chat", talk)
        for base in (url, echo):
            part = {"base_url": f"{base}/v1", **own}
            self.ask("POST", f"{API}/connections/test", part)
            self.ask("POST", f"{API}/connections/models", part)
        template = {"name": "t", "type": "qa", "prompt": "就{topic}出一题", "vars": {"topic": "x"}}
        self.ask("POST", f"{API}/templates", template)
        for name in ("mine", "echo"):
            trial = {"connection": name, "values": {"topic": "雨"}}
            self.ask("POST", f"{API}/templates/t/test", trial)
        inline = {"base_url": f"{echo}/v1", **own}
        del inline["key"]
        numbers = []
        for connection in ("mine", "echo", inline):
            fields = {"connection": connection, "characters": ["贺三娘"], "turns": 1, "count": 4}
            fields |= {"scenarios": ["日常对话"], "dataset": "d"}
            fields |= {"extra": {"session_token": FIELD}}
            self.ask("POST", f"{API}/tasks/preview", fields)
            numbers.append(self.done("tasks", fields, 201)["id"])
        for number in numbers:
            until(lambda number=number: self._state(number) in ENDED)
        assert self._state(numbers[0]) == "finished"
        step = {"name": "a", "recipe": "dialogue", **fields}
        self.done("chains", {"chain": {"name": "c", "connection": inline, "steps": [step]}}, 201)

    def _state(self, number: int) -> Any:
        return self._client.get(f"{API}/tasks/{number}").json()["task"]["state"]

    def be_wrong(self) -> None:
        """Secrets where none belongs."""
        for body in (
            {"name": "x", "base_url": "http://x", "key": [KEY]},
            {"name": "x", "base_url": f"http://me:{KEY}@host.example/v1", "model": "m"},
            {"name": "x", "base_url": KEY, "model": "m"},
            {"name": "x", "base_url": "http://x", "model": "m", "nope": KEY},
            [KEY],
            KEY,
        ):
            assert self.ask("POST", f"{API}/connections", body).status_code >= 400
        assert self.ask("PUT", f"{API}/connections/mine/key", {"kee": KEY}).status_code == 422
        self.ask("POST", f"{API}/connections", None, content=f'{{"key": "{HEADER}'.encode())
        wrong = {"name": "anna", "password": f"{PASSWORD}!"}
        self.ask("POST", f"{API}/users", {"name": "b", "password": PASSWORD, "role": PASSWORD})
        self.ask("POST", f"{API}/pushes", {"dataset": "d", "repo": "me/x", "token": [HUB]})
        again = {"base_url": "http://127.0.0.1:1/v1"}
        assert self.ask("PATCH", f"{API}/connections/mine", again).status_code == 409
        for headers in ({"Authorization": f"Bearer {HEADER}"}, {"Cookie": f"a={HEADER}"}):
            self.ask("GET", f"{API}/me", headers=headers)
        self.ask("POST", f"{API}/tasks", {"connection": {"base_url": 1, "headers": {"A": HEADER}}})
        # A stranger, so that this session stays.
        base = str(self._client.base_url)
        with httpx2.Client(base_url=base, trust_env=False, timeout=60) as stranger:
            told = stranger.post(f"{API}/login", json=wrong)
            page = stranger.post("/login", data=wrong, headers=self._origin)
        self._search.look("wrong login", told.content + page.content)

    def carry_out(self) -> None:
        """Exports, a report, a push, a backup; what came in and is no backup."""
        export = {"dataset": "d", "format": "messages"}
        assert self.ask("POST", f"{API}/exports", export).status_code == 200
        self.done("reports", {"dataset": "d"})
        self.job = self.done("datasets/d/reports", {})["id"]
        failed = self.done("pushes", {"dataset": "d", "repo": "me/x", "token": HUB})
        assert failed["status"] == "failed"
        assert self.done("backups")["status"] == "done"
        sent = self.ask("POST", f"{API}/uploads", files={"file": ("a.jsonl", b'{"a": 1}\n')})
        self.upload = sent.json()["id"]

    def tell_all(self) -> None:
        """Every GET of REST, every page."""
        asked = 0
        backup = self._client.get(f"{API}/backups").json()["items"][0]["name"]
        kept = self._client.get(f"{API}/datasets/d/reports").json()["items"][0]["id"]
        for path, methods in self._app.openapi()["paths"].items():
            if "get" not in methods:
                continue
            for place in self._places(path, backup, kept):
                asked += 1
                if path.endswith("events"):
                    self._stream(place)
                else:
                    self.ask("GET", place)
        assert asked > 80
        pages = [*ADDRESSES, "/connections/mine", "/connections/echo", "/datasets/d", "/metrics"]
        pages += [f"/tasks/{n}{part}" for n in (1, 2, 3) for part in PARTS]
        for page in (*pages, f"{API}/openapi.json"):
            assert self.ask("GET", page).status_code < 500, page

    def _places(self, path: str, backup: str, kept: str) -> list[str]:
        name = {"connections": "mine", "datasets": "d", "backups": backup, "users": "anna"}
        first = path.removeprefix(f"{API}/").partition("/")[0]
        names = ["mine", "echo"] if first == "connections" else [name.get(first, "t")]
        numbers = ["1", "2", "3"] if "{number}" in path else ["1"]
        found = []
        for one in names:
            for number in numbers:
                place = path.replace("{number}", number).replace("{call}", number)
                place = place.replace("{name}", one).replace("{kept}", kept)
                place = place.replace("{id}", self.job).replace("{upload}", self.upload)
                found.append(re.sub(r"\{\w+\}", "1", place))
        dataset = "?dataset=d&old=1" if first in ("records", "reviews", "evaluations") else ""
        return [one + dataset for one in found]

    def _stream(self, place: str) -> None:
        with self._client.stream("GET", place, headers=self._origin) as answer:
            self._search.look(place, next(answer.iter_bytes(), b""))


PARTS = ("", "/results", "/failures", "/executions", "/parameters", "/live")


def _members(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(one) for one in opened.namelist()]


def _search_tables(store: SqlStore, search: Search) -> None:
    with store.database.read() as connection:
        index = {"record_text"} if connection.dialect.name == "sqlite" else set()
        for table in set(inspect(connection).get_table_names()) - index:
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for cell in row:
                    told = bytes(cell) if isinstance(cell, memoryview) else str(cell).encode()
                    search.look(f"table {table}", told)
