"""Connections, characters, scenarios, datasets, settings: the same on both databases."""

from __future__ import annotations

import pytest

from corpusmith.errors import Conflict, NotFound
from corpusmith.nouns import Character, Dataset, Scenario
from corpusmith.store.connections import connection_of
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection, Limits, Price, Timeouts

LIN = Character(
    name="林晚",
    description="图书管理员",
    tags=("温柔", "夜猫子"),
    language="zh",
    card={"spec": "chara_card_v2", "data": {"x": "\0"}},
    image=b"\x89PNG\0",
)
MAIN = Connection(
    name="main",
    provider="deepseek",
    protocol="openai",
    base_url="http://x/v1",
    model="m",
    key_env="KEY",
    limits=Limits(requests_per_min=60),
    timeouts=Timeouts(connect_s=1.0, total_s=2.0),
    price=Price(input_usd=0.1, output_usd=0.2),
    headers={"X-A": "b"},
    extra={"enable_thinking": False},
    modes=("json", "prompt"),
)


def test_a_character_is_kept_whole(store: SqlStore) -> None:
    store.characters.add(LIN)
    assert store.characters.get("林晚") == LIN


def test_a_nul_in_a_text_goes_away_on_both_databases(store: SqlStore) -> None:
    store.scenarios.add(Scenario(name="a\0b", description="\ud83dx"))
    assert store.scenarios.get("ab") == Scenario(name="ab", description="?x")


def test_a_name_is_taken_once(store: SqlStore) -> None:
    store.scenarios.add(Scenario(name="日常"))
    with pytest.raises(Conflict) as caught:
        store.scenarios.add(Scenario(name="日常", description="另一个"))
    assert (caught.value.reason, caught.value.data["name"]) == ("scenario_exists", "日常")
    assert store.scenarios.list() == [Scenario(name="日常")]


def test_a_name_can_be_changed_but_not_to_one_that_is_taken(store: SqlStore) -> None:
    store.scenarios.add(Scenario(name="a"))
    store.scenarios.add(Scenario(name="b"))
    with pytest.raises(Conflict):
        store.scenarios.update(Scenario(name="b"), old_name="a")
    store.scenarios.update(Scenario(name="c", weight=2.0), old_name="a")
    assert store.scenarios.list() == [Scenario(name="b"), Scenario(name="c", weight=2.0)]


def test_lists_go_by_name_page_by_page(store: SqlStore) -> None:
    names = ["B", "a", "中", "文"]
    for name in reversed(names):
        store.characters.add(Character(name=name))
    first = store.characters.list(limit=2)
    rest = store.characters.list(limit=5, after=first[-1].name)
    assert [one.name for one in (*first, *rest)] == names


def test_search_finds_text_and_takes_signs_as_they_are(store: SqlStore) -> None:
    store.characters.add(LIN)
    store.characters.add(Character(name="100%_x", description="Bold"))
    found = {
        search: [one.name for one in store.characters.list(search)]
        for search in ("图书", "夜猫", "bold", "%", "_", "'", "没有")
    }
    assert found == {
        "图书": ["林晚"],
        "夜猫": ["林晚"],
        "bold": ["100%_x"],
        "%": ["100%_x"],
        "_": ["100%_x"],
        "'": [],
        "没有": [],
    }


@pytest.mark.parametrize("noun", ["connections", "characters", "scenarios", "datasets"])
def test_what_is_not_there_is_named(store: SqlStore, noun: str) -> None:
    for action in ("get", "delete"):
        with pytest.raises(NotFound) as caught:
            getattr(getattr(store, noun), action)("谁")
        assert caught.value.reason == f"unknown_{noun[:-1]}"
        assert "谁" in caught.value.message("zh")


def test_a_connection_is_kept_whole(store: SqlStore) -> None:
    store.connections.add(MAIN)
    assert store.connections.get("main") == MAIN
    assert store.connections.list("MA") == [MAIN]


def test_a_snapshot_of_a_connection_reads_back(store: SqlStore) -> None:
    task = store.tasks.create(
        name="t",
        recipe="dialogue",
        spec={},
        dataset=None,
        requested=1,
        seed=1,
        quotas=(),
        connections={"user": MAIN},
    )
    assert connection_of(task.connections["user"]) == MAIN


def test_a_key_is_kept_as_ciphertext_beside_its_connection(store: SqlStore) -> None:
    store.connections.add(MAIN)
    store.connections.set_key("main", b"\0\xffcipher")
    assert store.connections.get("main").key_stored
    store.connections.update(MAIN)
    assert store.connections.get_key("main") == b"\0\xffcipher"
    store.connections.delete_key("main")
    assert (store.connections.get("main"), store.connections.get_key("main")) == (MAIN, None)


def test_a_connection_that_comes_back_has_another_id(store: SqlStore) -> None:
    store.connections.add(MAIN)
    first = store.connections.id_of("main")
    store.connections.delete("main")
    store.connections.add(MAIN)
    assert store.connections.id_of("main") > first


def test_a_dataset_binds_in_order_and_again_in_full(store: SqlStore) -> None:
    daily, love = Scenario(name="日常"), Scenario(name="情感")
    other = Character(name="阿哲")
    store.datasets.add(Dataset(name="d"))
    for character in (LIN, other):
        store.characters.add(character)
    for scenario in (daily, love):
        store.scenarios.add(scenario)
    store.datasets.bind("d", characters=["阿哲", "林晚"], scenarios={"情感": 2.0, "日常": 1.0})
    assert store.datasets.bindings("d") == ([other, LIN], [(love, 2.0), (daily, 1.0)])
    store.datasets.bind("d", characters=["林晚"])
    assert store.datasets.bindings("d") == ([LIN], [])
    with pytest.raises(NotFound):
        store.datasets.bind("d", scenarios={"没有": 1.0})
    assert store.datasets.bindings("d") == ([LIN], [])


def test_deleting_what_a_dataset_binds_says_so(store: SqlStore) -> None:
    store.characters.add(LIN)
    store.scenarios.add(Scenario(name="日常"))
    for name in ("乙", "甲"):
        store.datasets.add(Dataset(name=name))
        store.datasets.bind(name, characters=["林晚"], scenarios={"日常": 1.0})
    for rows, name in ((store.characters, "林晚"), (store.scenarios, "日常")):
        with pytest.raises(Conflict) as caught:
            rows.delete(name)
        assert (caught.value.reason, caught.value.data["users"]) == ("in_use", "乙, 甲")
    for name in ("乙", "甲"):
        store.datasets.delete(name)
    store.characters.delete("林晚")
    assert store.characters.list() == []


def test_a_setting_is_a_json_value(store: SqlStore) -> None:
    assert store.settings.get("x") is None
    store.settings.set("x", [1])
    store.settings.set("x", {"a": "\0"})
    assert store.settings.get("x") == {"a": "\0"}
