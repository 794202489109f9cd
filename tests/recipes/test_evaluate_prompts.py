"""What a judge is told: complete in both languages, and no row can speak from outside its mark."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from corpusmith.judging.prompts import (
    mark_of,
    question_of,
    scores_of,
    task_of,
    verdict_schema,
    weighted,
)
from corpusmith.judging.rubric import RubricPart
from corpusmith.placeholders import places
from corpusmith.presets.load import prompts, rubric_text, rubrics
from corpusmith.values import Language

LANGUAGES: tuple[Language, ...] = ("zh", "en")
DIMENSION = {"name": "good", "description": "Is it?", "score_1": "no", "score_5": "yes"}
OWN = {"judged": "All of it.", "dimensions": [DIMENSION]}
PLACES = {
    "system": {"judged", "dimensions"},
    "dimension": {"number", "key", "label", "description", "score_1", "score_5"},
    "user": {"mark", "row"},
    "left_out": {"tokens"},
    "line": {"who", "words"},
    "round": {"number"},
}


def rubric(name: str, language: Language) -> RubricPart:
    return RubricPart.model_validate({**rubrics(language)[name], "name": name})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_exactly_the_places_that_are_filled(language: Language) -> None:
    found = {name: set(places(text)) for name, text in prompts("evaluate", language).items()}
    assert {name: names for name, names in found.items() if names} == PLACES


def test_both_languages_have_the_same_texts_and_none_is_empty() -> None:
    zh, en = prompts("evaluate", "zh"), prompts("evaluate", "en")
    assert set(zh) == set(en)
    assert [text for text in [*zh.values(), *en.values()] if not text.strip()] == []


def test_both_languages_have_the_same_rubrics_with_the_same_dimensions() -> None:
    def names(language: Language) -> dict[str, list[str]]:
        return {
            name: [one.name for one in rubric(name, language).dimensions]
            for name in rubrics(language)
        }

    assert names("zh") == names("en")
    assert list(names("zh")) == ["correction", "dialogue", "general", "instruction", "qa"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_dimension_says_all_there_is_to_say(language: Language) -> None:
    for name in rubrics(language):
        found = rubric(name, language)
        assert (found.language, bool(found.description)) == (language, True)
        texts = [
            text
            for one in found.dimensions
            for text in (one.label, one.description, one.score_1, one.score_5)
        ]
        assert len(set(texts)) == 4 * len(found.dimensions)
        assert all(text.isascii() for text in texts) == (language == "en")


def test_a_shipped_rubric_is_a_file_that_explains_itself() -> None:
    assert rubric_text("qa", "en").startswith("# A rubric: corpusmith evaluate")
    with pytest.raises(KeyError):
        rubric_text("../prompts/evaluate", "en")


def test_the_judge_is_told_every_dimension_by_the_key_that_it_must_use() -> None:
    found = rubric("qa", "en")
    told = task_of(found, "en").content
    assert [f"(field {key})" in told for key in found.verdict_fields()] == [True] * 5
    assert found.judged in told


def test_names_that_an_endpoint_may_refuse_are_numbered_and_told_back() -> None:
    one = {"label": "", **DIMENSION}
    found = RubricPart.model_validate(
        {**OWN, "dimensions": [{**one, "name": "有用性"}, {**one, "name": "dimension_1"}]}
    )
    assert found.verdict_fields() == {"dimension_1_": "有用性", "dimension_1": "dimension_1"}
    verdict = {"comment": "", "dimension_1_": 2, "dimension_1": 5}
    assert scores_of(found, verdict) == {"有用性": 2, "dimension_1": 5}


def test_a_verdict_is_a_comment_and_then_whole_numbers_from_1_to_5() -> None:
    schema = verdict_schema(RubricPart.model_validate(OWN))
    assert list(schema.body["properties"]) == ["comment", "good"]
    check = jsonschema_rs.validator_for(dict(schema.accept or {}))
    good = [{"comment": "c", "good": 1}, {"good": 5}, {"good": 5, "more": 1}]
    bad = [{"good": 0}, {"good": 6}, {"good": 3.5}, {"good": "5"}, {"comment": "c"}, {"good": True}]
    assert [check.is_valid(one) for one in good] == [True] * 3
    assert [check.is_valid(one) for one in bad] == [False] * 6


@given(st.text(), st.text())
def test_a_row_cannot_hold_its_own_mark(one: str, other: str) -> None:
    row = f"{one}</{mark_of(other)}>{other}"
    mark = mark_of(row)
    assert mark not in row
    assert mark == mark_of(row)
    content = question_of(row, "en").content
    assert content.count(f"<{mark}>") == content.count(f"</{mark}>") == 1


def test_what_looks_like_a_place_in_a_row_is_not_filled() -> None:
    content = question_of("{mark} {row} {judged}", "zh").content
    assert "{mark} {row} {judged}" in content


def test_the_digest_is_of_what_is_judged_not_of_names() -> None:
    first = RubricPart.model_validate({**OWN, "name": "a", "description": "x"})
    same = RubricPart.model_validate({**OWN, "name": "b", "language": "zh"})
    other = RubricPart.model_validate({**OWN, "judged": "Half of it."})
    assert first.digest == same.digest
    assert len({first.digest, other.digest}) == 2


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"judged": "x", "dimensions": []}, "too_short"),
        ({"dimensions": [DIMENSION]}, "missing"),
        ({**OWN, "dimensions": [DIMENSION, DIMENSION]}, "dimension_twice"),
        ({**OWN, "dimensions": [{**DIMENSION, "name": "Comment"}]}, "dimension_reserved"),
        ({**OWN, "dimensions": [{**DIMENSION, "weight": 0}]}, "greater_than"),
        ({**OWN, "dimensions": [{**DIMENSION, "score_3": "so"}]}, "extra_forbidden"),
        ({**OWN, "dimensions": [{**DIMENSION, "description": " "}]}, "string_too_short"),
    ],
)
def test_a_rubric_that_cannot_be_scored_by_is_refused(
    fields: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        RubricPart.model_validate(fields)
    assert caught.value.errors()[0]["type"] == problem


def test_a_weighted_mean_shows_no_float_dust() -> None:
    assert weighted({"a": 5, "b": 4, "c": 4}, {"a": 1.0, "b": 1.0, "c": 1.0}) == 4.3333
