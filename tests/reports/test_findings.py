"""What matters, in which order, and what to run next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_kit import evaluation, facts, production, report, task_part

from corpusmith.messages import LANGUAGES
from corpusmith.reports.report import Duplicates, Report
from corpusmith.reports.words import Words
from corpusmith.values import Language


def twins(exact: int = 0, near: int = 0) -> Duplicates:
    return Duplicates(
        looked_at=1_000, sampled=False, threshold=0.7, exact=exact, near=near, rejected=0, pairs=()
    )


SHORT = task_part(id=4, requested=12)
LOST = production(
    task_part(attempted=20, rejected=8, failed=2),
    rejected_by_reason={"refusal": 8},
    failed_by_cause={"timed_out": 2},
)
CASES: dict[str, tuple[Report, str, str, str | None]] = {
    "simulated": (report([facts(simulated=True)]), "simulated", "bad", None),
    "short and paused": (
        report(production=production(replace(SHORT, status="paused"))),
        "short",
        "bad",
        "corpusmith resume 4",
    ),
    "short at its end": (
        report(production=production(SHORT)),
        "short",
        "bad",
        "corpusmith tasks retry 4",
    ),
    "an import is short": (
        report(production=production(replace(SHORT, recipe="import"))),
        "short",
        "bad",
        None,
    ),
    "complete": (report(), "complete", "good", None),
    "a short scenario": (
        report([facts()], wanted={"scenario": {"日常对话": 1, "工作": 2}}),
        "short_shares",
        "note",
        None,
    ),
    "lost": (report(production=LOST), "misses", "bad", "corpusmith tasks misses 1"),
    "many repeats": (
        report(duplicates=twins(exact=10, near=22)),
        "duplicates",
        "bad",
        "corpusmith check '客服' --checks duplicates,near_duplicates",
    ),
    "few repeats": (
        report(duplicates=twins(near=2)),
        "duplicates",
        "note",
        "corpusmith check '客服' --checks duplicates,near_duplicates",
    ),
    "no repeats": (report(), "no_duplicates", "good", None),
    "not evaluated": (
        report(),
        "not_evaluated",
        "note",
        "corpusmith evaluate --dataset '客服'",
    ),
    "a task not evaluated": (
        report(kind="task", task=3),
        "not_evaluated",
        "note",
        "corpusmith evaluate --task 3",
    ),
    "scored": (report(evaluations=(evaluation(),)), "scores", "good", None),
    "foreign": (report([facts(language="en"), facts()]), "foreign", "note", None),
    "flagged": (
        report([facts(flagged=True)]),
        "flagged",
        "note",
        "corpusmith review start '客服' --queue flagged",
    ),
    "not reviewed": (report(), "not_reviewed", "note", "corpusmith review start '客服'"),
    "partly reviewed": (
        report([facts(state="approved"), facts()]),
        "partly_reviewed",
        "note",
        "corpusmith review start '客服'",
    ),
    "judges at odds": (
        report(evaluations=(evaluation(alpha=0.1),)),
        "disagreement",
        "note",
        "corpusmith evaluate --show 2",
    ),
    "empty dataset": (
        report([]),
        "none_in_dataset",
        "bad",
        "corpusmith generate --dataset '客服'",
    ),
    "empty selection": (report([], only={"scenario": "x"}), "none_selected", "bad", None),
    "task without records": (
        report([], kind="task", task=3, production=production(task_part(accepted=0))),
        "none_yet",
        "bad",
        "corpusmith resume 3",
    ),
    "task whose records are gone": (report([], kind="task", task=3), "none_left", "bad", None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_finding_says_what_to_run(name: str) -> None:
    made, code, weight, command = CASES[name]
    (found,) = [one for one in made.findings if one.code == code]
    assert (found.weight, found.command) == (weight, command)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_every_finding_has_words_with_nothing_left_to_fill(name: str, language: Language) -> None:
    words = Words(language)
    for one in CASES[name][0].findings:
        told = words.told(one.code, one.data)
        assert "{" not in told
        assert "report." not in told


def test_a_low_dimension_is_named() -> None:
    low = evaluation().dimensions[0]
    made = report(
        evaluations=(evaluation(dimensions=(replace(low, label="清晰度", mean=2.5), low)),)
    )
    (found,) = [one for one in made.findings if one.code == "low_scores"]
    assert found.data == {"label": "清晰度", "mean": 2.5, "n": 1}


def test_what_is_bad_comes_first_and_what_is_good_last() -> None:
    made = report([facts(simulated=True), facts()], production=production(SHORT))
    weights = [one.weight for one in made.findings]
    assert weights == sorted(weights, key=["bad", "note", "good"].index)
    assert len(set(weights)) == 3


def test_a_share_that_is_not_short_is_no_finding() -> None:
    made = report([facts()], wanted={"scenario": {"日常对话": 1, "工作": 0}})
    assert [one for one in made.findings if one.code == "short_shares"] == []
