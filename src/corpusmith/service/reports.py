"""Use-cases of reports: what a dataset or a task is worth, as values, a page or JSON.

Owns: the one pass over the records, and putting the parts together. Does not own: adding up and the
page (`reports/`), what tasks add (`report_tasks.py`), a record's facts (`report_facts.py`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from corpusmith.errors import UsageError
from corpusmith.places import given_output
from corpusmith.reports.counting import Extremes
from corpusmith.reports.report import FORMAT, EvaluationPart, Example, Examples, Report, Review
from corpusmith.service import report_facts, report_tasks
from corpusmith.values import Json, Language, Record, Selection

if TYPE_CHECKING:
    from corpusmith.exports.files import ExportResult
    from corpusmith.reports.tally import Tally
    from corpusmith.service.studio import Studio

Form = Literal["html", "json", "md"]
Show = Callable[[int, int], None]
"""Told now and then: (records seen, records in all)."""

FORMS: tuple[Form, ...] = ("html", "json", "md")
MOST_EVALUATIONS = 3
_CANDIDATES = 500
"""Highest and lowest scores that best and worst records are looked for among."""
_SHOWN_EVERY = 500
_LANGUAGES = 20_000
"""Records whose language is found out, about: it takes as long as all the rest."""
_LONGEST_LINE = 20_000
_MOST_LINES = 60


class Reports:
    """`studio.reports`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def of(
        self,
        *,
        dataset: str | None = None,
        task: int | None = None,
        only: Selection | None = None,
        seed: int = 0,
        show: Show | None = None,
    ) -> Report:
        """The report on a dataset, or on a task's records; `only`: those that it leaves of them.

        `seed`: what samples are drawn with; the same records and seed give the same figures.
        Raises NotFound, UsageError for an evaluate task (its records are scores).
        """
        if (task is None) == (dataset is None):
            raise UsageError("task_or_dataset")
        selection = replace(only or Selection(), dataset=dataset, task_id=task)
        return _Made(self._studio, selection, seed, show or (lambda seen, all_: None)).report()

    def page(self, report: Report, language: Language | None = None) -> str:
        """The report as one HTML file; `language`: of its words."""
        from corpusmith.reports.page import page

        return page(report, language or self._studio.language)

    def text(self, report: Report, form: Form, language: Language | None = None) -> bytes:
        """The report as a file of this form holds it."""
        if form == "html":
            return self.page(report, language).encode("utf-8", "replace")
        if form == "md":
            from corpusmith.reports.markdown import markdown

            return markdown(report, language or self._studio.language).encode("utf-8", "replace")
        import orjson

        return orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def write(
        self, report: Report, path: str | Path, form: Form, language: Language | None = None
    ) -> ExportResult:
        """Write it whole or not at all; `-` is standard output. Raises UsageError, DiskFull."""
        from corpusmith.exports.files import write_file

        body = self.text(report, form, language)
        return write_file(given_output(path), _Bytes(body), ())


class _Bytes:
    """A finished file, as `write_file` takes it."""

    name: ClassVar[str] = "report"
    suffix: ClassVar[str] = ""
    nested: ClassVar[bool] = True

    def __init__(self, body: bytes) -> None:
        self._body = body

    def write(self, records: Any, out: Any) -> int:
        out.write(self._body)
        return 0


