"""CSV: every row and field of the records, verbatim unless a spreadsheet must be guarded."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import UsageError
from corpusmith.exports.files import write_file
from corpusmith.exports.table import Csv
from corpusmith.values import Json


def written(contents: list[Json], **options: Any) -> str:
    out = io.BytesIO()
    count = Csv(**options).write(contents, out)
    assert count == len(contents)
    return out.getvalue().decode()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_rows_have_a_header_and_end_as_rfc_4180_says() -> None:
    rows = [
        {"question": "什么是“细胞”？", "answer": 'a "b", c\nd'},
        {"question": "q", "answer": ""},
    ]
    assert written(rows) == 'question,answer\r\n什么是“细胞”？,"a ""b"", c\nd"\r\nq,\r\n'


def test_values_that_are_no_text_are_json() -> None:
    row = {"n": 1, "x": 0.5, "yes": True, "none": None, "list": ["甲", {"a": 1}], "empty": {}}
    assert read(written([row])) == [
        {"n": "1", "x": "0.5", "yes": "true", "none": "", "list": '["甲",{"a":1}]', "empty": "{}"}
    ]


def test_a_field_that_a_later_record_brings_has_its_column_in_every_row() -> None:
    assert written([{"a": "1"}, {"b": "2", "a": "3"}, {"c": "4"}]) == (
        "a,b,c\r\n1,,\r\n3,2,\r\n,,4\r\n"
    )


CHARACTERS = st.characters(exclude_categories=["Cs"])
NAMES = st.text(CHARACTERS, min_size=1, max_size=5)
ROWS = st.lists(
    st.dictionaries(NAMES, st.text(CHARACTERS), min_size=1),
    min_size=1,
    max_size=6,
)


@given(ROWS)
def test_what_is_written_is_read_back_the_same(rows: list[dict[str, str]]) -> None:
    columns = {name: "" for row in rows for name in row}
    assert read(written(list(rows))) == [columns | row for row in rows]


def test_text_is_verbatim_by_default() -> None:
    formulas = {"a": "=1+1", "b": "+1", "c": "-1", "d": "@x", "e": "\ttab", "f": "\rcr"}
    assert read(written([formulas])) == [formulas]


def test_a_spreadsheet_safe_file_has_no_formula() -> None:
    row = {"a": "=1+1", "b": "+1", "c": "-1", "d": "@x", "e": "\ttab", "f": "\rcr", "=g": "1=2"}
    assert read(written([{**row, "n": -1}], spreadsheet_safe=True)) == [
        {
            "a": "'=1+1",
            "b": "'+1",
            "c": "'-1",
            "d": "'@x",
            "e": "'\ttab",
            "f": "'\rcr",
            "'=g": "1=2",
            "n": "-1",
        }
    ]


FORMULA = ("=", "+", "-", "@", "\t", "\r")
LIKELY = st.text(st.sampled_from("'=+-@\t\r\nx,\"0"), max_size=6)


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


@given(st.lists(st.fixed_dictionaries({"a": LIKELY, "b": LIKELY | st.text(CHARACTERS)})))
def test_the_guard_can_be_taken_off_again_and_nothing_is_lost(rows: list[dict[str, str]]) -> None:
    found = read(written(list(rows), spreadsheet_safe=True))
    assert not any(cell.startswith(FORMULA) for row in found for cell in row.values())
    assert [{name: unguarded(cell) for name, cell in row.items()} for row in found] == rows


def test_a_byte_order_mark_comes_first_when_it_is_asked_for() -> None:
    assert written([{"a": "甲"}], bom=True) == "\ufeffa\r\n甲\r\n"


def test_no_records_are_an_empty_file() -> None:
    assert written([]) == ""


@pytest.mark.parametrize("content", ["text", ["a"], 1, None])
def test_a_record_that_is_no_row_is_named(content: Json) -> None:
    with pytest.raises(UsageError) as caught:
        Csv().write([{"a": 1}, content], io.BytesIO())
    assert (caught.value.reason, caught.value.data) == ("export_no_row", {"row": 2})


@pytest.mark.parametrize("content", [{"a": "\ud800"}, {"\ud800": "a"}, {"a": [2**70]}])
def test_a_record_that_utf_8_cannot_hold_is_named(content: Json) -> None:
    with pytest.raises(UsageError) as caught:
        Csv().write([content], io.BytesIO())
    assert (caught.value.reason, caught.value.data["row"]) == ("export_row", 1)


# ---------------------------------------------------------------- columns that are fixed

COLUMNS = {"prompt": str, "completion": str, "label": bool}
"""As `kto_axolotl` has them."""


def known(rows: list[Json], **options: Any) -> str:
    out = io.BytesIO()
    assert Csv(columns=COLUMNS, **options).write(rows, out) == len(rows)
    return out.getvalue().decode()


def row(prompt: str, completion: str) -> dict[str, Json]:
    return {"prompt": prompt, "completion": completion, "label": True}


def test_fixed_columns_have_a_header_even_without_rows() -> None:
    assert known([]) == "prompt,completion,label\r\n"


def test_fixed_columns_are_in_their_order() -> None:
    assert known([{"label": True, "completion": "b", "prompt": "=a"}], spreadsheet_safe=True) == (
        "prompt,completion,label\r\n'=a,b,true\r\n"
    )


@pytest.mark.parametrize("word", ["NA", "None", "nan", "null", "<NA>"])
def test_a_text_that_loaders_take_for_no_value_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        known([row("a", "b"), row("a", word)])
    assert (caught.value.reason, caught.value.data) == (
        "export_csv_word",
        {"row": 2, "value": word, "column": "completion"},
    )


@pytest.mark.parametrize("texts", [["1", "-2.5e3"], ["0"], ["True", "false"], ["7", "", "8"]])
def test_a_column_that_loaders_take_for_numbers_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        known([row("a", text) for text in texts])
    assert (caught.value.reason, caught.value.data) == (
        "export_csv_numbers",
        {"column": "completion", "first": 1, "last": len(texts)},
    )


@pytest.mark.parametrize(
    "texts", [["1", "2 apples"], ["", ""], ["1_0"], ["一"], ["１２"], ["1\u00a0"], ["2024-12-01"]]
)
def test_other_texts_stay_texts_and_are_taken(texts: list[str]) -> None:
    assert [one["completion"] for one in read(known([row("a", text) for text in texts]))] == texts


@pytest.mark.parametrize("options", [{"bom": "perhaps"}, {"spreadsheet_safe": 2}])
def test_an_option_that_is_no_switch_is_refused(options: dict[str, Json]) -> None:
    with pytest.raises(UsageError) as caught:
        Csv(**options)
    assert (caught.value.reason, caught.value.data["known"]) == ("export_option", "true, false")


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        try:
            made = ({"question": "问" * 30, "turns": [{"a": at}]} for at in range(count))
            write_file(tmp_path / "out.csv", Csv(), made)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Rows wait in up to 8 MiB of memory, then on the disk.
    assert peak_bytes(100_000) < 20_000_000
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as out:
        rows = list(csv.reader(out))
    assert len(rows) == 100_001
    assert json.loads(rows[-1][1]) == [{"a": 99_999}]
