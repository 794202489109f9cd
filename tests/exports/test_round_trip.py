"""What is exported comes back the same through the project's own readers; nothing crashes."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from export_cases import CONTENTS, record, records
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith import registry
from corpusmith.errors import UsageError
from corpusmith.exports.files import write_file
from corpusmith.exports.formats import format_of
from corpusmith.readers.rows import read_rows
from corpusmith.readers.shapes import convert
from corpusmith.values import Json

ANY = st.text(st.characters(exclude_categories=["Cs"]))
SAID = ANY.filter(lambda text: text.strip() and "<" not in text)
HEADINGS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)

TRAINERS = sorted(set(registry.names("exporter")) - set(registry.names("container")))


def back(form: str, suffix: str, contents: list[Json]) -> list[Any]:
    """Written, and read as a file of somebody else's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        chosen = format_of(form, str(path), {})
        made = [row for one in contents for row in chosen.exporter.rows(record(one))]
        assert write_file(path, chosen.container, made).rows == len(made)
        bad: list[Any] = []
        found = [row for _, row in read_rows(path, bad=bad.append)]
        assert bad == []
        return found


OBJECTS = st.lists(
    st.dictionaries(
        KEYS,
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | ANY,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
            max_leaves=6,
        ),
    ),
    min_size=1,
    max_size=5,
)


@given(OBJECTS)
@settings(max_examples=40)
def test_native_json_comes_back_the_same(contents: list[Json]) -> None:
    assert back("json", ".json", contents) == contents
    assert back("jsonl", ".jsonl", contents) == contents


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, str]]:
    """Rows of the same fields, each a text; a reader passes over rows with nothing in them, and
    tells separator and encoding by the header."""
    names = draw(st.lists(HEADINGS, min_size=1, max_size=4, unique=True))
    return [
        {name: draw(ANY) for name in names} | {names[0]: draw(ANY) + "x"}
        for _ in range(draw(st.integers(1, 4)))
    ]


@given(tables())
@settings(max_examples=40)
def test_a_table_of_texts_comes_back_the_same(rows: list[dict[str, str]]) -> None:
    assert back("csv", ".csv", rows) == rows
    assert back("parquet", ".parquet", rows) == rows


ODD: dict[str, str] = {
    "nul": "a\0b\0",
    "next line": "a\x85b\x85",
    "line separators": "\u2028a\u2029",
    "byte order mark": "\ufeffa\ufeff",
    "line ends": "a\r\nb\rc\nd\n\r",
    "blanks at the ends": " \t a\u3000\u00a0 ",
    "blank": "   ",
    "empty": "",
    "a number": "1e5",
    "a number with zeros": "00123",
    "a long number": "9" * 40,
    "a date": "2024-12-01T10:00:00Z",
    "a flag": "true",
    "no value": "null",
    "a pandas word": "NA",
    "JSON": '[{"a": 1}]',
    "a formula": '=cmd|" /C calc"!A0',
    "quotes": '"\'”’`""',
    "separators": "a,b;c\td|e",
    "controls": "\x01\x1b[31m\x7f\x9f",
    "right to left": "\u202eabc\u2066",
    "combined": "e\u0301 👩‍👩‍👧 \U0010ffff\ufffe\uffff",
    "escapes": "\\n \\u0000 %s {x} {{y}} &amp; <b>",
    "very long": "长" * 1_000_000,
}


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_text_comes_back_the_same(text: str, form: str) -> None:
    rows: list[Json] = [{"a": text, "b": "x"}, {"a": "y", "b": text}]
    assert back(form, f".{form}", rows) == rows


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize("name", [text for text in ODD.values() if len(text) < 100])
def test_an_odd_name_of_a_field_comes_back_the_same(name: str, form: str) -> None:
    rows: list[Json] = [{"x": "a", name: "b", "deep": {name: ["c"]}}]
    assert back(form, f".{form}", rows) == rows


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc80\ud800"])
def test_half_a_character_is_refused_by_its_row(text: str, form: str) -> None:
    for row in ({"a": text}, {"a": [text]}, {text: "a"}):
        with pytest.raises(UsageError) as caught:
            back(form, f".{form}", [{"a": "x"}, row])
        assert caught.value.reason == "export_row"


