"""What `corpusmith check` says: how far it is, what was found, what was done, what to do next.

Owns: how it looks, as text and as JSON. Does not own: the command (`check.py`), the words of a
verdict's details (`details.py`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from corpusmith.cli.details import detail_text
from corpusmith.cli.out import number, show_table, shown_path, span
from corpusmith.cli.session import Session
from corpusmith.cli.widths import cut, harmless
from corpusmith.cli.words import reason_text

if TYPE_CHECKING:
    from corpusmith.service.check_findings import Checked

PLAIN_EVERY_S = 5.0
TERMINAL_EVERY_S = 0.25
LOOKS = 50
"""The clock is looked at once in so many records."""
SHOWN = 3
"""Findings of each reason that are shown one by one."""
DETAIL_COLUMNS = 160


def show(session: Session, found: Checked, *, of_file: bool, apply: str | None) -> None:
    """Everything, the next step last."""
    counts = {
        "target": found.target,
        "n": number(found.looked),
        "passed": number(found.passed),
        "failed": number(found.failed),
        "flagged": number(found.flagged),
    }
    if found.looked == 0:
        print(harmless(session.say("cli.check.nothing", target=found.target)))
        return
    print(harmless(session.say("cli.check.summary", **counts)))
    if found.counts:
        print()
        _show_counts(session, found)
        print()
        _show_first(session, found, of_file=of_file)
    for line in _end(session, found, of_file=of_file, apply=apply):
        print(harmless(line))


def _show_counts(session: Session, found: Checked) -> None:
    columns = ("check", "action", "reason", "records", "share")
    rows = [
        (
            name,
            session.say(f"cli.check.action.{action}"),
            reason_text(session, reason),
            number(count),
            f"{count / found.looked:.2%}",
        )
        for (name, action, reason), count in sorted(found.counts.items(), key=lambda one: -one[1])
    ]
    show_table([session.say(f"column.{name}") for name in columns], rows, right=(3, 4))


def _show_first(session: Session, found: Checked, *, of_file: bool) -> None:
    told: dict[tuple[str, str], int] = {}
    key = "cli.check.line" if of_file else "cli.check.record"
    for one in sorted(found.first, key=lambda one: one.record):
        kind = (one.check, one.reason)
        told[kind] = told.get(kind, 0) + 1
        if told[kind] <= SHOWN:
            place = session.say(key, n=one.record)
            text = f"{one.check}  {detail_text(session, one.detail)}".rstrip()
            print(harmless(f"  {place}  {cut(text, DETAIL_COLUMNS)}"))


def _end(session: Session, found: Checked, *, of_file: bool, apply: str | None) -> Iterator[str]:
    """What was done, and what can be done now."""
    say = session.say
    if found.removal is not None:
        one = found.removal.number
        yield say("cli.check.removed", n=number(found.removal.count), number=one)
    elif found.masked is not None:
        yield from _masked(session, found)
    elif apply == "flag":
        yield say("cli.check.flagged", n=number(found.noted))
    elif found.written is not None:
        yield from _written(session, found, apply)
    elif apply == "mask" and not found.maskable:
        yield say("cli.check.nothing_to_mask")
    elif found.counts:
        yield say("cli.check.dry_file" if of_file else "cli.check.dry")


def _masked(session: Session, found: Checked) -> Iterator[str]:
    done = found.masked
    if done is not None:
        yield session.say("cli.check.masked", n=number(done.changed))
        if done.unchanged:
            yield session.say("cli.check.edited_since", n=number(done.unchanged))


def _written(session: Session, found: Checked, apply: str | None) -> Iterator[str]:
    say = session.say
    if found.written is not None:
        yield say("cli.check.written", n=number(found.passed), file=shown_path(found.written))
    if apply == "mask":
        yield say("cli.check.masked_rows", n=number(found.maskable))
    if found.rejected_file is not None:
        left = shown_path(found.rejected_file)
        yield say("cli.check.left_out", n=number(found.failed), file=left)


def as_json(found: Checked) -> dict[str, Any]:
    return {
        "target": found.target,
        "looked": found.looked,
        "passed": found.passed,
        "failed": found.failed,
        "flagged": found.flagged,
        "counts": [
            {"check": check, "action": action, "reason": reason, "records": count}
            for (check, action, reason), count in found.counts.most_common()
        ],
        "first": found.first,
        "removal": found.removal,
        "noted": found.noted,
        "maskable": found.maskable,
        "masked": found.masked,
        "written": found.written,
        "rejected_file": found.rejected_file,
    }


# ---------------------------------------------------------------- progress


@contextmanager
def progress(session: Session) -> Iterator[Progress]:
    """One line that is written over on a terminal, and gone at the end; else one now and then."""
    shown = Progress(session)
    try:
        yield shown
    finally:
        shown.clear()


class Progress:
    """Told of each record."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._live = sys.stderr.isatty() and not session.json
        self._every_s = TERMINAL_EVERY_S if self._live else PLAIN_EVERY_S
        self._began_s = time.monotonic()
        self._due_s = self._began_s + self._every_s
        self._shown = False

    def __call__(self, found: Checked) -> None:
        if self._session.json or found.looked % LOOKS:
            return
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        line = self._line(found, now_s - self._began_s)
        self._shown = True
        text, end = (f"\r\x1b[K{line}", "") if self._live else (line, "\n")
        print(text, end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """The line goes: what comes next begins at the left."""
        if self._live and self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        self._shown = False

    def _line(self, found: Checked, took_s: float) -> str:
        say, rate = self._session.say, found.looked / took_s
        told = {"n": number(found.looked), "rate": number(round(rate))}
        if found.total is None:
            return say("cli.check.progress", **told)
        left = span((found.total - found.looked) / rate, self._session.language)
        return say("cli.check.progress_of", **told, total=number(found.total), left=left)
