"""A new dataset out of others by shares: seeded, without replacement, honest about what lacks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cli_kit import Cli
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from corpusmith.service.draw import draw
from corpusmith.service.studio import Studio
from corpusmith.store.schema import records

FILE = """\
name: mixed
total: 20
seed: 7
dataset: 混合
categories:
  - {name: 闲聊, share: 40%, dataset: chat, where: {level: 简单}}
  - {name: 其余, share: 35%, dataset: chat}
  - {name: 代码, share: 25%, dataset: code}
"""


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Path:
    """A folder with `s.yaml`, and two datasets of 30 and 10 records."""
    for name, count in (("chat", 30), ("code", 10)):
        rows = [{"n": f"{name}{n}", "level": "简单" if n % 2 else "难"} for n in range(count)]
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        assert cli("import", file, "--dataset", name).code == 0
    (tmp_path / "s.yaml").write_text(FILE, "utf-8")
    return tmp_path


@pytest.fixture
def studio(filled: Path, home: Path) -> Iterator[Studio]:
    with Studio(db=f"sqlite:///{home / 'corpusmith.db'}", language="en") as one:
        yield one


def rows(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def names(studio: Studio, dataset: str) -> list[str]:
    return [record.content["n"] for record in studio.store.records.iterate(dataset=dataset)]


def test_the_documented_command_samples_by_ratio(cli: Cli, filled: Path, studio: Studio) -> None:
    out = filled / "out.jsonl"
    ran = cli("ratio", filled / "s.yaml", "--output", out)
    assert ran.code == 0, ran.err
    records = list(studio.store.records.iterate(dataset="混合"))
    assert Counter(record.labels["category"] for record in records) == {
        "闲聊": 8,
        "其余": 7,
        "代码": 5,
    }
    assert [record.content for record in records] == rows(out)
    assert len({record.content["n"] for record in records}) == 20
    assert {r.content["level"] for r in records if r.labels["category"] == "闲聊"} == {"简单"}


def test_the_files_name_says_its_format(cli: Cli, filled: Path) -> None:
    assert cli("ratio", filled / "s.yaml", "--output", filled / "a.csv").code == 0
    assert (filled / "a.csv").read_text("utf-8").splitlines()[0] == "n,level"
    text = (filled / "s.yaml").read_text("utf-8").replace("混合", "又一个")
    (filled / "s.yaml").write_text(text + "output: b.csv\n", "utf-8")
    assert cli("run", filled / "s.yaml").code == 0
    assert (filled / "b.csv").read_text("utf-8").splitlines()[0] == "n,level"


def test_the_same_seed_draws_the_same_and_another_does_not(studio: Studio, filled: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        studio.sampling.run(filled / "s.yaml", dataset=name, seed=seed)
    assert names(studio, "a") == names(studio, "b") != names(studio, "c")


def test_three_thirds_are_a_whole_also_in_wide_signs(studio: Studio, filled: Path) -> None:
    categories = [{"name": n, "share": "33.3％", "dataset": "chat"} for n in ("a", "b", "c")]
    found = studio.sampling.preview({"total": 10, "categories": categories}).found
    assert found == {"a": 4, "b": 3, "c": 3}


def test_what_a_person_rejected_is_drawn_only_where_it_is_asked_for(
    studio: Studio, filled: Path
) -> None:
    ids = [record.id for record in studio.store.records.iterate(dataset="chat")][:25]
    with studio.store._database.write() as connection:
        connection.execute(update(records).where(records.c.id.in_(ids)).values(state="rejected"))
    category = {"name": "all", "share": 1, "dataset": "chat"}
    asked = {**category, "where": {"state": ["pending", "rejected"]}}
    found = [
        studio.sampling.preview({"total": 30, "categories": [one]}).found["all"]
        for one in (category, asked)
    ]
    assert found == [5, 30]


def test_a_copy_says_where_it_is_from(studio: Studio, filled: Path) -> None:
    studio.sampling.run(filled / "s.yaml")
    for record in studio.store.records.iterate(dataset="混合"):
        origin = record.provenance["from"]
        (source,) = studio.store.records.some([origin["record"]])
        assert (source.content, record.provenance["category"]) == (
            record.content,
            record.labels["category"],
        )


def test_the_task_counts_its_categories(studio: Studio, filled: Path) -> None:
    done = studio.sampling.run(filled / "s.yaml")
    assert done.task_id is not None
    quotas = studio.tasks.quotas(done.task_id)
    assert [(one.name, one.count, one.attempted, one.accepted) for one in quotas] == [
        ("闲聊", 8, 8, 8),
        ("其余", 7, 7, 7),
        ("代码", 5, 5, 5),
    ]
    task = studio.tasks.get(done.task_id)
    assert (task.recipe, task.status, task.counts.accepted, task.seed) == (
        "sample",
        "finished",
        20,
        7,
    )


def test_what_lacks_is_said_for_its_category(cli: Cli, filled: Path) -> None:
    ran = cli("ratio", filled / "s.yaml", "--json", "--output", filled / "o.jsonl")
    assert ran.code == 0
    (filled / "s.yaml").write_text(FILE.replace("20", "80").replace("混合", "更多"), "utf-8")
    short = cli("ratio", filled / "s.yaml", "--json")
    said = json.loads(short.out)
    # 15 easy ones and 30 in all are shared by two categories; code has 10.
    assert (short.code, said["sampled"]["found"], said["shortfalls"]) == (
        3,
        {"闲聊": 15, "其余": 15, "代码": 10},
        {"闲聊": 17, "其余": 13, "代码": 10},
    )


def test_a_strict_sample_is_refused_whole(cli: Cli, filled: Path) -> None:
    (filled / "s.yaml").write_text("strict: true\n" + FILE.replace("20", "80"), "utf-8")
    ran = cli("ratio", filled / "s.yaml")
    assert (ran.code, ran.err) == (
        2,
        "error: The datasets hold too little for these shares, and 'strict' is on. Lacking: "
        "闲聊 17, 其余 13, 代码 10. Nothing was sampled.\n",
    )
    assert cli("datasets", "show", "混合").code == 2


WRONG = {
    "total: 20": ("total: 0", "  total: must be at least 1"),
    "share: 25%": ("share: 20%", "  the percents make 95%, not 100%"),
    "share: 40%": ("share: 4", "  some shares are percents and some numbers"),
    "name: 代码": ("name: 其余", "  categories: the name '其余' stands there twice"),
    "dataset: code}": ("dataset: cod}", "There is no dataset named “cod”"),
    "{level: 简单}": ("{levl: 简单}", "The category “闲聊” asks for “levl”, but no record"),
    "dataset: 混合": ("dataset: code", "“code” is both sampled and sampled into"),
}


@pytest.mark.parametrize("right", WRONG)
def test_a_wrong_file_is_refused_before_anything_is_made(
    cli: Cli, filled: Path, right: str
) -> None:
    wrong, message = WRONG[right]
    (filled / "s.yaml").write_text(FILE.replace(right, wrong), "utf-8")
    ran = cli("ratio", filled / "s.yaml")
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert len(json.loads(cli("tasks", "list", "--json").out)) == 2


def test_a_second_sample_into_the_same_dataset_is_refused(
    studio: Studio, cli: Cli, filled: Path
) -> None:
    assert cli("ratio", filled / "s.yaml").code == 0
    ran = cli("ratio", filled / "s.yaml")
    assert (ran.code, "holds 20 records already" in ran.err) == (2, True)


def test_sampled_dialogues_keep_their_characters_and_outlive_their_task(
    cli: Cli, url: str, tmp_path: Path
) -> None:
    card = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
    words = ["--scenario", "日常对话", "--base-url", url, "--model", "any", "--dataset", "talk"]
    assert cli("generate", "--character", card, "-n", 4, *words).code == 0
    sample = {
        "total": 4,
        "dataset": "some",
        "categories": [{"name": "a", "share": 1, "dataset": "talk"}],
    }
    (tmp_path / "s.json").write_text(json.dumps(sample), "utf-8")
    assert cli("run", tmp_path / "s.json").code == 0
    out = tmp_path / "chats.jsonl"
    words = ["--dataset", "some", "--format", "messages", "--system", "character", "-o", out]
    assert cli("export", *words).code == 0
    assert [row["messages"][0]["role"] for row in rows(out)] == ["system"] * 4
    assert cli("tasks", "delete", 1, "--yes").code == 0
    assert "林知秋 × 4" in cli("export", *words).err  # the task knew the card
    assert cli("export", "--dataset", "some", "--format", "messages", "-o", out).code == 0
    assert [row["messages"][0]["role"] for row in rows(out)] == ["user"] * 4


POOLS = st.dictionaries(st.integers(1, 15), st.integers(0, 8), max_size=6)


@given(sizes=POOLS, quotas=st.lists(st.integers(0, 12), min_size=4, max_size=4), seed=st.integers())
@settings(max_examples=200, deadline=None)
def test_a_draw_takes_no_record_twice_and_as_many_as_can_be(
    sizes: dict[int, int], quotas: list[int], seed: int
) -> None:
    taken = draw(sizes, quotas, Random(seed))
    used: Counter[int] = sum(taken, Counter())
    assert all(used[pool] <= size for pool, size in sizes.items())
    assert all(pool >> at & 1 for at, one in enumerate(taken) for pool in +one)
    assert [one.total() <= quota for one, quota in zip(taken, quotas, strict=True)] == [True] * 4
    # Hall's theorem: no set of categories could have had more than its pools hold.
    most = min(
        sum(size for pool, size in sizes.items() if pool & group)
        + sum(quota for at, quota in enumerate(quotas) if not group >> at & 1)
        for group in range(16)
    )
    assert used.total() == most
