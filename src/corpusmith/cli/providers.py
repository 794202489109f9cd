"""`corpusmith providers`: the endpoints that are known by name."""

from __future__ import annotations

import typer

from corpusmith.cli.command import command, group
from corpusmith.cli.out import either, show_table
from corpusmith.cli.session import Session

app = group("")


@command(app, "providers")
def providers(ctx: typer.Context) -> None:
    """The endpoints that Corpusmith knows by name."""
    from corpusmith.service.connections import presets

    session: Session = ctx.obj
    found = presets()
    columns = ("name", "title", "protocol", "base_url", "key")
    rows = [(one.name, one.title, one.protocol, one.base_url, one.key_env or "") for one in found]
    headers = [session.say(f"column.{name}") for name in columns]
    either(session, found, lambda: show_table(headers, rows, whole=(0, 2)))
