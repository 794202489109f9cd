"""`--log-level`: each call of a running task as a line on standard error.

Owns: the words and the shape of these lines. Does not own: what is logged (the engine, as
`corpusmith.calls`), progress (`show.py`; its live panel lets lines on standard error pass above).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from corpusmith.cli.errors import redacted
from corpusmith.cli.out import number
from corpusmith.cli.session import Session

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import Task

EXCERPT_CHARS = 200
"""Of a prompt or a reply, at DEBUG."""
MOST_ITEMS = 20_000
"""Items whose steps are counted at a time: as many as may be in progress."""


@contextmanager
def logged(session: Session, studio: Studio, task: Task) -> Iterator[None]:
    """Inside, the calls of `task` are told of, if the session asks for it."""
    if session.log_level is None:
        yield
        return
    logger = logging.getLogger("corpusmith")
    before = logger.level
    handler = _Lines(session, _calls_an_item(studio, task))
    logger.addHandler(handler)
    logger.setLevel(session.log_level)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def _calls_an_item(studio: Studio, task: Task) -> int:
    """How many calls an item takes, as its recipe sees it before any reply."""
    from corpusmith.service.recipes import recipe_of
    from corpusmith.values import Item

    first = studio.tasks.quotas(task)[0].name
    item = Item(task_seed=task.seed, category=first, ordinal=0)
    return recipe_of(task, studio.store).estimate(item)[0]


class _Lines(logging.Handler):
    """Writes to what standard error is now: a live panel may have put itself before it."""

    def __init__(self, session: Session, steps: int) -> None:
        super().__init__()
        self._session = session
        self._steps = steps
        self._seen: dict[str, tuple[int, str]] = {}
        """Item → (its steps so far, who spoke last)."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self._text(record), file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001  logging's own rule: telling of work never stops it
            self.handleError(record)

    def _text(self, record: logging.LogRecord) -> str:
        at = logging.Formatter().formatTime(record, "%H:%M:%S")
        if not hasattr(record, "caller"):
            return f"{at} {redacted(record.getMessage())}"
        lines = [f"{at} {self._line(record)}"]
        if self._session.log_level == "DEBUG":
            lines += _excerpts(record)
        return redacted("\n".join(lines))

    def _line(self, record: Any) -> str:
        say, reply = self._session.say, record.reply
        step = self._step(record.caller.item, record.caller.role)
        usage = reply.usage
        tokens = say("log.tokens", n=number(usage.completion_tokens)) if usage else ""
        return say(
            "log.step" if step <= self._steps else "log.call",
            item=record.caller.item,
            role=say(f"role.{record.caller.role}"),
            step=step,
            steps=self._steps,
            size=number(len(reply.text)),
            tokens=tokens,
            seconds=f"{record.took_s:.1f}",
        )

    def _step(self, item: str, role: str) -> int:
        """Which call of its item this is; the same role again was asked again, not further."""
        step, last = self._seen.pop(item, (0, ""))
        again = role == last and self._steps > 1
        self._seen[item] = (step + (not again), role)
        if len(self._seen) > MOST_ITEMS:
            del self._seen[next(iter(self._seen))]
        return self._seen[item][0]


def _excerpts(record: Any) -> Iterator[str]:
    """The start of each message and of the reply."""
    for message in record.request.messages:
        yield f"    [{message.role}] {_start(message.content)}"
    yield f"    → {_start(record.reply.text)}"


def _start(text: str) -> str:
    cut = "…" if len(text) > EXCERPT_CHARS else ""
    return " ".join(text[:EXCERPT_CHARS].split()) + cut
