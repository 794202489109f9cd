"""Domain files: the shipped ones, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from selfplay_kit import SMALL, domain

from corpusmith.errors import NotFound, SpecError, UsageError
from corpusmith.presets import load as presets
from corpusmith.recipes.selfplay_domain import Domain
from corpusmith.service.domains import find_domain, read_domain, starter, write_starter
from corpusmith.template_text import variables
from corpusmith.values import Json, Language

SHIPPED = sorted(presets.domains())


def changed(part: str, name: str, text: str) -> dict[str, Json]:
    prompts = {**SMALL["prompts"], part: {**SMALL["prompts"][part], name: text}}
    return domain(prompts=prompts)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_domain_is_called_like_its_file_and_uses_all_it_has(name: str) -> None:
    found = find_domain(name)
    assert found.name == name
    assert found.title and found.description and found.output
    asked = {*variables(found.prompts.learner.user), *variables(found.prompts.learner.system)}
    assert asked == set(found.axes)


def test_the_shipped_short_video_is_rich_and_marks_steps_in_chinese() -> None:
    found = find_domain()
    sizes = {name: len(entries) for name, entries in found.axes.items()}
    least = {"level": 6, "topic": 25, "scene": 20, "style": 10}
    assert all(sizes[name] >= size for name, size in least.items()), sizes
    assert found.marks.model_dump() == {"initial": "初始回答", "final": "最终优化版本"}
    assert found.file_name == "short_video_ai_expert_dataset_zh_v5.json"


def test_a_domain_of_another_language_is_found_by_the_same_name() -> None:
    assert find_domain("short_video", "en").name == "short_video_en"
    with pytest.raises(UsageError) as caught:
        find_domain("python_engineering", "zh")
    assert caught.value.reason == "domain_language"


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(NotFound) as caught:
        find_domain("gardening")
    assert "short_video, cross_border_ecommerce" in str(caught.value)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["my_domain", "家庭咖啡", "123", "true"])
def test_the_starter_is_a_domain_of_the_name_that_was_asked_for(
    language: Language, name: str, tmp_path: Path
) -> None:
    path = write_starter(name, language, tmp_path)
    found = read_domain(path)
    assert (found.name, found.language, found.file_name) == (name, language, f"{name}.json")
    assert path.name == f"{name}.yaml"


@pytest.mark.parametrize("name", ["", "../x", "a b", 'x"', "-", "a/b", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        starter(name, "en")
    assert caught.value.reason == "domain_name"


BAD = {
    "no version": ({k: v for k, v in SMALL.items() if k != "version"}, "version: required"),
    "another version": (domain(version=2), "version: must be 1"),
    "unknown language": (domain(language="fr"), "language: must be one of zh, en"),
    "a list as language": (domain(language=["zh"]), "language: must be one of zh, en"),
    "a name with a slash": (domain(name="a/b"), "name: letters, digits, _ and - only"),
    "a misspelt field": (domain(titel="x"), "titel: there is no such field; did you mean 'title'"),
    "an output in a folder": (domain(output="../x.json"), "output: must be the name of a file"),
    "no lists": (domain(axes={}), "axes: there must be at least one list"),
    "an empty list": (
        domain(axes={**SMALL["axes"], "who": []}),
        "axes.who: the list has no entries",
    ),
    "a list that is none": (domain(axes={**SMALL["axes"], "who": "x"}), "axes.who: must be a list"),
    "a number in a list": (
        domain(axes={**SMALL["axes"], "who": [2024]}),
        "axes.who #1.text: must be a text (put it in quotes)",
    ),
    "an entry twice": (
        domain(axes={**SMALL["axes"], "who": ["a", "a"]}),
        "axes.who #2: this entry stands in the list a second time",
    ),
    "a weight of 0": (
        domain(axes={**SMALL["axes"], "who": [{"text": "a", "weight": 0}]}),
        "axes.who #1.weight: must be at least 1",
    ),
    "a taken list name": (
        domain(axes={**SMALL["axes"], "answer": ["a"]}),
        "axes.answer: a list's name must be a word",
    ),
    "a list name of two words": (
        domain(axes={**SMALL["axes"], "two words": ["a"]}),
        "axes.two words: a list's name must be a word",
    ),
    "an unused list": (
        domain(axes={**SMALL["axes"], "where": ["a"]}),
        "axes.where: no prompt uses this list: put {where} where",
    ),
    "a spread list that is none": (domain(spread="how"), "spread: there is no such list"),
    "a misspelt place": (
        changed("learner", "user", "{who} {whta}"),
        "prompts.learner.user: there is no place {whta} here; did you mean {what}?",
    ),
    "a place of another prompt": (
        changed("expert", "user", "{question} {critique}"),
        "prompts.expert.user: there is no place {critique} here; there are: {what},",
    ),
    "a judge without the answer": (
        changed("judge", "user", "{question}"),
        "prompts.judge.user: {answer} must stand in it",
    ),
    "a verdict with a foreign place": (
        changed("judge", "verdict", "{critique}"),
        "prompts.judge.verdict: there is no place {critique} here",
    ),
    "a prompt without a user text": (
        domain(prompts={**SMALL["prompts"], "learner": {"system": "{who}{what}"}}),
        "prompts.learner.user: required",
    ),
    "a missing prompt": (
        domain(prompts={k: v for k, v in SMALL["prompts"].items() if k != "refine"}),
        "prompts.refine: required",
    ),
    "half of the marks": (domain(marks={"initial": "x"}), "marks.final: required"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_domain_is_refused_by_file_and_field(case: str, tmp_path: Path) -> None:
    fields, expected = BAD[case]
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(fields, allow_unicode=True), "utf-8")
    with pytest.raises(SpecError) as caught:
        read_domain(file)
    first, *lines = caught.value.message("en").splitlines()
    assert first == f"{file}: these fields do not fit:"
    assert [line for line in lines if line.strip().startswith(expected)], lines


def test_all_problems_of_a_domain_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    prompts = {
        **SMALL["prompts"],
        "learner": {"user": "{who} {waht}"},
        "judge": {"user": "{question}"},
    }
    file.write_text(yaml.safe_dump(domain(prompts=prompts, spread="x")), "utf-8")
    with pytest.raises(SpecError) as caught:
        read_domain(file)
    places = [line.partition(":")[0].strip() for line in str(caught.value).splitlines()[1:]]
    assert places == ["spread", "prompts.learner.user", "prompts.judge.user", "axes.what"]


def test_lists_may_have_chinese_names_and_braces_may_be_written_twice() -> None:
    found = Domain.model_validate(
        domain(
            axes={"谁": ["甲", "乙"]},
            prompts={**SMALL["prompts"], "learner": {"user": "{谁}：写 f-string {{name}}"}},
        )
    )
    assert list(found.axes) == ["谁"]
