"""Records over REST: lists, one, many at once and back, removals, broken ones."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from api_kit import code_of

from corpusmith.contracts import Quota
from corpusmith.nouns import Dataset
from corpusmith.service.bulk import Bulk
from corpusmith.store.store import SqlStore
from corpusmith.values import Draft

ALL = "/api/v1/records"
SET = "客服/对话"
WHERE = {"dataset": SET}


def talk(text: str) -> dict[str, Any]:
    """A dialogue's content."""
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "好的。"}]
    return {
        "scenario_labels": ["日常"],
        "dialogues": turns,
        "turn_count": 1,
        "batch_id": "batch_20241201_143022",
        "generation_time": "2024-12-01T14:30:22",
    }


def filled(store: SqlStore, contents: list[Any], dataset: str = SET) -> list[int]:
    store.datasets.add(Dataset(name=dataset, description="", language="zh"))
    with Bulk(
        store,
        recipe="import",
        name="a file",
        dataset=dataset,
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="f", count=0)],
    ) as bulk:
        provenance = {"models": ["glm"], "simulated": True}
        labels = {"scenario": "日常"}
        drafts = [Draft(content=one, labels=labels, provenance=provenance) for one in contents]
        bulk.put("f", 0, drafts)
        bulk.finish(as_attempted=True)
    return [one.id for one in store.records.iterate(dataset=dataset)]


