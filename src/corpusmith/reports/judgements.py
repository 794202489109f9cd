"""The sections on what judges and people say of the records.

Owns: their tables and charts. Does not own: the figures (the service), how scores are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corpusmith.reports import charts, commands
from corpusmith.reports.figures import decimal, number, percent
from corpusmith.reports.markup import Markup, Part, element
from corpusmith.reports.report import EvaluationPart, Report
from corpusmith.reports.words import (
    Words,
    counted,
    hint,
    label,
    legend,
    missing,
    pairs,
    panel,
    panels,
    section,
    table,
)

_SCORES = ("s1", "s2", "s3", "s4", "s5")
"""From the lowest to the highest."""


def scores(report: Report, words: Words) -> Markup:
    parts: list[Part] = [_evaluation(report, one, words) for one in report.evaluations]
    if not report.evaluations:
        of = next((one.command for one in report.findings if one.code == "not_evaluated"), None)
        parts.append(missing(words("not_evaluated"), of))
    if any(report.judged):
        # Scores are also taken over from an evaluation.
        simulated = report.judged_by_simulator or any(one.simulated for one in report.evaluations)
        made_up = _warning(words("simulated_judge")) if simulated else None
        marks = _marks(report.judged, words("judged"), words)
        parts.append(panel(words("judged"), made_up, *marks))
    return section(words, "scores", *parts)


def _evaluation(report: Report, one: EvaluationPart, words: Words) -> Markup:
    several = len(one.judges) > 1
    headers = ["dimension", "mean", *(["kappa", "alpha"] if several else [])]
    rows: list[Sequence[Part]] = []
    for each in one.dimensions:
        agreed = [decimal(each.kappa), decimal(each.alpha)] if several else []
        bars = charts.stack(_marked(each.distribution), each.label)
        rows.append([label(each.label), decimal(each.mean), *agreed, bars])
    agreed = [decimal(one.kappa), decimal(one.alpha)] if several else []
    bars = charts.stack(_marked(one.distribution), words("all_dimensions"))
    rows.append([element("b", words("all_dimensions")), decimal(one.mean), *agreed, bars])
    title = words("evaluation", task=one.task_id, rubric=one.rubric)
    return panel(
        title,
        hint(words("blank").join(_scored(report, one, words))),
        _warning(words("simulated_judge")) if one.simulated else None,
        table(
            title,
            [*(words(name) for name in headers), words("marks")],
            rows,
            right=range(1, len(headers)),
            wide=(len(headers),),
        ),
        legend((str(place), colour) for place, colour in enumerate(_SCORES, 1)),
        hint(_agreement(one, words) if several else words("one_judge")),
        wide=True,
    )


def _scored(report: Report, one: EvaluationPart, words: Words) -> Iterator[str]:
    """Which records an evaluation is of, and who judged."""
    judges = words("comma").join(one.judges)
    yield words(
        "evaluation_hint",
        scored=number(one.scored),
        records=number(report.records),
        judges=judges,
    )
    kind, _, name = one.of.partition(":")
    if name != (str(report.task) if report.kind == "task" else report.name):
        yield words(f"evaluation_of.{kind}", name=name)
    if one.elsewhere:
        yield words("evaluation_elsewhere", n=number(one.elsewhere))
    if one.missed:
        yield words("evaluation_missed", n=number(one.missed))


def _warning(text: str) -> Markup:
    return element("p", text, class_="warning")


def _agreement(one: EvaluationPart, words: Words) -> str:
    return words(
        "agreement",
        exact=percent(one.exact),
        within=percent(one.within_one),
        kappa=decimal(one.kappa),
        alpha=decimal(one.alpha),
    )


def _marked(counts: Sequence[int]) -> list[tuple[str, float, str]]:
    return [
        (str(place), count, colour)
        for place, (count, colour) in enumerate(zip(counts, _SCORES, strict=True), 1)
    ]


def _marks(counts: Sequence[int], title: str, words: Words) -> Iterator[Markup]:
    yield charts.stack(_marked(counts), title)
    yield legend(
        (words("mark_count", mark=name, n=number(count)), colour)
        for name, count, colour in _marked(counts)
    )


# ---------------------------------------------------------------- review


def review(report: Report, words: Words) -> Markup:
    done = report.review
    states = {words(f"state.{name}"): n for name, n in done.states.items()}
    parts = [panel(words("states"), counted(words("states"), words("state"), states, words))]
    if done.rated:
        title = words("ratings", n=number(done.rated))
        parts.append(panel(title, *_marks(done.ratings, title, words)))
    if done.tags:
        parts.append(panel(words("tags"), counted(words("tags"), words("tag"), done.tags, words)))
    parts += _agreements(report, words)
    command = commands.about(report, "review start")
    note = None if done.rated else missing(words("not_rated"), command)
    edited = hint(words("edited", n=number(done.edited))) if done.edited else None
    return section(words, "review", panels(parts), note, edited)


def _agreements(report: Report, words: Words) -> Iterator[Markup]:
    """Of people with each other, and of the judge with people."""
    people, judge = report.review.reviewers, report.review.beside_judge
    if people is not None:
        yield panel(
            words("reviewers"),
            pairs(
                [
                    (words("reviewed_by_two"), number(people.common)),
                    (words("different"), number(people.different)),
                    (words("kappa"), decimal(people.kappa)),
                    (words("alpha"), decimal(people.alpha)),
                ]
            ),
            hint(words("comma").join(people.names)),
        )
    if judge is not None:
        yield panel(
            words("beside_judge"),
            pairs(
                [
                    (words("scored_and_rated"), number(judge.rated)),
                    (words("within_one"), percent(judge.within_one)),
                    (words("kappa"), decimal(judge.kappa)),
                    (words("bias"), decimal(judge.bias)),
                ]
            ),
            hint(words("bias_hint")),
        )
