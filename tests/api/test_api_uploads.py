"""Uploads: how a file comes in, and what is refused of archives."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_kit import code_of

from corpusmith import archives, places
from corpusmith.archives import Archive
from corpusmith.errors import UsageError
from corpusmith.places import uploads_folder, uploads_only
from corpusmith.service.inputs import BadInputs, rows_of
from corpusmith.service.studio import Studio
from corpusmith.service.uploads import KEPT_S, safe_name, sweep

ALL = "/api/v1/uploads"
BOUNDARY = "----b"


def _sent(client: httpx2.Client, name: str, data: bytes) -> Any:
    return client.post(ALL, files={"file": (name, data)})


def test_an_upload_comes_and_goes(sqlite_client: httpx2.Client) -> None:
    data = os.urandom(3 << 20)
    made = _sent(sqlite_client, "语料 一.jsonl", data)
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["name"], found["bytes"]) == ("语料 一.jsonl", len(data))
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    place = f"{ALL}/{found['id']}"
    assert sqlite_client.get(place).json() == found
    assert sqlite_client.get(ALL).json()["items"] == [found]
    with uploads_only():
        file = places.given_path(f"upload:{found['id']}")
    assert file.read_bytes() == data
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sqlite_client.delete(place).status_code == 204
    assert code_of(sqlite_client.get(place), 404) == "unknown_upload"
    assert list(uploads_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "upload"),
        ("..", "upload"),
        ("a\x00b\r\nc.json", "a_b__c.json"),
        ("x" * 500 + ".jsonl", "x" * 115 + ".jsonl"),
        ("书" * 200 + ".md", "书" * 39 + ".md"),
        ("\u202etxt.exe", "txt.exe"),
        (".hidden", "hidden"),
    ],
)
def test_a_name_is_a_label_and_never_a_place(name: str, kept: str) -> None:
    assert safe_name(name) == kept


def test_what_is_too_large_leaves_nothing(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUSMITH_MAX_UPLOAD_MB", "1")
    answer = _sent(sqlite_client, "a.json", b"x" * ((1 << 20) + 1))
    assert code_of(answer, 422) == "upload_too_large"
    assert list(uploads_folder().iterdir()) == []
    monkeypatch.setenv("CORPUSMITH_MAX_UPLOAD_MB", "many")
    assert code_of(_sent(sqlite_client, "a.json", b"x"), 422) == "setting_number"


def _part(field: str) -> bytes:
    head = f'Content-Disposition: form-data; name="{field}"; filename="a"'
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", b"{}", "upload_none"),
        ("multipart/form-data", b"", "upload_none"),
        (f"multipart/form-data; boundary={BOUNDARY}", b"rubbish", "upload_broken"),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            _part("file") + b"cut",
            "upload_broken",
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            _part("other") + f"x\r\n--{BOUNDARY}--\r\n".encode(),
            "upload_none",
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            f"--{BOUNDARY}\r\nX: {'y' * 20_000}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(),
            "upload_broken",
        ),
    ],
)
def test_a_body_that_is_no_upload_is_refused(
    sqlite_client: httpx2.Client, kind: str, body: bytes, code: str
) -> None:
    answer = sqlite_client.post(ALL, content=body, headers={"Content-Type": kind})
    assert code_of(answer, 422) == code
    assert not uploads_folder().exists() or list(uploads_folder().iterdir()) == []


def test_two_files_and_an_empty_one_are_refused(sqlite_client: httpx2.Client) -> None:
    two = sqlite_client.post(ALL, files=[("file", ("a", b"1")), ("file", ("b", b"2"))])
    assert code_of(two, 422) == "upload_one"
    assert code_of(_sent(sqlite_client, "a", b""), 422) == "upload_empty"
    assert list(uploads_folder().iterdir()) == []


def test_what_nobody_used_for_a_week_is_swept(sqlite_client: httpx2.Client) -> None:
    old, used = (_sent(sqlite_client, name, b"x").json()["id"] for name in ("old", "used"))
    long_ago = time.time() - KEPT_S - 60
    for one in (old, used):
        os.utime(uploads_folder() / one, (long_ago, long_ago))
    with uploads_only():
        places.given_path(f"upload:{used}")
    assert sweep(time.time()) == 1
    assert [one["id"] for one in sqlite_client.get(ALL).json()["items"]] == [used]


def test_an_error_about_an_upload_names_no_place_of_the_server(
    sqlite_client: httpx2.Client, tmp_path: Path
) -> None:
    wish = _sent(sqlite_client, "broken.yaml", b"version: [1").json()["id"]
    answer = sqlite_client.get(f"/api/v1/domains/upload:{wish}")
    assert answer.status_code == 422
    assert wish in answer.text and str(tmp_path) not in answer.text
    with uploads_only():
        place = places.given_path(f"upload:{wish}")
    assert places.shown(f"{place}, line 1") == "broken.yaml, line 1"


# ---------------------------------------------------------------- archives


def _zip(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def _link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.md")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/hostname")
    return out.getvalue()


def _flagged() -> bytes:
    data = bytearray(_zip(("a.md", b"text")))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + at] |= 1
    return bytes(data)


def _lying() -> bytes:
    """Says that its member is small; it is not."""
    data = bytearray(_zip(("a.md", b"x" * 100_000)))
    for sign, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(sign) + at, 10)
    return bytes(data)


BOMBS = {
    "archive_ratio": lambda: _zip(("a.md", b"\0" * (64 << 20))),
    "archive_many": lambda: _zip(*((f"{n}.md", b"x") for n in range(archives.MOST_MEMBERS + 1))),
    "archive_nested": lambda: _zip(("a.md", _zip(("b.md", b"x")))),
    "archive_locked": _flagged,
    "archive_link": _link,
    "archive_broken": lambda: _zip(("a.md", b"x" * 1000))[:-40],
}


@pytest.mark.parametrize("code", BOMBS)
def test_an_archive_that_is_a_trap_is_refused(
    opened: Any, sqlite_url: str, tmp_path: Path, code: str
) -> None:
    file = tmp_path / "books.zip"
    file.write_bytes(BOMBS[code]())
    store = opened(sqlite_url)
    with pytest.raises(UsageError) as refused:
        list(rows_of(str(file), store))
    assert refused.value.reason == code
    assert "books.zip" in refused.value.message("zh")


def test_an_archive_of_too_much_in_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    data = _zip(("a", b"x" * 600), ("b", b"y" * 600), how=zipfile.ZIP_STORED)
    with pytest.raises(UsageError, match="unpacked"):
        Archive(io.BytesIO(data), "a.zip")


def test_a_member_that_lies_about_its_size_brings_no_more_than_it_says() -> None:
    with Archive(io.BytesIO(_lying()), "a.zip") as archive, pytest.raises(UsageError) as refused:
        archive.read("a.md", 1000)
    assert refused.value.reason == "archive_broken"


def test_a_zip_of_documents_is_read_as_a_folder(opened: Any, sqlite_url: str) -> None:
    store = opened(sqlite_url)
    uploads = Studio.over(store, "en").uploads
    coming = uploads.begin("books.zip")
    coming.write(
        _zip(
            ("../../evil.md", b"# One\n\nfirst text"),
            ("/abs/two.txt", b"second text"),
            ("rows.jsonl", b'{"text": "third"}\n'),
            ("bad.pdf", b"no pdf"),
            ("__MACOSX/._two.txt", b"x"),
            ("picture.png", b"x"),
        )
    )
    wish = coming.finish().wish
    bad = BadInputs()
    with uploads_only():
        rows = list(rows_of(wish, store, bad=bad))
    assert sorted((row["text"], row.get("source"), row.get("title")) for row in rows) == [
        ("# One\n\nfirst text", "../../evil.md", "One"),
        ("second text", "/abs/two.txt", "two"),
        ("third", None, None),
    ]
    assert [one.file for one in bad.first] == ["books.zip/bad.pdf"]
