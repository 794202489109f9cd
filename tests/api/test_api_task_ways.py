"""What becomes of tasks over REST when not all goes well, and what follows on them: retry, extend,
commit, discard, chains over models, scores, a push. A worker stands beside the server.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from email.message import Message
from itertools import count
from typing import Any

import httpx2
import pytest
from api_kit import code_of
from data_kit import API, chat, imported
from data_kit import ended as job_ended
from machine_tasks_kit import fields_of, work, worker_of
from test_api_tasks import ended, made

from answering import Answer, answering
from answering import chat as chat_reply
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from hub_server import running_hub
from running_kit import dialogue, until, working

TASKS = f"{API}/tasks"
WAIT = {"wait": 30}


@pytest.fixture(scope="module")
def good() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


class Moody:
    """An endpoint that refuses every second request until it is well; then the simulator speaks."""

    def __init__(self, simulator: Running) -> None:
        self._simulator = simulator
        self._asked = count()
        self.well = False

    def say(self, headers: Message, body: bytes) -> Answer:
        if not self.well and next(self._asked) % 2:
            return chat_reply("", finish="content_filter")
        place = f"{self._simulator.url}/v1/chat/completions"
        sent = httpx2.post(
            place, content=body, headers={"Content-Type": "application/json"}, timeout=60
        )
        return Answer(sent.status_code, "application/json", sent.content)


def got(client: httpx2.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def posted(client: httpx2.Client, path: str, body: Any, status: int = 200) -> Any:
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def all_pages(client: httpx2.Client, path: str, **query: Any) -> list[Any]:
    """Every item of a list, two at a time."""
    found: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        page = got(client, path, limit=2, **query, **after)
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


def test_what_failed_is_told_tried_again_and_more_is_asked_for(
    client: httpx2.Client, store_url: str, good: Running
) -> None:
    posted(client, "scenarios", {"name": "深夜聊天", "description": "夜里的闲聊。"}, 201)
    fields = dialogue(good, 16, name="夜谈", max_attempts_multiplier=1, checks=["refusal"])
    fields["scenarios"] = {"日常对话": 1, "深夜聊天": 1}
    moody = Moody(good)
    with answering(moody.say) as url, working(store_url):
        number = made(client, {**fields, "connection": {"base_url": f"{url}/v1", "model": "any"}})
        task = ended(client, number)
        counts, place = task["counts"], f"tasks/{number}"
        short = 16 - counts["accepted"]
        assert (task["state"], task["shortfall"]) == ("finished", short) and short
        assert counts["attempted"] == 16 == sum(counts[one] for one in PARTS)

        items = got(client, f"{place}/items")
        assert {one: items[one] for one in ("attempted", *PARTS)} == {
            one: counts[one] for one in ("attempted", *PARTS)
        }
        assert items["uncommitted"] == counts["accepted"]
        quotas = got(client, f"{place}/quotas")["items"]
        assert sum(one["count"] for one in quotas) == 16 and len(quotas) == 2
        assert sum(one["accepted"] for one in quotas) == counts["accepted"]

        missing = got(client, f"{place}/missing")["items"]
        assert sum(one["count"] for one in missing) == short
        assert all(one["text"] and one["reason"] for one in missing)
        misses = all_pages(client, f"{place}/misses")
        assert len({one["item"] for one in misses}) == len(misses) == short
        assert Counter((one["kind"], one["reason"]) for one in misses) == {
            (one["kind"], one["reason"]): one["count"] for one in missing
        }
        one = missing[0]
        same = all_pages(client, f"{place}/misses", kind=one["kind"], reason=one["reason"])
        assert len(same) == one["count"]
        for miss in misses[:3]:
            calls = got(client, f"{place}/calls", item=miss["item"])["items"]
            assert calls and {call["item"] for call in calls} == {miss["item"]}
            whole = got(client, f"{place}/calls/{calls[0]['id']}")
            assert whole["request"]
        assert len(got(client, f"{place}/records", count=500)["items"]) == counts["accepted"]

        # The model is well again: what is missing is made, and nothing else is paid.
        moody.well = True
        kinds = {"kinds": ["failed", "rejected"]}
        before = len(got(client, f"{place}/calls", limit=500)["items"])
        back = posted(client, f"{place}/retry", {**kinds, "start": False})
        assert back["put_back"] == short
        assert posted(client, f"{place}/retry", kinds)["put_back"] == 0
        posted(client, f"{place}/run", {})
        task = until(lambda: whole_task(client, number, 16))
        assert (task["shortfall"], task["cause"]) == (0, None)
        assert got(client, f"{place}/missing")["items"] == []
        paid = len(got(client, f"{place}/calls", limit=500)["items"]) - before
        assert 0 < paid <= 3 * short

        posted(client, f"{place}/extend", {"count": 18})
        until(lambda: whole_task(client, number, 18))
        assert code_of(client.post(f"{API}/{place}/extend", json={"count": 4}), 422)
        runs = got(client, f"{place}/executions")["items"]
        assert [one["number"] for one in runs] == [1, 2, 3]

    done = posted(client, f"{place}/commit", {"dataset": "夜谈集"})
    assert done == {"committed": 18, "dataset": "夜谈集"}
    assert posted(client, f"{place}/commit", {"dataset": "夜谈集"})["committed"] == 0
    assert got(client, f"{place}/items")["uncommitted"] == 0
    assert got(client, "records/count", dataset="夜谈集")["count"] == 18
    assert posted(client, f"{place}/discard", {})["discarded"] == 0
    assert client.delete(f"{API}/{place}").status_code == 204
    assert got(client, "records/count", dataset="夜谈集")["count"] == 18


PARTS = ("accepted", "rejected", "failed")


def whole_task(client: httpx2.Client, number: int, count: int) -> Any:
    """The task when it has ended with so many records; None: not yet."""
    task = got(client, f"tasks/{number}")["task"]
    over = task["state"] == "finished" and task["counts"]["accepted"] == count
    return task if over else None


def test_results_are_thrown_away_but_for_those_that_were_kept(
    client: httpx2.Client, store_url: str, good: Running
) -> None:
    with working(store_url):
        number = made(client, dialogue(good, 3))
        ended(client, number)
        place = f"tasks/{number}"
        nowhere = client.post(f"{TASKS}/{number}/commit", json={})
        assert code_of(nowhere, 422) == "no_dataset"
        assert got(client, f"{place}/items")["uncommitted"] == 3

        kept = posted(client, f"{place}/commit", {"dataset": "留下"})
        assert kept == {"committed": 3, "dataset": "留下"}
        posted(client, f"{place}/extend", {"count": 5})
        until(lambda: whole_task(client, number, 5))
    assert posted(client, f"{place}/discard", {}) == {"discarded": 2}
    assert posted(client, f"{place}/discard", {}) == {"discarded": 0}
    left = got(client, f"{place}/records")["items"]
    assert [one["committed"] for one in left] == [True] * 3
    assert got(client, "records/count", task=number)["count"] == 3
    # What was thrown away is in no dataset, also when it is asked for afterwards.
    late = posted(client, f"{place}/commit", {"dataset": "留下"})
    assert late == {"committed": 0, "dataset": "留下"}
    assert got(client, "records/count", dataset="留下")["count"] == 3
    # It is no failure, and nothing that is missing: it had been made.
    task = got(client, place)["task"]
    assert (task["state"], task["shortfall"], task["counts"]["accepted"]) == ("finished", 0, 5)


def test_what_is_refused_to_a_cancelled_task_changes_nothing(
    sqlite_client: httpx2.Client,
) -> None:
    client = sqlite_client
    number = made(client, fields_of(4, start=False))
    posted(client, f"tasks/{number}/cancel", {})
    before = got(client, f"tasks/{number}")
    for what, body in (("run", None), ("extend", {"count": 9}), ("retry", {})):
        refused = client.post(f"{TASKS}/{number}/{what}", json=body)
        assert code_of(refused, 422) == "task_cancelled"
    refused = client.patch(f"{TASKS}/{number}", json={"max_calls": 9})
    assert code_of(refused, 422) == "task_cancelled"
    assert got(client, f"tasks/{number}") == before


def test_a_finished_task_that_is_to_make_more_waits_like_any_other(
    client: httpx2.Client, store_url: str
) -> None:
    with worker_of(store_url) as studio:
        number = made(client, fields_of(2, seed=1, max_attempts_multiplier=4))
        work(studio)
        assert got(client, f"tasks/{number}")["task"]["state"] == "finished"
        waiting = posted(client, f"tasks/{number}/extend", {"count": 4})
        assert (waiting["state"], waiting["can"]) == ("queued", ["pause", "cancel", "change"])
        paused = posted(client, f"tasks/{number}/pause", {})
        assert (paused["state"], paused["queued_at"]) == ("paused", None)
        posted(client, f"tasks/{number}/run", {})
        work(studio)
        task = got(client, f"tasks/{number}")["task"]
        assert (task["state"], task["counts"]["accepted"]) == ("finished", 4)
        # Nothing is left to make: it waits no more, and stays what it is.
        posted(client, f"tasks/{number}/run", {})
        stopped = posted(client, f"tasks/{number}/cancel", {})
        assert (stopped["state"], stopped["queued_at"]) == ("finished", None)
        late = client.post(f"{TASKS}/{number}/cancel")
        assert code_of(late, 422) == "task_ended"


def test_a_cancel_is_for_good_whatever_ends_the_run_first(
    client: httpx2.Client, store_url: str
) -> None:
    with worker_of(store_url) as studio:
        number = made(client, fields_of(60, seed=2, concurrency=2))

        def cancel_and_be_poor() -> None:
            client.patch(f"{TASKS}/{number}", json={"max_calls": 1})
            posted(client, f"tasks/{number}/cancel", {})

        work(studio, cancel_and_be_poor, after=3)
        task = got(client, f"tasks/{number}")["task"]
        assert (task["state"], task["cause"]["code"]) == ("cancelled", "cancelled")
        (run,) = got(client, f"tasks/{number}/executions")["items"]
        assert run["status"] == "cancelled"


def test_a_chain_generates_judges_draws_and_is_exported(
    client: httpx2.Client, store_url: str, good: Running
) -> None:
    posted(client, "connections", {"name": "m", "base_url": f"{good.url}/v1", "model": "any"}, 201)
    talk = {
        "name": "talk",
        "recipe": "dialogue",
        "dataset": "原始",
        "count": 6,
        "turns": 1,
        "characters": ["贺三娘"],
        "scenarios": ["日常对话"],
    }
    judge = {"name": "judge", "recipe": "evaluate", "of": {"step": "talk"}, "judges": ["m"]}
    draw = {
        "name": "draw",
        "recipe": "sample",
        "total": 4,
        "seed": 1,
        "dataset": "精选",
        "categories": [{"name": "a", "share": 1, "dataset": "原始"}],
    }
    chain = {"name": "链", "connection": "m", "steps": [talk, judge, draw]}
    number = posted(client, "chains", {"chain": chain}, 201)["id"]
    with working(store_url):
        posted(client, f"chains/{number}/run", {})
        found = until(lambda: chain_in(client, number, ("finished", "failed", "stopped")))
    assert found["state"] == "finished", found
    assert [one["counts"]["accepted"] for one in found["steps"]] == [6, 6, 4]

    of = found["steps"][1]["task"]
    evaluation = got(client, f"evaluations/{of}")
    scores = all_pages(client, f"evaluations/{of}/scores")
    assert evaluation["scored"] == len(scores) == 6
    sides = got(client, f"evaluations/{of}/sides")
    assert (sides["scored"], sides["gone"]) == (6, 0)
    assert sum(one["scored"] for one in sides["models"]) == 6
    listed = got(client, "evaluations", dataset="原始")["items"]
    assert [one["id"] for one in listed] == [of]
    assert got(client, "evaluations", dataset="精选")["items"] == []
    taken = job_ended(client.post(f"{API}/evaluations/{of}/take", params=WAIT))
    assert taken["result"]["records"] == 6
    low = got(client, "records", dataset="原始", order="worst")["items"]
    assert len(low) == 6 and all(one["score"] is not None for one in low)

    body = {"dataset": "精选", "format": "messages"}
    look = posted(client, "exports/preview", body)
    assert (look["counts"]["records"], look["counts"]["stops"]) == (4, False)
    lines = client.post(f"{API}/exports", json=body).text.splitlines()
    assert len(lines) == 4 and all("assistant" in line for line in lines)


def chain_in(client: httpx2.Client, number: int, states: tuple[str, ...]) -> Any:
    found = got(client, f"chains/{number}")
    return found if found["state"] in states else None


def test_records_are_put_on_a_hub_once_each(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sqlite_client
    imported(client, [chat(f"问{n}") for n in range(5)], "d")
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        # The library reads the variable once a process, and another test may have loaded it.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        body = {"dataset": "d", "repo": "me/chats", "token": hub.token, "message": "第一版"}
        job = job_ended(client.post(f"{API}/pushes", json=body, params=WAIT))
        assert (job["result"]["repo"], job["result"]["records"]) == ("me/chats", 5)
        assert set(job["result"]["files"]) == set(hub.repos["me/chats"].branches["main"])
        again = job_ended(client.post(f"{API}/pushes", json=body, params=WAIT))["result"]
        assert again["rows"] == 5
        wrong = {**body, "token": "hf_wrong"}
        failed = job_ended(client.post(f"{API}/pushes", json=wrong, params=WAIT), "failed")
        assert failed["error"]["code"].startswith("push_")
        assert "hf_wrong" not in str(failed)
