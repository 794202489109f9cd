"""`corpusmith users`: people who may log in to the server.

Owns: asking for passwords. Does not own: what a good one is (the service).
A password is never an argument: the list of processes shows those to everybody on the machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import confirmed, either, local_time, show_table
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.store.access_values import User

app = group("users")

Name = Annotated[str, flags.argument("NAME", "user_name")]
Role = Annotated[str | None, flags.option("--role", "user_role", "admin|editor|reviewer")]
NewRole = Annotated[str, flags.argument("ROLE", "user_new_role")]
Search = Annotated[str | None, flags.option("--search", "search", "TEXT")]
Variable = Annotated[str | None, flags.option("--password-env", "password_env", "VARIABLE")]


@command(app, "add")
def add(ctx: typer.Context, name: Name, role: Role = None, password_env: Variable = None) -> None:
    """The first one is an admin."""
    session: Session = ctx.obj
    with session.studio() as studio:
        first = not studio.users.any()
        made = studio.users.add(name, _password(session, password_env), role)
        noted(studio, "add_user", made.name)
    either(session, made, lambda: _show_added(session, made, first=first))


def _show_added(session: Session, made: User, *, first: bool) -> None:
    print(session.say("cli.users.added", name=made.name, role=made.role))
    if first:
        print(session.say("cli.users.first"))


@command(app, "list")
def list_(ctx: typer.Context, search: Search = None) -> None:
    """By name."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.users.list(search)
    either(session, found, lambda: _show_list(session, found))


def _show_list(session: Session, found: Sequence[User]) -> None:
    if not found:
        print(session.say("cli.users.none"))
        return
    columns = ("name", "role", "active", "login_at")
    rows = [
        (
            one.name,
            one.role,
            session.say("cli.users.yes" if one.active else "cli.users.no"),
            local_time(one.login_at) if one.login_at else session.say("cli.users.never"),
        )
        for one in found
    ]
    show_table([session.say(f"column.{name}") for name in columns], rows, whole=(0, 1))


@command(app, "passwd")
def passwd(ctx: typer.Context, name: Name, password_env: Variable = None) -> None:
    """A new password; whoever knows the old one is logged out."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.users.get(name)
        made = studio.users.change(name, password=_password(session, password_env))
        noted(studio, "change_user", made.name)
    _changed(session, made)


@command(app, "role")
def role_(ctx: typer.Context, name: Name, role: NewRole) -> None:
    """Another role; they log in anew."""
    session: Session = ctx.obj
    with session.studio() as studio:
        made = studio.users.change(name, role=role)
        noted(studio, "change_user", made.name)
    _changed(session, made)


@command(app, "off")
def off(ctx: typer.Context, name: Name) -> None:
    """No login, no tokens, until switched on again."""
    _switch(ctx.obj, name, active=False)


@command(app, "on")
def on(ctx: typer.Context, name: Name) -> None:
    """May log in again; their tokens hold again."""
    _switch(ctx.obj, name, active=True)


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """With their sessions and tokens."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.users.get(name)
        if not confirmed(session.say("cli.delete.ask", name=found.name), session, yes=yes):
            return
        studio.users.delete(found.name)
        noted(studio, "delete_user", found.name)
    deleted = {"deleted": found.name}
    either(session, deleted, lambda: print(session.say("cli.deleted", name=found.name)))


def _switch(session: Session, name: str, *, active: bool) -> None:
    with session.studio() as studio:
        made = studio.users.change(name, active=active)
        noted(studio, "change_user", made.name)
    _changed(session, made)


def _changed(session: Session, made: User) -> None:
    either(session, made, lambda: print(session.say("cli.users.changed", name=made.name)))


def noted(studio: Studio, action: str, target: str) -> None:
    """A row in the log of who did what: here it is who is logged in to the machine."""
    import getpass

    from corpusmith.service.audit import shown_name
    from corpusmith.store.access_values import Deed

    try:
        who = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        who = ""
    shown = shown_name(target.replace("/", "%2F"))
    studio.audit.add(Deed(who=shown_name(who), via="cli", action=action, target=shown))


def _password(session: Session, variable: str | None) -> str:
    """From the variable, typed twice at a terminal, or the first line of standard input."""
    if variable is not None:
        found = os.environ.get(variable, "")
        if not found:
            raise UsageError("password_variable", variable=variable[:60])
        return found
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    first = getpass(session.say("cli.users.password"), stream=sys.stderr)
    if getpass(session.say("cli.users.again"), stream=sys.stderr) != first:
        raise UsageError("passwords_differ")
    return first
