"""Files of rows, as people have them."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from corpusmith.errors import SpecError
from corpusmith.readers import lines
from corpusmith.readers.bad import BadRow
from corpusmith.readers.rows import read_rows

ROWS = [{"id": "1", "text": "今天天气真好"}, {"id": "2", "text": 'a,b\n"c"'}]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
ARRAY = json.dumps(ROWS, ensure_ascii=False, indent=2)
CSV = 'id,text\n1,今天天气真好\n2,"a,b\n""c"""\n'


def read(path: Path, **options: Any) -> tuple[list[tuple[int, Any]], list[BadRow]]:
    bad: list[BadRow] = []
    return list(read_rows(path, bad=bad.append, **options)), bad


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "text", "numbers"),
    [("r.jsonl", LINES, [1, 2]), ("r.json", ARRAY, [1, 2]), ("r.csv", CSV, [2, 3])],
)
def test_every_form_is_read_in_every_encoding(
    name: str,
    text: str,
    numbers: list[int],
    packed: bool,
    newline: str,
    encoding: str,
    tmp_path: Path,
) -> None:
    data = text.replace("\n", newline).encode(encoding)
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(data) if packed else data)
    rows, bad = read(path)
    kept = [{**row, "text": row["text"].replace("\r\n", "\n")} for _, row in rows]
    assert ([number for number, _ in rows], kept, bad) == (numbers, ROWS, [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("array.jsonl", ARRAY),
        ("array", ARRAY),
        ("array.csv", ARRAY),
        ("lines.json", LINES),
        ("lines", LINES),
        ("lines.txt", LINES),
    ],
)
def test_content_is_believed_before_the_suffix(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert [row for _, row in read(path)[0]] == ROWS


def test_a_file_that_is_one_object_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"id": 1, "all": [{"a": 1}]}, indent=2), "utf-8")
    assert read(path) == ([(1, {"id": 1, "all": [{"a": 1}]})], [])


def test_parquet_is_read_by_row(tmp_path: Path) -> None:
    import datetime

    import pyarrow as pa
    from pyarrow import parquet

    when = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    path = tmp_path / "rows.data"
    table = pa.table({"id": [1, 2], "text": ["好", None], "when": [when, when], "l": [[1], []]})
    parquet.write_table(table, path, row_group_size=1)
    assert read(path) == (
        [
            (1, {"id": 1, "text": "好", "when": "2026-01-02T00:00:00+00:00", "l": [1]}),
            (2, {"id": 2, "text": None, "when": "2026-01-02T00:00:00+00:00", "l": []}),
        ],
        [],
    )


def test_bad_lines_are_reported_by_number_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": 1}\n\n{"id": \n[1, 2]\n{"id": "\xff"}\n  \r\n{"id": 2}')
    rows, bad = read(path)
    assert rows == [(1, {"id": 1}), (7, {"id": 2})]
    assert [(one.line, one.reason, one.raw) for one in bad] == [
        (3, "row_json", '{"id":'),
        (4, "row_not_object", "[1, 2]"),
        (5, "row_encoding", '{"id": "�"}'),
    ]


def test_a_line_that_is_too_long_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_ROW_BYTES", 20)
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1}\n{"id": "' + "x" * 100 + '"}\n{"id": 2}\n' + "y" * 50, "utf-8")
    rows, bad = read(path)
    assert rows == [(1, {"id": 1}), (3, {"id": 2})]
    assert [(one.line, one.reason) for one in bad] == [(2, "row_too_large"), (4, "row_too_large")]


def test_bad_rows_of_csv_are_reported_by_the_line_they_begin_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(
        b'id;text\n1;"two\nlines"\n2\n3;x;y\n;;\n\n4;\xff\n5;"a"b\n6;good\n7;"never closed\nx\n'
    )
    rows, bad = read(path)
    assert rows == [(2, {"id": "1", "text": "two\nlines"}), (10, {"id": "6", "text": "good"})]
    assert [(one.line, one.reason) for one in bad] == [
        (4, "row_cells"),
        (5, "row_cells"),
        (8, "row_encoding"),
        (9, "row_csv"),
        (11, "row_quote"),
    ]


def test_one_broken_sign_does_not_turn_a_file_into_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("id,text\n1,很好\n".encode() + b"2,\xff\n" + "3,也好\n".encode())
    rows, bad = read(path)
    assert [row["text"] for _, row in rows] == ["很好", "也好"]
    assert [(one.line, one.reason) for one in bad] == [(3, "row_encoding")]


def test_progress_ends_at_the_files_size(tmp_path: Path) -> None:
    for name, text in (("r.jsonl", LINES), ("r.json", ARRAY), ("r.csv", CSV)):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        told: list[int] = []
        read(path, seen=told.append)
        assert told[-1] == path.stat().st_size


WRONG = {
    "rows_empty": ("a.jsonl", b""),
    "rows_unknown": ("a.xlsx", b"PK\x03\x04"),
    "rows_gzip": ("a.jsonl.gz", gzip.compress(b'{"id": 1}' * 1000)[:-20]),
    "rows_parquet": ("a.parquet", b"PAR1 and then nothing"),
    "rows_header_twice": ("a.csv", b"id,id\n1,2\n"),
    "rows_header_empty": ("a.csv", b"id,\n1,2\n"),
}


@pytest.mark.parametrize("code", WRONG)
def test_a_file_that_cannot_be_read_is_named_with_its_reason(code: str, tmp_path: Path) -> None:
    name, data = WRONG[code]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read(path)
    assert (caught.value.reason, caught.value.data["file"]) == (code, str(path))


def test_a_file_of_marks_and_blanks_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(codecs.BOM_UTF8 + b" \n\n")
    with pytest.raises(SpecError) as caught:
        read(path)
    assert caught.value.reason == "rows_empty"


@pytest.mark.parametrize(
    ("name", "code"), [("nothing.json", "file_unreadable"), ("", "file_is_folder")]
)
def test_what_is_no_file_is_named(name: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path / name)
    assert (caught.value.reason, caught.value.data["file"]) == (code, str(tmp_path / name))
