"""`corpusmith check`: the checks over what exists, a dataset, a task's records or a file.

Owns: its options, and whether a word is a dataset or a file. Does not own: what is said of the
findings (`check_show.py`), walking and acting on them (`service/checking.py`), which records
(`selecting.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from corpusmith.cli import flags
from corpusmith.cli.characters import checked_language
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import DONE, SHORTFALL
from corpusmith.cli.generate import task_number
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, number, show_json
from corpusmith.cli.selecting import SELECTION, selection_of
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.errors import NotFound, UsageError

if TYPE_CHECKING:
    from corpusmith.cli.check_show import Progress
    from corpusmith.service.check_findings import Checked
    from corpusmith.service.studio import Studio

app = group("")

Text = str | None
OPTIONS: dict[str, Any] = {
    "target": Annotated[Text, flags.argument("DATASET|FILE", "check_target")],
    "task": Annotated[Text, flags.option("--task", "check_task", "N")],
    "checks": Annotated[Text, flags.option("--checks", "check_checks", "NAME,…|all")],
    "check": Annotated[flags.Many, flags.option("--check", "check", "NAME[:OPTION=VALUE,…]")],
    "against": Annotated[flags.Many, flags.option("--against", "check_against", "FILE")],
    "apply": Annotated[Text, flags.option("--apply", "check_apply", "flag|mask|remove")],
    "output": Annotated[Text, flags.option("--output -o", "check_output", "FILE")],
    "language": Annotated[Text, flags.option("--language", "check_language", "zh|en")],
    "yes": flags.Yes,
    **SELECTION,
}


def _check(ctx: typer.Context, **given: Any) -> None:
    from corpusmith.cli.check_show import as_json, progress, show
    from corpusmith.service.checking import Apply

    session: Session = ctx.obj
    target, task = given["target"], given["task"]
    if (target is None) == (task is None):
        raise UsageError("check_target")
    if given["apply"] not in (None, *get_args(Apply)):
        raise UsageError("check_apply", value=str(given["apply"])[:60])
    wished = _wished(given)
    with session.studio() as studio, progress(session) as look:
        of_file = target is not None and _is_file(session, studio, target)
        act = _of_file if of_file else _of_records
        found = act(session, studio, wished, given, look)
    if session.json:
        show_json(as_json(found))
    else:
        show(session, found, of_file=of_file, apply=given["apply"])
    settled = found.looked > 0 and (found.removal is not None or not found.failed)
    raise typer.Exit(DONE if settled else SHORTFALL)


sign(_check, OPTIONS)
command(app, "check")(_check)


def _wished(given: Mapping[str, Any]) -> Any:
    """The checks as a person asked for them; None: the usual ones."""
    fields = flags.common_fields({"checks": given["checks"], "check": given["check"]})
    wished = fields.get("checks")
    if not given["against"]:
        return wished
    tests = {"contamination": {"files": list(given["against"])}}
    if wished is None:
        return [tests]
    return wished | tests if isinstance(wished, dict) else [*wished, tests]


# ---------------------------------------------------------------- a dataset or a file

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".pq", ".gz")
_PLACES = ("./", "../", "~", ".\\", "..\\")


def _is_file(session: Session, studio: Studio, target: str) -> bool:
    """A word that says where is a file, and a dataset's name that dataset; then what looks like a
    file. Of a word that is both a note says which it was taken for."""
    if target.startswith(_PLACES) or os.path.isabs(target):
        return True
    there = os.path.isfile(target)
    if _is_dataset(studio, target):
        if there:
            note = session.say("cli.check.both", name=target, file=os.path.join(".", target))
            tell(note, sys.stderr)
        return False
    return there or os.sep in target or target.lower().endswith(_SUFFIXES)


def _is_dataset(studio: Studio, name: str) -> bool:
    try:
        studio.datasets.get(name)
    except NotFound:
        return False
    return True


def _of_file(
    session: Session, studio: Studio, wished: Any, given: Mapping[str, Any], look: Progress
) -> Checked:
    unfit = [name for name in SELECTION if given[name]]
    if unfit:
        raise UsageError("check_file_option", option="--" + unfit[0].replace("_", "-"))
    if given["apply"] not in (None, "mask"):
        raise UsageError("check_file_option", option=f"--apply {given['apply']}")
    if given["language"] is not None:
        checked_language(given["language"])
    return studio.checking.file(
        os.path.expanduser(given["target"]),
        checks=wished,
        apply=given["apply"],
        language=cast(Any, given["language"]),
        output=given["output"],
        look=look,
    )


def _of_records(
    session: Session, studio: Studio, wished: Any, given: Mapping[str, Any], look: Progress
) -> Checked:
    for name in ("output", "language"):
        if given[name] is not None:
            raise UsageError("check_records_option", option=f"--{name}")
    task = None if given["task"] is None else task_number(given["task"])

    def agree(found: Checked) -> bool:
        look.clear()
        return confirmed(_question(session, found, given["apply"]), session, yes=given["yes"])

    return studio.checking.records(
        selection_of(given, task=task, dataset=given["target"]),
        checks=wished,
        apply=given["apply"],
        agree=agree,
        look=look,
    )


def _question(session: Session, found: Checked, apply: str) -> str:
    told = {"of": number(found.looked), "target": found.target}
    if apply == "mask":
        return session.say("cli.check.ask_mask", n=number(found.maskable), **told)
    return session.say("cli.check.ask", n=number(found.failed), **told)
