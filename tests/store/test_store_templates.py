"""Templates and their versions: the same on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from corpusmith.errors import Conflict, NotFound
from corpusmith.nouns import Template
from corpusmith.store.store import SqlStore

QA = Template(
    name="问答",
    prompt='主题：{topic}\n[{"question": "…"}]',
    system="你是{role}。",
    description="一问一答",
    type="qa",
    language="zh",
    schema={"type": "object", "properties": {"question": {"type": "string"}}},
    vars={"role": ["老师", "医生"], "topic": {"column": "t"}},
    keep=("topic",),
    preset="creative",
    model="m",
    temperature=0.0,
    top_p=0.9,
    max_tokens=100,
)


def test_a_template_is_kept_whole(store: SqlStore) -> None:
    assert store.templates.save(QA) == replace(QA, version=1)
    assert store.templates.get("问答") == replace(QA, version=1)


def test_a_changed_template_is_its_next_version_and_the_old_one_stays(store: SqlStore) -> None:
    store.templates.save(QA)
    changed = store.templates.save(replace(QA, prompt="另一个 {topic}"))
    assert changed == replace(QA, prompt="另一个 {topic}", version=2)
    assert store.templates.get("问答") == changed
    assert store.templates.get("问答", 1) == replace(QA, version=1)
    assert [version for version, _ in store.templates.versions("问答")] == [1, 2]


def test_an_unchanged_template_gets_no_new_version(store: SqlStore) -> None:
    store.templates.save(QA)
    again = store.templates.save(store.templates.get("问答"))
    assert (again.version, len(store.templates.versions("问答"))) == (1, 1)


def test_an_order_of_fields_in_the_schema_is_a_change(store: SqlStore) -> None:
    ab = {"type": "object", "properties": {"a": {}, "b": {}}}
    ba = {"type": "object", "properties": {"b": {}, "a": {}}}
    store.templates.save(replace(QA, schema=ab))
    assert store.templates.save(replace(QA, schema=ba)).version == 2


def test_going_back_to_an_old_body_is_a_version_of_its_own(store: SqlStore) -> None:
    for prompt in ("a", "b", "a"):
        store.templates.save(replace(QA, prompt=prompt))
    prompts = [store.templates.get("问答", version).prompt for version in (1, 2, 3)]
    assert prompts == ["a", "b", "a"]


def test_a_new_template_does_not_overwrite(store: SqlStore) -> None:
    store.templates.add(QA)
    with pytest.raises(Conflict) as caught:
        store.templates.add(replace(QA, prompt="x"))
    assert caught.value.reason == "template_exists"
    assert store.templates.get("问答") == replace(QA, version=1)


def test_lists_show_the_newest_versions_page_by_page(store: SqlStore) -> None:
    for name in ("文", "中", "a", "B"):
        store.templates.save(replace(QA, name=name))
    store.templates.save(replace(QA, name="a", prompt="new"))
    first = store.templates.list(limit=2)
    rest = store.templates.list(limit=5, after=first[-1].name)
    assert [(one.name, one.version) for one in (*first, *rest)] == [
        ("B", 1),
        ("a", 2),
        ("中", 1),
        ("文", 1),
    ]
    assert first[1].prompt == "new"


def test_lists_are_searched_and_filtered_by_type(store: SqlStore) -> None:
    store.templates.save(QA)
    store.templates.save(Template(name="Sum_1", prompt="x", type="summary", description="100%"))
    found = {
        (search, kind): [one.name for one in store.templates.list(search, type=kind)]
        for search, kind in (("一问", None), ("sum", None), ("%", None), (None, "qa"), ("一", "qa"))
    }
    assert found == {
        ("一问", None): ["问答"],
        ("sum", None): ["Sum_1"],
        ("%", None): ["Sum_1"],
        (None, "qa"): ["问答"],
        ("一", "qa"): ["问答"],
    }


def test_search_and_type_follow_an_edit(store: SqlStore) -> None:
    store.templates.save(QA)
    store.templates.save(replace(QA, description="改了", type="custom"))
    assert store.templates.list("一问") == []
    assert [one.name for one in store.templates.list("改了", type="custom")] == ["问答"]


def test_a_renamed_template_keeps_its_versions(store: SqlStore) -> None:
    store.templates.save(QA)
    store.templates.save(replace(QA, prompt="x"))
    store.templates.rename("问答", "new")
    assert store.templates.get("new") == replace(QA, name="new", prompt="x", version=2)
    assert store.templates.get("new", 1) == replace(QA, name="new", version=1)
    with pytest.raises(NotFound):
        store.templates.get("问答")


def test_a_template_cannot_take_anothers_name(store: SqlStore) -> None:
    store.templates.save(QA)
    store.templates.save(replace(QA, name="b"))
    with pytest.raises(Conflict):
        store.templates.rename("b", "问答")
    assert store.templates.get("问答") == replace(QA, version=1)


def test_a_deleted_template_is_gone_with_its_versions(store: SqlStore) -> None:
    store.templates.save(QA)
    store.templates.save(replace(QA, prompt="x"))
    store.templates.delete("问答")
    assert store.templates.list() == []
    assert store.templates.save(QA).version == 1
    assert len(store.templates.versions("问答")) == 1


def test_what_is_not_there_is_named(store: SqlStore) -> None:
    store.templates.save(QA)
    actions: list[Callable[[], object]] = [
        lambda: store.templates.get("谁"),
        lambda: store.templates.versions("谁"),
        lambda: store.templates.rename("谁", "x"),
        lambda: store.templates.delete("谁"),
    ]
    for action in actions:
        with pytest.raises(NotFound) as caught:
            action()
        assert (caught.value.reason, caught.value.data["name"]) == ("unknown_template", "谁")
    with pytest.raises(NotFound) as caught:
        store.templates.get("问答", 7)
    assert caught.value.data == {"kind": "template", "name": "问答", "version": 7, "newest": 1}


def test_editors_at_the_same_time_get_versions_of_their_own(store: SqlStore) -> None:
    store.templates.save(QA)
    with ThreadPoolExecutor(4) as editors:
        made = list(
            editors.map(
                lambda number: store.templates.save(replace(QA, prompt=str(number))), range(12)
            )
        )
    assert sorted(one.version for one in made) == list(range(2, 14))
    assert all(store.templates.get("问答", one.version) == one for one in made)


def test_a_nul_and_half_a_sign_go_away_on_both_databases(store: SqlStore) -> None:
    made = store.templates.save(replace(QA, name="a\0b", description="\ud83dx"))
    assert store.templates.get("ab").description == "?x"
    assert made.name == "ab"
