"""`corpusmith evaluate`: judges score a dataset, a task's records or a file by a rubric.

Owns: its options, and what a report looks like on a terminal. Does not own: the numbers
(`service/evaluations.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import group
from corpusmith.cli.generate import task_number
from corpusmith.cli.making import task_command
from corpusmith.cli.out import number, show_event, show_json, show_table
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.quality.agreement import Agreement
    from corpusmith.service.evaluations import DimensionResult, Evaluation
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import Task

app = group("")

BARS = " ▁▂▃▄▅▆▇█"
"""One sign for each score: how many of the verdicts gave it."""
LOWEST_SHOWN = 5
COMMENT_COLUMNS = 60


def _show(ctx: typer.Context, task: str | None) -> None:
    """`--show TASK`: the report of an earlier evaluation; nothing else is done."""
    if task is None or ctx.resilient_parsing:
        return
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.evaluations.of(task_number(task))
    if session.json:
        show_json(found)
    else:
        show_report(session, found)
    raise typer.Exit


_OWN: dict[str, Any] = {
    "of_dataset": Annotated[
        flags.Text, flags.option("--dataset", "evaluate_dataset", "NAME", "what")
    ],
    "of_task": Annotated[flags.Text, flags.option("--task", "evaluate_task", "TASK", "what")],
    "of_file": Annotated[flags.Text, flags.option("--input", "evaluate_input", "FILE", "what")],
    "rubric": Annotated[
        flags.Text, flags.option("--rubric", "evaluate_rubric", "NAME|FILE", "what")
    ],
    "judge": Annotated[
        flags.Many, flags.option("--judge", "evaluate_judge", "NAME[=WEIGHT]", "what")
    ],
    "where": Annotated[flags.Many, flags.option("--where", "evaluate_where", "NAME=VALUE", "what")],
    "sample": Annotated[flags.Text, flags.option("--sample", "evaluate_sample", "N", "what")],
    "max_row_tokens": Annotated[
        flags.Text, flags.option("--max-row-tokens", "evaluate_max_row_tokens", "N", "what")
    ],
    "fresh": Annotated[bool, flags.option("--fresh", "evaluate_fresh", panel="what")],
    "show": Annotated[
        flags.Text,
        typer.Option(
            "--show",
            help="evaluate_show",
            metavar="TASK",
            rich_help_panel="result",
            show_default=False,
            callback=_show,
            is_eager=True,
        ),
    ],
}
_LEFT_OUT = ("count", "dataset", "checks", "check", "no_commit")
_NAMES = {
    "of.task": "--task",
    "of.where": "--where",
    "of.sample": "--sample",
    "of": "--dataset",
    "judges": "--judge",
}
_SAME = ("rubric", "max_row_tokens")


def _fields(given: Mapping[str, Any]) -> dict[str, Json]:
    fields: dict[str, Json] = {"recipe": "evaluate", "of": _of(given)}
    fields |= {name: given[name] for name in _SAME if given[name] is not None}
    if given["judge"]:
        fields["judges"] = [_judge(text) for text in given["judge"]]
    if given["fresh"]:
        fields["fresh"] = True
    return fields


def _of(given: Mapping[str, Any]) -> dict[str, Json]:
    """Exactly one of the three, and which of its rows. Raises UsageError."""
    path, task = given["of_file"], given["of_task"]
    wished = {
        "dataset": given["of_dataset"],
        # As text, so that what is no number is complained of like other fields.
        "task": None if task is None else task.removeprefix("#"),
        "path": None if path is None else str(Path(path).expanduser().absolute()),
    }
    found: dict[str, Json] = {kind: one for kind, one in wished.items() if one is not None}
    if len(found) != 1:
        raise UsageError("cli_evaluate_of")
    if path is not None and path.startswith("hub:"):
        found = {"hub": path.removeprefix("hub:")}
    if given["where"]:
        found["where"] = dict(_condition(text) for text in given["where"])
    return found if given["sample"] is None else {**found, "sample": given["sample"]}


def _judge(text: str) -> dict[str, Json]:
    parts = flags.weighted(text)
    return {"connection": parts.pop("name"), **parts}


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError("cli_where", text=text[:60])
    return name, value


def after(session: Session, studio: Studio, task: Task) -> None:
    """The report, below what is said of every task."""
    found = studio.evaluations.of(task)
    if session.json:
        show_event("evaluation", evaluation=found)
    elif found.scored and task.spec.get("output") == "-":
        # Standard output holds the scores, and nothing else.
        with redirect_stdout(sys.stderr):
            show_report(session, found)
    elif found.scored:
        show_report(session, found)


task_command(
    app,
    "evaluate",
    own=_OWN,
    fields=_fields,
    leave_out=_LEFT_OUT,
    names=_NAMES,
)


# ---------------------------------------------------------------- the report


def show_report(session: Session, found: Evaluation) -> None:
    """Scores by dimension, then the judges, then the lowest rows."""
    from corpusmith.cli.words import reasons_text

    head = session.say(
        "cli.evaluation.head",
        task=found.task_id,
        of=found.of,
        rubric=found.rubric,
        scored=number(found.scored),
        requested=number(found.requested),
        mean=_number(found.mean),
    )
    print(f"\n{head}")
    if found.missed:
        print(session.say("cli.evaluation.missed", reasons=reasons_text(session, found.missed)))
    if found.simulated:
        print(session.say("cli.evaluation.simulated"))
    print()
    _show_dimensions(session, found)
    if found.agreement is not None:
        _show_judges(session, found)
    if found.lowest:
        _show_lowest(session, found)
    print(session.say("cli.evaluation.again", task=found.task_id))


def _show_dimensions(session: Session, found: Evaluation) -> None:
    columns = ["dimension", "mean", "deviation", "distribution"]
    if found.agreement is not None:
        columns += ["exact", "within_one", "kappa", "alpha"]
    rows = [_row(one.label, one) for one in found.dimensions]
    rows.append(_row(session.say("cli.evaluation.all"), found))
    headers = [session.say(f"column.{name}") for name in columns]
    show_table(headers, rows, right=(1, 2, *range(4, len(columns))), whole=(0, 3))


def _row(label: str, found: DimensionResult | Evaluation) -> list[str]:
    spread = [_number(found.mean), _number(found.deviation), bars(found.distribution)]
    return [label, *spread, *(_agreement(found.agreement) if found.agreement else ())]


def _agreement(found: Agreement) -> list[str]:
    return [
        _percent(found.exact),
        _percent(found.within_one),
        _number(found.kappa),
        _number(found.alpha),
    ]


def _show_judges(session: Session, found: Evaluation) -> None:
    print(f"\n{session.say('cli.evaluation.judges')}")
    headers = [session.say(f"column.{name}") for name in ("judge", "model", "weight")]
    headers += [one.label for one in found.dimensions]
    rows = [
        [one.judge, ", ".join(one.models), f"{one.weight:g}", *map(_number, one.means.values())]
        for one in found.judges
    ]
    show_table(headers, rows, right=range(2, len(headers)))
    if len(found.pairs) > 1:
        print()
        pairs = [(" – ".join(one.judges), _number(one.kappa)) for one in found.pairs]
        show_table([session.say("column.pair"), session.say("column.kappa")], pairs, right=(1,))


def _show_lowest(session: Session, found: Evaluation) -> None:
    from corpusmith.cli.widths import cut

    print(f"\n{session.say('cli.evaluation.lowest')}")
    headers = [session.say(f"column.{name}") for name in ("id", "overall", "comment")]
    rows = [
        (one.id, _number(one.overall), cut(" ".join(one.comment.split()), COMMENT_COLUMNS))
        for one in found.lowest[:LOWEST_SHOWN]
    ]
    show_table(headers, rows, right=(1,))
    print()


def bars(counts: Sequence[int]) -> str:
    """`▁ ▂█▅`: one sign a count, by its share of the largest; a blank only for none."""
    most = max(counts, default=0)
    steps = len(BARS) - 1
    return "".join(BARS[-(-count * steps // most) if count else 0] for count in counts)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
