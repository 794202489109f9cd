"""Progress of a running task: a live panel, plain lines, or JSON events.

Owns: what each of them shows and how often. Does not own: the numbers (the engine's snapshot).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from corpusmith.cli.out import console, money, number, plain, show_event, span
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

    from corpusmith.engine.progress import Snapshot
    from corpusmith.store.values import Task

Show = Callable[["Snapshot"], None]

PLAIN_EVERY_S = 2.0
JSON_EVERY_S = 1.0
MOST_ROWS = 12
"""Groups shown one by one; the rest is said in one line."""


@contextmanager
def progress_for(session: Session, task: Task) -> Iterator[Show]:
    """The way of showing that fits where the output goes."""
    if session.json:
        yield _Every(JSON_EVERY_S, _show_event)
    elif sys.stderr.isatty():
        with _live(session, task) as show:
            yield show
    else:
        yield _Every(
            PLAIN_EVERY_S,
            lambda snapshot: print(plain_line(session, snapshot), file=sys.stderr, flush=True),
        )


class _Every:
    """Passes on a snapshot now and then, and the last one always."""

    def __init__(self, every_s: float, show: Show) -> None:
        self._every_s = every_s
        self._show = show
        self._due_s = time.monotonic() + every_s

    def __call__(self, snapshot: Snapshot) -> None:
        now_s = time.monotonic()
        if now_s < self._due_s and snapshot.status == "running":
            return
        self._due_s = now_s + self._every_s
        self._show(snapshot)


def _show_event(snapshot: Snapshot) -> None:
    show_event("progress", **plain(snapshot))


# ---------------------------------------------------------------- plain lines


def plain_line(session: Session, snapshot: Snapshot) -> str:
    """One line that says it all."""
    counts = snapshot.counts
    share = counts.accepted / counts.requested if counts.requested else 1.0
    parts = [
        f"{number(counts.accepted)}/{number(counts.requested)} ({share:.0%})",
        session.say("show.speed", speed=_speed(snapshot)),
        *_flight(session, snapshot),
        spend_text(session, snapshot),
    ]
    if snapshot.remaining_s is not None and counts.shortfall and snapshot.status == "running":
        parts.append(session.say("show.left", time=span(snapshot.remaining_s, session.language)))
    if troubles := troubles_text(session, snapshot):
        parts.append(troubles)
    return session.say("show.separator").join(parts)


def _speed(snapshot: Snapshot) -> str:
    speed = snapshot.records_per_s
    return f"{speed:,.0f}" if speed >= 100 else f"{speed:.1f}"


def _flight(session: Session, snapshot: Snapshot) -> list[str]:
    """For each endpoint: in flight of the limit, and why it is not faster now."""
    if snapshot.status != "running":
        return []
    return [
        session.say(
            "show.flight",
            in_flight=pace.in_flight,
            limit=pace.limit,
            why=session.say(f"pace.{pace.reason}", wait=f"{pace.wait_s:.0f}"),
        )
        for pace in snapshot.paces
    ]


def spend_text(session: Session, snapshot: Snapshot) -> str:
    """Calls, tokens, money; replayed calls too, if there were any."""
    spend = snapshot.spend
    text = session.say(
        "show.spend",
        calls=number(spend.calls),
        tokens=number(spend.usage.total_tokens),
        cost=money(spend.cost_usd, session),
    )
    if snapshot.replayed:
        text += session.say("show.replayed", n=number(snapshot.replayed))
    return text


def troubles_text(session: Session, snapshot: Snapshot) -> str:
    """Misses and retries by cause; empty when all went well."""
    from corpusmith.cli.words import reasons_text

    parts = []
    if snapshot.misses:
        parts.append(session.say("show.misses", reasons=reasons_text(session, snapshot.misses)))
    if snapshot.retries:
        parts.append(session.say("show.retries", reasons=reasons_text(session, snapshot.retries)))
    return session.say("show.separator").join(parts)


# ---------------------------------------------------------------- the live panel


@contextmanager
def _live(session: Session, task: Task) -> Iterator[Show]:
    from rich.live import Live

    with Live(
        console=console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=False
    ) as live:
        yield lambda snapshot: live.update(panel(session, snapshot), refresh=True)


def panel(session: Session, snapshot: Snapshot) -> RenderableType:
    """The whole picture: scenarios, total, speed, spend, troubles."""
    from rich.console import Group
    from rich.text import Text

    counts = snapshot.counts
    left = ""
    if snapshot.remaining_s is not None and counts.shortfall:
        left = session.say("show.left", time=span(snapshot.remaining_s, session.language))
    separator = session.say("show.separator")
    speed = [session.say("show.speed", speed=_speed(snapshot)), left]
    lines = [
        separator.join(part for part in speed if part),
        *_flight(session, snapshot),
        spend_text(session, snapshot),
    ]
    parts: list[Any] = [_bars(session, snapshot), *(Text(line, style="dim") for line in lines)]
    if troubles := troubles_text(session, snapshot):
        parts.append(Text(troubles, style="yellow"))
    return Group(*parts)


def _bars(session: Session, snapshot: Snapshot) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(max_width=30, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=30)
    rows = by_group(snapshot)
    for name, (done, wanted) in list(rows.items())[:MOST_ROWS]:
        bar = ProgressBar(total=max(1, wanted), completed=done, width=30)
        table.add_row(Text(harmless(name)), Text(f"{number(done)}/{number(wanted)}"), bar)
    if len(rows) > MOST_ROWS:
        table.add_row(Text(session.say("show.more", n=len(rows) - MOST_ROWS), style="dim"), "", "")
    counts = snapshot.counts
    total = ProgressBar(total=max(1, counts.requested), completed=counts.accepted, width=30)
    done_text = f"{number(counts.accepted)}/{number(counts.requested)}"
    table.add_row(
        Text(session.say("show.total"), style="bold"), Text(done_text, style="bold"), total
    )
    return table


GROUPS = ("scenario", "category")
"""The labels that progress is summed up by; without one, each category is its own group."""


def by_group(snapshot: Snapshot) -> Mapping[str, tuple[int, int]]:
    """(accepted, requested) by scenario or a ratio task's category, in plan order."""
    sums: dict[str, tuple[int, int]] = {}
    for category in snapshot.categories:
        name = next((category.labels[g] for g in GROUPS if g in category.labels), category.name)
        done, wanted = sums.get(name, (0, 0))
        sums[name] = (done + category.counts.accepted, wanted + category.counts.requested)
    return sums
