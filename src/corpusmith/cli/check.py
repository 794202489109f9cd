"""`corpusmith check`: the checks over what exists, a dataset, a task's records or a file.

Owns: its options, and what is said of the findings. Does not own: walking and acting on them
(`service/checking.py`), which records (`selecting.py`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from corpusmith.cli import flags
from corpusmith.cli.characters import checked_language
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import DONE, SHORTFALL
from corpusmith.cli.generate import task_number
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, number, show_json, show_table
from corpusmith.cli.running import reason_text, shown_path
from corpusmith.cli.selecting import SELECTION, selection_of
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.service.checking import Checked
    from corpusmith.service.studio import Studio

app = group("")
PROGRESS_EVERY_S = 2.0
SHOWN = 3
"""Findings of each reason that are shown one by one."""
DETAIL_CHARS = 120

Text = str | None
OPTIONS: dict[str, Any] = {
    "target": Annotated[Text, flags.argument("DATASET|FILE", "check_target")],
    "task": Annotated[Text, flags.option("--task", "check_task", "N")],
    "checks": Annotated[Text, flags.option("--checks", "check_checks", "NAME,…|all")],
    "check": Annotated[flags.Many, flags.option("--check", "check", "NAME[:OPTION=VALUE,…]")],
    "against": Annotated[flags.Many, flags.option("--against", "check_against", "FILE")],
    "apply": Annotated[Text, flags.option("--apply", "check_apply", "flag|remove")],
    "output": Annotated[Text, flags.option("--output -o", "check_output", "FILE")],
    "language": Annotated[Text, flags.option("--language", "check_language", "zh|en")],
    "yes": flags.Yes,
    **SELECTION,
}


def _check(ctx: typer.Context, **given: Any) -> None:
    session: Session = ctx.obj
    target, task = given["target"], given["task"]
    if (target is None) == (task is None):
        raise UsageError("check_target")
    if given["apply"] not in (None, "flag", "remove"):
        raise UsageError("check_apply", value=str(given["apply"])[:60])
    wished = _wished(given)
    with session.studio() as studio:
        if target is not None and _is_file(target):
            found = _of_file(session, studio, target, wished, given)
        else:
            found = _of_records(session, studio, wished, given)
    if session.json:
        show_json(_as_json(found))
    else:
        _show(session, found, given)
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


def _is_file(target: str) -> bool:
    """A file there is, or what can only be one."""
    return os.path.isfile(target) or (os.sep in target or target.lower().endswith(_SUFFIXES))


_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".gz")


def _of_file(
    session: Session, studio: Studio, target: str, wished: Any, given: Mapping[str, Any]
) -> Checked:
    unfit = [name for name in (*SELECTION, "apply") if given[name]]
    if unfit:
        raise UsageError("check_file_option", option="--" + unfit[0].replace("_", "-"))
    if given["language"] is not None:
        checked_language(given["language"])
    return studio.checking.file(
        target,
        checks=wished,
        language=cast(Any, given["language"]),
        output=given["output"],
        look=_Progress(session),
    )


def _of_records(session: Session, studio: Studio, wished: Any, given: Mapping[str, Any]) -> Checked:
    for name in ("output", "language"):
        if given[name] is not None:
            raise UsageError("check_records_option", option=f"--{name}")
    task = None if given["task"] is None else task_number(given["task"])
    return studio.checking.records(
        selection_of(given, task=task, dataset=given["target"]),
        checks=wished,
        apply=given["apply"],
        agree=lambda found: _agreed(session, found, yes=given["yes"]),
        look=_Progress(session),
    )


def _agreed(session: Session, found: Checked, *, yes: bool) -> bool:
    question = session.say(
        "cli.check.ask", n=number(found.failed), of=number(found.looked), target=found.target
    )
    return confirmed(question, session, yes=yes)


# ---------------------------------------------------------------- what is said


def _show(session: Session, found: Checked, given: Mapping[str, Any]) -> None:
    counts = {
        "target": found.target,
        "n": number(found.looked),
        "passed": number(found.passed),
        "failed": number(found.failed),
        "flagged": number(found.flagged),
    }
    if found.looked == 0:
        print(harmless(session.say("cli.check.nothing", target=found.target)))
        return
    print(harmless(session.say("cli.check.summary", **counts)))
    if found.counts:
        print()
        _show_counts(session, found)
        print()
        _show_first(session, found, of_file=found.written is not None or _is_file(found.target))
    _show_end(session, found, given)


def _show_counts(session: Session, found: Checked) -> None:
    columns = ("check", "action", "reason", "records", "share")
    rows = [
        (
            name,
            session.say(f"cli.check.action.{action}"),
            reason_text(session, reason),
            number(count),
            f"{count / found.looked:.2%}",
        )
        for (name, action, reason), count in sorted(found.counts.items(), key=lambda one: -one[1])
    ]
    show_table([session.say(f"column.{name}") for name in columns], rows, right=(3, 4))


def _show_first(session: Session, found: Checked, *, of_file: bool) -> None:
    told: dict[tuple[str, str], int] = {}
    key = "cli.check.line" if of_file else "cli.check.record"
    for one in found.first:
        kind = (one.check, one.reason)
        told[kind] = told.get(kind, 0) + 1
        if told[kind] <= SHOWN:
            detail = "  ".join(f"{name}={value}" for name, value in one.detail.items())
            place = session.say(key, n=one.record)
            # One line each: a record's own lines would pass for ours.
            line = " ".join(f"{one.check}: {detail}"[:DETAIL_CHARS].split())
            print(harmless(f"  {place}  {line}"))


def _show_end(session: Session, found: Checked, given: Mapping[str, Any]) -> None:
    if found.removal is not None:
        number_ = found.removal.number
        print(session.say("cli.check.removed", n=number(found.removal.count), number=number_))
    elif given["apply"] == "flag":
        print(session.say("cli.check.flagged", n=number(found.noted)))
    elif found.written is not None:
        print(
            session.say("cli.check.written", n=number(found.passed), file=shown_path(found.written))
        )
        if found.rejected_file is not None:
            left = shown_path(found.rejected_file)
            print(session.say("cli.check.left_out", n=number(found.failed), file=left))
    elif found.counts:
        key = "cli.check.dry_file" if _is_file(found.target) else "cli.check.dry"
        print(session.say(key))


def _as_json(found: Checked) -> dict[str, Any]:
    return {
        "target": found.target,
        "looked": found.looked,
        "passed": found.passed,
        "failed": found.failed,
        "flagged": found.flagged,
        "counts": [
            {"check": check, "action": action, "reason": reason, "records": count}
            for (check, action, reason), count in found.counts.most_common()
        ],
        "first": found.first,
        "removal": found.removal,
        "noted": found.noted,
        "written": found.written,
        "rejected_file": found.rejected_file,
    }


class _Progress:
    """A line on standard error now and then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began_s = time.monotonic()
        self._due_s = self._began_s + PROGRESS_EVERY_S

    def __call__(self, looked: int) -> None:
        now_s = time.monotonic()
        if self._session.json or now_s < self._due_s:
            return
        self._due_s = now_s + PROGRESS_EVERY_S
        rate = number(round(looked / (now_s - self._began_s)))
        text = self._session.say("cli.check.progress", n=number(looked), rate=rate)
        print(text, file=sys.stderr, flush=True)
