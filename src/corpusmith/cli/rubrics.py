"""`corpusmith rubrics`: what makes a record good, as shipped; to be used or to be changed."""

from __future__ import annotations

from typing import Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import either, show_json, show_table
from corpusmith.cli.session import Session

app = group("rubrics")


@command(app, "list")
def list_(ctx: typer.Context) -> None:
    """The shipped rubrics, in the user's language."""
    session: Session = ctx.obj
    from corpusmith.service.evaluations import rubrics

    found = rubrics(session.language)

    def table() -> None:
        rows = [
            (one.name, one.description, ", ".join(part.title for part in one.dimensions))
            for one in found
        ]
        headers = [session.say(f"column.{name}") for name in ("name", "description", "dimensions")]
        show_table(headers, rows)
        print(session.say("cli.rubrics.more"))

    either(session, [one.model_dump(mode="json") for one in found], table)


@command(app, "show")
def show(ctx: typer.Context, name: Annotated[str, flags.argument("NAME", "rubric_name")]) -> None:
    """The rubric's file as it is: changed, it is a rubric of one's own."""
    session: Session = ctx.obj
    from corpusmith.service.evaluations import rubric, rubric_file

    found = rubric(name, session.language)
    if session.json:
        show_json(found.model_dump(mode="json"))
    else:
        print(rubric_file(name, session.language), end="")
