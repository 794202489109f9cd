"""`corpusmith journal`: the calls that were paid, and letting old ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.backup import size_text
from corpusmith.cli.command import command, group
from corpusmith.cli.out import confirmed, either, money, number
from corpusmith.cli.session import Session

if TYPE_CHECKING:
    from corpusmith.service.retention import Pruned

app = group("journal")


@command(app, "prune")
def prune(
    ctx: typer.Context,
    older_than: Annotated[str | None, flags.option("--older-than", "older_than", "90d")] = None,
    ended_only: Annotated[bool, flags.option("--ended-only", "ended_only")] = False,
    dry_run: Annotated[bool, flags.option("--dry-run", "prune_dry_run")] = False,
    compact: Annotated[bool, flags.option("--compact", "compact")] = False,
    yes: flags.Yes = False,
) -> None:
    """Says what would be lost, asks, and deletes."""
    from corpusmith.errors import UsageError
    from corpusmith.service.retention import age_s

    session: Session = ctx.obj
    if older_than is None:
        raise UsageError("cli_missing", name="--older-than")
    age = age_s(older_than)
    with session.studio() as studio:
        found = studio.retention.prune_journal(age, ended_only=ended_only, dry_run=True)
        if not dry_run and found.found.calls:
            question = _text(session, found, "ask")
            if not confirmed(question, session, yes=yes):
                return
        if not dry_run:
            found = studio.retention.prune_journal(age, ended_only=ended_only, compact=compact)
    either(session, found, lambda: _tell(session, found, dry_run=dry_run))


def _tell(session: Session, found: Pruned, *, dry_run: bool) -> None:
    if not found.found.calls:
        print(session.say("cli.journal.nothing"))
    else:
        print(_text(session, found, "dry" if dry_run else "done"))
    free = found.size_after.free
    size = {"size": size_text(found.size_after.total), "free": size_text(free or 0)}
    print(session.say("cli.journal.size" if free is None else "cli.journal.size_free", **size))


def _text(session: Session, found: Pruned, how: str) -> str:
    about = found.found
    return session.say(
        f"cli.journal.{how}",
        calls=number(found.deleted if how == "done" else about.calls),
        tasks=number(about.tasks),
        gone=number(about.deleted_tasks),
        cost=money(about.cost_usd, session),
        tokens=number(about.tokens),
        size=size_text(about.bytes),
    )
