"""Long works over REST: imports, checks, reports, samples, feedback, rounds."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx2
import pytest
from api_kit import code_of
from data_kit import API, chat, dialogue, ended, imported, uploaded

NOWHERE = "upload:" + "0" * 32


def post(client: httpx2.Client, place: str, body: Any, status: str = "done") -> Any:
    answer = client.post(f"{API}/{place}", json=body, params={"wait": 30})
    return ended(answer, status)


# ---------------------------------------------------------------- imports


def test_an_import_is_looked_at_made_and_taken_back(client: httpx2.Client) -> None:
    rows = [{"问题": "一", "答": "甲"}, {"问题": "二", "答": "乙"}, {"问题": 3}]
    body = {"upload": uploaded(client, rows), "map": {"instruction": "问题", "output": "答"}}
    look = client.post(f"{API}/imports/preview", json={**body, "first": 1}).json()
    assert (look["rows"], look["whole"], look["refused"], look["already_there"]) == (
        3,
        True,
        1,
        None,
    )
    assert look["refusals"][0]["line"] == 3 and look["refusals"][0]["text"]
    assert look["first"][0]["instruction"] == "一"
    done = post(client, "imports", {**body, "dataset": "d"})["result"]
    assert (done["read"], done["imported"], done["refused"], done["skipped"]) == (3, 2, 1, 0)
    again = post(client, "imports", {**body, "dataset": "d", "skip_duplicates": True})
    assert (again["status"], again["result"]["skipped"]) == ("done", 2)
    assert client.get(f"{API}/datasets/d").json()["records"] == 2
    undone = post(client, f"imports/{done['task']}/undo", {})["result"]
    assert undone == {"task": done["task"], "records": 2}
    assert client.get(f"{API}/datasets/d").json()["records"] == 0
    assert code_of(client.post(f"{API}/imports/{done['task']}/undo"), 404) == "unknown_task"


def test_a_file_that_fits_nothing_makes_nothing(sqlite_client: httpx2.Client) -> None:
    body = {"upload": uploaded(sqlite_client, [1, 2]), "dataset": "d"}
    job = post(sqlite_client, "imports", body, "failed")
    assert job["error"]["code"] and job["error"]["message"] and job["result"] is None
    assert code_of(sqlite_client.get(f"{API}/datasets/d"), 404) == "unknown_dataset"
    assert "/home" not in json.dumps(job)


@pytest.mark.parametrize("upload", ["/etc/hostname", "../x", "upload:../../etc/passwd", "upload:"])
def test_no_path_is_an_upload(sqlite_client: httpx2.Client, upload: str) -> None:
    for place, more in (
        ("imports/preview", {}),
        ("imports", {"dataset": "d"}),
        ("checks/runs", {}),
        ("feedback", {}),
    ):
        answer = sqlite_client.post(f"{API}/{place}", json={"upload": upload, **more})
        assert code_of(answer, 422) == "spec_fields"
    assert (
        code_of(sqlite_client.post(f"{API}/imports/preview", json={"upload": NOWHERE}), 404)
        == "unknown_upload"
    )


# ---------------------------------------------------------------- checks


def test_checks_look_first_and_then_take_out(client: httpx2.Client) -> None:
    rows = [
        chat("你好", "作为一个AI语言模型，我无法回答这个问题。"),
        chat("天气", "今天晴，适合出门。"),
    ]
    imported(client, rows, "d")
    body = {"dataset": "d", "checks": ["refusal"]}
    dry = post(client, "checks/runs", body)
    assert dry["result"]["looked"] == 2
    assert dry["result"]["passed"] + dry["result"]["failed"] == 2
    assert dry["result"]["failed"] == 1 and dry["result"]["removal"] is None
    found = client.get(f"{API}/checks/runs/{dry['id']}/findings").json()
    assert [one["check"] for one in found["items"]] == ["refusal"]
    assert found["items"][0]["text"] and found["next"] is None
    gone = post(client, "checks/runs", {**body, "apply": "remove"})["result"]
    assert gone["removal"]["count"] == 1
    assert client.get(f"{API}/datasets/d").json()["records"] == 1


def test_findings_go_on_where_a_page_ended(sqlite_client: httpx2.Client) -> None:
    text = "作为一个AI语言模型，我无法回答这个问题。"
    imported(sqlite_client, [chat(f"问{n}", text) for n in range(5)], "d")
    job = post(sqlite_client, "checks/runs", {"dataset": "d", "checks": "refusal"})
    place = f"{API}/checks/runs/{job['id']}/findings"
    seen, after = [], None
    for _ in range(4):
        page = sqlite_client.get(place, params={"limit": 2, **({"after": after} if after else {})})
        seen += [one["record"] for one in page.json()["items"]]
        after = page.json()["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5


def test_an_upload_is_checked_into_two_files(sqlite_client: httpx2.Client) -> None:
    rows = [
        chat("你好", "作为一个AI语言模型，我无法回答这个问题。"),
        chat("天气", "今天晴，适合出门。"),
    ]
    body = {"upload": uploaded(sqlite_client, rows), "checks": ["refusal"], "copy_passed": True}
    job = post(sqlite_client, "checks/runs", body)
    assert set(job["files"]) == {"findings.jsonl", "passed.jsonl", "passed.rejected.jsonl"}
    passed = sqlite_client.get(f"{API}/jobs/{job['id']}/files/passed.jsonl")
    assert json.loads(passed.text) == rows[1]
    archive = sqlite_client.get(f"{API}/jobs/{job['id']}/files")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert set(files.namelist()) == set(job["files"])
    for name in ("../secret", "nothing.txt", "%2E%2E%2Fkey"):
        answer = sqlite_client.get(f"{API}/jobs/{job['id']}/files/{name}")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "task_or_dataset"),
        ({"upload": NOWHERE, "dataset": "d"}, "check_upload_alone"),
        ({"upload": NOWHERE, "apply": "remove"}, "check_upload_apply"),
        ({"dataset": "d", "copy_passed": True}, "check_upload_only"),
        ({"dataset": "d", "apply": "delete"}, "spec_fields"),
    ],
)
def test_a_check_that_makes_no_sense(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str
) -> None:
    assert code_of(sqlite_client.post(f"{API}/checks/runs", json=body), 422) == code


# ---------------------------------------------------------------- reports, samples, feedback


def test_a_report_comes_as_json_page_and_markdown(client: httpx2.Client) -> None:
    hostile = "<img src=x onerror=alert(1)>|`x`"
    imported(client, [dialogue(f"问题{n}", hostile) for n in range(12)], "d")
    job = post(client, "reports", {"dataset": "d"})
    assert set(job["files"]) == {"report.html", "report.json", "report.md"}
    assert (job["result"]["name"], job["result"]["records"]) == ("d", 12)
    assert all(one["text"] for one in job["result"]["findings"])
    place = f"{API}/jobs/{job['id']}/files"
    page = client.get(f"{place}/report.html")
    assert page.headers["content-disposition"].startswith("attachment")
    assert "<img src=x" not in page.text
    assert client.get(f"{place}/report.json").json()["records"] == 12
    markdown = client.get(f"{place}/report.md").text
    assert markdown.startswith("# ") and "<img" not in markdown.replace("\\<img", "")


def test_a_sample_is_looked_at_and_drawn(client: httpx2.Client) -> None:
    rows = [dialogue(f"问{n}", "日常" if n % 2 else "雨天") for n in range(20)]
    imported(client, rows, "源")
    body = {
        "total": 10,
        "dataset": "新",
        "seed": 1,
        "categories": [
            {"name": "a", "share": "40%", "dataset": "源", "where": {"scenario": "日常"}},
            {"name": "b", "share": "60%", "dataset": "源", "where": {"scenario": "雨天"}},
        ],
    }
    look = post(client, "samples/preview", body)["result"]
    assert (look["task"], look["wanted"]) == (None, {"a": 4, "b": 6})
    done = post(client, "samples", body)["result"]
    assert (done["found"], done["shortfalls"]) == ({"a": 4, "b": 6}, {})
    assert client.get(f"{API}/datasets/新").json()["records"] == 10
    full = post(client, "samples", body, "failed")
    assert full["error"]["code"] == "sample_dataset_full"
    short = {**body, "dataset": "更多", "total": 100, "strict": True}
    assert post(client, "samples", short, "failed")["error"]["code"] == "sample_short"
    wrong = {**body, "categories": [{"name": "a", "share": 1}]}
    assert code_of(client.post(f"{API}/samples", json=wrong), 422) == "spec_fields"
    assert (
        code_of(client.post(f"{API}/samples", json={**body, "output": "x"}), 422) == "spec_fields"
    )


def test_feedback_becomes_files(client: httpx2.Client) -> None:
    rows = [
        {"id": str(n), "user_input": f"问{n}", "model_response": "答", "rating": n % 5 + 1}
        for n in range(10)
    ]
    body = {"upload": uploaded(client, rows, "fb.jsonl"), "min_rating": 4}
    job = post(client, "feedback", body)
    result = job["result"]
    assert result["read"] == 10 and result["kept"] == 4
    assert result["read"] == result["kept"] + sum(result["dropped"].values())
    assert set(result["files"].values()) == set(job["files"])
    archive = client.get(f"{API}/jobs/{job['id']}/files")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        name = result["files"]["jsonl"]
        assert len(files.read(name).splitlines()) == 4
    ids = imported(client, [chat("问", "答")], "d")
    client.post(f"{API}/reviews/records/{ids[0]}", json={"rating": 5})
    own = post(client, "feedback", {"dataset": "d"})["result"]
    assert (own["read"], own["kept"]) == (1, 1)
    for wrong in ({}, {"dataset": "no"}, {"upload": NOWHERE}):
        assert post(client, "feedback", wrong, "failed")["error"]["code"]
    path = {"dataset": "d", "output_dir": "/tmp/x"}
    assert code_of(client.post(f"{API}/feedback", json=path), 422) == "spec_fields"


def test_rounds_are_prepared(sqlite_client: httpx2.Client) -> None:
    rows = [{"question": f"问{n}", "answer": "答", "correction": "改"} for n in range(3)]
    body = {"input": uploaded(sqlite_client, [*rows, {"question": "x"}]), "sample": 2}
    job = post(sqlite_client, "rounds/prepare", body)
    assert (job["result"]["conversations"], job["result"]["complete"]) == (2, 3)
    assert set(job["files"]) == {
        "round1/round1_history_seed.jsonl",
        "round1/round1_single_turn.jsonl",
    }
    place = f"{API}/jobs/{job['id']}/files/round1%2Fround1_single_turn.jsonl"
    assert len(sqlite_client.get(place).text.splitlines()) == 2
    hostname = sqlite_client.post(f"{API}/rounds/prepare", json={"input": "/etc/hostname"})
    assert code_of(hostname, 422) == "spec_fields"
    assert code_of(sqlite_client.post(f"{API}/rounds/files", json={"task": 7}), 404)


def test_a_push_says_what_is_missing_and_keeps_no_token(
    sqlite_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    imported(sqlite_client, [chat("问")], "d")
    body = {"dataset": "d", "repo": "me/x"}
    job = post(sqlite_client, "pushes", body, "failed")
    assert job["error"]["code"] == "push_no_token"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    token = "hf_canary_0123456789"
    with_token = post(sqlite_client, "pushes", {**body, "token": token}, "failed")
    assert with_token["error"]["code"].startswith("push_")
    assert token not in json.dumps(with_token)
    assert token not in sqlite_client.get(f"{API}/jobs").text
    elsewhere = {**body, "endpoint": "http://evil.example"}
    assert code_of(sqlite_client.post(f"{API}/pushes", json=elsewhere), 422) == "spec_fields"


# ---------------------------------------------------------------- jobs


def test_a_job_is_answered_before_it_ends_and_can_be_asked_for(client: httpx2.Client) -> None:
    rows = [chat(f"问{n}") for n in range(200)]
    body = {"upload": uploaded(client, rows), "dataset": "d"}
    answer = client.post(f"{API}/imports", json=body, params={"wait": 0})
    assert answer.status_code in (200, 202)
    job = client.get(f"{API}/jobs/{answer.json()['id']}", params={"wait": 30}).json()
    assert (job["status"], job["result"]["imported"]) == ("done", 200)
    assert [one["id"] for one in client.get(f"{API}/jobs").json()["items"]] == [job["id"]]
    assert code_of(client.get(f"{API}/jobs/none"), 404) == "unknown_job"
    assert code_of(client.get(f"{API}/jobs/{job['id']}/files"), 404) == "job_no_files"


# ---------------------------------------------------------------- chains


def test_a_chain_of_steps_runs_to_its_end(sqlite_client: httpx2.Client) -> None:
    imported(sqlite_client, [chat(f"问{n}") for n in range(6)], "源")
    fields = {
        "name": "链",
        "steps": [
            {
                "name": "half",
                "recipe": "sample",
                "total": 4,
                "seed": 1,
                "dataset": "一",
                "categories": [{"name": "a", "share": 1, "dataset": "源"}],
            },
            {
                "name": "less",
                "recipe": "sample",
                "total": 2,
                "seed": 1,
                "dataset": "二",
                "categories": [{"name": "a", "share": 1, "input": {"step": "half"}}],
            },
        ],
    }
    made = sqlite_client.post(f"{API}/chains", json={"chain": fields})
    assert made.status_code == 201, made.text
    assert (made.json()["state"], len(made.json()["steps"])) == ("waiting", 2)
    place = f"{API}/chains/{made.json()['id']}"
    sqlite_client.post(f"{place}/run", json={"steps": "next"})
    one = _until(sqlite_client, place, lambda found: found["state"] == "stopped")
    assert [step["status"] for step in one["steps"]] == ["finished", None]
    sqlite_client.post(f"{place}/run", json={})
    two = _until(sqlite_client, place, lambda found: found["state"] == "finished")
    assert [step["counts"]["accepted"] for step in two["steps"]] == [4, 2]
    again = sqlite_client.post(f"{API}/chains", json={"chain": fields}).json()
    assert (again["id"], again["state"]) == (two["id"], "finished")
    assert [one["id"] for one in sqlite_client.get(f"{API}/chains").json()["items"]] == [two["id"]]


def _until(client: httpx2.Client, place: str, holds: Any) -> Any:
    import time

    until = time.monotonic() + 30
    while not holds(found := client.get(place).json()):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def test_a_chain_knows_a_file_by_what_it_holds_also_when_it_is_gone(
    sqlite_client: httpx2.Client,
) -> None:
    rows = [chat(f"问{n}") for n in range(3)]

    def kept(some: list[Any]) -> tuple[int, str]:
        """The chain's number, and its upload."""
        upload = uploaded(sqlite_client, some)
        draw = {"name": "a", "share": 1, "input": {"step": "old"}}
        steps = [
            {"name": "old", "recipe": "import", "file": upload, "dataset": "源"},
            {"name": "few", "recipe": "sample", "total": 2, "dataset": "少", "categories": [draw]},
        ]
        made = sqlite_client.post(f"{API}/chains", json={"chain": {"name": "链", "steps": steps}})
        assert made.status_code == 201, made.text
        return made.json()["id"], upload.removeprefix("upload:")

    def rested(chain: int, wish: Any, state: str) -> list[int | None]:
        """The tasks of its steps, once it rests."""
        place = f"{API}/chains/{chain}"
        assert sqlite_client.post(f"{place}/run", json=wish).status_code == 200
        found = _until(sqlite_client, place, lambda one: one["state"] == state)
        return [one["task"] for one in found["steps"]]

    first, upload = kept(rows)
    begun = rested(first, {"steps": "next"}, "stopped")
    assert begun[0] is not None and begun[1] is None
    assert sqlite_client.delete(f"{API}/uploads/{upload}").status_code == 204
    done = rested(first, {}, "finished")
    assert done[0] == begun[0] and done[1] is not None
    assert kept(rows)[0] == first and rested(first, {}, "finished") == done
    assert kept([*rows, chat("又一问")])[0] != first


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "chain_one_form"),
        ({"chain": {"name": "x"}}, "chain_no_steps"),
        ({"yaml": "steps: ["}, "file_yaml"),
        ({"yaml": "- a"}, "file_not_mapping"),
        ({"chain": {"steps": [{"name": "a", "recipe": "nothing"}]}}, "chain_step"),
        ({"chain": {"steps": [{"recipe": "sample"}]}}, "chain_step_name"),
    ],
)
def test_a_chain_that_does_not_fit(
    sqlite_client: httpx2.Client, body: dict[str, Any], code: str
) -> None:
    assert code_of(sqlite_client.post(f"{API}/chains", json=body), 422) == code
    assert sqlite_client.get(f"{API}/chains").json()["items"] == []
