"""What the state machines over REST have in common: how they are run, and how lists are read."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

API = "/api/v1"
PAGE = 3
"""Items of a page: small, so that lists have several."""
ALL = 200
"""Items of a page that holds all there are here."""
TIMES = int(os.environ.get("MACHINE_TIMES", "1"))
PATIENCE = pytest.mark.timeout(300 * TIMES)
_examples = itertools.count()


def run_machine(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    """The same examples each time; in `make soak` others too, and many more."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * TIMES,
            stateful_step_count=steps,
            deadline=None,
            derandomize=TIMES == 1,
            suppress_health_check=list(HealthCheck),
            # Explaining a failure takes minutes of requests, and says little of a server.
            phases=(Phase.generate, Phase.shrink),
        ),
    )


def fresh_name() -> str:
    """A name that no other example has: all examples of a machine share one database."""
    return f"例{next(_examples)}"


def pages(
    client: httpx2.Client, path: str, asked: Mapping[str, Any], limit: int = PAGE
) -> Iterator[Any]:
    """Everything of a list, page by page."""
    after: dict[str, str] = {}
    while True:
        answer = client.get(f"{API}{path}", params={**asked, "limit": limit, **after})
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        if answer.json()["next"] is None:
            return
        after = {"after": answer.json()["next"]}


def got(client: httpx2.Client, path: str, **query: Any) -> Any:
    """What stands there."""
    answer = client.get(f"{API}{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(client: httpx2.Client, path: str, body: Any, status: int = 200) -> Any:
    """What is answered to that."""
    answer = client.post(f"{API}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()
