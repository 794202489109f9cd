"""The process that is killed: opens the database, and creates or goes on with its one task.

`Picky` is the check that it plugs in, so that there are replacements to get right.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Mapping
from hashlib import blake2b
from typing import ClassVar

import orjson

from corpusmith import Studio, quality, recipes, registry
from corpusmith.service import forms
from corpusmith.values import PASS, Draft, Json, Verdict

ROOMS = (quality, recipes, forms)
HEAVY = [
    "aiohttp",
    "corpusmith.service.studio",
    "corpusmith.service.wiring",
    "corpusmith.engine.runner",
    "corpusmith.providers.openai",
    "corpusmith.documents.read",
    "corpusmith.exports.native",
    "corpusmith.exports.rounds",
    "corpusmith.store.open",
    "corpusmith.service.exports",
    *(
        f"{room.__name__}.{one.name}"
        for room in ROOMS
        for one in pkgutil.iter_modules(room.__path__)
    ),
    "ahocorasick_rs",
    "numpy",
    "sqlite3",
    "psycopg",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql",
    "alembic.command",
    "uvloop",
]
"""What a run imports, this file apart: done once for all the processes that are killed."""


class Picky:
    """Rejects a third of the drafts, by nothing but what is said in them."""

    name: ClassVar[str] = "picky"

    def __call__(self, draft: Draft) -> Verdict:
        times = ("batch_id", "generation_time")
        said = orjson.dumps([text for name, text in draft.content.items() if name not in times])
        picked = blake2b(said, digest_size=1).digest()[0] < 85
        return Verdict(passed=False, reason="picked") if picked else PASS


def main(url: str, fields: Mapping[str, Json]) -> None:
    """Exit status 0: the task is finished."""
    registry.TABLES["check"]["picky"] = "kill_child:Picky"  # in the child alone
    with Studio(url) as studio:
        task = studio.store.tasks.last() or studio.tasks.create(fields)
        sys.exit(0 if studio.tasks.run(task).status == "finished" else 1)
