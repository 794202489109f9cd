"""`corpusmith scenarios`: labelled situations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.characters import checked_language
from corpusmith.cli.command import command, group
from corpusmith.cli.out import confirmed, either, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.nouns import Scenario

app = group("scenarios")

Name = Annotated[str, flags.argument("NAME", "scenario_name")]
Search = Annotated[str | None, flags.option("--search", "search", "TEXT")]
Description = Annotated[str | None, flags.option("--description", "scenario_description", "TEXT")]
Weight = Annotated[str | None, flags.option("--weight", "weight", "X")]
SHORT = 60


@command(app, "list")
def list_(
    ctx: typer.Context,
    search: Search = None,
    shipped: Annotated[bool, flags.option("--shipped", "shipped")] = False,
) -> None:
    """The stored ones, or those that come with Corpusmith."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.scenarios.shipped() if shipped else studio.scenarios.list(search)
    either(session, found, lambda: _show_list(session, found, shipped=shipped))


def _show_list(session: Session, found: Sequence[Scenario], *, shipped: bool) -> None:
    from corpusmith.cli.widths import cut

    if not found:
        print(session.say("cli.scenarios.none"))
        return
    columns = ("name", "weight", "language", "description")
    rows = [
        (one.name, f"{one.weight:g}", one.language, cut(one.description, SHORT)) for one in found
    ]
    headers = [session.say(f"column.{name}") for name in columns]
    show_table(headers, rows, right=(1,), whole=(0, 2))
    if not shipped:
        print(session.say("cli.scenarios.more"))


@command(app, "show")
def show(ctx: typer.Context, name: Name) -> None:
    """A stored or shipped one."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.scenarios.find(name)
    texts = {
        "name": found.name,
        "weight": f"{found.weight:g}",
        "language": found.language,
        "description": found.description,
    }
    pairs = [(session.say(f"column.{key}"), text) for key, text in texts.items()]
    either(session, found, lambda: show_pairs(pairs))


@command(app, "add")
def add(
    ctx: typer.Context,
    name: Name,
    description: Description = None,
    weight: Weight = None,
    language: flags.Speech = None,
) -> None:
    """A new one from the options."""
    from corpusmith.nouns import Scenario

    session: Session = ctx.obj
    fields: dict[str, Any] = {
        "language": session.language,
        **_fields(description, weight, language),
    }
    with session.studio() as studio:
        made = studio.scenarios.add(Scenario(name=name, **fields))
    either(session, made, lambda: print(session.say("cli.added", name=name)))


@command(app, "edit")
def edit(
    ctx: typer.Context,
    name: Name,
    description: Description = None,
    weight: Weight = None,
    language: flags.Speech = None,
) -> None:
    """Changes what is given, and nothing else."""
    session: Session = ctx.obj
    fields = _fields(description, weight, language)
    if not fields:
        raise UsageError("cli_nothing_to_change")
    with session.studio() as studio:
        made = studio.scenarios.update(name, **fields)
    either(session, made, lambda: print(session.say("cli.changed", name=name)))


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """Refused while a dataset binds it."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.scenarios.get(name)
        if not confirmed(session.say("cli.delete.ask", name=name), session, yes=yes):
            return
        studio.scenarios.delete(name)
    either(session, {"deleted": name}, lambda: print(session.say("cli.deleted", name=name)))


def _fields(description: str | None, weight: str | None, language: str | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if description is not None:
        fields["description"] = description
    if weight is not None:
        fields["weight"] = flags.number_of(weight, "--weight", least=0)
    if language is not None:
        checked_language(language)
        fields["language"] = language
    return fields
