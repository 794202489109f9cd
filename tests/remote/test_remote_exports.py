"""What a server makes is byte for byte what is made beside the store; a file is whole or absent."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from remote_kit import Site

from corpusmith import Studio
from corpusmith.errors import StoreUnavailable, UsageError
from corpusmith.service.remote.wire import Wire
from corpusmith.service.remote.works import inside, save
from corpusmith.values import Selection

_TIME = re.compile(rb"20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)?")
"""The moment of an export, which its manifest says."""

KINDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "json": ("d.json", {"form": "json"}),
    "messages as jsonl": ("train.jsonl", {"form": "messages"}),
    "csv": ("用户.csv", {"form": "alpaca", "path": ".csv"}),
    "parquet": ("d.parquet", {"form": "messages"}),
    "parts with their manifest": (
        "parts.jsonl",
        {"form": "messages", "split": "train=0.5,validation=0.5", "seed": 1},
    ),
    "with dataset_info": ("lf.json", {"form": "alpaca", "dataset_info": True}),
    "a folder for the hub": ("hub", {"form": "hf", "title": "t", "licence": "cc-by-4.0"}),
    "some": ("some.jsonl", {"form": "json", "selection": Selection(min_length=40)}),
}


@pytest.fixture
def both(server: Site, tmp_path: Path) -> Any:
    rows = [
        {"instruction": f"问题{n}", "input": "", "output": "回答，" * (n + 1)} for n in range(24)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), "utf-8")
    with Studio(server.url, language="en") as local, server.studio() as remote:
        remote.imports.run(path, "d")
        yield local, remote


def test_files_are_the_same_bytes(both: tuple[Studio, Studio], tmp_path: Path) -> None:
    local, remote = both
    for name, (file, wanted) in KINDS.items():
        given = {key: one for key, one in wanted.items() if key != "path"}
        selection = replace(given.pop("selection", Selection()), dataset="d")
        made = []
        for studio, place in ((local, tmp_path / "local"), (remote, tmp_path / "remote")):
            made.append(studio.exports.write(place / file, selection=selection, **given))
        here, there = made
        files = {
            one.relative_to(tmp_path / "local")
            for one in (tmp_path / "local").rglob("*")
            if one.is_file()
        }
        assert files, name
        for one in files:
            mine = (tmp_path / "local" / one).read_bytes()
            theirs = (tmp_path / "remote" / one).read_bytes()
            assert _TIME.sub(b"", theirs) == _TIME.sub(b"", mine), f"{name}: {one}"
        assert (here.records, here.rows, here.parts, here.sha256, here.bytes, here.seed) == (
            there.records,
            there.rows,
            there.parts,
            there.sha256,
            there.bytes,
            there.seed,
        ), name
        assert [one.sha256 for one in here.files] == [one.sha256 for one in there.files], name
        for field in ("manifest", "dataset_info", "card"):
            assert bool(getattr(here, field)) == bool(getattr(there, field)), (name, field)


def test_a_look_is_the_same(both: tuple[Studio, Studio]) -> None:
    looks = [one.exports.preview(dataset="d", form="messages", first=2) for one in both]
    assert looks[0] == looks[1] and looks[0].records == 24


def test_a_stream_is_the_file(both: tuple[Studio, Studio], tmp_path: Path) -> None:
    found = []
    for studio in both:
        out = io.BytesIO()
        download = studio.exports.stream(dataset="d", form="messages", container="jsonl")
        download.write(out)
        found.append((out.getvalue(), download.export.records, download.export.rows))
    assert found[0] == found[1] and found[0][0]


def test_entries_beside_are_kept(both: tuple[Studio, Studio], tmp_path: Path) -> None:
    info = tmp_path / "dataset_info.json"
    info.write_text('{"old": {"file_name": "old.json"}}', "utf-8")
    done = both[1].exports.write(
        tmp_path / "new.json", dataset="d", form="alpaca", dataset_info=True
    )
    assert done.dataset_info == info
    assert set(json.loads(info.read_text())) == {"old", "new"}


def test_what_is_refused_leaves_what_stood_there(
    both: tuple[Studio, Studio], tmp_path: Path
) -> None:
    place = tmp_path / "keep.jsonl"
    place.write_text("mine\n")
    for studio in both:
        with pytest.raises(UsageError) as refused:
            studio.exports.write(place, dataset="d", form="dpo")
        assert refused.value.reason.startswith("export"), refused.value.reason
        assert place.read_text() == "mine\n"
    with pytest.raises(UsageError):
        both[1].exports.write(tmp_path / "x" / "y.json", dataset="d", form="messages", bogus=1)
    assert not (tmp_path / "x").exists()


def test_a_download_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def chunks() -> Any:
        yield b"half"
        raise StoreUnavailable("server_away", url="http://x", cause="reset")

    place = tmp_path / "out.json"
    place.write_bytes(b"before")
    with pytest.raises(StoreUnavailable):
        save(chunks(), place)
    assert place.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a\\b", "c:x"])
def test_a_server_says_no_place_outside_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        inside(tmp_path, name)


def test_a_wire_does_not_show_its_token() -> None:
    wire = Wire("http://127.0.0.1:9", "csm_canary", "en")
    assert "canary" not in repr(wire)
