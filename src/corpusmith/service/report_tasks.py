"""What tasks, judges and reviewers add to a report: what was asked for, what became of it and at
what cost, and what was said of it.

Owns: sums over tasks. Does not own: rows (store), a record's own facts (`report_facts.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmith.errors import NotFound
from corpusmith.quality.agreement import Agreement
from corpusmith.reports.report import (
    BesideJudge,
    DimensionPart,
    EvaluationPart,
    Example,
    Production,
    Reviewers,
    TaskPart,
)
from corpusmith.service.checks import covered
from corpusmith.store.store import SqlStore
from corpusmith.store.values import MissRow, Task
from corpusmith.values import Counts, Selection

if TYPE_CHECKING:
    from corpusmith.service.evaluations import Evaluation
    from corpusmith.service.review_agreement import JudgeAgreement, ReviewAgreement

MOST_REJECTED = 6
_EACH_REASON = 2
_LOOKED_AT = 200
"""Misses of each task that examples are picked from."""
_AT_ONCE = 200
_DUPLICATES = frozenset({"exact_duplicate", "near_duplicate", "semantic_duplicate"})
SCORED_BY = "evaluate"
_NO_AGREEMENT = Agreement(exact=None, within_one=None, kappa=None, alpha=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The tasks that gave records, or were to."""

    tasks: Sequence[tuple[Task, int]]
    """Each with the number of its records here."""
    gone: int
    """Records whose task is deleted."""


def made_by(store: SqlStore, by_task: Mapping[int, int]) -> Made:
    """The tasks of these records; oldest first."""
    found: list[tuple[Task, int]] = []
    gone = 0
    for task_id, records in sorted(by_task.items()):
        try:
            found.append((store.tasks.get(task_id), records))
        except NotFound:  # its records outlive a deleted task
            gone += records
    return Made(tasks=found, gone=gone)


def production(store: SqlStore, made: Made) -> Production:
    """Sums over the tasks."""
    parts = tuple(_part(task, records) for task, records in made.tasks)
    counts = sum((task.counts for task, _ in made.tasks), Counts())
    reasons: dict[str, Counter[str]] = {"rejected": Counter(), "failed": Counter()}
    for part in parts:
        for (kind, reason), count in store.tasks.miss_counts(part.id).items():
            reasons[kind][reason] += count
    accepted = counts.accepted
    known = [part.cost_usd for part in parts if part.cost_usd is not None]
    cost_usd = sum(known) if len(known) == len(parts) else None
    tokens = sum(part.prompt_tokens + part.completion_tokens for part in parts)
    return Production(
        requested=counts.requested,
        attempted=counts.attempted,
        accepted=accepted,
        rejected=counts.rejected,
        failed=counts.failed,
        pending=counts.pending,
        shortfall=sum(part.shortfall for part in parts),
        rejected_by_reason=dict(reasons["rejected"].most_common()),
        failed_by_cause=dict(reasons["failed"].most_common()),
        calls=sum(part.calls for part in parts),
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        cost_usd=cost_usd,
        tokens_per_accepted=tokens / accepted if accepted else None,
        cost_usd_per_accepted=None if cost_usd is None or not accepted else cost_usd / accepted,
        tasks=parts,
        records_of_deleted_tasks=made.gone,
    )


def duplicates_rejected(made: Production) -> int:
    """Drafts that the checks for duplicates turned down."""
    return sum(n for reason, n in made.rejected_by_reason.items() if reason in _DUPLICATES)


def wanted(store: SqlStore, made: Made) -> dict[str, dict[str, int]]:
    """label → value → how many records the tasks' plans ask for."""
    asked: dict[str, Counter[str]] = {}
    for task, _ in made.tasks:
        for quota in store.quotas(task.id):
            for label, value in quota.labels.items():
                asked.setdefault(label, Counter())[str(value)] += quota.count
    return {label: dict(counts) for label, counts in asked.items()}


def rejected_examples(store: SqlStore, made: Made) -> tuple[Example, ...]:
    """Some of the drafts that were turned down, of different reasons where there are."""
    picked: list[Example] = []
    seen: Counter[str] = Counter()
    for task, _ in made.tasks:
        for miss in store.tasks.misses(task.id, "rejected", limit=_LOOKED_AT):
            if len(picked) == MOST_REJECTED:
                return tuple(picked)
            if miss.raw and seen[miss.reason] < _EACH_REASON:
                seen[miss.reason] += 1
                picked.append(_rejected(task, miss))
    return tuple(picked)


