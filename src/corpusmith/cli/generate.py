"""`generate`, `preview`, `run` and `resume`: the commands that make records.

Owns: from the words of the line to a task. Does not own: options (`flags.py`), driving a task and
its end (`running.py`), progress (`show.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.chains import is_chain, run_chain
from corpusmith.cli.command import command, group
from corpusmith.cli.making import make, task_command
from corpusmith.cli.sampling import run_sampling
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError
from corpusmith.values import Json

app = group("")


_OWN: dict[str, Any] = {
    "character": Annotated[
        flags.Many, flags.option("--character", "character", "FILE|NAME", "what")
    ],
    "scenario": Annotated[
        flags.Many, flags.option("--scenario", "scenario", "NAME[=WEIGHT]", "what")
    ],
    "turns": Annotated[flags.Text, flags.option("--turns", "turns", "N", "what")],
    "mode": Annotated[flags.Text, flags.option("--mode", "mode", "single|turns", "what")],
    "dialogues_per_request": Annotated[
        flags.Text, flags.option("--dialogues-per-request", "per_request", "N", "what")
    ],
    "share": Annotated[flags.Text, flags.option("--share", "share", "weight|even", "what")],
    "variation": Annotated[flags.Text, flags.option("--variation", "variation", "FILE", "what")],
}
_NAMES = {"scenarios": "--scenario", "characters": "--character"}
_SAME = ("turns", "mode", "dialogues_per_request", "share")


def _fields(given: Mapping[str, Any]) -> dict[str, Json]:
    fields: dict[str, Json] = {"recipe": "dialogue"}
    fields |= {name: given[name] for name in _SAME if given[name] is not None}
    if given["character"]:
        fields["characters"] = list(given["character"])
    if given["scenario"]:
        fields["scenarios"] = [flags.weighted(text) for text in given["scenario"]]
    if given["variation"]:
        from corpusmith.service.yaml_file import read_fields

        fields["variation"] = read_fields(given["variation"])
    return fields


for _name in ("generate", "preview"):  # `preview` is the same with nothing sent
    task_command(app, _name, own=_OWN, fields=_fields, names=_NAMES)


@command(app, "run")
def run(
    ctx: typer.Context,
    file: Annotated[str, flags.argument("FILE", "task_file")],
    count: flags.Count = None,
    seed: flags.Seed = None,
    connection: flags.UseConnection = None,
    max_cost: flags.MaxCost = None,
    output: flags.Output = None,
    format: flags.Format = None,
    again: Annotated[bool, flags.option("--again", "again", panel="result")] = False,
    dry_run: flags.DryRun = False,
    yes: flags.Yes = False,
) -> None:
    """Runs a task file, a chain, a sample of datasets or a feedback run; options replace fields."""
    from corpusmith.cli.feedback import run_feedback
    from corpusmith.service.feedback_file import read_feedback_file
    from corpusmith.service.sample_file import is_sampling
    from corpusmith.service.yaml_file import read_fields, read_task_file

    session: Session = ctx.obj
    own = {"connection": connection, "max_cost": max_cost, "count": count}
    given: dict[str, Any] = {n: one for n, one in own.items() if one is not None}
    given |= flags.output_fields(output, format)
    seeded = given if seed is None else {**given, "seed": seed}
    found = read_fields(file)
    if is_chain(found):
        _refuse_options(given, ("connection", "max_cost"), "cli_chain_option", file)
        raise typer.Exit(run_chain(session, file, again=again, dry_run=dry_run, yes=yes, **seeded))
    if again:
        raise UsageError("cli_chain_again", file=file)
    if found.get("recipe") == "feedback":
        unfit = {**seeded, **({"dry_run": True} if dry_run else {})}
        _refuse_options(unfit, (), "cli_run_feedback", file)
        run_feedback(session, read_feedback_file(file))
        return
    with session.studio() as studio:
        if is_sampling(found):
            _refuse_options(given, ("output", "format"), "cli_ratio_sampling", file)
            raise typer.Exit(run_sampling(session, studio, file, dry_run=dry_run, **seeded))
        make(session, studio, read_task_file(file, **seeded), dry_run=dry_run, yes=yes)


def _refuse_options(given: Mapping[str, Any], known: Collection[str], code: str, file: str) -> None:
    """Raises UsageError for an option that this kind of file cannot take."""
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise UsageError(code, option=flags.flag_of(unknown), file=file)


@command(app, "resume")
def resume(
    ctx: typer.Context,
    task: Annotated[str | None, flags.argument("TASK", "task")] = None,
    output: flags.Output = None,
    format: flags.Format = None,
    count: Annotated[str | None, flags.option("--count -n", "more", "N")] = None,
    concurrency: flags.Concurrency = None,
    rpm: flags.Rpm = None,
    tpm: flags.Tpm = None,
    max_cost: flags.MaxCost = None,
    max_total_tokens: flags.MaxTotalTokens = None,
    max_calls: flags.MaxCalls = None,
    max_attempts_multiplier: flags.MaxAttempts = None,
) -> None:
    """Goes on with a task after any kind of end."""
    from corpusmith.cli.running import drive

    session: Session = ctx.obj
    given = dict(locals())
    fields = {name: given[name] for name in flags.LIMITS if given[name] is not None}
    fields |= flags.output_fields(output, format)
    wanted = None if count is None else flags.whole_of(count, "--count", least=1)
    with session.studio() as studio:
        found = studio.tasks.last() if task is None else studio.tasks.get(task_number(task))
        if fields:
            found = studio.tasks.change(found, **_checked_changes(fields))
        if wanted is not None and wanted != found.requested:
            found = studio.tasks.extend(found, wanted)
        raise typer.Exit(drive(session, studio, found, resumed=True))


def task_number(text: str) -> int:
    """A task's number from `12` or `#12`. Raises UsageError."""
    return flags.whole_of(text.removeprefix("#"), "TASK", least=1)


def _checked_changes(fields: dict[str, Any]) -> dict[str, Any]:
    """The changed fields as TaskFile reads them: the same bounds as for a new task."""
    from corpusmith.service.fields import COMMAND_LINE
    from corpusmith.service.task_file import common_fields

    with flags.named_by_flag():
        file = common_fields(fields, source=COMMAND_LINE)
    return {name: getattr(file, name) for name in fields}