class _Made:
    """One report in the making."""

    def __init__(self, studio: Studio, selection: Selection, seed: int, show: Show) -> None:
        self._studio = studio
        self._store = studio.store
        self._selection = selection
        self._seed = seed
        self._show = show
        self._candidates: dict[int, float] = {}
        self._basis: str | None = None

    def report(self) -> Report:
        """Everything; reads the records once."""
        from corpusmith.reports.diversity import diversity
        from corpusmith.reports.findings import findings
        from corpusmith.service.report_twins import Twins

        name, language = self._subject()
        evaluations = self._evaluations()
        count = self._store.records.count(self._selection)
        twins = Twins(count, self._boilerplate(), self._seed)
        try:
            tally = self._walk(count, twins.add)
            made = report_tasks.made_by(self._store, {**self._meant(), **tally.by_task})
            produced = report_tasks.production(self._store, made)
            duplicates = twins.found(report_tasks.duplicates_rejected(produced))
        finally:
            twins.close()
        only = self._only()
        report = Report(
            format=FORMAT,
            made_at=_now(),
            seed=self._seed,
            kind="task" if self._selection.task_id is not None else "dataset",
            name=name,
            task=self._selection.task_id,
            only=only,
            language=language,
            records=tally.records,
            simulated=tally.simulated,
            findings=(),
            production=produced,
            lengths=tally.spreads(),
            turns=tally.turn_bins(),
            # Shares of a part say nothing of whether the whole is short.
            groups=tally.groups({} if only else report_tasks.wanted(self._store, made)),
            evaluations=evaluations,
            judged=tally.judged(),
            judged_by_simulator=tally.judged_by_simulator,
            checks=tally.check_parts(),
            flagged=tally.flagged,
            duplicates=duplicates,
            diversity=diversity(tally.texts.drawn(), tally.openings.drawn(), tally.rng("pairs")),
            languages=dict(tally.languages.most_common()),
            models=tally.models.counts(),
            review=self._review(tally),
            examples=self._examples(tally, made),
        )
        return replace(report, findings=findings(report))

    # ------------------------------------------------------------ what it is about

    def _subject(self) -> tuple[str, str]:
        """(name, language). Raises NotFound, UsageError."""
        if self._selection.task_id is not None:
            task = self._studio.tasks.get(self._selection.task_id)
            if task.recipe == report_tasks.SCORED_BY:
                raise UsageError("report_of_scores", task=task.id)
            return task.name, str(task.spec.get("language", ""))
        dataset = self._studio.datasets.get(self._selection.dataset or "")
        return dataset.name, dataset.language

    def _only(self) -> Mapping[str, Json]:
        given = {one.name: getattr(self._selection, one.name) for one in fields(Selection)}
        own = ("task_id", "dataset")
        return {
            name: value
            for name, value in given.items()
            if name not in own and value is not None and value is not False
        }

    def _meant(self) -> Mapping[int, int]:
        """A task that gave no records still has counts to tell of: the one that the report is
        about, or those that make records for the dataset, unless only a part of it is wanted."""
        if self._selection.task_id is not None:
            return {self._selection.task_id: 0}
        about = () if self._only() else report_tasks.about(self._store, self._selection)
        return {task.id: 0 for task in about}

    def _boilerplate(self) -> tuple[str, ...]:
        """What the tasks gave their models: their records have it in common, and repeat nothing."""
        from corpusmith.service.checks import context_for

        about = report_tasks.about(self._store, self._selection)
        specs = [task.spec.get("recipe_spec", {}) for task in about]
        return tuple(
            dict.fromkeys(one for spec in specs for one in context_for("zh", spec).boilerplate)
        )

    # ------------------------------------------------------------ the parts

    def _evaluations(self) -> tuple[EvaluationPart, ...]:
        """The newest ones, of these records only; the first decides who is best and worst."""
        found: list[EvaluationPart] = []
        judging = report_tasks.judging(self._store, self._selection)
        here = _Numbers(self._store.records.ids(self._selection) if judging else ())
        for task in judging:
            overall = Extremes(_CANDIDATES)
            told = self._studio.evaluations.of(task, note=partial(_note, overall), only=here)
            if not told.scored:
                continue
            if not found:
                self._basis = "evaluation"
                self._candidates = {**overall.highest(), **overall.lowest()}
            found.append(report_tasks.evaluation_part(task, told))
            if len(found) == MOST_EVALUATIONS:
                break
        return tuple(found)

    def _walk(self, count: int, compare: Callable[[int, str], None]) -> Tally:
        """The one pass."""
        from corpusmith.reports.tally import Tally

        tally = Tally(self._seed)
        looked_at = tally.rng("languages")
        for seen, record in enumerate(self._store.records.iterate(self._selection), 1):
            facts = report_facts.facts_of(
                record, self._worth(record), language=looked_at.random() * count < _LANGUAGES
            )
            tally.add(facts)
            compare(facts.id, facts.text)
            if seen % _SHOWN_EVERY == 0:
                self._show(seen, count)
        self._show(tally.records, tally.records)
        return tally

    def _review(self, tally: Tally) -> Review:
        """With what people say of each other's and the judge's view, if they said anything."""
        found = tally.review()
        if not found.rated and set(found.states) <= {"pending"}:
            return found
        reviews = self._studio.reviews
        return replace(
            found,
            reviewers=report_tasks.reviewers_of(reviews.agreement(self._selection)),
            beside_judge=report_tasks.beside_judge(reviews.judge(self._selection)),
        )

    def _worth(self, record: Record) -> float | None:
        if self._basis == "evaluation":
            return self._candidates.get(record.id)
        for basis, value in (("score", record.score), ("rating", record.rating)):
            if value is not None and self._basis in (None, basis):
                self._basis = basis
                return value
        return None

    def _examples(self, tally: Tally, made: report_tasks.Made) -> Examples:
        best, worst = tally.worth.highest(), tally.worth.lowest()
        # A few records must not be shown as best and as worst alike.
        lowest = {number: value for number, value in worst.items() if number not in best}
        return Examples(
            basis=self._basis if best else None,
            best=tuple(self._shown(best)),
            worst=tuple(self._shown(lowest)),
            drawn=() if best else tuple(self._shown(dict.fromkeys(tally.drawn))),
            rejected=report_tasks.rejected_examples(self._store, made),
        )

    def _shown(self, values: Mapping[int, float | None]) -> Iterator[Example]:
        found = {record.id: record for record in self._store.records.some(list(values))}
        for number, value in values.items():
            if (record := found.get(number)) is not None:
                lines = [
                    (name, text[:_LONGEST_LINE])
                    for name, text in report_facts.lines_of(record)[:_MOST_LINES]
                ]
                yield Example(
                    record=record.id,
                    task_id=record.task_id,
                    reason="",
                    score=value,
                    lines=tuple(lines),
                )


class _Numbers:
    """Numbers of records, eight bytes each."""

    def __init__(self, ascending: Iterable[int]) -> None:
        self._numbers = array("q", ascending)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):  # a file's row may have any id
            return False
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number


def _note(overall: Extremes, row: Mapping[str, Any]) -> None:
    overall.add(row["overall"], row["id"])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
