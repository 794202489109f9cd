"""Commands that make a task and run it: built from a table of their own options.

Owns: the options that all of them share, and from options to a task. Does not own: a recipe's own
options (each command's file), driving a task and its end (`running.py`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command
from corpusmith.cli.session import Session
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.task_file import TaskFile

Fields = Callable[[Mapping[str, Any]], Mapping[str, Json]]
NO_NAMES: Mapping[str, str] = MappingProxyType({})


def task_command(
    app: typer.Typer,
    name: str,
    *,
    own: Mapping[str, Any],
    fields: Fields,
    leave_out: Collection[str] = (),
    names: Mapping[str, str] = NO_NAMES,
) -> None:
    """Registers the command `name`: the options `own` and then `flags.COMMON` but `leave_out`.

    `own`: parameter name → Annotated option or argument; a flag's default is False, any other's is
    None. `fields`: the recipe's own task fields, `recipe` among them, from all given values.
    `names`: field → option, where they differ.
    """
    options = {**own, **{n: one for n, one in flags.COMMON.items() if n not in leave_out}}

    def run(ctx: typer.Context, **given: Any) -> None:
        from corpusmith.service.fields import COMMAND_LINE
        from corpusmith.service.task_file import task_file

        session: Session = ctx.obj
        with flags.named_by_flag(names):
            file = task_file({**flags.common_fields(given), **fields(given)}, source=COMMAND_LINE)
        with session.studio() as studio:
            dry_run = given["dry_run"] or ctx.info_name == "preview"
            make(session, studio, file, dry_run=dry_run, yes=given["yes"])

    sign(run, options)
    command(app, name)(run)


def make(
    session: Session,
    studio: Studio,
    file: TaskFile,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Preview the task, or make it and run it to its end."""
    from corpusmith.cli import running

    if dry_run:
        running.show_preview(session, studio.tasks.preview(file, items=1))
        return
    raise typer.Exit(running.create_and_drive(session, studio, file, yes=yes))


def sign(run: Callable[..., None], options: Mapping[str, Any]) -> None:
    """Gives `run` the parameters that Typer reads: `ctx`, then `options`."""
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(annotation),
                annotation=annotation,
            )
            for name, annotation in options.items()
        ),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer's way
    run.__annotations__ = {one.name: one.annotation for one in parameters}


def _default(annotation: Any) -> Any:
    kind = annotation.__origin__
    return False if kind is bool else inspect.Parameter.empty if kind is str else None
