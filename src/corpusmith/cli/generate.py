"""`generate`, `preview`, `run` and `resume`: the commands that make records.

Owns: from the words of the line to a task. Does not own: options (`flags.py`), driving a task and
its end (`running.py`), progress (`show.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.session import Session

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.task_file import TaskFile

app = group("")


def generate(
    ctx: typer.Context,
    character: flags.Character = None,
    scenario: flags.Scenario = None,
    dataset: flags.Dataset = None,
    count: flags.Count = None,
    turns: flags.Turns = None,
    mode: flags.Mode = None,
    dialogues_per_request: flags.PerRequest = None,
    share: flags.Share = None,
    variation: flags.Variation = None,
    language: flags.Speech = None,
    seed: flags.Seed = None,
    name: flags.Name = None,
    connection: flags.UseConnection = None,
    role: flags.Role = None,
    provider: flags.Provider = None,
    base_url: flags.BaseUrl = None,
    model: flags.Model = None,
    api_key_env: flags.KeyVariable = None,
    proxy: flags.Proxy = None,
    ca_file: flags.CaFile = None,
    timeout: flags.Timeout = None,
    connect_timeout: flags.ConnectTimeout = None,
    price_input: flags.PriceInput = None,
    price_output: flags.PriceOutput = None,
    price_cached: flags.PriceCached = None,
    temperature: flags.Temperature = None,
    top_p: flags.TopP = None,
    max_tokens: flags.MaxTokens = None,
    stop: flags.Stop = None,
    extra: flags.Extra = None,
    concurrency: flags.Concurrency = None,
    rpm: flags.Rpm = None,
    tpm: flags.Tpm = None,
    max_cost: flags.MaxCost = None,
    max_total_tokens: flags.MaxTotalTokens = None,
    max_calls: flags.MaxCalls = None,
    max_attempts_multiplier: flags.MaxAttempts = None,
    checks: flags.Checks = None,
    output: flags.Output = None,
    format: flags.Format = None,
    no_commit: flags.NoCommit = False,
    dry_run: flags.DryRun = False,
    yes: flags.Yes = False,
) -> None:
    """Builds the task from the options; `preview` is the same with nothing sent."""
    fields = flags.task_fields(dict(locals()))
    from corpusmith.service.fields import COMMAND_LINE
    from corpusmith.service.task_file import task_file

    session: Session = ctx.obj
    with flags.named_by_flag():
        file = task_file(fields, source=COMMAND_LINE)
    with session.studio() as studio:
        _make(session, studio, file, dry_run=dry_run or ctx.info_name == "preview", yes=yes)


command(app, "generate")(generate)
command(app, "preview")(generate)


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
    dry_run: flags.DryRun = False,
    yes: flags.Yes = False,
) -> None:
    """Runs a task file; options replace its fields."""
    from corpusmith.service.yaml_file import read_task_file

    session: Session = ctx.obj
    changed = {"count": count, "seed": seed, "connection": connection, "max_cost": max_cost}
    fields: dict[str, Any] = {name: value for name, value in changed.items() if value is not None}
    task = read_task_file(file, **fields, **flags.output_fields(output, format))
    with session.studio() as studio:
        _make(session, studio, task, dry_run=dry_run, yes=yes)


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
    names = [
        "concurrency",
        "rpm",
        "tpm",
        "max_cost",
        "max_total_tokens",
        "max_calls",
        "max_attempts_multiplier",
    ]
    fields = {name: given[name] for name in names if given[name] is not None}
    fields |= flags.output_fields(output, format)
    wanted = None if count is None else flags.whole_of(count, "--count", least=1)
    with session.studio() as studio:
        found = studio.tasks.last() if task is None else studio.tasks.get(task_number(task))
        if fields:
            found = studio.tasks.change(found, **_checked_changes(found, fields))
        if wanted is not None and wanted != found.requested:
            found = studio.tasks.extend(found, wanted)
        raise typer.Exit(drive(session, studio, found, resumed=True))


def task_number(text: str) -> int:
    """A task's number from `12` or `#12`. Raises UsageError."""
    return flags.whole_of(text.removeprefix("#"), "TASK", least=1)


def _make(session: Session, studio: Studio, file: TaskFile, *, dry_run: bool, yes: bool) -> None:
    from corpusmith.cli import running

    if dry_run:
        running.show_preview(session, studio.tasks.preview(file, items=1), file)
        return
    raise typer.Exit(running.create_and_drive(session, studio, file, yes=yes))


def _checked_changes(task: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """The changed fields as TaskFile reads them: the same bounds as for a new task."""
    from corpusmith.service.fields import COMMAND_LINE
    from corpusmith.service.task_file import task_file

    with flags.named_by_flag():
        file = task_file({"count": task.requested, **fields}, source=COMMAND_LINE)
    return {name: getattr(file, name) for name in fields}
