"""What an evaluation found: scores by dimension, the judges' agreement, the lowest rows.

Owns: the report, worked out from the task's records in one pass at flat memory. Does not own: the
scoring (`recipes/evaluate.py`), the statistics (`quality/agreement.py`), showing (faces).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING, Any

from corpusmith.errors import NotFound, UsageError
from corpusmith.presets import load as presets
from corpusmith.quality.agreement import SCORES, Agreement, Moments, Tally
from corpusmith.store.review_values import Place
from corpusmith.store.values import Task
from corpusmith.values import Json, Language, Record, Selection, Status

if TYPE_CHECKING:
    from corpusmith.judging.rubric import RubricPart
    from corpusmith.recipes.evaluate_spec import EvaluateSpec
    from corpusmith.service.studio import Studio

MOST_LOWEST = 10
DIGITS = 4
"""What is worth saying of a mean; more only shows how floats add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionResult:
    """One dimension over all rows. `mean` and `deviation` are of the rows' scores."""

    name: str
    label: str
    mean: float | None
    deviation: float | None
    distribution: tuple[int, ...]
    """How many single verdicts gave 1, 2, 3, 4, 5."""
    agreement: Agreement | None
    """None with one judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeResult:
    """One judge over all rows: who is strict, who is mild."""

    judge: str
    models: tuple[str, ...]
    weight: float
    means: Mapping[str, float | None]
    """By dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult:
    """How far two judges agree over all dimensions."""

    judges: tuple[str, str]
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LowRow:
    """A row among the lowest."""

    id: Json
    overall: float
    comment: str
    """The first judge's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What an evaluation found so far. Numbers are None where they are not defined."""

    task_id: int
    status: Status
    of: str
    """What was judged: `dataset:NAME`, `task:3` or `file:NAME`."""
    rubric: str
    rubric_digest: str
    requested: int
    """Rows to score."""
    scored: int
    missed: Mapping[str, int]
    """Rows without a score, by reason."""
    mean: float | None
    """Of the rows' overall scores."""
    deviation: float | None
    distribution: tuple[int, ...]
    """How many single verdicts gave 1, 2, 3, 4, 5, over all dimensions."""
    dimensions: tuple[DimensionResult, ...]
    judges: tuple[JudgeResult, ...]
    agreement: Agreement | None
    """Over all dimensions together; None with one judge."""
    pairs: tuple[PairResult, ...]
    lowest: tuple[LowRow, ...]
    simulated: bool
    """True when the simulator gave a score: it says nothing of the data."""


class Evaluations:
    """`studio.evaluations`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def of(
        self,
        task: Task | int,
        *,
        note: Callable[[Mapping[str, Json]], None] | None = None,
        only: Container[Json] | None = None,
    ) -> Evaluation:
        """What an evaluate task found so far; no call is made. `note` is told each row's scores.

        `only`: the ids of the rows that count, in all but `requested` and `missed`.
        Raises NotFound, UsageError for a task that is no evaluation.
        """
        from corpusmith.recipes.evaluate_spec import EvaluateSpec

        found = self._task(task)
        spec = EvaluateSpec.model_validate(found.spec["recipe_spec"])
        gathered = _Gathered(spec)
        for record in self._studio.store.records.iterate(task_id=found.id):
            if only is not None and record.content["id"] not in only:
                continue
            gathered.add(record)
            if note is not None:
                note(record.content)
        misses = self._studio.store.tasks.miss_counts(found.id)
        return gathered.report(found, {reason: count for (_, reason), count in misses.items()})

    def scores(self, task: Task | int) -> Iterator[Mapping[str, Json]]:
        """Each row's `{"id", "scores", "overall", "judges"}` in the order of the rows. Streams.

        `id` is the record's id where a dataset or a task was judged. Raises as `of` does.
        """
        found = self._task(task)
        return (record.content for record in self._studio.store.records.iterate(task_id=found.id))

    def page(
        self, task: Task | int, *, limit: int, after: Place | str | None = None
    ) -> tuple[Sequence[Mapping[str, Json]], Place | None]:
        """Some of the rows of `scores`, and where the next ones begin; None: there are none."""
        found = self._task(task)
        page = self._studio.reviews.page(task=found.id, limit=limit, after=after)
        there = {one.id: one.content for one in self._studio.store.records.some(page.ids)}
        return [there[one] for one in page.ids if one in there], page.after

    def about(self, dataset: str, *, limit: int = 50) -> Sequence[int]:
        """The tasks that judge records of a dataset, or of a task that wrote to it: those of the
        whole dataset first, each newest first. Raises NotFound."""
        from corpusmith.service.report_tasks import judging

        self._studio.datasets.get(dataset)
        return [one.id for one in judging(self._studio.store, Selection(dataset=dataset))[:limit]]

    def refuse_other(self, task: Task | int) -> None:
        """Raises NotFound, UsageError for a task that is no evaluation."""
        self._task(task)

    def _task(self, task: Task | int) -> Task:
        found = self._studio.tasks.get(task if isinstance(task, int) else task.id)
        if found.recipe != "evaluate":
            raise UsageError("not_an_evaluation", task=found.id, recipe=found.recipe)
        return found


def rubrics(language: Language) -> Sequence[RubricPart]:
    """The shipped rubrics."""
    return [rubric(name, language) for name in presets.rubrics(language)]


def rubric_file(name: str, language: Language) -> str:
    """A shipped rubric's file, to be written from. Raises NotFound."""
    return presets.rubric_text(rubric(name, language).name, language)


