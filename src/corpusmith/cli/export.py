"""`corpusmith export`: records of a task or dataset into a file or onto standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.generate import task_number
from corpusmith.cli.out import number, show_json
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

app = group("")


@command(app, "export")
def export(
    ctx: typer.Context,
    task: Annotated[str | None, flags.option("--task", "export_task", "N")] = None,
    dataset: Annotated[str | None, flags.option("--dataset", "export_dataset", "NAME")] = None,
    output: flags.Output = None,
    format: flags.Format = None,
    scenario: Annotated[str | None, flags.option("--scenario", "only_scenario", "NAME")] = None,
    character: Annotated[str | None, flags.option("--character", "only_character", "NAME")] = None,
    system: Annotated[str | None, flags.option("--system", "system", "none|character")] = None,
) -> None:
    """Writes the file whole or not at all."""
    session: Session = ctx.obj
    if output is None:
        raise UsageError("cli_missing", name="--output")
    if session.json and output == "-":
        raise UsageError("cli_json_and_output")
    place = flags.output_fields(output, format)
    form = str(place.get("format", "json"))
    options: dict[str, Any] = {} if system is None else {"system": system}
    if options and form != "messages":
        raise UsageError("cli_system_format", format=form)
    with session.studio() as studio:
        written = studio.exports.write(
            place["output"],
            task=None if task is None else task_number(task),
            dataset=dataset,
            form=form,
            scenario=scenario,
            character=character,
            **options,
        )
    if session.json:
        show_json(written)
        return
    shown = str(written.path) if written.path is None else _short(written.path)
    stream = sys.stderr if output == "-" else sys.stdout
    key = "cli.exported_nothing" if written.records == 0 else "cli.exported"
    if output == "-":
        key += "_stream"
    print(session.say(key, n=number(written.records), file=shown), file=stream)


def _short(path: Path) -> str:
    from corpusmith.cli.running import shown_path

    return shown_path(path)
