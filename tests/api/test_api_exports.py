"""Exports over REST: looked at, downloaded, broken off."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import socket
import threading
import time
import zipfile
from typing import Any

import httpx2
import pytest
from api_kit import code_of, served
from data_kit import API, chat, imported

from corpusmith.api import downloads
from corpusmith.api.app import create_app
from corpusmith.api.downloads import Streamed, disposition
from corpusmith.api.serving import Serving
from corpusmith.service.studio import Studio

ALL = f"{API}/exports"


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_file_comes_whole_with_its_length_and_digest(client: httpx2.Client) -> None:
    imported(client, [chat(f"问{n}") for n in range(30)], "客服")
    answer = client.post(ALL, json={"dataset": "客服", "format": "messages"})
    assert answer.status_code == 200
    assert len(lines(answer.text)) == 30
    headers = answer.headers
    assert int(headers["content-length"]) == len(answer.content)
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert headers["repr-digest"] == f"sha-256=:{digest}:"
    assert (headers["corpusmith-records"], headers["corpusmith-rows"]) == ("30", "30")
    assert headers["content-type"] == "application/x-ndjson"
    name = "filename*=UTF-8''%E5%AE%A2%E6%9C%8D-messages.jsonl"
    assert name in headers["content-disposition"]


def test_the_container_may_be_another(client: httpx2.Client) -> None:
    imported(client, [chat("问", "=1+1")], "d")
    answer = client.post(
        ALL,
        json={
            "dataset": "d",
            "format": "alpaca",
            "container": "csv",
            "spreadsheet_safe": True,
        },
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0]["output"] == "'=1+1"


def test_several_files_come_as_one_zip_with_a_manifest(client: httpx2.Client) -> None:
    imported(client, [chat(f"问{n}") for n in range(60)], "d")
    body = {
        "dataset": "d",
        "format": "messages",
        "split": {"train": 0.5, "test": 0.5},
        "dataset_info": True,
        "report": True,
    }
    answer = client.post(ALL, json=body)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert names == {
            "d-messages-train.jsonl",
            "d-messages-test.jsonl",
            "d-messages.jsonl.manifest.json",
            "dataset_info.json",
            "report.html",
        }
        manifest = json.loads(archive.read("d-messages.jsonl.manifest.json"))
        assert manifest["records"] == 60
        for one in manifest["files"]:
            data = archive.read(one["file"])
            assert one["sha256"] == hashlib.sha256(data).hexdigest()
            assert one["rows"] == len(data.splitlines())
        info = json.loads(archive.read("dataset_info.json"))
        assert {one["file_name"] for one in info.values()} == names - {
            "d-messages.jsonl.manifest.json",
            "dataset_info.json",
            "report.html",
        }


def test_a_folder_for_a_hub_is_a_zip(client: httpx2.Client) -> None:
    imported(client, [chat(f"问{n}") for n in range(4)], "d")
    answer = client.post(ALL, json={"dataset": "d", "format": "hf", "licence": "cc-by-4.0"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {
            "d/data/train-00000-of-00001.parquet",
            "d/README.md",
            "d/manifest.json",
        }
        assert "cc-by-4.0" in archive.read("d/README.md").decode()


def test_a_tasks_records_are_downloaded_too(client: httpx2.Client) -> None:
    imported(client, [chat("问")], "d")
    answer = client.post(ALL, json={"task": 1, "form": "json"})
    assert code_of(answer, 422) == "spec_fields"
    answer = client.post(ALL, json={"task": 1})
    assert answer.json() == [client.get(f"{API}/reviews/records/1").json()["record"]["content"]]


def test_a_preview_shows_rows_and_warns(client: httpx2.Client) -> None:
    lonely = {"messages": [{"role": "user", "content": "?"}]}
    ids = imported(client, [chat("问"), chat("问二"), lonely], "d")
    client.post(f"{API}/reviews/records/{ids[0]}", json={"state": "rejected"})
    found = client.post(f"{ALL}/preview", json={"dataset": "d", "format": "messages", "first": 1})
    assert found.status_code == 200, found.text
    look = found.json()
    counts = look["counts"]
    assert len(counts["first"]) == 1
    assert counts["records"] + sum(counts["refused"].values()) == len(ids)
    assert any("rejected in review" in one for one in look["warnings"])
    assert not any("--" in one for one in look["warnings"])


def test_every_error_comes_before_the_first_byte(client: httpx2.Client) -> None:
    imported(client, [chat("问")], "d")
    for body, code, status in (
        ({"dataset": "d", "format": "dpo"}, "export_no_pair", 422),
        ({"dataset": "no"}, "unknown_dataset", 404),
        ({}, "task_or_dataset", 422),
        ({"dataset": "d", "format": "word"}, "unknown_plugin", 404),
        ({"dataset": "d", "format": "csv", "container": "json"}, "export_container", 422),
        ({"dataset": "d", "mend": True}, "export_option_none", 422),
        ({"dataset": "d", "split": {"a": 0.9, "b": 0.9}}, "export_split_sum", 422),
        ({"dataset": "d", "balance": "moon"}, "export_balance", 422),
        ({"dataset": "d", "state": "approved"}, "export_nothing", 422),
        ({"dataset": "d", "output": "/etc/x"}, "spec_fields", 422),
    ):
        answer = client.post(ALL, json=body)
        assert code_of(answer, status) == code


def test_a_ticket_downloads_for_a_while(sqlite_client: httpx2.Client) -> None:
    imported(sqlite_client, [chat("问")], "d")
    made = sqlite_client.post(f"{ALL}/ticket", json={"dataset": "d", "format": "messages"}).json()
    assert made["seconds"] == 300
    answer = sqlite_client.get(made["url"])
    assert len(lines(answer.text)) == 1
    assert code_of(sqlite_client.get(f"{ALL}/download?ticket=x"), 404) == "unknown_ticket"
    unknown = sqlite_client.post(f"{ALL}/ticket", json={"dataset": "no"})
    assert code_of(unknown, 404) == "unknown_dataset"


def test_a_ticket_is_worth_nothing_to_others_and_later() -> None:
    now = [0.0]
    tickets = downloads.Tickets[int](clock=lambda: now[0])
    ticket = tickets.add(7, "user 1")
    assert tickets.get(ticket, "user 1") == 7
    with pytest.raises(downloads.NotFound):
        tickets.get(ticket, "user 2")
    now[0] = 301
    with pytest.raises(downloads.NotFound):
        tickets.get(ticket, "user 1")


@pytest.mark.parametrize(
    "name",
    [
        'a"b; filename=evil.exe',
        "a\r\nSet-Cookie: x=1",
        "../../etc/passwd",
        "客服\u202egpj.exe",
        "é" * 300,
    ],
)
def test_a_name_cannot_break_out_of_its_header(sqlite_client: httpx2.Client, name: str) -> None:
    header = disposition(name)
    assert header.isascii() and header.isprintable()
    assert header.count('"') == 2
    made = sqlite_client.post(f"{API}/datasets", json={"name": name[:200]})
    if made.status_code == 201:
        imported(sqlite_client, [chat("问")], name[:200])
        answer = sqlite_client.post(ALL, json={"dataset": name[:200]})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert ".." not in answer.headers["content-disposition"]


def test_records_that_change_meanwhile_break_the_connection(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = imported(sqlite_client, [chat(f"问{n}") for n in range(5)], "d")
    real = Studio.over

    def over(store: Any, *more: Any, **named: Any) -> Studio:
        studio = real(store, *more, **named)
        stream = studio.exports.stream

        def changed(**wanted: Any) -> Any:
            made = stream(**wanted)
            content = {**studio.reviews.get(ids[0]).content}
            content["messages"] = [*content["messages"][:1], {"role": "assistant", "content": "改"}]
            studio.reviews.edit(ids[0], content)
            return made

        studio.exports.stream = changed  # type: ignore[method-assign]
        return studio

    monkeypatch.setattr(Studio, "over", over)
    with pytest.raises(httpx2.RemoteProtocolError):
        sqlite_client.post(ALL, json={"dataset": "d", "format": "messages"})


def threads() -> int:
    return sum("AnyIO worker" in one.name for one in threading.enumerate())


def test_a_client_that_leaves_ends_the_work(opened: Any, sqlite_url: str) -> None:
    app = create_app(Serving(store=opened(sqlite_url), language="en"))
    made, ended = [0], threading.Event()

    def endless(out: Any) -> None:
        try:
            while True:
                made[0] += out.write(b"x" * 65536)
        finally:
            ended.set()

    app.add_route("/endless", lambda request: Streamed(endless, name="x", media_type="text/plain"))
    with served(app) as client:
        port = client.base_url.port
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(f"GET /endless HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert line.recv(65536)
        assert ended.wait(10)
        # A client that takes nothing: the server makes no more than fits in between.
        ended.clear()
        made[0] = 0
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(f"GET /endless HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            time.sleep(0.5)
            before = made[0]
            time.sleep(0.3)
            assert made[0] == before and before < 64 * 1024 * 1024
        assert ended.wait(10)


def test_an_error_in_the_middle_breaks_the_connection(opened: Any, sqlite_url: str) -> None:
    app = create_app(Serving(store=opened(sqlite_url), language="en"))

    def broken(out: Any) -> None:
        out.write(b"x" * 200_000)
        raise ValueError("sk-canary")

    app.add_route("/broken", lambda request: Streamed(broken, name="x", media_type="text/plain"))
    with served(app) as client:
        for _ in range(downloads.MOST_AT_ONCE + 1):  # each gives its place back
            with pytest.raises(httpx2.RemoteProtocolError):
                client.get("/broken")
