"""What works beside the store alone: the table, with the reason of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

from corpusmith.errors import UsageError

_OWN = "it is the server's own business, done by its process"
_PART = "a part of another call, which is there"
_PLACE = "a server tells no place of its disk"
_STORED = "`studio.stored_chains` keeps chains on a server, and shows them"
_PAGES = "of the pages: a program has the calls that they are made of"

NOUNS_NOT_REMOTE: Mapping[str, str] = {
    "logins": "a session belongs to a browser; a program sends a token",
}
"""Noun → why a server does not offer any of it."""

NOT_REMOTE: Mapping[str, str] = {
    "audit.add": _OWN,
    "audit.days": "`studio.settings.list()` tells it as `audit_days`",
    "audit.prune": _OWN,
    "backups.path": _PLACE,
    "chains.look": _STORED,
    "chains.open": _STORED,
    "chains.preview": _STORED,
    "chains.ready": _STORED,
    "checking.can_mask": _PAGES,
    "checking.refuse_wrong": _PAGES,
    "evaluations.about": _PAGES,
    "evaluations.refuse_other": _PART,
    "exports.head": _PAGES,
    "exports.sorts": _PAGES,
    "kept_reports.keep": "`studio.kept_reports.make` has the server make what it keeps",
    "records.index": _OWN,
    "records.index_some": _OWN,
    "retention.sweep": _OWN,
    "retention.sweep_if_due": _OWN,
    "reviews.ready_to_apply": _PART,
    "rounds.failed_file": _PLACE,
    "rounds.refuse_other": _PART,
    "stored_chains.advance": _OWN,
    "stored_chains.wanted": _OWN,
    "templates.compared": _PAGES,
    "uploads.begin": "files are sent by the calls that take a path",
    "users.log_out": "the server does not tell how many sessions there were",
    "watch.figures": "`/metrics` tells them",
}
"""`noun.method` → why a server does not offer it."""

BY_OTHERS = frozenset(
    {
        "connections.unsaved",
        "domains.init",
        "reports.page",
        "reports.text",
        "reports.write",
        "scenarios.find",
        "tasks.resume",
        "templates.unsaved",
    }
)
"""`noun.method` that needs no store: the local one does it, by the noun's other methods."""


class NotHere:
    """In place of what works beside the store alone: whoever asks it for anything is told so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UsageError("not_over_rest", method=f"studio.{self._name}.{name}")


def refuse(noun: str, kind: type) -> None:
    """Give the noun's class a method that says so, for each in the table."""
    for name in NOT_REMOTE:
        whose, _, method = name.partition(".")
        if whose == noun:
            setattr(kind, method, _refusing(name, getattr(kind, method)))


def _refusing(name: str, local: Any) -> Any:
    @wraps(local)
    def method(self: Any, *given: Any, **more: Any) -> Any:
        raise UsageError("not_over_rest", method=f"studio.{name}")

    return method
