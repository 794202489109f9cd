"""What the codes of tasks are in words: causes, reasons, recipes, roles; and how to go on.

Owns: choosing the text. Does not own: the texts (the catalog), numbers and paths (`out.py`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from corpusmith.cli.errors import redacted
from corpusmith.cli.out import number
from corpusmith.cli.session import Session
from corpusmith.messages import catalog


def cause_text(session: Session, cause: Mapping[str, Any]) -> str:
    """Why a task ended as it did."""
    data = {name: value for name, value in cause.items() if name != "code"}
    return redacted(session.say(f"error.{cause['code']}", **data))


def reasons_text(session: Session, misses: Mapping[str, int], most: int = 6) -> str:
    """`too few turns 3, timed out 2`, most frequent first."""
    ordered = sorted(misses.items(), key=lambda one: -one[1])
    parts = [f"{reason_text(session, reason)} {number(n)}" for reason, n in ordered[:most]]
    return session.say("cli.comma").join(parts)


def reason_text(session: Session, reason: str) -> str:
    """A few words for a miss's reason; the code itself when there are none."""
    text = session.say(f"short.{reason}")
    return reason if text == f"short.{reason}" else text


def recipe_name(session: Session, recipe: str) -> str:
    """A recipe in words; its own name where there are none."""
    key = f"recipe.{recipe}"
    return session.say(key) if key in catalog(session.language) else recipe


def role_text(session: Session, role: str) -> str:
    """A role's name; of several of one kind (`judge2`) the kind's with the number."""
    kind = role.rstrip("0123456789")
    key = f"role.{kind}"
    return session.say(key) + role[len(kind) :] if key in catalog(session.language) else role


def resume_command(session: Session, task_id: int, words: str = "resume") -> str:
    """What to type to go on, with the database it was started with."""
    db = f" --db {shlex.quote(session.db)}" if session.db else ""
    return f"corpusmith {words} {task_id}{db}"
