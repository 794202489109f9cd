"""Self-play: who is asked what in which order, and what comes of it."""

from __future__ import annotations

import pytest
from selfplay_kit import SMALL, Said, domain, item, played, recipe

from corpusmith.errors import Refused
from corpusmith.recipes.selfplay_prompts import verdict_schema

TWO = ("Q?", "A0", "C0", "A1", "C1", "A2")


def test_an_item_asks_learner_expert_and_then_judge_and_expert_in_turn() -> None:
    said = Said(*TWO)
    played(said, refinement_iterations=2)
    assert [(role, prompt) for role, prompt, _ in said.asked] == [
        ("learner", "You ask.\na novice asks about cups."),
        ("expert", "You know tea.\n<question>\nQ?\n</question>"),
        (
            "judge",
            "You judge.\n<question>\nQ?\n</question>\n<answer>\nA0\n</answer>",
        ),
        (
            "expert",
            "You mend.\n<question>\nQ?\n</question>\n<answer>\nA0\n</answer>"
            "\n<critique>\nC0\n</critique>",
        ),
        ("judge", "You judge.\n<question>\nQ?\n</question>\n<answer>\nA1\n</answer>"),
        (
            "expert",
            "You mend.\n<question>\nQ?\n</question>\n<answer>\nA1\n</answer>"
            "\n<critique>\nC1\n</critique>",
        ),
    ]


def test_answers_and_other_texts_have_their_own_longest_length() -> None:
    said = Said(*TWO)
    played(said, refinement_iterations=2, max_tokens_answer=9000, max_tokens_other=300)
    assert [how for _, _, how in said.asked] == [
        {"schema": None, "max_tokens": tokens} for tokens in (300, 9000, 300, 9000, 300, 9000)
    ]


def test_the_record_holds_every_step_with_the_judges_view_of_it() -> None:
    draft = played(Said(*TWO), refinement_iterations=2)
    assert draft.content == {
        "question": "Q?",
        "initial_answer": "A0",
        "final_answer": "A2",
        "refinement_process": [
            {"answer": "A0", "critique": "C0"},
            {"answer": "A1", "critique": "C1"},
            {"answer": "A2", "critique": "Final refined version"},
        ],
    }
    assert draft.raw == "A2"
    assert draft.labels == {"domain": "tea", "who": "a novice"}
    assert draft.provenance == {
        "recipe": "selfplay",
        "domain": "tea",
        "models": ["model-of-expert", "model-of-judge", "model-of-learner"],
        "roles": {role: f"model-of-{role}" for role in ("learner", "expert", "judge")},
        "simulated": False,
        "calls": ["key0", "key1", "key2", "key3", "key4", "key5"],
        "seed": 1,
        "item": "Tea#0",
        "variation": {"who": "a novice", "what": "cups"},
    }


def test_without_refinement_the_only_step_is_the_initial_answer() -> None:
    draft = played(Said("Q?", "A0"), domain(language="zh"), refinement_iterations=0)
    assert draft.content == {
        "question": "Q?",
        "initial_answer": "A0",
        "final_answer": "A0",
        "refinement_process": [{"answer": "A0", "critique": "初始回答"}],
    }


def test_a_domains_own_marks_stand_at_the_end() -> None:
    marks = {"initial": "as it came", "final": "done"}
    draft = played(Said("Q", "A", "C", "B"), domain(marks=marks), refinement_iterations=1)
    assert [step["critique"] for step in draft.content["refinement_process"]] == ["C", "done"]


def test_a_satisfied_judge_ends_the_refinement_at_the_answer_that_satisfies() -> None:
    said = Said(
        *("Q?", "A0", {"critique": "Too thin.", "score": 6, "satisfied": False}, "A1"),
        {"critique": "Nothing left.", "score": 9, "satisfied": True},
    )
    draft = played(said, refinement_iterations=5, satisfied_score=9)
    assert draft.content["refinement_process"] == [
        {"answer": "A0", "critique": "Too thin."},
        {"answer": "A1", "critique": "Final refined version"},
    ]
    assert draft.raw == "A1"
    assert draft.provenance["verdicts"] == [
        {"score": 6, "satisfied": False},
        {"score": 9, "satisfied": True, "critique": "Nothing left."},
    ]
    assert said.asked[2][2]["schema"] == verdict_schema().name
    assert "satisfied: true only if" in said.asked[2][1]


@pytest.mark.parametrize(
    "verdict",
    [
        {"critique": "C", "score": 8, "satisfied": True},
        {"critique": "C", "score": 10, "satisfied": False},
    ],
    ids=["satisfied below the score", "a high score without satisfaction"],
)
def test_the_score_and_the_satisfaction_are_both_needed(verdict: dict[str, object]) -> None:
    draft = played(Said("Q", "A", verdict, "B"), refinement_iterations=1, satisfied_score=9)
    assert draft.content["final_answer"] == "B"


def test_the_domains_own_words_for_the_verdict_are_used() -> None:
    prompts = {**SMALL["prompts"]}
    prompts["judge"] = {**prompts["judge"], "verdict": "Say if {what} is right."}
    said = Said("Q", "A", {"critique": "C", "score": 9, "satisfied": True})
    played(said, domain(prompts=prompts), refinement_iterations=1, satisfied_score=9)
    assert said.asked[2][1].endswith("</answer>\n\nSay if cups is right.")


def test_braces_and_tags_in_what_was_said_are_text() -> None:
    said = Said("Is {answer} {{who}}?", "</answer> {critique}", "Use {question}.", "B")
    draft = played(said, refinement_iterations=1)
    assert draft.content["question"] == "Is {answer} {{who}}?"
    assert said.asked[3][1] == (
        "You mend.\n<question>\nIs {answer} {{who}}?\n</question>\n"
        "<answer2>\n</answer> {critique}\n</answer2>\n<critique>\nUse {question}.\n</critique>"
    )


def test_a_refusal_passes_and_nothing_is_filled_in() -> None:
    with pytest.raises(Refused):
        played(Said("Q", "A", Refused(raw="no")), refinement_iterations=1)


@pytest.mark.parametrize(("times", "calls", "shown"), [(0, 2, 2), (1, 4, 4), (12, 26, 4)])
def test_the_estimate_counts_the_calls_that_are_made(times: int, calls: int, shown: int) -> None:
    made = recipe(refinement_iterations=times)
    assert made.estimate(item())[0] == calls
    assert [role for role, _ in made.preview(item())] == (
        ["learner", "expert", "judge", "expert"][:shown]
    )


def test_refine_without_a_system_text_speaks_as_the_expert() -> None:
    prompts = {**SMALL["prompts"], "refine": {"user": "{question}{answer}{critique}"}}
    said = Said("Q", "A", "C", "B")
    played(said, domain(prompts=prompts), refinement_iterations=1)
    assert said.asked[3][1].startswith("You know tea.\n<question>")
