"""Inputs: what a path, a dataset or a hub's name stands for, and which rows are taken."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from corpusmith.contracts import Quota, Save
from corpusmith.errors import NotFound, UsageError
from corpusmith.messages import LANGUAGES
from corpusmith.nouns import Dataset
from corpusmith.service.fields import FieldsError
from corpusmith.service.input_part import InputPart, input_from_folder, input_part
from corpusmith.service.inputs import BadInputs, InputError, rows_of
from corpusmith.store.schema import records
from corpusmith.store.store import SqlStore
from corpusmith.values import Draft, Item, Json, Outcome

ROWS = [{"n": n, "kind": "甲" if n % 2 else "乙"} for n in range(10)]


def jsonl(path: Path, rows: Iterable[Json]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    return path


@pytest.fixture
def empty(sqlite_url: str, opened: Any) -> SqlStore:
    """A store with nothing in it."""
    store: SqlStore = opened(sqlite_url)
    return store


def refused(given: Json, store: SqlStore) -> UsageError:
    with pytest.raises(UsageError) as caught:
        list(rows_of(input_part(given, source="t"), store))
    for language in LANGUAGES:
        assert not caught.value.message(language).startswith("error.")
    return caught.value


# ---------------------------------------------------------------- how it is written


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ("a.jsonl", {"path": "a.jsonl"}),
        ("books/**/*.md", {"path": "books/**/*.md"}),
        ("dataset:我的", {"dataset": "我的"}),
        ("hub:aligner/aligner-20K", {"hub": "aligner/aligner-20K"}),
        ("C:\\data\\a.csv", {"path": "C:\\data\\a.csv"}),
        ({"path": "a.txt", "chunk_size": 500}, {"path": "a.txt", "chunk_size": 500}),
    ],
)
def test_an_input_is_written_in_short_or_in_full(given: Json, fields: dict[str, Json]) -> None:
    assert input_part(given, source="t") == InputPart(**fields)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "input_one_source"),
        ({"path": "a", "dataset": "b"}, "input_one_source"),
        ({"path": "a", "sample": 1, "limit": 1}, "input_sample_or_limit"),
        ({"path": "a", "split": "train"}, "input_only_hub"),
        ({"dataset": "a", "chunk_size": 100}, "input_only_documents"),
        ({"path": "a", "chunk_size": 50, "chunk_overlap": 50}, "input_overlap"),
        ({"path": "a", "chunks": 1}, "extra_forbidden"),
        ({"path": "a", "limit": 0}, "greater_than_equal"),
        ({"path": ""}, "string_too_short"),
    ],
)
def test_an_input_that_makes_no_sense_says_which_field(given: Json, problem: str) -> None:
    with pytest.raises(FieldsError) as caught:
        input_part(given, source="t.yaml")
    assert [one.type for one in caught.value.data["problems"]] == [problem]
    for language in LANGUAGES:
        assert "problem." not in caught.value.message(language)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a.csv", "/w/a.csv"),
        ("/abs/a.csv", "/abs/a.csv"),
        ("dataset:x", "dataset:x"),
        ({"path": "a.csv", "limit": 1}, {"path": "/w/a.csv", "limit": 1}),
        ({"hub": "a/b"}, {"hub": "a/b"}),
        (3, 3),
    ],
)
def test_a_path_in_a_file_starts_from_its_folder(given: Json, wanted: Json) -> None:
    assert input_from_folder(given, Path("/w")) == wanted


# ---------------------------------------------------------------- rows of files


def test_rows_of_a_file_are_as_they_are(tmp_path: Path, empty: SqlStore) -> None:
    assert list(rows_of(str(jsonl(tmp_path / "a.jsonl", ROWS)), empty)) == ROWS


def test_where_takes_rows_by_their_values(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", [*ROWS, {"kind": None}, {"n": True}])

    def taken(**where: Json) -> list[Json]:
        return [row.get("n") for row in rows_of(InputPart(path=str(path), where=where), empty)]

    assert taken(kind="甲") == [1, 3, 5, 7, 9]
    assert taken(kind="甲", n=[3, 4, 5]) == [3, 5]
    assert taken(n=1) == [1]
    assert taken(n=True) == [True]


def test_where_finds_numbers_in_a_csv(tmp_path: Path, empty: SqlStore) -> None:
    path = text(tmp_path / "a.csv", "n,ok\n1,true\n2,false\n")
    part = InputPart(path=str(path), where={"n": 1, "ok": True})
    assert list(rows_of(part, empty)) == [{"n": "1", "ok": "true"}]


def test_map_gives_fields_their_new_names(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"prompt": "问", "question": "旧", "x": 1}, {"x": 2}])
    part = InputPart(path=str(path), map={"question": "prompt"})
    assert list(rows_of(part, empty)) == [{"x": 1, "question": "问"}, {"x": 2}]


def test_limit_takes_the_first_and_reads_no_further(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    assert list(rows_of(InputPart(path=str(path), limit=3), empty)) == ROWS[:3]


def test_a_sample_is_the_same_for_a_seed_and_in_order(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"n": n} for n in range(1000)])
    part = InputPart(path=str(path), sample=50)

    def drawn(seed: int) -> list[int]:
        return [row["n"] for row in rows_of(part, empty, seed=seed)]

    once = drawn(1)
    assert (len(set(once)), once) == (50, sorted(once))
    assert drawn(1) == once != drawn(2)
    assert 350 < sum(drawn(3)) / 50 < 650


def test_a_sample_of_more_than_there_is_is_all(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    assert list(rows_of(InputPart(path=str(path), sample=99), empty)) == ROWS


def test_bad_rows_are_told_with_their_place_and_the_others_taken(
    tmp_path: Path, empty: SqlStore
) -> None:
    path = text(tmp_path / "a.jsonl", '{"n": 1}\nno json\n[1]\n{"n": 2}\n')
    bad = BadInputs(keep=1)
    assert list(rows_of(str(path), empty, bad=bad)) == [{"n": 1}, {"n": 2}]
    (first,) = bad.first
    assert (bad.count, first.file, first.line, first.raw) == (2, str(path), 2, "no json")
    assert (first.text("en"), first.text("zh")) == (
        f"{path}, row 2: This is not valid JSON.",
        f"{path} 第 2 行：{first.text('zh').partition('：')[2]}",
    )


def test_a_file_of_bad_rows_only_is_refused_with_the_first(tmp_path: Path, empty: SqlStore) -> None:
    path = text(tmp_path / "a.jsonl", "no json\n[1]\n")
    error = refused(str(path), empty)
    assert isinstance(error, InputError)
    assert (error.data["bad"], error.data["one"].line) == (2, 1)
    assert "row 1: This is not valid JSON." in error.message("en")


# ---------------------------------------------------------------- documents


def test_a_document_gives_its_chunks_with_source_and_place(tmp_path: Path, empty: SqlStore) -> None:
    path = text(
        tmp_path / "书.md", "# 章\n\n第一句话在这里说完。\n\n## 节\n\n第二句话在这里说完。\n"
    )
    part = InputPart(path=str(path), chunk_size=20, chunk_overlap=0, split_by="headings")
    shared = {"source": "书.md", "title": "章", "chunks": 2}
    assert list(rows_of(part, empty)) == [
        {"text": "# 章\n\n第一句话在这里说完。", **shared, "heading": "章", "chunk": 1},
        {"text": "## 节\n\n第二句话在这里说完。", **shared, "heading": "章 > 节", "chunk": 2},
    ]


def test_a_folder_gives_its_files_in_order_named_from_it(tmp_path: Path, empty: SqlStore) -> None:
    text(tmp_path / "b.txt", "乙")
    text(tmp_path / "a" / "c.md", "丙")
    jsonl(tmp_path / "d.jsonl", [{"n": 1}])
    text(tmp_path / "picture.png", "x")
    text(tmp_path / ".hidden" / "e.txt", "x")
    text(tmp_path / "~$b.docx", "x")
    found = list(rows_of(str(tmp_path), empty))
    assert [row.get("source", row.get("n")) for row in found] == ["a/c.md", "b.txt", 1]


def test_a_glob_gives_what_it_matches_named_from_its_fixed_part(
    tmp_path: Path, empty: SqlStore
) -> None:
    text(tmp_path / "x" / "a.md", "甲")
    text(tmp_path / "x" / "y" / "b.md", "乙")
    text(tmp_path / "x" / "c.txt", "丙")
    found = rows_of(str(tmp_path / "x" / "**" / "*.md"), empty)
    assert [row["source"] for row in found] == ["a.md", "y/b.md"]


def test_a_name_with_a_globs_signs_is_a_file_when_it_is_there(
    tmp_path: Path, empty: SqlStore
) -> None:
    path = text(tmp_path / "a[1].txt", "甲")
    assert [row["text"] for row in rows_of(str(path), empty)] == ["甲"]


def test_a_bad_document_among_others_is_told_and_alone_is_raised(
    tmp_path: Path, empty: SqlStore
) -> None:
    text(tmp_path / "a.txt", "甲")
    broken = text(tmp_path / "b.pdf", "no pdf")
    bad = BadInputs()
    assert [row["text"] for row in rows_of(str(tmp_path), empty, bad=bad)] == ["甲"]
    assert [(one.file, one.line, one.reason) for one in bad.first] == [
        (str(broken), 0, "document_broken")
    ]
    assert str(broken) in bad.first[0].text("zh")
    assert refused(str(broken), empty).reason == "document_broken"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.jsonl", None, "input_nothing"),
        ("none*.md", None, "input_no_files"),
        ("a.xlsx", "x", "input_unknown_suffix"),
        ("empty.txt", " ", "document_empty"),
        ("empty.jsonl", "", "rows_empty"),
        ("empty.json", "[]", "input_empty"),
    ],
)
def test_nothing_to_read_says_why(
    name: str, content: str | None, reason: str, tmp_path: Path, empty: SqlStore
) -> None:
    if content is not None:
        text(tmp_path / name, content)
    assert refused(str(tmp_path / name), empty).reason == reason


def test_rows_that_none_fit_are_told_apart_from_none(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    error = refused({"path": str(path), "where": {"kind": "丙"}}, empty)
    assert (error.reason, error.data["where"]) == ("input_none_fit", "kind=丙")


def test_reading_is_lazy(tmp_path: Path, empty: SqlStore) -> None:
    path = text(tmp_path / "a.jsonl", '{"n": 1}\n' * 3)
    assert next(rows_of(str(path), empty)) == {"n": 1}


# ---------------------------------------------------------------- datasets


def filled(store: SqlStore, contents: list[Json]) -> list[int]:
    """A dataset `集` with these records; their ids."""
    store.datasets.add(Dataset(name="集"))
    task = store.tasks.create(
        name="t",
        recipe="dialogue",
        spec={},
        dataset=None,
        requested=len(contents),
        seed=1,
        quotas=[Quota(name="类", count=len(contents))],
        connections={},
    )
    lease = store.acquire(task.id, "me", 60.0, 0.0)
    transaction = store.transaction()
    transaction.begin()
    saves = []
    for ordinal, content in enumerate(contents):
        draft = Draft(content=content, labels={"scenario": "场景" if ordinal else "另"})
        item = Item(task_seed=1, category="类", ordinal=ordinal)
        outcome = Outcome(item=item, drafts=(draft,))
        save = Save(
            task_id=task.id, fence=lease.fence, outcome=outcome, accepted=(draft,), misses=()
        )
        saves.append(save)
    assert transaction.apply(saves) == [None] * len(contents)
    transaction.commit()
    store.records.commit(task.id, "集")
    return [record.id for record in store.records.iterate(dataset="集")]


def test_a_dataset_gives_contents_with_their_records_id(store: SqlStore) -> None:
    ids = filled(store, [{"q": "一"}, {"q": "二", "record_id": "own"}, "text"])
    assert list(rows_of("dataset:集", store)) == [
        {"record_id": ids[0], "q": "一"},
        {"record_id": "own", "q": "二"},
        {"record_id": ids[2], "content": "text"},
    ]


def test_where_knows_a_records_labels_and_category(store: SqlStore) -> None:
    filled(store, [{"q": "一"}, {"q": "二"}, {"q": "三", "scenario": "另"}])

    def taken(**where: Json) -> list[Json]:
        part = InputPart(dataset="集", where=where)
        return [row["q"] for row in rows_of(part, store)]

    assert taken(scenario="另") == ["一", "三"]
    assert taken(category="类", scenario="场景") == ["二"]


def test_records_that_a_person_rejected_are_left_out_unless_asked_for(store: SqlStore) -> None:
    ids = filled(store, [{"q": "一"}, {"q": "二"}])
    with store._database.write() as connection:
        connection.execute(update(records).where(records.c.id == ids[0]).values(state="rejected"))
    assert [row["q"] for row in rows_of("dataset:集", store)] == ["二"]
    both = InputPart(dataset="集", where={"state": ["rejected", "pending"]})
    assert [row["q"] for row in rows_of(both, store)] == ["一", "二"]


def test_an_unknown_dataset_is_named(empty: SqlStore) -> None:
    error = refused("dataset:无", empty)
    assert isinstance(error, NotFound)


def test_a_hubs_data_set_gives_its_rows(tmp_path: Path, empty: SqlStore) -> None:
    jsonl(tmp_path / "set" / "train.jsonl", ROWS)
    part = InputPart(hub=str(tmp_path / "set"), where={"kind": "甲"}, limit=2)
    assert list(rows_of(part, empty)) == [ROWS[1], ROWS[3]]


def test_a_long_input_is_read_as_it_is_used(tmp_path: Path, empty: SqlStore) -> None:
    path = jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(50_000)))
    first = list(itertools.islice(rows_of(str(path), empty), 2))
    assert first == [{"n": 0}, {"n": 1}]
