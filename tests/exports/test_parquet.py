"""Parquet: typed columns, one row group after the other, whatever the rows hold."""

from __future__ import annotations

import io
import sys
from typing import Any

import pyarrow
import pytest
from export_cases import records
from pyarrow import parquet

from corpusmith.errors import UsageError
from corpusmith.exports import parquet as ours
from corpusmith.exports.formats import format_of
from corpusmith.exports.kinds import MOST_LEVELS, MOST_NAMES, Seen
from corpusmith.exports.parquet import Parquet
from corpusmith.values import Json

STRING = pyarrow.string()


def written(rows: list[Json], **options: Any) -> Any:
    out = io.BytesIO()
    assert Parquet(**options).write(rows, out) == len(rows)
    return parquet.ParquetFile(pyarrow.BufferReader(out.getvalue()))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], str),
        ([None], str),
        ([True, None], bool),
        ([1, -(2**63)], int),
        ([2**63], object),
        ([1, 2.5], float),
        ([2**53 + 1, 0.5], object),
        ([1, True], object),
        (["a", 1], object),
        (["a", ["b"]], object),
        ([[], ["a"]], [str]),
        ([[]], [str]),
        ([[1], [None, 2.5]], [float]),
        ([{"a": 1}, {"b": "x"}], {"a": int, "b": str}),
        ([{}], object),
        ([{}, {"a": 1}], {"a": int}),
        ([{str(at): 1} for at in range(MOST_NAMES)], dict.fromkeys(map(str, range(64)), int)),
        ([{str(at): 1} for at in range(MOST_NAMES + 1)], object),
    ],
)
def test_a_column_has_the_kind_that_holds_all_its_values(values: list[Json], kind: Any) -> None:
    seen = Seen()
    for value in values:
        seen.see(value)
    assert seen.kind() == kind


def test_what_is_nested_too_deep_is_json_text() -> None:
    value: Json = "x"
    for _ in range(MOST_LEVELS + 2):
        value = [value]
    (row,) = written([{"a": value}]).read().to_pylist()
    for _ in range(MOST_LEVELS):
        (row,) = row["a"] if isinstance(row, dict) else row
    assert row == '[["x"]]'


def test_a_column_of_different_kinds_is_text_and_json_text() -> None:
    rows = [{"a": "x"}, {"a": ["甲", 1]}, {"a": 7}, {}]
    with pytest.raises(UsageError):
        written(rows)
    rows[3] = {"b": None}
    file = written(rows)
    assert file.schema_arrow == pyarrow.schema([("a", STRING), ("b", STRING)])
    assert [row["a"] for row in file.read().to_pylist()] == ["x", '["甲",1]', "7", None]


def test_a_field_that_only_the_last_row_has_is_a_column() -> None:
    rows: list[Json] = [{"a": "x"}] * 1000 + [{"b": [{"c": 1}]}]
    read = written(rows).read().to_pylist()
    assert (read[0], read[-1]) == ({"a": "x", "b": None}, {"a": None, "b": [{"c": 1}]})


def test_a_trainers_columns_have_their_types_even_when_they_are_empty() -> None:
    columns = format_of("alpaca", "x.parquet", {}).exporter.columns
    file = written([], columns=columns)
    texts = [(name, STRING) for name in ("instruction", "input", "output", "system")]
    assert file.schema_arrow == pyarrow.schema(
        [*texts, ("history", pyarrow.list_(pyarrow.list_(STRING)))]
    )


def test_every_record_is_in_one_native_table() -> None:
    contents = [one.content for _, one in records() if isinstance(one.content, dict)]
    read = written(contents).read().to_pylist()
    assert [row["question"] for row in read] == [one.get("question") for one in contents]
    assert read[0]["dialogues"] == contents[0]["dialogues"]


def test_rows_are_in_several_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "GROUP_ROWS", 400)
    file = written([{"a": str(at)} for at in range(1000)])
    sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert sizes == [400, 400, 200]
    assert [row["a"] for row in file.read().to_pylist()] == [str(at) for at in range(1000)]


@pytest.mark.parametrize("row", ["text", None, ["a"], {}])
def test_what_is_no_row_of_fields_is_named(row: Json) -> None:
    with pytest.raises(UsageError) as caught:
        written([{"a": 1}, row])
    assert (caught.value.reason, caught.value.data) == ("export_no_row", {"row": 2})


@pytest.mark.parametrize("columns", [None, {"a": str}])
def test_a_text_that_utf_8_cannot_hold_is_refused(columns: Any) -> None:
    with pytest.raises(UsageError) as caught:
        written([{"a": "\ud800"}], columns=columns)
    assert caught.value.reason == "export_row"


def test_without_the_extra_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError) as caught:
        Parquet()
    assert "pip install 'corpusmith[tables]'" in caught.value.message("zh")
