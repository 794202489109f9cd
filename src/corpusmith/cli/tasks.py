"""`corpusmith tasks`: look at tasks and end them.

Owns: the commands. Does not own: how tasks look (`task_show.py`), running (`running.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.generate import task_number
from corpusmith.cli.out import confirmed, either, number, show_json
from corpusmith.cli.session import Session
from corpusmith.cli.task_show import show_list, show_miss_rows, show_task, status_text
from corpusmith.errors import UsageError
from corpusmith.values import Status

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import Task

app = group("tasks")

Number = Annotated[str, flags.argument("TASK", "task_number")]
OrLast = Annotated[str | None, flags.argument("TASK", "task")]
"""A task's number; left out: the last task."""
Limit = Annotated[str, flags.option("--limit", "limit", "N")]
Kind = Annotated[str | None, flags.option("--kind", "miss_kind", "failed|rejected")]


@command(app, "list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, flags.option("--status", "status", "STATUS")] = None,
    limit: Limit = "30",
) -> None:
    """Newest first."""
    session: Session = ctx.obj
    if status is not None and status not in get_args(Status):
        known = ", ".join(get_args(Status))
        raise UsageError("cli_choice", option="--status", value=status, known=known)
    most = flags.whole_of(limit, "--limit", least=1)
    with session.studio() as studio:
        found = studio.tasks.list(status=cast(Status | None, status), limit=most)
    either(session, found, lambda: show_list(session, found))


def _found(studio: Studio, task: str | None) -> Task:
    return studio.tasks.last() if task is None else studio.tasks.get(task_number(task))


@command(app, "show")
def show(ctx: typer.Context, task: OrLast = None) -> None:
    """Everything about one task."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        if session.json:
            show_json(
                {
                    "task": found,
                    "quotas": studio.tasks.quotas(found),
                    "executions": studio.tasks.executions(found),
                    "misses": _by_reason(studio.tasks.miss_counts(found)),
                }
            )
            return
        show_task(session, studio, found)


def _by_reason(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "reason": reason, "count": count} for (kind, reason), count in counts.items()
    ]


@command(app, "misses")
def misses(ctx: typer.Context, task: OrLast = None, kind: Kind = None, limit: Limit = "20") -> None:
    """The samples that did not become records, with the model's own words."""
    session: Session = ctx.obj
    wish = _kinds(kind)[0] if kind else None
    most = flags.whole_of(limit, "--limit", least=1)
    with session.studio() as studio:
        found = _found(studio, task)
        rows = studio.tasks.misses(found, wish, limit=most)
    either(session, rows, lambda: show_miss_rows(session, rows))


@command(app, "pause")
def pause(ctx: typer.Context, task: Number) -> None:
    """Calls in flight end; `resume` goes on."""
    _ask(ctx.obj, task, "pause")


@command(app, "cancel")
def cancel(ctx: typer.Context, task: Number) -> None:
    """Like pause, but for good."""
    _ask(ctx.obj, task, "cancel")


def _ask(session: Session, task: str, wish: Literal["pause", "cancel"]) -> None:
    with session.studio() as studio:
        found = studio.tasks.ask(task_number(task), wish)
    key = f"cli.tasks.{wish}.asked" if found.request else "cli.tasks.now"
    text = session.say(key, task=found.id, status=status_text(session, found))
    either(session, found, lambda: print(text))


@command(app, "resume")
def resume(ctx: typer.Context, task: OrLast = None) -> None:
    """The same as `corpusmith resume`."""
    from corpusmith.cli.running import drive

    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        raise typer.Exit(drive(session, studio, found, resumed=True))


@command(app, "retry")
def retry(ctx: typer.Context, task: OrLast = None, kind: Kind = None) -> None:
    """Puts missed items back and runs them."""
    from corpusmith.cli.running import drive

    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        count = studio.tasks.retry(found, _kinds(kind))
        if count == 0:
            either(session, {"put_back": 0}, lambda: print(session.say("cli.tasks.retry.none")))
            return
        if not session.json:
            typer.echo(session.say("cli.tasks.retry", n=number(count)), err=True)
        raise typer.Exit(drive(session, studio, studio.tasks.get(found.id), resumed=True))


def _kinds(kind: str | None) -> list[Literal["failed", "rejected"]]:
    if kind is None:
        return ["failed", "rejected"]
    if kind not in ("failed", "rejected"):
        raise UsageError("cli_choice", option="--kind", value=kind, known="failed, rejected")
    return [cast(Literal["failed", "rejected"], kind)]


@command(app, "commit")
def commit(ctx: typer.Context, task: Number, dataset: flags.Dataset = None) -> None:
    """确认入库"""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        count = studio.tasks.commit(found, dataset)
    name = dataset or found.dataset
    text = session.say("cli.tasks.committed", n=number(count), dataset=name)
    either(session, {"committed": count, "dataset": name}, lambda: print(text))


@command(app, "discard")
def discard(ctx: typer.Context, task: Number, yes: flags.Yes = False) -> None:
    """Throws away what is in no dataset."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        if not confirmed(session.say("cli.tasks.discard.ask", task=found.id), session, yes=yes):
            return
        count = studio.tasks.discard(found)
    text = session.say("cli.tasks.discarded", n=number(count))
    either(session, {"discarded": count}, lambda: print(text))


@command(app, "delete")
def delete(ctx: typer.Context, task: Number, yes: flags.Yes = False) -> None:
    """Forgets a task; committed records stay."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        if not confirmed(session.say("cli.tasks.delete.ask", task=found.id), session, yes=yes):
            return
        studio.tasks.delete(found)
    text = session.say("cli.deleted", name=f"#{found.id} {found.name}")
    either(session, {"deleted": found.id}, lambda: print(text))
