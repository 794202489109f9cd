"""`corpusmith tokens`: what programs send to the server instead of a password."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import confirmed, either, local_time, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.users import noted
from corpusmith.cli.widths import tell

if TYPE_CHECKING:
    from corpusmith.service.tokens import NewToken
    from corpusmith.store.access_values import Token

app = group("tokens")

Name = Annotated[str, flags.argument("NAME", "token_name")]
Number = Annotated[str, flags.argument("NUMBER", "token_number")]
Scope = Annotated[str, flags.option("--scope", "token_scope", "read|review|edit|admin")]
Days = Annotated[str | None, flags.option("--days", "token_days", "N|never")]
NEVER = "never"


@command(app, "add")
def add(ctx: typer.Context, name: Name, scope: Scope = "read", days: Days = None) -> None:
    """Its secret alone goes to standard output."""
    from corpusmith.service.tokens import DAYS

    session: Session = ctx.obj
    lasts = DAYS if days is None else None
    if days is not None and days != NEVER:
        lasts = flags.whole_of(days, "--days", least=1)
    with session.studio() as studio:
        made = studio.tokens.add(name, scope=scope, days=lasts)
        noted(studio, "add_token", str(made.token.id))
    either(session, made, lambda: _show_added(session, made))


def _show_added(session: Session, made: NewToken) -> None:
    token = made.token
    until = session.say("cli.tokens.for_ever")
    if token.expires_at is not None:
        until = session.say("cli.tokens.until", time=local_time(token.expires_at))
    said = session.say("cli.tokens.added", number=token.id, scope=token.scope, until=until)
    tell(said, sys.stderr)
    print(made.secret)


@command(app, "list")
def list_(ctx: typer.Context) -> None:
    """Newest first."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tokens.list()
    either(session, found, lambda: _show_list(session, found))


def _show_list(session: Session, found: Sequence[Token]) -> None:
    if not found:
        print(session.say("cli.tokens.none"))
        return
    columns = ("token", "name", "scope", "user", "state", "expires_at", "used_at")
    never = session.say("cli.users.never")
    rows = [
        (
            one.id,
            one.name,
            one.scope,
            one.user or session.say("cli.tokens.machine"),
            session.say(f"token.state.{one.state}"),
            local_time(one.expires_at) if one.expires_at else session.say("cli.tokens.for_ever"),
            local_time(one.used_at) if one.used_at else never,
        )
        for one in found
    ]
    headers = [session.say(f"column.{name}") for name in columns]
    show_table(headers, rows, right=(0,), whole=(1, 2))


@command(app, "revoke")
def revoke(ctx: typer.Context, number: Number, yes: flags.Yes = False) -> None:
    """It never holds again."""
    session: Session = ctx.obj
    wanted = flags.whole_of(number, "NUMBER", least=1)
    with session.studio() as studio:
        found = studio.tokens.get(wanted)
        question = session.say("cli.tokens.revoke.ask", number=found.id, name=found.name)
        if not confirmed(question, session, yes=yes):
            return
        gone = studio.tokens.revoke(wanted)
        noted(studio, "revoke_token", str(wanted))
    said = session.say("cli.tokens.revoked", number=gone.id, name=gone.name)
    either(session, gone, lambda: print(said))
