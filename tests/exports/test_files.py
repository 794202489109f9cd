"""Rows as JSON, exactly and in flat memory; a file whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import CorpusmithError, DiskFull, UsageError
from corpusmith.exports.files import ExportResult, translated, write_file, write_stream
from corpusmith.exports.lines import JsonArray, JsonLines
from corpusmith.messages import LANGUAGES, catalog
from corpusmith.values import Json

TURNS = [
    {"role": "user", "content": "你好，\n“林”😀"},
    {"role": "assistant", "content": "嗯。\u2028"},
]
CONTENT = {
    "scenario_labels": ["日常对话"],
    "dialogues": TURNS,
    "turn_count": 1,
    "batch_id": "batch_20241201_143022",
    "generation_time": "2024-12-01T14:30:22",
}


def text_of(container: Any, rows: Iterable[Json]) -> str:
    out = io.BytesIO()
    container.write(rows, out)
    return out.getvalue().decode()


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_json_is_one_readable_array_of_the_rows(count: int) -> None:
    wanted = json.dumps([CONTENT] * count, indent=2, ensure_ascii=False) + "\n"
    assert text_of(JsonArray(), [CONTENT] * count) == wanted


def test_jsonl_is_one_compact_object_a_line() -> None:
    line = json.dumps(CONTENT, ensure_ascii=False, separators=(",", ":")) + "\n"
    assert text_of(JsonLines(), [CONTENT] * 2) == line * 2


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=5))
def test_what_is_exported_is_read_back_the_same(contents: list[Json]) -> None:
    assert json.loads(text_of(JsonArray(), contents)) == contents
    lines = text_of(JsonLines(), contents).split("\n")[:-1]
    assert [json.loads(line) for line in lines] == contents


@pytest.mark.parametrize("row", [{"a": "\ud800"}, {"a": 2**70}, {1: "a"}])
@pytest.mark.parametrize("container", [JsonArray(), JsonLines()])
def test_a_row_that_json_cannot_hold_is_named(row: Json, container: Any) -> None:
    with pytest.raises(UsageError) as caught:
        text_of(container, [CONTENT, row])
    assert (caught.value.reason, caught.value.data["row"]) == ("export_row", 2)


@pytest.mark.parametrize("container", [JsonArray(), JsonLines()])
def test_memory_does_not_grow_with_the_number_of_rows(container: Any, tmp_path: Path) -> None:
    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        try:
            made = ({**CONTENT, "dialogues": [dict(turn) for turn in TURNS]} for _ in range(count))
            write_file(tmp_path / "out", container, made)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak_bytes(1000)
    assert peak_bytes(20_000) < few + 200_000


# ---------------------------------------------------------------- files


class Breaking:
    """Writes half of its output, then meets `error`."""

    name = "breaking"
    suffix = ".txt"
    nested = True

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        out.write(b"half" * 1_000_000)
        raise self._error


def names_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_file_is_written_with_its_folders_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "数据" / "a" / "out.json"
    result = write_file(path, JsonArray(), [CONTENT] * 2)
    data = path.read_bytes()
    assert json.loads(data) == [CONTENT, CONTENT]
    assert result == ExportResult(
        path=path, rows=2, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    assert names_in(path.parent) == ["out.json"]


def test_a_new_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_file(tmp_path / "out", JsonLines(), [CONTENT])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o644


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(0o600)
    write_file(path, JsonArray(), [])
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("[]\n", 0o600)


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", JsonArray(), [])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "[]\n"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        UsageError("export_row", row=1, problem="x"),
        KeyboardInterrupt(),
        RuntimeError("a bug"),
    ],
)
def test_whatever_breaks_an_export_the_old_file_stays_whole(
    error: BaseException, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(BaseException) as caught:
        write_file(path, Breaking(error), [])
    assert (caught.value is error) == (not isinstance(error, OSError))
    assert (names_in(tmp_path), path.read_text()) == (["out.json"], "old")


def test_a_full_disk_is_named_so() -> None:
    with pytest.raises(DiskFull) as caught:
        write_file("/dev/full", JsonLines(), [CONTENT])
    assert caught.value.reason == "export_disk_full"
    assert "/dev/full" in caught.value.message("zh")


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_file("/dev/null", JsonLines(), [CONTENT])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_file(tmp_path, JsonLines(), [CONTENT])
    assert caught.value.reason == "export_is_folder"


@pytest.mark.parametrize("below", ["out.json", "deeper/out.json"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError) as caught:
        write_file(tmp_path / "file" / below, JsonLines(), [CONTENT])
    assert caught.value.reason == "export_parent_is_file"


def test_a_name_that_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_file(tmp_path / ("n" * 300), JsonLines(), [CONTENT])
    assert caught.value.reason == "export_name_too_long"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.EACCES, UsageError, "export_no_permission"),
        (errno.EPERM, UsageError, "export_no_permission"),
        (errno.EROFS, UsageError, "export_read_only"),
        (errno.ENOSPC, DiskFull, "export_disk_full"),
        (errno.EDQUOT, DiskFull, "export_disk_full"),
        (errno.EFBIG, DiskFull, "export_disk_full"),
        (errno.EIO, UsageError, "export_failed"),
    ],
)
def test_what_the_disk_answers_has_a_message_in_both_languages(
    number: int, kind: type[CorpusmithError], code: str
) -> None:
    error = translated(OSError(number, os.strerror(number)), Path("a/b"))
    assert (type(error), error.reason) == (kind, code)
    for language in LANGUAGES:
        assert f"error.{code}" in catalog(language)
        assert "a/b" in error.message(language)


def test_a_stream_gets_the_same_bytes() -> None:
    out = io.BytesIO()
    result = write_stream(out, JsonLines(), iter([CONTENT]))
    data = out.getvalue()
    assert json.loads(data) == CONTENT
    assert result == ExportResult(
        path=None, rows=1, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    )


def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert write_file("-", JsonLines(), [CONTENT]).path is None
    assert json.loads(capfdbinary.readouterr().out) == CONTENT


def test_a_reader_that_went_away_is_left_to_the_caller() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as out:
        write_stream(out, JsonLines(), [CONTENT])


def test_rows_are_taken_one_by_one_as_they_are_written() -> None:
    out = io.BytesIO()
    seen: list[int] = []

    def rows() -> Iterator[Json]:
        for _ in range(3):
            seen.append(out.tell())
            yield CONTENT

    write_stream(out, JsonLines(), rows())
    assert seen == sorted(set(seen))
