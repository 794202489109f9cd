"""Health, metrics, settings and backups over REST."""

from __future__ import annotations

import asyncio
import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from api_kit import code_of, served
from starlette.types import Receive, Scope, Send

from corpusmith import config
from corpusmith.api.app import create_app
from corpusmith.api.metrics import Durations, durations
from corpusmith.api.serving import Serving
from corpusmith.errors import StoreUnavailable
from corpusmith.store.store import SqlStore
from corpusmith.values import Status

API = "/api/v1"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for one in config.STORABLE:
        monkeypatch.delenv(one.variable, raising=False)
    config.adopt({})
    yield
    config.adopt({})


# ---------------------------------------------------------------- settings


def values(client: httpx2.Client) -> dict[str, tuple[object, str]]:
    found = client.get(f"{API}/settings").json()["items"]
    assert all(one["help"] for one in found)
    return {one["name"]: (one["value"], one["source"]) for one in found}


DEFAULTS = {
    "private_endpoints": (True, "default"),
    "journal_days": (0, "default"),
    "audit_days": (365, "default"),
    "server_language": (None, "default"),
}


def test_settings_are_kept_and_go_back(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert values(client) == DEFAULTS
    change = {"private_endpoints": False, "journal_days": 90, "server_language": "zh"}
    assert client.patch(f"{API}/settings", json=change).status_code == 200
    assert values(client) == {
        **DEFAULTS,
        **{name: (value, "stored") for name, value in change.items()},
    }
    assert not config.private_endpoints()
    monkeypatch.setenv("CORPUSMITH_PRIVATE_ENDPOINTS", "1")
    assert values(client)["private_endpoints"] == (True, "environment")
    fixed = client.patch(f"{API}/settings", json={"private_endpoints": False, "journal_days": 1})
    assert code_of(fixed, 422) == "setting_fixed"
    assert values(client)["journal_days"] == (90, "stored")
    monkeypatch.delenv("CORPUSMITH_PRIVATE_ENDPOINTS")
    client.patch(f"{API}/settings", json=dict.fromkeys(change))
    assert values(client) == DEFAULTS


@pytest.mark.parametrize(
    "body",
    [
        {"private_endpoints": "no"},
        {"private_endpoints": 0},
        {"journal_days": -1},
        {"journal_days": 1.5},
        {"journal_days": 36_501},
        {"audit_days": 0},
        {"server_language": "fr"},
        {"home": "/etc"},
        {"secret_key": "x"},
        [],
    ],
)
def test_a_setting_that_does_not_fit_changes_nothing(
    sqlite_client: httpx2.Client, body: object
) -> None:
    answer = sqlite_client.patch(f"{API}/settings", json=body)
    assert code_of(answer, 422).startswith("spec")
    assert values(sqlite_client) == DEFAULTS


def test_an_endpoint_in_a_private_network_is_refused_when_the_server_says_so(
    sqlite_client: httpx2.Client,
) -> None:
    from corpusmith.service.studio import Studio
    from corpusmith.values import Connection

    app = sqlite_client
    app.patch(f"{API}/settings", json={"private_endpoints": False})
    with Studio(f"sqlite:///{Path(config.home()) / 'other.db'}") as other:
        # Another database says nothing; ours is asked again when it is used.
        assert config.private_endpoints()
        other.settings.change({"private_endpoints": False})
        at_home = Connection(
            name="x", provider="openai", protocol="openai", base_url="http://127.0.0.1:9/v1"
        )
        trial = other.connections.trial(at_home)
    assert trial.error is not None and trial.error.reason == "endpoint_address"


# ---------------------------------------------------------------- health and metrics


def test_a_well_server_says_so(client: httpx2.Client) -> None:
    assert client.get(f"{API}/health").json()["status"] == "ok"


def test_what_is_wrong_is_said(
    store: SqlStore, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.service import figures

    _queued(store, time.time() - 3600)
    monkeypatch.setattr(figures, "free_bytes", lambda folder: 10)
    answer = client.get(f"{API}/health", params={"lang": "zh"})
    assert code_of(answer, 503) == "unwell"
    assert answer.json()["error"]["details"]["problems"] == ["worker", "disk"]
    assert "工作进程" in answer.json()["error"]["message"]
    assert str(config.home()) not in answer.text


def _queued(store: SqlStore, since: float) -> None:
    columns = "name, recipe, spec, connections, status, requested, seed, created_at, updated_at"
    row = f"'t', 'dialogue', '{{}}', '{{}}', 'created', 7, 1, 0, 0, {since}"
    with store.database.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO tasks ({columns}, queued_at) VALUES ({row})")


def test_a_database_that_is_away_is_no_secret_told(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.store.figures import Watching

    def away(self: Watching) -> str:
        raise StoreUnavailable(url="sqlite:////secret/place.db", cause="gone")

    monkeypatch.setattr(Watching, "revision", away)
    answer = sqlite_client.get(f"{API}/health")
    assert code_of(answer, 503) == "unwell"
    assert answer.json()["error"]["details"]["problems"] == ["database"]
    assert "secret" not in answer.text


def figures_of(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_are_there_only_when_asked_for(sqlite_client: httpx2.Client) -> None:
    assert code_of(sqlite_client.get("/metrics"), 404) == "no_such_page"


def test_metrics_tell_figures_and_no_names(store: SqlStore) -> None:
    _queued(store, time.time() - 30)
    app = create_app(Serving(store=store, language="en", metrics=True))
    with served(app) as client:
        client.post(f"{API}/scenarios", json={"name": "秘密/x"})
        client.get(f"{API}/scenarios/%E7%A7%98%E5%AF%86%2Fx")
        client.get("/nowhere/canary")
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = figures_of(answer.text)
        assert "/metrics" not in client.get(f"{API}/openapi.json").text
    statuses = {name: found[f'corpusmith_tasks{{status="{name}"}}'] for name in get_args(Status)}
    assert statuses == dict.fromkeys(get_args(Status), 0) | {"created": 1}
    assert found["corpusmith_queued_tasks"] == 1
    assert 20 < found["corpusmith_queue_wait_seconds"] < 120
    assert found['corpusmith_samples{outcome="accepted"}'] == 0
    assert found["corpusmith_database_bytes"] > 10_000
    assert found['corpusmith_rows{table="calls"}'] == 0
    for bad in ("canary", "秘密", "%E7", "nowhere"):
        assert bad not in answer.text
    routes = set(re.findall(r'route="([^"]*)"', answer.text))
    assert routes == {f"{API}/scenarios", f"{API}/scenarios/{{name:noun}}", "(none)"}
    asked = 'corpusmith_request_seconds_count{method="POST",route="%s/scenarios",status="201"}'
    assert found[asked % API] == 1


@pytest.mark.parametrize(
    ("kind", "seconds"), [("application/json", 903.0), ("text/event-stream; charset=utf-8", 3.0)]
)
def test_a_stream_took_as_long_as_it_took_to_begin(kind: str, seconds: float) -> None:
    clock = {"now": 0.0}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        clock["now"] += 3
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", kind.encode())],
            }
        )
        clock["now"] += 900

    async def nothing(*_: Any) -> Any:
        return None

    took = durations()
    watched = Durations(app, took, clock=lambda: clock["now"])
    asyncio.run(watched({"type": "http", "method": "GET", "path": "/x"}, nothing, nothing))
    sums = [one.value for one in next(iter(took.collect())).samples if one.name.endswith("_sum")]
    assert sums == [seconds]


def test_metrics_ask_who_asks(store: SqlStore) -> None:
    app = create_app(Serving(store=store, language="en", metrics=True, login=True))
    with served(app) as client:
        assert code_of(client.get("/metrics"), 401) == "login_needed"


# ---------------------------------------------------------------- backups


def test_a_download_is_a_backup_that_can_be_put_back(client: httpx2.Client) -> None:
    client.post(f"{API}/scenarios", json={"name": "before"})
    answer = client.get(f"{API}/backup")
    assert answer.status_code == 200
    assert re.search(r"corpusmith-\d{8}-\d{6}\.zip", answer.headers["content-disposition"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
    client.post(f"{API}/scenarios", json={"name": "after"})
    upload = upload_of(client, answer.content)
    job = client.post(f"{API}/restore", json={"upload": upload}, params={"wait": 60}).json()
    assert (job["status"], job["error"]) == ("done", None)
    assert re.fullmatch(r"before-restore-[\d-]+\.zip", job["result"]["saved"])
    names = [one["name"] for one in client.get(f"{API}/scenarios").json()["items"]]
    assert names == ["before"]
    # What was there is not lost either.
    saved = (config.home() / "backups" / job["result"]["saved"]).read_bytes()
    again = upload_of(client, saved)
    client.post(f"{API}/restore", json={"upload": again}, params={"wait": 60})
    names = [one["name"] for one in client.get(f"{API}/scenarios").json()["items"]]
    assert names == ["after", "before"]


def upload_of(client: httpx2.Client, data: bytes) -> str:
    from corpusmith.service.uploads import Arriving

    arriving = Arriving("backup.zip")
    arriving.write(data)
    return arriving.finish().id


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"nothing", "backup_not_one"), (b"PK\x05\x06" + b"\0" * 18, "backup_not_one")],
)
def test_what_is_no_backup_changes_nothing(
    sqlite_client: httpx2.Client, data: bytes, code: str
) -> None:
    sqlite_client.post(f"{API}/scenarios", json={"name": "kept"})
    upload = upload_of(sqlite_client, data)
    job = sqlite_client.post(f"{API}/restore", json={"upload": upload}).json()
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert str(config.home()) not in str(job)
    assert len(sqlite_client.get(f"{API}/scenarios").json()["items"]) == 1


def test_an_upload_is_named_by_its_number(sqlite_client: httpx2.Client) -> None:
    for wrong in ("../x", "/etc/passwd", "", "A" * 32):
        answer = sqlite_client.post(f"{API}/restore", json={"upload": wrong})
        assert code_of(answer, 422) == "spec_fields"
    answer = sqlite_client.post(f"{API}/restore", json={"upload": "0" * 32})
    assert code_of(answer, 404) == "unknown_upload"


def test_nothing_is_restored_while_a_task_runs(
    opened: Callable[[str], SqlStore], store_url: str
) -> None:
    store = opened(store_url)
    with served(create_app(Serving(store=store, language="en"))) as client:
        data = client.get(f"{API}/backup").content
        _queued(store, 0)
        with store.database.write() as connection:
            running = "lease_owner = 'other|b|n|1|2|r', lease_until = 9e15"
            connection.exec_driver_sql(f"UPDATE tasks SET status = 'running', {running}")
        upload = upload_of(client, data)
        job = client.post(f"{API}/restore", json={"upload": upload}).json()
        assert (job["status"], job["error"]["code"]) == ("failed", "restore_running")
