"""How the workers of a run (`pytest -n`) share the tests.

A file's tests stay together, for they share servers, browsers and databases; the longest files
begin, so that no worker is left alone with one at the end. Files of `SPREAD` are shared out test
by test: theirs share nothing dear and mostly wait.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadFileScheduling

SPREAD = ("tests/kill/test_kill.py", "tests/docs/test_pages_run.py")
LONGEST = (
    *SPREAD,
    "tests/web/test_web_looks_zh.py",
    "tests/web/test_web_looks_en.py",
    "tests/web/test_web_hostile.py",
    "tests/web/test_web_making.py",
    "tests/web/test_web_restart.py",
    "tests/api/test_api_document_rest.py",
    "tests/api/test_api_document_tasks.py",
    "tests/api/test_api_document_records.py",
    "tests/engine/test_state_machine.py",
    "tests/api/test_api_machine.py",
    "tests/cli/test_cli_serve.py",
    "tests/web/test_web_templates.py",
    "tests/web/test_web_paths.py",
    "tests/faults/test_faults.py",
    "tests/web/test_web_data.py",
    "tests/web/test_web_million.py",
    "tests/web/test_web_roles.py",
    "tests/web/test_web_settings.py",
    "tests/web/test_web_tabs.py",
)
"""Files that take more than half a minute of a worker, the longest first."""


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests, those of the longest files first."""
    rank = {file: number for number, file in enumerate(LONGEST)}
    return sorted(items, key=lambda item: rank.get(_file(item.nodeid), len(rank)))


class Shares(LoadFileScheduling):  # type: ignore[misc]  # xdist says no types
    """By file; by test where the file is one of `SPREAD`."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return nodeid if file in SPREAD else file


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]
