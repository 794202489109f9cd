"""Rows into a server by its own addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2

API = "/api/v1"


def chat(question: str, answer: str = "好的", **more: Any) -> dict[str, Any]:
    """A chat of two messages."""
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": said, **more}


def dialogue(question: str, scenario: str, answer: str = "好的") -> dict[str, Any]:
    """A record as a dialogue task makes it."""
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"scenario_labels": [scenario], "dialogues": said, "turn_count": 1}


def uploaded(client: httpx2.Client, rows: Iterable[Any], name: str = "rows.jsonl") -> str:
    """Rows as a file of the server; how to name it."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    answer = client.post(f"{API}/uploads", files={"file": (name, text.encode())})
    assert answer.status_code == 201, answer.text
    return f"upload:{answer.json()['id']}"


def ended(answer: Any, status: str = "done") -> Any:
    """The job of an answer, which must have ended like this."""
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert job["status"] == status, job
    return job


def imported(client: httpx2.Client, rows: Iterable[Any], dataset: str) -> list[int]:
    """Rows as records of a dataset; their numbers."""
    body = {"upload": uploaded(client, rows), "dataset": dataset}
    ended(client.post(f"{API}/imports", json=body, params={"wait": 30}))
    return numbers(client, dataset)


def numbers(client: httpx2.Client, dataset: str) -> list[int]:
    """The numbers of a dataset's records."""
    found = client.get(f"{API}/reviews/queue", params={"dataset": dataset, "limit": 200})
    assert found.status_code == 200, found.text
    return [one["record"]["id"] for one in found.json()["items"]]
