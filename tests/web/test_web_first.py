"""The first minutes of a stranger: what is easily ugly, doubled or left in the other language."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from web_kit import Look, Site, aside

from corpusmith.service.studio import Studio
from corpusmith.values import Language
from corpusmith.web.pages.settings_log import operations, words_for

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_steps_have_a_number_each_and_nothing_over_it(
    empty_site: Site, language: Language
) -> None:
    page = empty_site.open("/", Look(language=language))
    steps = page.locator(".first-steps > li")
    drawn = "all => all.map((one) => getComputedStyle(one, '::before').content)"
    assert [text != "none" for text in steps.evaluate_all(drawn)] == [True, True]
    assert set(steps.locator("*").evaluate_all(drawn)) == {"none"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_stored_from_the_shipped_ones_is_offered_once(
    empty_site: Site, language: Language
) -> None:
    studio = Studio.over(empty_site.store, language)
    for character in studio.characters.shipped(language):
        aside(lambda name=character.name: studio.characters.copy(name))
    for scenario in studio.scenarios.shipped(language):
        studio.scenarios.add(scenario)
    page = empty_site.open("/generate/dialogue?example=1", Look(language=language))
    for field in ("characters", "scenarios"):
        values = page.locator(f"input[name='{field}']").evaluate_all("all => all.map(x => x.value)")
        assert values and len(values) == len(set(values)), field


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_character_without_a_name_yet_has_a_prompt(empty_site: Site, language: Language) -> None:
    page = empty_site.open("/characters/-/new", Look(language=language))
    page.get_by_label({"en": "Personality", "zh": "性格"}[language]).fill("patient")
    expect(page.locator("main aside, #prompt, #preview").first).to_contain_text("patient")


@pytest.mark.parametrize("name", operations())
def test_the_log_says_every_deed_in_chinese(name: str) -> None:
    assert not words_for(name, "zh").isascii()