def numbers(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def done(answer: httpx2.Response) -> Any:
    """The result of a job that has ended."""
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "done", answer.text
    return answer.json()["result"]


def test_a_list_is_filtered_searched_and_paged(client: httpx2.Client, store: SqlStore) -> None:
    ids = filled(store, [talk(f"今天天气{n}") for n in range(5)])
    first = client.get(ALL, params={**WHERE, "limit": 2})
    assert numbers(first) == ids[:2]
    assert (first.json()["previous"], first.json()["indexed"]) == (None, True)
    row = first.json()["items"][0]
    assert row["preview"] == "今天天气0 好的。"
    assert (row["models"], row["simulated"], row["scenario"]) == (["glm"], True, "日常")
    second = client.get(ALL, params={**WHERE, "limit": 2, "after": first.json()["next"]})
    assert numbers(second) == ids[2:4]
    back = client.get(ALL, params={**WHERE, "limit": 2, "before": second.json()["previous"]})
    assert numbers(back) == ids[:2]
    assert numbers(client.get(ALL, params={**WHERE, "text": "天气3"})) == ids[3:4]
    assert numbers(client.get(ALL, params={**WHERE, "text": "天", "order": "newest"})) == ids[::-1]
    assert numbers(client.get(ALL, params={**WHERE, "model": "gpt"})) == []
    count = client.get(f"{ALL}/count", params={**WHERE, "text": "气"}).json()
    assert count == {"count": 5, "more": False, "missing": 0}
    facets = client.get(f"{ALL}/facets", params=WHERE).json()
    assert facets["models"] == {"values": {"glm": 5}, "more": False}


def test_a_record_tells_all_and_its_neighbours(client: httpx2.Client, store: SqlStore) -> None:
    ids = filled(store, [talk(f"天气{n}") for n in range(3)])
    alone = client.get(f"{ALL}/{ids[1]}").json()
    assert (alone["previous"], alone["next"], alone["dataset"]) == (None, None, SET)
    assert alone["record"]["content"] == talk("天气1")
    listed = client.get(f"{ALL}/{ids[1]}", params=WHERE).json()
    assert (listed["previous"], listed["next"]) == (ids[0], ids[2])
    newest = client.get(f"{ALL}/{ids[2]}", params={**WHERE, "order": "newest"}).json()
    assert (newest["previous"], newest["next"]) == (None, ids[1])
    other = client.get(f"{ALL}/{ids[1]}", params={**WHERE, "state": "approved"})
    assert code_of(other, 404) == "record_not_in_list"
    assert code_of(client.get(f"{ALL}/999999"), 404) == "unknown_record"


def test_an_edit_that_comes_late_is_refused(client: httpx2.Client, store: SqlStore) -> None:
    (one,) = filled(store, [talk("天气")])
    edit = {"content": talk("学习"), "version": 1}
    assert client.patch(f"{ALL}/{one}", json=edit).json()["version"] == 2
    assert code_of(client.patch(f"{ALL}/{one}", json=edit), 409) == "record_edited"
    assert numbers(client.get(ALL, params={**WHERE, "text": "学习"})) == [one]
    assert numbers(client.get(ALL, params={**WHERE, "text": "天气"})) == []
    broken = client.patch(f"{ALL}/{one}", json={"content": {"a": 1}, "version": 2})
    assert code_of(broken, 422) == "review_content"


def test_many_are_changed_by_filter_and_back(client: httpx2.Client, store: SqlStore) -> None:
    ids = filled(store, [talk("天" if n % 2 else "地") for n in range(6)])

    def bulk(**body: Any) -> httpx2.Response:
        return client.post(f"{ALL}/bulk", json=body)

    where = {**WHERE, "text": "天"}
    dry = done(bulk(action="approve", where=where, dry_run=True))
    assert (dry["count"], dry["changed"], dry["dry_run"]) == (3, 0, True)
    late = bulk(action="approve", where=where, expected=2)
    assert code_of(late, 409) == "selection_changed"
    assert late.json()["error"]["details"]["count"] == 3
    assert done(bulk(action="approve", where=where, expected=2, force=True))["changed"] == 3
    approved = {**WHERE, "state": "approved"}
    assert numbers(client.get(ALL, params=approved)) == ids[1::2]
    tagged = done(bulk(action="tag", ids=[*ids[:2], 10**6], tags=["好"]))
    assert (tagged["count"], tagged["changed"], tagged["gone"]) == (3, 2, 1)
    assert client.post(f"{ALL}/undo", json={}).json()["reviews"]["undone"] == 2
    assert client.post(f"{ALL}/undo", json={}).json()["reviews"]["undone"] == 3
    assert numbers(client.get(ALL, params=approved)) == []
    gone = done(bulk(action="delete", where=where, expected=3))
    assert (gone["changed"], gone["removals"][0]["count"]) == (3, 3)
    assert numbers(client.get(ALL, params=WHERE)) == ids[::2]
    removal = gone["removals"][0]["number"]
    assert [one["number"] for one in client.get("/api/v1/removals").json()["items"]] == [removal]
    back = client.post(f"{ALL}/undo", json={"removal": removal}).json()
    assert back["removal"]["count"] == 3
    again = client.post(f"/api/v1/removals/{removal}/restore")
    assert code_of(again, 422) == "removal_undone"
    assert numbers(client.get(ALL, params=WHERE)) == ids


def test_records_in_no_dataset_are_told_apart(client: httpx2.Client, store: SqlStore) -> None:
    ids = filled(store, [talk("天")])
    result = done(client.post(f"{ALL}/bulk", json={"action": "delete", "ids": [*ids, 10**6]}))
    assert (result["count"], result["changed"], result["gone"], result["left_out"]) == (2, 1, 1, 0)


def test_broken_ones_are_found_and_taken_out(client: httpx2.Client, store: SqlStore) -> None:
    broken = {**talk("x"), "dialogues": [{"role": "user", "content": ""}]}
    ids = filled(store, [talk("天"), broken, talk("地")])
    place = "/api/v1/datasets/%E5%AE%A2%E6%9C%8D%2F%E5%AF%B9%E8%AF%9D/broken"
    page = client.get(place).json()
    assert [one["record"] for one in page["items"]] == [ids[1]]
    assert (page["looked"], page["next"]) == (3, None)
    assert done(client.post(place, json={}))["removal"] is None
    cleaned = done(client.post(place, json={"dry_run": False}))
    assert (cleaned["looked"], cleaned["broken"], cleaned["removal"]["count"]) == (3, 1, 1)
    assert client.get(place).json()["items"] == []


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 422, "task_or_dataset"),
        ({"dataset": SET, "task": 1}, 422, "task_or_dataset"),
        ({"dataset": "nowhere"}, 404, "unknown_dataset"),
        ({"dataset": SET, "order": "random"}, 422, "spec_fields"),
        ({"dataset": SET, "limit": 0}, 422, "spec_fields"),
        ({"dataset": SET, "colour": "red"}, 422, "spec_fields"),
        ({"dataset": SET, "flag": "nothing"}, 422, "flag_unknown"),
        ({"dataset": SET, "after": "x"}, 422, "bad_cursor"),
        ({"dataset": SET, "after": "WzEsMl0"}, 422, "bad_cursor"),
        ({"dataset": SET, "after": "WzFd", "before": "WzFd"}, 422, "after_and_before"),
        ({"dataset": SET, "min_score": 9}, 422, "spec_fields"),
    ],
)
def test_a_wrong_question_is_told(
    sqlite_client: httpx2.Client, params: dict[str, Any], status: int, code: str
) -> None:
    sqlite_client.post("/api/v1/datasets", json={"name": SET})
    said = set()
    for language in ("en", "zh"):
        answer = sqlite_client.get(ALL, params={**params, "lang": language})
        assert code_of(answer, status) == code
        said.add(answer.json()["error"]["message"])
    assert len(said) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "approve"}, "review_ids_or_selection"),
        ({"action": "approve", "ids": [1], "where": WHERE}, "review_ids_or_selection"),
        ({"action": "tag", "ids": [1]}, "bulk_tags"),
        ({"action": "approve", "ids": [1], "tags": ["a"]}, "bulk_tags"),
        ({"action": "burn", "ids": [1]}, "spec_fields"),
        ({"action": "approve", "where": {}}, "task_or_dataset"),
        ({"action": "approve", "ids": ["1"]}, "spec_fields"),
    ],
)
def test_a_wrong_bulk_action_is_told(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str
) -> None:
    assert code_of(sqlite_client.post(f"{ALL}/bulk", json=body), 422) == code


def test_undo_names_one_thing(sqlite_client: httpx2.Client) -> None:
    both = sqlite_client.post(f"{ALL}/undo", json={"removal": 1, "action": 1})
    assert code_of(both, 422) == "undo_one"
    assert code_of(sqlite_client.post(f"{ALL}/undo", json={}), 404) == "nothing_to_undo"
    assert code_of(sqlite_client.post("/api/v1/removals/9/restore"), 404) == "unknown_removal"
