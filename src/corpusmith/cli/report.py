"""`corpusmith report`: what a dataset or a task's records are worth: a page, JSON or a few lines.

Owns: its options, and what matters on a terminal. Does not own: the numbers and the page
(`reports/`, `service/reports.py`).
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.generate import task_number
from corpusmith.cli.making import sign
from corpusmith.cli.out import number, show_json
from corpusmith.cli.selecting import SELECTION, selection_of
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.reports.report import Report
    from corpusmith.service.reports import Form, Show

app = group("")

SHOWN_EVERY_S = 0.5
FORMS = ("html", "json")
_SUFFIXES = {".html": "html", ".htm": "html", ".json": "json"}
_MARKS = {"bad": "!", "note": "-", "good": "+"}

_OWN: dict[str, Any] = {
    "dataset": Annotated[
        str | None,
        typer.Argument(metavar="[DATASET]", help="report_dataset", show_default=False),
    ],
    "task": Annotated[flags.Text, flags.option("--task", "report_task", "N")],
    "output": Annotated[flags.Text, flags.option("--output -o", "report_output", "FILE|-")],
    "format": Annotated[flags.Text, flags.option("--format", "report_format", "html|json")],
    "seed": Annotated[flags.Text, flags.option("--seed", "report_seed", "N")],
    **SELECTION,
}


def report(ctx: typer.Context, **given: Any) -> None:
    """Writes the file whole or not at all."""
    session: Session = ctx.obj
    dataset, task = given["dataset"], given["task"]
    if (dataset is None) == (task is None):
        raise UsageError("cli_report_of")
    output = given["output"]
    form = _form(given["format"], output)
    if session.json and output == "-":
        raise UsageError("cli_json_and_output")
    seed = 0 if given["seed"] is None else flags.whole_of(given["seed"], "--seed", least=0)
    number_of_task = None if task is None else task_number(task)
    with session.studio() as studio:
        if output not in (None, "-"):
            # Better now than after a pass over a million records.
            flags.output_fields(output, None)
        made = studio.reports.of(
            dataset=dataset,
            task=number_of_task,
            only=selection_of(given),
            seed=seed,
            show=_progress(session),
        )
        if output is not None:
            studio.reports.write(made, output, form)
    if session.json:
        show_json(made)
    elif output != "-":
        _tell(session, made, output)


sign(report, _OWN)
command(app, "report")(report)


def _form(wish: str | None, output: str | None) -> Form:
    """What the file is. Raises UsageError."""
    if wish is not None:
        if wish not in FORMS:
            raise UsageError("report_format", value=wish[:60])
        return cast("Form", wish)
    if output in (None, "-"):
        return "html"
    found = _SUFFIXES.get(PurePath(output or "").suffix.lower())
    if found is None:
        raise UsageError("report_suffix", file=output)
    return cast("Form", found)


def _progress(session: Session) -> Show:
    """A line on standard error now and then, where somebody looks."""
    due_s = time.monotonic() + SHOWN_EVERY_S
    live = sys.stderr.isatty() and not session.json

    def show(seen: int, whole: int) -> None:
        nonlocal due_s
        last = seen == whole
        if not live or (time.monotonic() < due_s and not last):
            return
        due_s = time.monotonic() + SHOWN_EVERY_S
        text = session.say("cli.report.progress", seen=number(seen), all=number(whole))
        # The line is written over, and gone at the end.
        print(f"\r\x1b[K{'' if last else text}", end="", file=sys.stderr, flush=True)

    return show


# ---------------------------------------------------------------- the short form


def _tell(session: Session, made: Report, output: str | None) -> None:
    """What matters, one line each, with what to run next."""
    from corpusmith.cli.widths import tell
    from corpusmith.reports.commands import about
    from corpusmith.reports.words import Words, gap

    words = Words(session.language)
    db = f" --db {shlex.quote(session.db)}" if session.db else ""
    head = session.say("cli.report.head", name=made.name, records=number(made.records))
    tell(head, sys.stdout)
    for one in made.findings:
        told = words.told(one.code, one.data)
        command_line = "" if one.command is None else f"{gap(told)}{one.command}{db}"
        tell(f"{_MARKS[one.weight]} {told}{command_line}", sys.stdout)
    print()
    if output is None:
        seed = [f"--seed {made.seed}"] if made.seed else []
        line = about(made, "report", "--output report.html", *seed) + db
        tell(session.say("cli.report.next", command=line), sys.stdout)
    else:
        tell(session.say("cli.report.written", file=_short(Path(output))), sys.stdout)


def _short(path: Path) -> str:
    from corpusmith.cli.out import shown_path

    return shown_path(path)