def about(store: SqlStore, selection: Selection) -> Iterator[Task]:
    """The tasks that make records for the dataset, or the one task, newest first."""
    for task in _all(store):
        own = task.id == selection.task_id or (task.dataset and task.dataset == selection.dataset)
        if own and task.recipe != SCORED_BY:
            yield task


def judging(store: SqlStore, selection: Selection) -> list[Task]:
    """The evaluate tasks that may have scored these records, newest first: those of the dataset, or
    the task, then those of its tasks, or its dataset."""
    own, others = _judged_as(store, selection)
    found = [task for task in _all(store) if task.recipe == SCORED_BY]
    return [
        task
        for names in (own, others)
        for task in found
        if task.spec.get("recipe_spec", {}).get("of") in names
    ]


def _judged_as(store: SqlStore, selection: Selection) -> tuple[set[str], set[str]]:
    """What an evaluation of these records, and of others with them, says that it is of."""
    if selection.task_id is not None:
        dataset = store.tasks.get(selection.task_id).dataset
        return {f"task:{selection.task_id}"}, {f"dataset:{dataset}"} if dataset else set()
    made_by = store.records.tasks(dataset=selection.dataset)
    return {f"dataset:{selection.dataset}"}, {f"task:{one}" for one in made_by}


def _all(store: SqlStore) -> Iterator[Task]:
    last: int | None = None
    while page := store.tasks.list(limit=_AT_ONCE, after=last):
        last = page[-1].id
        yield from page


def evaluation_part(task: Task, found: Evaluation) -> EvaluationPart:
    """What the report tells of an evaluation; `found`: of the report's records only."""
    whole = found.agreement or _NO_AGREEMENT
    return EvaluationPart(
        task_id=found.task_id,
        of=found.of,
        rubric=found.rubric,
        judges=tuple(one.judge for one in found.judges),
        scored=found.scored,
        elsewhere=max(0, task.counts.accepted - found.scored),
        missed=max(0, found.requested - task.counts.accepted),
        mean=found.mean,
        distribution=found.distribution,
        dimensions=tuple(
            DimensionPart(
                name=one.name,
                label=one.label,
                mean=one.mean,
                distribution=one.distribution,
                kappa=None if one.agreement is None else one.agreement.kappa,
                alpha=None if one.agreement is None else one.agreement.alpha,
            )
            for one in found.dimensions
        ),
        exact=whole.exact,
        within_one=whole.within_one,
        kappa=whole.kappa,
        alpha=whole.alpha,
        simulated=found.simulated,
    )


def reviewers_of(found: ReviewAgreement) -> Reviewers | None:
    """What the report tells of several people's views; None when no record has two."""
    if not found.common:
        return None
    return Reviewers(
        names=tuple(found.reviewers),
        common=found.common,
        different=found.different,
        kappa=found.ratings.kappa,
        alpha=found.ratings.alpha,
    )


def beside_judge(found: JudgeAgreement) -> BesideJudge | None:
    """What the report tells of the judge beside people; None when no record has both."""
    if not found.rated:
        return None
    return BesideJudge(
        rated=found.rated,
        within_one=found.agreement.within_one,
        kappa=found.agreement.kappa,
        bias=found.bias,
    )


def _part(task: Task, records: int) -> TaskPart:
    return TaskPart(
        id=task.id,
        name=task.name,
        recipe=task.recipe,
        status="interrupted" if task.interrupted else task.status,
        records=records,
        requested=task.requested,
        attempted=task.counts.attempted,
        accepted=task.counts.accepted,
        rejected=task.counts.rejected,
        failed=task.counts.failed,
        calls=task.spend.calls,
        prompt_tokens=task.spend.usage.prompt_tokens,
        completion_tokens=task.spend.usage.completion_tokens,
        cost_usd=task.spend.cost_usd,
    )


def _rejected(task: Task, miss: MissRow) -> Example:
    lines = (("raw", covered(miss.raw)),)
    return Example(record=None, task_id=task.id, reason=miss.reason, score=None, lines=lines)
