"""What of a report matters most, in what order, and what to do about it. Pure.

Owns: the thresholds. Does not own: the words (`report.finding.*` in the catalog).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corpusmith.reports import commands
from corpusmith.reports.report import Finding, Group, Report, TaskPart, Weight

MANY_MISSES = 0.2
MANY_DUPLICATES = 0.01
LOW_MEAN = 3.0
LITTLE_AGREEMENT = 0.4
MANY_FOREIGN = 0.01
_GIVEN = ("import", "sample")
"""Recipes that make nothing."""
NAMED = 3
"""Names that a sentence lists."""


def findings(report: Report) -> tuple[Finding, ...]:
    """What is bad, then what is worth a look, then what is good."""
    if not report.records:
        return (*_empty(report), *_misses(report))
    found = [one for look in LOOKS for one in look(report)]
    order = {"bad": 0, "note": 1, "good": 2}
    return tuple(sorted(found, key=lambda one: order[one.weight]))


def _say(code: str, weight: Weight, command: str | None = None, **data: Any) -> Finding:
    return Finding(code=code, weight=weight, data=data, command=command)


def _empty(report: Report) -> Iterator[Finding]:
    if not report.whole:
        yield _say("none_selected", "bad")
    elif report.kind == "task" and report.production.accepted:
        yield _say("none_left", "bad")
    elif report.kind == "task":
        yield _say("none_yet", "bad", f"corpusmith resume {report.task}")
    else:
        yield _say("none_in_dataset", "bad", commands.generate(report))


def _simulated(report: Report) -> Iterator[Finding]:
    if report.simulated:
        share = report.simulated / report.records
        yield _say("simulated", "bad", records=report.simulated, share=share)


def _shortfall(report: Report) -> Iterator[Finding]:
    made = report.production
    short = [task for task in made.tasks if task.shortfall]
    if short:
        yield _say(
            "short", "bad", _go_on(short[0]), missing=made.shortfall, requested=made.requested
        )
    elif made.tasks and made.requested:
        yield _say("complete", "good", requested=made.requested)
    for group in report.groups:
        yield from _short_shares(group)


def _go_on(task: TaskPart) -> str | None:
    """What brings the records that a task lacks; None: nothing does, they were given."""
    if task.recipe in _GIVEN:
        return None
    # A task that came to its end has used up its attempts: what failed has to be put back first.
    ended = task.status in ("finished", "cancelled")
    return f"corpusmith tasks retry {task.id}" if ended else f"corpusmith resume {task.id}"


def _short_shares(group: Group) -> Iterator[Finding]:
    short = [one for one in group.shares if one.wanted is not None and one.records < one.wanted]
    if short and len(group.shares) > 1:
        missing = sum((one.wanted or 0) - one.records for one in short)
        names = [one.name for one in short[:NAMED]]
        yield _say(
            "short_shares", "note", label=group.label, n=len(short), names=names, missing=missing
        )


def _misses(report: Report) -> Iterator[Finding]:
    made = report.production
    lost = made.rejected + made.failed
    if made.attempted and lost / made.attempted >= MANY_MISSES:
        reasons = {**made.rejected_by_reason, **made.failed_by_cause}
        most = max(reasons, key=lambda one: reasons[one], default="")
        worst = max(made.tasks, key=lambda one: one.rejected + one.failed)
        command = f"corpusmith tasks misses {worst.id}"
        yield _say("misses", "bad", command, share=lost / made.attempted, reason=most)


def _duplicates(report: Report) -> Iterator[Finding]:
    found = report.duplicates
    if not found.exact + found.near:
        if found.crowded:
            yield _say("crowded", "note", n=found.crowded)
            return
        yield _say("no_duplicates", "good", looked_at=found.looked_at)
        return
    weight: Weight = "bad" if found.share >= MANY_DUPLICATES else "note"
    command = commands.about(report, "check", "--checks duplicates,near_duplicates")
    yield _say("duplicates", weight, command, share=found.share, exact=found.exact, near=found.near)


def _scores(report: Report) -> Iterator[Finding]:
    if not report.evaluations:
        if report.judged_by_simulator:
            yield _say("simulated_scores", "bad", records=report.judged_by_simulator)
        elif not any(report.judged):
            yield _say("not_evaluated", "note", commands.evaluate(report))
        return
    last = report.evaluations[0]
    if last.simulated:  # whatever the scores are, nothing follows from them
        yield _say("simulated_judge", "bad", task=last.task_id)
        return
    means = {one.label: one.mean for one in last.dimensions if one.mean is not None}
    low = {label: mean for label, mean in means.items() if mean < LOW_MEAN}
    command = f"corpusmith evaluate --show {last.task_id}"
    if low:
        label = min(low, key=lambda one: low[one])
        yield _say("low_scores", "bad", command, label=label, mean=low[label], n=len(low))
    elif last.mean is not None:
        yield _say("scores", "good", mean=last.mean, scored=last.scored)
    if last.alpha is not None and last.alpha < LITTLE_AGREEMENT:
        yield _say("disagreement", "note", command, alpha=last.alpha)


def _languages(report: Report) -> Iterator[Finding]:
    wanted = (report.language, "none")
    foreign = sum(n for name, n in report.languages.items() if name not in wanted)
    looked_at = sum(report.languages.values())
    if report.language and looked_at and foreign / looked_at >= MANY_FOREIGN:
        yield _say("foreign", "note", share=foreign / looked_at, language=report.language)


def _flags(report: Report) -> Iterator[Finding]:
    if report.flagged:
        command = commands.about(report, "review start", "--queue flagged")
        yield _say("flagged", "note", command, records=report.flagged)


def _review(report: Report) -> Iterator[Finding]:
    pending = report.review.states.get("pending", 0)
    command = commands.about(report, "review start")
    if pending == report.records:
        yield _say("not_reviewed", "note", command)
    elif pending:
        yield _say("partly_reviewed", "note", command, records=pending)


LOOKS = (_simulated, _shortfall, _misses, _duplicates, _scores, _languages, _flags, _review)