CELLS: dict[str, st.SearchStrategy[Json]] = {
    "text": ANY,
    "flag": st.booleans(),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "texts": st.lists(ANY, max_size=3),
    "turns": st.lists(st.fixed_dictionaries({"role": ANY, "content": ANY}), max_size=3),
    "deep": st.fixed_dictionaries({"a": st.fixed_dictionaries({"b": st.lists(ANY)}), "c": ANY}),
}


@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4))
@settings(max_examples=40)
def test_typed_columns_of_parquet_come_back_the_same(rows: list[Json]) -> None:
    assert back("parquet", ".parquet", rows) == rows


CHATS = st.lists(st.tuples(SAID, SAID), min_size=1, max_size=3)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
@pytest.mark.parametrize("form", ["messages", "sharegpt", "alpaca"])
@given(turns=CHATS, system=st.just("") | SAID)
@settings(max_examples=15)
def test_a_chat_comes_back_the_same(
    form: str, suffix: str, turns: list[tuple[str, str]], system: str
) -> None:
    chat = [
        {"role": role, "content": text}
        for pair in turns
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    chat = [{"role": "system", "content": system}, *chat] if system else chat
    (row,) = back(form, suffix, [{"messages": chat}])
    stored, _ = convert(form, row)
    (again,) = format_of("messages", "x", {}).exporter.rows(record(stored))
    assert again == {"messages": chat}


ROLE = st.sampled_from(["user", "assistant", "system", "tool", "function_call", "x", ""])
SMALL = st.none() | st.booleans() | st.integers() | st.floats() | ANY
TURN = {"role": ROLE | SMALL, "content": SMALL}
LOOSE = st.recursive(
    SMALL
    | st.fixed_dictionaries(
        {"role": ROLE | SMALL, "content": SMALL}, optional={"reasoning": SMALL}
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("dialogues", "messages", "conversations", "rounds", "chosen", "rejected", "label"),
        *("prompt", "completion", "response", "question", "answer", "correction", "final_answer"),
        *("initial_answer", "refinement_process", "instruction", "input", "output", "history"),
        *("system", "text", "summary", "rating", "user_input", "model_response", "tools"),
    ]
)
OPTIONS = st.fixed_dictionaries(
    {
        "mend": st.booleans(),
        "reasoning": st.booleans(),
        "greeting": st.sampled_from(["refuse", "opener", "system"]),
        "rounds": st.sampled_from(["history", "single"]),
    }
)


@given(content=LOOSE | st.dictionaries(NAMES, LOOSE, max_size=6), options=OPTIONS)
@settings(max_examples=150)
def test_no_record_whatever_it_holds_is_more_than_refused(
    content: Json, options: dict[str, Json]
) -> None:
    for name in TRAINERS:
        exporter = format_of(name, "x", options).exporter
        try:
            made = exporter.rows(record(content, 42))
        except UsageError as error:
            assert error.data["record"] == 42
            continue
        columns = exporter.columns
        assert made and all(list(row) == list(columns or ()) for row in made)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize("form", TRAINERS)
def test_every_format_goes_into_every_container(form: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    chosen = format_of(form, str(path), {})
    made: list[Any] = []
    for _, one in records():
        if isinstance(one.content, dict):
            try:
                made += chosen.exporter.rows(one)
            except UsageError:
                continue
    assert write_file(path, chosen.container, made).rows == len(made)
    bad: list[Any] = []
    found = [row for _, row in read_rows(path, bad=bad.append)]
    assert (len(found), bad) == (len(made), [])
    if chosen.container.nested:
        assert found == made


@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        *((form, ".jsonl") for form in ("messages", "alpaca", "sharegpt", "kto", "dpo")),
        *(("alpaca", ".csv"), ("messages", ".parquet")),
    ],
)
def test_memory_does_not_grow_with_the_number_of_records(
    form: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x{suffix}"
    kind = CONTENTS["triple"] if form == "dpo" else CONTENTS["qa"]
    chosen = format_of(form, str(path), {})

    def peak_bytes(count: int) -> int:
        tracemalloc.start()
        try:
            made = (
                row
                for number in range(count)
                for row in chosen.exporter.rows(record(dict(kind), number, rating=5))
            )
            assert write_file(path, chosen.container, made).rows == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak_bytes(2_000)
    assert peak_bytes(10_000) < few + 200_000