def rubric(name: str, language: Language) -> RubricPart:
    """A shipped rubric. Raises NotFound, naming those there are."""
    from corpusmith.judging.rubric import RubricPart

    shipped = presets.rubrics(language)
    if name not in shipped:
        raise NotFound("unknown_rubric", kind="rubric", name=name, known=", ".join(shipped))
    return RubricPart.model_validate({**shipped[name], "name": name, "language": language})


class _Gathered:
    """Sums of all rows seen."""

    def __init__(self, spec: EvaluateSpec) -> None:
        names = [one.name for one in spec.rubric.dimensions]
        self._spec = spec
        self._overall = Moments()
        self._scores = {name: Moments() for name in names}
        self._given = {name: Counter[int]() for name in names}
        self._tallies = {name: Tally(len(spec.judges)) for name in names}
        self._means = [{name: Moments() for name in names} for _ in spec.judges]
        self._models: list[set[str]] = [set() for _ in spec.judges]
        self._lowest: list[tuple[float, int, LowRow]] = []
        self._simulated = False

    def add(self, record: Record) -> None:
        content = record.content
        self._overall.add(content["overall"])
        self._simulated |= bool(record.provenance.get("simulated"))
        for name, score in content["scores"].items():
            self._scores[name].add(score)
            self._tallies[name].add([one["scores"][name] for one in content["judges"]])
        for place, opinion in enumerate(content["judges"]):
            self._models[place].add(opinion["model"])
            for name, score in opinion["scores"].items():
                self._given[name][score] += 1
                self._means[place][name].add(score)
        self._note_if_low(content)

    def _note_if_low(self, content: Mapping[str, Any]) -> None:
        row = LowRow(
            id=content["id"],
            overall=content["overall"],
            comment=content["judges"][0]["comment"],
        )
        # A heap keeps its smallest first: turned round, that is the best of the lowest.
        entry = (-row.overall, -self._overall.count, row)
        if len(self._lowest) < MOST_LOWEST:
            heappush(self._lowest, entry)
        else:
            heappushpop(self._lowest, entry)

    def report(self, task: Task, missed: Mapping[str, int]) -> Evaluation:
        """The sums as they are told."""
        spec = self._spec
        several = len(spec.judges) > 1
        together = Tally(len(spec.judges))
        for tally in self._tallies.values():
            together.take(tally)
        names = [judge.name for judge in spec.judges]
        return Evaluation(
            task_id=task.id,
            status=task.status,
            of=spec.of,
            rubric=spec.rubric.name,
            rubric_digest=spec.rubric.digest,
            requested=task.requested,
            scored=self._overall.count,
            missed=missed,
            mean=_rounded(self._overall.mean),
            deviation=_rounded(self._overall.deviation),
            distribution=_distribution(sum(self._given.values(), Counter())),
            dimensions=tuple(
                DimensionResult(
                    name=one.name,
                    label=one.title,
                    mean=_rounded(self._scores[one.name].mean),
                    deviation=_rounded(self._scores[one.name].deviation),
                    distribution=_distribution(self._given[one.name]),
                    agreement=_agreement(self._tallies[one.name]) if several else None,
                )
                for one in spec.rubric.dimensions
            ),
            judges=self._judges(),
            agreement=_agreement(together) if several else None,
            pairs=tuple(
                PairResult(judges=(names[one], names[other]), kappa=_rounded(kappa))
                for (one, other), kappa in together.pairs().items()
            ),
            lowest=tuple(row for _, _, row in sorted(self._lowest, reverse=True)),
            simulated=self._simulated,
        )

    def _judges(self) -> tuple[JudgeResult, ...]:
        return tuple(
            JudgeResult(
                judge=judge.name,
                models=tuple(sorted(models)),
                weight=judge.weight,
                means={name: _rounded(moments.mean) for name, moments in means.items()},
            )
            for judge, models, means in zip(
                self._spec.judges, self._models, self._means, strict=True
            )
        )


def _agreement(tally: Tally) -> Agreement:
    found = tally.agreement()
    return Agreement(
        exact=_rounded(found.exact),
        within_one=_rounded(found.within_one),
        kappa=_rounded(found.kappa),
        alpha=_rounded(found.alpha),
    )


def _distribution(given: Counter[int]) -> tuple[int, ...]:
    return tuple(given[score] for score in SCORES)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
