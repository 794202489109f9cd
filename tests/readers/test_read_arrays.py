"""JSON arrays in blocks: what comes out is what a parser of the whole would say."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.readers import arrays
from corpusmith.readers.arrays import array_rows
from corpusmith.readers.bad import BadRow
from corpusmith.readers.source import Source

# Texts that look like borders, and keys that come again inside.
TEXTS = st.one_of(
    st.text(), st.sampled_from(["},{", '"},{"', "\\", "]", '{"id":1},{"id":2}', '\\"'])
)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["id", "a", "}"]), inner)
    ),
    max_leaves=12,
)
ROWS = st.lists(st.dictionaries(st.one_of(st.sampled_from(["id", "a"]), TEXTS), VALUES, max_size=4))
STYLES: list[dict[str, Any]] = [
    {},
    {"indent": 2},
    {"indent": "\t", "ensure_ascii": False},
    {"separators": (",", ":")},
    {"separators": (" ,\r\n ", " : ")},
]


def read(path: Path, block_bytes: int = 1 << 17) -> tuple[list[tuple[int, Any]], list[BadRow]]:
    bad: list[BadRow] = []
    with Source(path) as source:
        return list(array_rows(source, bad.append, block_bytes=block_bytes)), bad


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, style=st.sampled_from(STYLES), block_bytes=st.integers(1, 400))
def test_any_list_of_objects_is_read_as_a_parser_reads_it(
    rows: list[dict[str, Any]],
    style: dict[str, Any],
    block_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    text = json.dumps(rows, **style).encode("utf-8", "surrogatepass")
    path.write_bytes(text)
    assert read(path, block_bytes) == (list(enumerate(json.loads(text), 1)), [])


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet='[]{},:"\\a1 \n', max_size=80), block_bytes=st.integers(1, 90))
def test_no_text_stops_the_reader_or_keeps_it_for_ever(
    text: str, block_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "broken.json"
    path.write_text("[" + text, "utf-8")
    rows, bad = read(path, block_bytes)
    numbers = [number for number, _ in rows] + [one.line for one in bad]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


FOUR = '[{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]'
BROKEN = {
    "a value is no JSON": ('{"id": 2}', '{"id": NaN}', [1, 3, 4], "row_json"),
    "a quote is missing": ('{"id": 2}', '{"id": 2, "a": "x}', [1, 3, 4], "row_cut"),
    "a brace is missing": ('{"id": 2}', '{"id": 2', [1, 3, 4], "row_json"),
    "a brace is too many": ('{"id": 2}', '{"id": 2}}', [1, 2, 3, 4], "row_json"),
    "a bracket is missing": ('{"id": 2}', '{"id": [2}', [1, 3, 4], "row_json"),
    "an element is a number": ('{"id": 2}', "2", [1, 3, 4], "row_not_object"),
    "an element is a list": ('{"id": 2}', '[{"id": 9}]', [1, 3, 4], "row_not_object"),
    "an element is missing": ('{"id": 2}', "", [1, 3, 4], "row_json"),
    "bytes are no text": ('{"id": 2}', '{"id": "\udcff"}', [1, 3, 4], "row_encoding"),
    "the end is missing": ("4}]", "4}", [1, 2, 3, 4], "row_cut"),
    "the last row is cut": ("4}]", "4", [1, 2, 3], "row_cut"),
    "something follows": ("4}]", "4}] x", [1, 2, 3, 4], "row_after_end"),
}


@pytest.mark.parametrize("block_bytes", [1, 8, 1 << 17])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_row_is_reported_and_the_others_are_read(
    case: str, block_bytes: int, tmp_path: Path
) -> None:
    old, new, kept, reason = BROKEN[case]
    path = tmp_path / "rows.json"
    path.write_bytes(FOUR.replace(old, new).encode("utf-8", "surrogateescape"))
    rows, bad = read(path, block_bytes)
    assert ([row["id"] for _, row in rows], [one.reason for one in bad]) == (kept, [reason])


def test_a_bad_row_says_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text('[\n  {"id": 1},\n  {"id": },\n  {"id": 3}\n]\n', "utf-8")
    rows, bad = read(path)
    detail = {
        "problem": "unexpected character, expected a JSON value",
        "column": 8,
        "file_line": 3,
        "byte": 17,
    }
    assert rows == [(1, {"id": 1}), (3, {"id": 3})]
    assert bad == [BadRow(2, "row_json", detail, '{"id": }')]


def test_memory_is_flat_whatever_the_length(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    row = json.dumps({"id": 1, "text": "语料" * 200}, ensure_ascii=False)
    with path.open("w", encoding="utf-8") as out:
        out.write("[" + ",\n".join([row] * 20_000) + "]")
    tracemalloc.start()
    try:
        with Source(path) as source:
            count = sum(1 for _ in array_rows(source, lambda _: None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 5_000_000 < path.stat().st_size


def test_a_row_of_many_blocks_costs_no_more_than_its_size(tmp_path: Path) -> None:
    path = tmp_path / "nested.json"
    inner = ",".join(['{"id":1}'] * 300_000)
    path.write_text('[{"id":0,"all":[' + inner + ']},{"id":2}]', "utf-8")
    began_s = time.monotonic()
    rows, bad = read(path)
    assert ([len(row) for _, row in rows], bad) == ([2, 1], [])
    assert time.monotonic() - began_s < 20


def test_rows_behind_one_that_never_ends_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MAX_ROW_BYTES", 1000)
    path = tmp_path / "endless.json"
    good = [{"id": number, "text": "x" * 50} for number in range(100)]
    texts = [json.dumps(row) for row in good]
    texts[10] = '{"id": 10, "text": [1'
    path.write_text("[" + ", ".join(texts) + "]", "utf-8")
    rows, bad = read(path, 200)
    assert [row for _, row in rows] == good[:10] + good[11:]
    assert [(one.line, one.reason) for one in bad] == [(11, "row_too_large")]


def test_too_many_rows_that_never_end_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MAX_LOST_BYTES", 5000)
    path = tmp_path / "hopeless.json"
    path.write_text("[" + ", ".join(['{"id": [1}'] * 500) + "]", "utf-8")
    rows, bad = read(path)
    assert (rows, bad[-1].reason) == ([], "rows_unreadable")
