"""The commands that a report names, about the very records that it is about. Pure.

Owns: how a dataset or a task, and what the records were selected by, are written for a shell. Does
not own: which command fits what was found (`findings.py`, the sections).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from corpusmith.reports.report import Report
from corpusmith.values import Json

_OPTIONS = (
    "scenario",
    "character",
    "category",
    "state",
    "min_rating",
    "max_rating",
    "min_score",
    "max_score",
    "tag",
    "flag",
    "unflagged",
)
"""What commands take to select records by, as `--min-rating`."""
_CONDITIONS = ("scenario", "character", "category", "state")
"""What `corpusmith evaluate` takes of these, as `--where scenario=…`."""


def about(report: Report, command: str, *options: str) -> str:
    """`corpusmith check NAME --scenario X`: a command that takes a dataset or `--task`."""
    words = ["corpusmith", command, *options, *_selected(report)]
    if report.kind == "task":
        return " ".join([*words[:2], f"--task {report.task}", *words[2:]])
    if report.name.startswith("-"):  # it is no option
        return " ".join([*words, "--", shlex.quote(report.name)])
    return " ".join([*words[:2], shlex.quote(report.name), *words[2:]])


def evaluate(report: Report) -> str:
    """Has judges score these records, or, of a selection that it does not know, some more."""
    of = f"--task {report.task}" if report.kind == "task" else _option("--dataset", report.name)
    where = (
        _option("--where", f"{name}={report.only[name]}")
        for name in _CONDITIONS
        if name in report.only
    )
    return " ".join(["corpusmith evaluate", of, *where])


def generate(report: Report) -> str:
    """Fills the dataset."""
    return f"corpusmith generate {_option('--dataset', report.name)}"


def _selected(report: Report) -> Iterator[str]:
    for name in _OPTIONS:
        if name in report.only:
            option, value = f"--{name.replace('_', '-')}", report.only[name]
            yield option if value is True else _option(option, _written(value))


def _written(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _option(name: str, value: str) -> str:
    """A value that looks like an option stands behind `=`."""
    between = "=" if value.startswith("-") else " "
    return f"{name}{between}{shlex.quote(value)}"
