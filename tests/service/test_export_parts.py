"""Splits and balance: by digests, the same in whatever order records come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from export_kit import chat, draft, imported, lines, made, studio
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import UsageError
from corpusmith.service.export_groups import Groups
from corpusmith.service.export_parts import balance_of, split_of
from corpusmith.values import Record


def record(number: int, content: Any, **more: Any) -> Record:
    fields: dict[str, Any] = {
        "id": number,
        "task_id": 1,
        "dataset_id": 1,
        "category": "c",
        "ordinal": number,
        "sample": 0,
        "content": content,
        "provenance": {},
        "labels": {},
        "state": "pending",
        "committed": True,
        "created_at": "2026-01-01T00:00:00.000Z",
    }
    return Record(**{**fields, **more})


# ---------------------------------------------------------------- what is asked for


@pytest.mark.parametrize(
    ("wish", "shares"),
    [
        ("train=0.9,validation=0.1", {"train": 0.9, "validation": 0.1}),
        ("validation=10%", {"train": 0.9, "validation": 0.1}),
        ("train=80%, validation=10%, test=10%", {"train": 0.8, "validation": 0.1, "test": 0.1}),
        ({"train": 0.5, "test": 0.5}, {"train": 0.5, "test": 0.5}),
    ],
)
def test_a_split_is_read(wish: Any, shares: dict[str, float]) -> None:
    assert dict(split_of(wish, 0).shares) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ("", "export_split"),
        ("train", "export_split"),
        ("train=0,validation=1", "export_split"),
        ("train=-1", "export_split"),
        ("train=nan", "export_split"),
        ("../x=0.5", "export_split"),
        ("训练=0.5", "export_split"),
        ("train=1.5", "export_split"),
        ("train=0.5,train=0.5", "export_split_twice"),
        ("Train=0.5,train=0.5", "export_split_twice"),
        ("train=0.9,test=0.2", "export_split_sum"),
        ("train=0.5,test=0.2", "export_split_sum"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(wish: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_of(wish, 0)
    assert caught.value.reason == code


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ("model", "export_balance"),
        ("", "export_balance"),
        ("category=0", "export_balance_count"),
        ("category=", "export_balance_count"),
        ("category=²", "export_balance_count"),
        ("scenario=1.5", "export_balance_count"),
    ],
)
def test_a_balance_that_makes_no_sense_is_refused(wish: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        balance_of(wish, 0)
    assert caught.value.reason == code


# ---------------------------------------------------------------- split


def test_a_groups_part_depends_on_the_seed_and_the_group_alone() -> None:
    split = split_of("train=0.7,validation=0.2,test=0.1", 5)
    first = [split.part(("item", n)) for n in range(2000)]
    again = split_of("train=0.7,validation=0.2,test=0.1", 5)
    assert [again.part(("item", n)) for n in reversed(range(2000))] == first[::-1]
    assert split_of("train=0.7,validation=0.2,test=0.1", 6).part(("item", 0)) in split.names
    assert [first.count(name) / 2000 for name in split.names] == pytest.approx(
        [0.7, 0.2, 0.1], abs=0.04
    )
    other = split_of("train=0.7,validation=0.2,test=0.1", 6)
    assert [other.part(("item", n)) for n in range(2000)] != first


def groups_of(one: Any, dataset: str) -> list[Any]:
    records = one.store.records.iterate(dataset=dataset)
    return [key for _, _, key in Groups(one.store).keyed((r, None) for r in records)]


def test_samples_of_one_request_are_one_group(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        items = [[draft({"text": f"{n}{m}"}, seed=7, item=f"c#{n}") for m in "ab"] for n in (0, 1)]
        made(one, "d", {"c": items})
        assert groups_of(one, "d") == [("item", 7, "c#0")] * 2 + [("item", 7, "c#1")] * 2


def test_a_conversation_is_one_group_whatever_task_went_on_with_it(tmp_path: Path) -> None:
    rounds = [{"question": "q", "answer": "a", "correction": "c"}]
    with studio(tmp_path) as one:
        for seed in (1, 2):
            content = {"id": "r1-000001", "rounds": rounds * seed}
            made(one, "d", {"c": [[draft(content, seed=seed)]]}, recipe="rounds", seed=seed)
        assert groups_of(one, "d") == [("conversation", "r1-000001")] * 2


def test_chunks_of_one_document_are_one_group_in_any_task(tmp_path: Path) -> None:
    rows = [
        {"text": "x", "source": "a.md", "chunk": 1},
        {"text": "y", "source": "a.md", "chunk": 2},
        {"text": "z", "source": "b.md", "chunk": 1},
        {"text": "no document"},
    ]
    with studio(tmp_path) as one:
        for seed in (1, 2):
            items = [[draft({"q": str(n)}, row=n, seed=seed, item=f"c#{n}")] for n in range(4)]
            made(one, "d", {"c": items}, recipe="template", inputs=rows, seed=seed)
        keys = groups_of(one, "d")
        assert keys[:3] == [("document", "a.md"), ("document", "a.md"), ("document", "b.md")]
        assert keys[3][0] == "row"
        assert keys[4:] == keys[:4]


def test_a_sample_is_in_the_group_of_what_it_was_drawn_from(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        items = [[draft(chat(f"{n}{m}"), seed=7, item=f"c#{n}") for m in "ab"] for n in range(3)]
        made(one, "d", {"c": items})
        one.sampling.run(
            {"dataset": "s", "total": 6, "categories": [{"name": "x", "dataset": "d", "share": 1}]}
        )
        assert sorted(groups_of(one, "s")) == sorted(groups_of(one, "d"))
        one.store.records.delete([r.id for r in one.store.records.iterate(dataset="d")])
        assert {key[0] for key in groups_of(one, "s")} == {"record"}


def test_rows_that_judge_answers_to_one_question_are_one_group(tmp_path: Path) -> None:
    rows = [{"prompt": "why?", "completion": str(n), "label": n == 1} for n in range(3)]
    with studio(tmp_path) as one:
        imported(one, tmp_path, "k", [*rows, {**rows[0], "prompt": "how?"}])
        keys = groups_of(one, "k")
        assert (len(set(keys[:3])), keys[3] != keys[0]) == (1, True)


def test_a_line_that_is_imported_twice_is_one_group(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        for _ in range(2):
            imported(one, tmp_path, "d", [chat("a"), chat("b")])
        keys = groups_of(one, "d")
        assert keys == [("line", "d.jsonl", 1), ("line", "d.jsonl", 2)] * 2


def test_no_group_is_in_two_parts(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        items = [
            [draft(chat(f"{n}.{m}"), seed=7, item=f"c#{n}") for m in range(4)] for n in range(60)
        ]
        made(one, "d", {"c": items})
        one.exports.write(
            tmp_path / "o.jsonl", dataset="d", form="messages", split="train=0.5,test=0.5"
        )
        parts = [
            {
                row["messages"][0]["content"].split(".")[0]
                for row in lines(tmp_path / f"o-{p}.jsonl")
            }
            for p in ("train", "test")
        ]
        assert parts[0] & parts[1] == set()
        assert len(parts[0] | parts[1]) == 60


# ---------------------------------------------------------------- balance


CONTENTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=60)


@given(rows=CONTENTS, seed=st.integers(0, 99), data=st.data())
def test_the_same_records_are_taken_in_whatever_order_they_come(
    rows: list[tuple[str, int]], seed: int, data: st.DataObject
) -> None:
    def taken(order: list[tuple[str, int]]) -> list[tuple[str, int]]:
        found = [record(n, {"t": text}, category=kind) for n, (kind, text) in enumerate(order)]
        balance = balance_of("category", seed)
        for one in found:
            balance.look(one)
        balance.settle()
        return sorted((r.category, r.content["t"]) for r in found if balance.keeps(r))

    chosen = taken(rows)
    assert taken(data.draw(st.permutations(rows))) == chosen
    least = min(sum(kind == k for k, _ in rows) for kind in {k for k, _ in rows})
    assert {kind: sum(k == kind for k, _ in chosen) for kind, _ in rows} == dict.fromkeys(
        {kind for kind, _ in rows}, least
    )


def test_a_number_may_be_asked_for_and_what_lacks_is_told(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        made(one, "d", {k: [[draft(chat(f"{k}{n}"))] for n in range(c)] for k, c in SIZES.items()})
        done = one.exports.write(
            tmp_path / "o.jsonl", dataset="d", form="messages", balance="category=3"
        )
        assert (done.records, done.left_out, dict(done.kinds), dict(done.short)) == (
            8,
            2,
            SIZES,
            {"small": 1},
        )
        first = [row["messages"][0]["content"][:3] for row in lines(tmp_path / "o.jsonl")]
        assert sorted(first) == ["big"] * 3 + ["mid"] * 3 + ["sma"] * 2


SIZES = {"big": 5, "mid": 3, "small": 2}


def test_a_balanced_export_counts_what_can_be_exported_only(tmp_path: Path) -> None:
    with studio(tmp_path) as one:
        good = [[draft(chat(f"g{n}"))] for n in range(6)]
        bad = [[draft({"no": "chat"})], [draft(chat("b0"))], [draft(chat("b1"))]]
        made(one, "d", {"good": good, "bad": bad})
        done = one.exports.write(
            tmp_path / "o.jsonl",
            dataset="d",
            form="messages",
            balance="category",
            on_refused="skip",
        )
        assert (done.records, dict(done.refused)) == (4, {"export_no_chat": 1})
