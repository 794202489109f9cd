"""Files of which loaders take the types from the first rows: each type is told there, or the export
says why it cannot be. `tests/conformance/test_first_rows.py` shows that loaders do so."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import UsageError
from corpusmith.exports import lines, table, untyped
from corpusmith.exports.first_rows import arranged
from corpusmith.exports.formats import format_of
from corpusmith.values import Json

CHAT = [{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}]
PLAIN: Json = {"conversations": CHAT, "tools": None}
CALLS: Json = {"conversations": CHAT, "tools": "[]"}
ALPACA: Json = {"instruction": "q", "input": "", "output": "a", "system": "", "history": []}
TIMES = ["2024-12-01", "2024-12-01T10", "2024-12-01 10:00", "2024-12-01T10:00:00+08:00"]


def written(form: str, path: str, rows: list[Json]) -> bytes:
    out = io.BytesIO()
    assert format_of(form, path, {}).container.write(rows, out) == len(rows)
    return out.getvalue()


def from_lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


def from_table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def refusal(form: str, path: str, rows: list[Json]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        written(form, path, rows)
    for language in ("zh", "en"):
        assert "{" not in caught.value.message(language)  # type: ignore[arg-type]
    return caught.value


# ---------------------------------------------------------------- the order of rows


def test_the_first_row_with_tools_overtakes_those_without_where_types_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "ROOM_BYTES", 300)
    rows: list[Json] = [{**PLAIN, "conversations": [*CHAT, n]} for n in range(9)]
    rows += [CALLS, PLAIN, CALLS]
    found = from_lines(written("sharegpt", "x.jsonl", rows))
    early = found.index(CALLS)
    assert sum(len(json.dumps(one, separators=(",", ":"))) + 1 for one in found[:early]) < 500
    assert found[:early] + found[early + 1 :] == rows[:9] + rows[10:]


def test_a_history_overtakes_too_and_order_stays_where_nothing_is_in_danger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "ROOM_BYTES", 300)
    plain = [{**ALPACA, "output": f"a{n}"} for n in range(9)]
    told = {**ALPACA, "history": [["q", "a"]]}
    found = from_lines(written("alpaca", "x.jsonl", [*plain, told]))
    assert 0 < found.index(told) < 6
    for rows in ([told, *plain], plain, [*plain[:2], told, *plain[2:]]):
        assert from_lines(written("alpaca", "x.jsonl", rows)) == rows


def test_in_a_csv_the_first_input_overtakes_empty_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROOM_ROWS", 3)
    rows = [
        {"instruction": f"q{n}", "input": "given" if n == 7 else "", "output": "a", "system": ""}
        for n in range(9)
    ]
    found = from_table(written("alpaca", "x.csv", rows))
    assert [one["instruction"] for one in found] == [f"q{n}" for n in (0, 1, 2, 7, 3, 4, 5, 6, 8)]


@given(st.lists(st.tuples(st.binary(max_size=3), st.booleans())), st.integers(1, 12))
def test_whatever_comes_no_line_is_lost_and_all_others_keep_their_order(
    made: list[tuple[bytes, bool]], room: int
) -> None:
    untold = {n for n, (_, tells) in enumerate(made) if tells} | {-1}

    def seen() -> Any:
        for n, (_, tells) in enumerate(made):
            untold.discard(n)
            yield b"%d\n" % n, tells

    found = [int(line) for line in arranged(seen(), untold, room, lambda _: 1)]
    told = [n for n in found[room:] if made[n][1]]
    others = [n for n in found[room:] if not made[n][1]]
    assert found == [*range(min(room, len(made))), *told, *others]
    assert told == sorted(told) and others == sorted(others)
    assert len(set(found)) == len(found) == len(made)


def test_rows_that_are_overtaken_wait_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere(io.RawIOBase):
        def write(self, data: Any) -> int:
            return len(data)

    def peak_bytes(count: int) -> int:
        rows = ({**ALPACA, "output": "答" * 1000} for _ in range(count))
        out: BinaryIO = Nowhere()  # type: ignore[assignment]
        tracemalloc.start()
        try:
            assert format_of("alpaca", "x.jsonl", {}).container.write(rows, out) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    monkeypatch.setattr(lines, "ROOM_BYTES", 1000)
    assert peak_bytes(12_000) < 20_000_000  # of 36 MB, 8 MiB wait in memory


# ---------------------------------------------------------------- texts that are taken for times


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize(
    ("form", "row", "column"),
    [
        ("alpaca", lambda text: {**ALPACA, "output": text}, "output"),
        (
            "prompt_completion",
            lambda text: {
                "prompt": [{"role": "user", "content": "q"}],
                "completion": [{"role": "assistant", "content": text}],
            },
            "completion.content",
        ),
        (
            "dpo",
            lambda text: {
                "messages": [{"role": "user", "content": "q"}],
                "chosen": {"role": "assistant", "content": "a"},
                "rejected": {"role": "assistant", "content": text},
            },
            "rejected.content",
        ),
        (
            "kto_axolotl",
            lambda text: {"prompt": "q", "completion": text, "label": True},
            "completion",
        ),
    ],
)
def test_a_field_of_nothing_but_times_is_refused(
    form: str, row: Any, column: str, suffix: str
) -> None:
    error = refusal(form, f"x{suffix}", [row(text) for text in TIMES])
    assert (error.reason, error.data) == ("export_json_times", {"column": column})


@pytest.mark.parametrize("other", ["x", "", "2024", "2024-12-01 10:00:00.5", " 2024-12-01", "今天"])
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_one_other_text_makes_texts_of_all(other: str, suffix: str) -> None:
    rows = [{**ALPACA, "output": text} for text in (*TIMES, other)]
    data = written("alpaca", f"x{suffix}", rows)
    assert (json.loads(data) if suffix == ".json" else from_lines(data)) == rows


def test_the_first_other_text_overtakes_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ROOM_BYTES", 300)
    rows = [{**ALPACA, "output": "2024-12-01"} for _ in range(9)] + [{**ALPACA, "output": "x"}]
    assert "x" in [one["output"] for one in from_lines(written("alpaca", "x.jsonl", rows))[:6]]


@pytest.mark.parametrize("path", ["x.parquet", "x.csv"])
def test_parquet_and_csv_hold_times_as_texts(path: str) -> None:
    row = {"instruction": "q", "input": "i", "output": "2024-12-01", "system": "s"}
    more = {} if path == "x.csv" else {"history": []}
    assert written("alpaca", path, [{**row, **more}])


def test_records_as_they_are_may_be_times() -> None:
    assert from_lines(written("jsonl", "x.jsonl", [{"day": "2024-12-01"}])) == [
        {"day": "2024-12-01"}
    ]


# ---------------------------------------------------------------- numbers in some rows of a CSV


def test_numbers_in_the_rows_that_are_read_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(untyped, "AT_ONCE", 3)
    row = {"instruction": "q", "input": "", "system": ""}
    rows: list[Json] = [{**row, "output": text} for text in ("a", "b", "c", "007", "", "1e5", "d")]
    error = refusal("alpaca", "x.csv", rows)
    assert (error.reason, error.data) == (
        "export_csv_numbers",
        {"column": "output", "first": 4, "last": 6},
    )
    rows[4] = {**row, "output": "e"}
    assert len(from_table(written("alpaca", "x.csv", rows))) == 7
