"""What matters, in which order, and what to run next."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from report_kit import evaluation, facts, production, report, task_part

from corpusmith.messages import LANGUAGES
from corpusmith.reports import commands
from corpusmith.reports.report import Duplicates, Report
from corpusmith.reports.words import Words
from corpusmith.values import Json, Language


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
CASES: dict[str, tuple[Callable[[], Report], str, str, str | None]] = {
    "simulated": (lambda: report([facts(simulated=True)]), "simulated", "bad", None),
    "short and paused": (
        lambda: report(production=production(replace(SHORT, status="paused"))),
        "short",
        "bad",
        "corpusmith resume 4",
    ),
    "short at its end": (
        lambda: report(production=production(SHORT)),
        "short",
        "bad",
        "corpusmith tasks retry 4",
    ),
    "an import is short": (
        lambda: report(production=production(replace(SHORT, recipe="import"))),
        "short",
        "bad",
        None,
    ),
    "complete": (lambda: report(), "complete", "good", None),
    "a short scenario": (
        lambda: report([facts()], wanted={"scenario": {"日常对话": 1, "工作": 2}}),
        "short_shares",
        "note",
        None,
    ),
    "lost": (lambda: report(production=LOST), "misses", "bad", "corpusmith tasks misses 1"),
    "many repeats": (
        lambda: report(duplicates=twins(exact=10, near=22)),
        "duplicates",
        "bad",
        "corpusmith check '客服' --checks duplicates,near_duplicates",
    ),
    "few repeats": (
        lambda: report(duplicates=twins(near=2)),
        "duplicates",
        "note",
        "corpusmith check '客服' --checks duplicates,near_duplicates",
    ),
    "no repeats": (lambda: report(), "no_duplicates", "good", None),
    "not evaluated": (
        lambda: report(),
        "not_evaluated",
        "note",
        "corpusmith evaluate --dataset '客服'",
    ),
    "a task not evaluated": (
        lambda: report(kind="task", task=3),
        "not_evaluated",
        "note",
        "corpusmith evaluate --task 3",
    ),
    "scored": (lambda: report(evaluations=(evaluation(),)), "scores", "good", None),
    "a simulated judge": (
        lambda: report(evaluations=(evaluation(simulated=True, mean=1.5, alpha=0.1),)),
        "simulated_judge",
        "bad",
        None,
    ),
    "simulated scores": (
        lambda: report([facts(score=4.0, judged_by_simulator=True)]),
        "simulated_scores",
        "bad",
        None,
    ),
    "a crowd": (
        lambda: report(duplicates=replace(twins(), crowded=5)),
        "crowded",
        "note",
        None,
    ),
    "foreign": (lambda: report([facts(language="en"), facts()]), "foreign", "note", None),
    "flagged": (
        lambda: report([facts(flagged=True)]),
        "flagged",
        "note",
        "corpusmith review start '客服' --queue flagged",
    ),
    "not reviewed": (lambda: report(), "not_reviewed", "note", "corpusmith review start '客服'"),
    "partly reviewed": (
        lambda: report([facts(state="approved"), facts()]),
        "partly_reviewed",
        "note",
        "corpusmith review start '客服'",
    ),
    "judges at odds": (
        lambda: report(evaluations=(evaluation(alpha=0.1),)),
        "disagreement",
        "note",
        "corpusmith evaluate --show 2",
    ),
    "empty dataset": (
        lambda: report([]),
        "none_in_dataset",
        "bad",
        "corpusmith generate --dataset '客服'",
    ),
    "empty selection": (lambda: report([], only={"scenario": "x"}), "none_selected", "bad", None),
    "task without records": (
        lambda: report([], kind="task", task=3, production=production(task_part(accepted=0))),
        "none_yet",
        "bad",
        "corpusmith resume 3",
    ),
    "task whose records are gone": (
        lambda: report([], kind="task", task=3),
        "none_left",
        "bad",
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_finding_says_what_to_run(name: str) -> None:
    make, code, weight, command = CASES[name]
    (found,) = [one for one in make().findings if one.code == code]
    assert (found.weight, found.command) == (weight, command)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_every_finding_has_words_with_nothing_left_to_fill(name: str, language: Language) -> None:
    words = Words(language)
    for one in CASES[name][0]().findings:
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


def test_nothing_follows_from_made_up_scores() -> None:
    codes = [
        one.code
        for scores in ((evaluation(simulated=True, alpha=0.1),), ())
        for one in report([facts(score=1.0, judged_by_simulator=True)], evaluations=scores).findings
    ]
    assert {"low_scores", "scores", "disagreement", "not_evaluated"} & set(codes) == set()


def test_the_task_that_lost_most_is_named() -> None:
    tasks = (task_part(id=1), task_part(id=2, attempted=20, rejected=10))
    made = report(production=production(*tasks, rejected_by_reason={"refusal": 10}))
    commands = [one.command for one in made.findings if one.code == "misses"]
    assert commands == ["corpusmith tasks misses 2"]


SELECTED: dict[str, tuple[dict[str, Json], str]] = {
    "names": (
        {"scenario": "a b", "character": "it's", "category": "$(x)"},
        """--scenario 'a b' --character 'it'"'"'s' --category '$(x)'""",
    ),
    "marks": (
        {"min_rating": 4.0, "max_score": 2.5, "state": "approved"},
        "--state approved --min-rating 4 --max-score 2.5",
    ),
    "flags": ({"tag": "; rm -rf", "unflagged": True}, "--tag '; rm -rf' --unflagged"),
    "like an option": ({"scenario": "--yes", "flag": "any"}, "--scenario=--yes --flag any"),
    "unknown to commands": ({"committed": True}, ""),
}


@pytest.mark.parametrize("name", SELECTED)
@pytest.mark.parametrize(("kind", "of"), [("dataset", "客服"), ("task", None)])
def test_commands_take_what_was_selected(name: str, kind: Any, of: str | None) -> None:
    only, options = SELECTED[name]
    made = report(kind=kind, task=3 if of is None else None, only=only)
    subject = "--task 3" if of is None else f"'{of}'"
    line = commands.about(made, "check", "--checks all")
    assert line == f"corpusmith check {subject} --checks all {options}".rstrip()
    assert shlex.split(line)[:2] == ["corpusmith", "check"]


def test_a_judge_is_asked_about_what_it_can_select() -> None:
    made = report(only={"scenario": "a b", "state": "pending", "min_rating": 2.0})
    assert commands.evaluate(made) == (
        "corpusmith evaluate --dataset '客服' --where 'scenario=a b' --where state=pending"
    )


def test_a_name_like_an_option_stays_a_name() -> None:
    made = report(name="-x y", only={"scenario": "a"})
    assert commands.about(made, "review start") == (
        "corpusmith review start --scenario a -- '-x y'"
    )
    assert commands.generate(made) == "corpusmith generate --dataset='-x y'"


def test_what_is_bad_comes_first_and_what_is_good_last() -> None:
    made = report([facts(simulated=True), facts()], production=production(SHORT))
    weights = [one.weight for one in made.findings]
    assert weights == sorted(weights, key=["bad", "note", "good"].index)
    assert len(set(weights)) == 3


def test_a_share_that_is_not_short_is_no_finding() -> None:
    made = report([facts()], wanted={"scenario": {"日常对话": 1, "工作": 0}})
    assert [one for one in made.findings if one.code == "short_shares"] == []
