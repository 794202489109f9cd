"""`corpusmith settings`: what a server keeps in its database."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import either, show_table
from corpusmith.cli.session import Session

app = group("settings")

Name = Annotated[str, flags.argument("NAME", "setting_name")]

_SWITCH = {"1": True, "on": True, "yes": True, "0": False, "off": False, "no": False}


@command(app, "list")
def list_(ctx: typer.Context) -> None:
    """Each with its value, where that comes from, and what it does."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.settings.list()
    either(session, found, lambda: _show(session, found))


@command(app, "set")
def set_(
    ctx: typer.Context,
    name: Name,
    value: Annotated[str, flags.argument("VALUE", "setting_value")],
) -> None:
    """From now on; running programs take it up when they next look."""
    session: Session = ctx.obj
    with session.studio() as studio:
        kinds = {one.name: one.kind for one in studio.settings.list()}
        found = studio.settings.change({name: _read(kinds.get(name), value)})
    either(session, found, lambda: _show(session, found))


@command(app, "unset")
def unset(ctx: typer.Context, name: Name) -> None:
    """Back to the default."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.settings.change({name: None})
    either(session, found, lambda: _show(session, found))


def _read(kind: str | None, text: str) -> Any:
    if kind == "switch":
        return _SWITCH.get(text.lower(), text)
    return int(text) if kind == "days" and text.isdecimal() and len(text) < 10 else text


def _show(session: Session, found: Any) -> None:
    columns = [session.say(f"column.{name}") for name in ("name", "value", "source", "meaning")]
    rows = [
        (one.name, _text(one.value), session.say(f"setting.source.{one.source}"), one.help)
        for one in found
    ]
    show_table(columns, rows, whole=(0, 1, 2))


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
