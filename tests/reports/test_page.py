"""The page: self-contained, harmless whatever it shows, readable by everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import pytest
from report_kit import (
    HOSTILE,
    Outline,
    evaluation,
    example,
    facts,
    hostile_report,
    production,
    report,
)

from corpusmith.messages import LANGUAGES
from corpusmith.reports.page import POLICY, SECTIONS, page
from corpusmith.reports.report import BesideJudge, Examples, Report, Reviewers
from corpusmith.values import Language

TAGS = (
    "html head meta title style body main header section nav a p h1 h2 h3 ul li div span b strong i"
    " bdi code dl dt dd table caption thead tbody tr th td details summary article"
    " svg rect line text"
)
FULL = report(
    [facts(n, rating=4.0, tags=("好",), score=3.0, state="approved") for n in range(20)],
    wanted={"scenario": {"日常对话": 20}},
    evaluations=(evaluation(),),
    examples=Examples(
        basis="evaluation", best=(example(),), worst=(example(),), drawn=(), rejected=(example(),)
    ),
)  # fmt: skip
REPORTS = {"full": FULL, "bare": report(), "empty": report([]), "hostile": hostile_report()}
CASES = [(name, language) for name in REPORTS for language in LANGUAGES]


def outline(made: Report, language: Language = "en") -> Outline:
    return Outline(page(made, language))


@pytest.mark.parametrize(("name", "language"), CASES)
def test_nothing_but_our_own_elements_are_there(name: str, language: Language) -> None:
    found = outline(REPORTS[name], language)
    assert {tag for tag, _ in found.elements} - set(TAGS.split()) == set()
    assert (found.unbalanced, found.open) == ([], [])


@pytest.mark.parametrize(("name", "language"), CASES)
def test_no_attribute_acts_and_nothing_is_fetched(name: str, language: Language) -> None:
    found = outline(REPORTS[name], language)
    attributes = {key for _, one in found.elements for key in one}
    assert [key for key in attributes if key.startswith("on") or key in ("src", "style")] == []
    assert [one["href"] for one in found.named("a") if not str(one["href"]).startswith("#")] == []
    (policy,) = [one["content"] for one in found.named("meta") if "http-equiv" in one]
    assert policy == POLICY == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert len(found.named("style")) == 1


def test_the_style_sheet_asks_for_nothing() -> None:
    text = resources.files("corpusmith.reports").joinpath("page.css").read_text("utf-8")
    assert re.findall(r"url\(|@import|</", text) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_is_shown_as_text(language: Language) -> None:
    made = page(hostile_report(), language)
    assert "<script" not in made
    assert "onerror=alert(1)&gt;" in made
    assert re.findall("[\x00\x1b\u202e\u2066\u2067]", made) == []
    found = Outline(made)
    assert HOSTILE[0] in found.text
    assert HOSTILE[2] in found.text
    assert "".join(found.texts["style"]).count("<") == 0


def test_a_long_word_is_cut_and_its_length_told() -> None:
    made = page(report(examples=Examples(
        basis=None, best=(), worst=(), drawn=(example("长" * 100_000),), rejected=()
    )), "en")  # fmt: skip
    assert len(made) < 60_000
    assert "Whole text (100,000 characters)" in made
    assert "96,000 more characters are not in this report." in made


def test_a_hostile_report_stays_small() -> None:
    assert len(page(hostile_report(), "zh").encode()) < 1_000_000


@pytest.mark.parametrize(("name", "language"), CASES)
def test_links_lead_to_headings_and_ids_are_there_once(name: str, language: Language) -> None:
    found = outline(REPORTS[name], language)
    ids = [one["id"] for _, one in found.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert {str(one["href"])[1:] for one in found.named("a")} <= set(ids)
    assert {one["aria-labelledby"] for one in found.named("section")} <= set(ids)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_charts_and_tables_say_what_they_are(name: str, language: Language) -> None:
    found = outline(REPORTS[name], language)
    charts = [one for one in found.named("svg") if "chart" in str(one.get("class", ""))]
    assert [one for one in charts if not (one["role"] == "img" and one["aria-label"])] == []
    bars = [one for one in found.named("svg") if one.get("class") == "bar"]
    assert [one for one in bars if one.get("aria-hidden") != "true"] == []
    assert len(found.named("caption")) == len(found.named("table"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_report_has_every_section_in_order(language: Language) -> None:
    found = outline(FULL, language)
    ids = [one["id"] for one in found.named("h2")]
    assert ids == ["summary", *SECTIONS, "about"]
    assert found.named("html") == [{"lang": {"zh": "zh-Hans", "en": "en"}[language]}]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_nothing_is_left_to_fill_and_no_key_is_shown(name: str, language: Language) -> None:
    text = outline(REPORTS[name], language).text
    assert re.findall(r"\breport\.[a-z_.]+|\bshort\.[a-z]+|\brecipe\.[a-z]+", text) == []
    if name != "hostile":
        assert "{" not in text


def test_what_is_not_there_says_what_would_fill_it() -> None:
    text = outline(report([facts(models=(), actions={}, labels={})])).text
    for said in (
        "Not evaluated yet, so there are no scores and no agreement of judges.",
        "corpusmith evaluate --dataset '客服'",
        "These records have no verdicts",
        "No record says which model wrote it",
        "The records have no scenario, character or category",
        "People have not rated any yet.",
        "No draft was turned down.",
        "There is too little text for this.",
    ):
        assert said in text


def test_an_empty_report_draws_nothing() -> None:
    found = outline(report([]))
    charts = [one for one in found.named("svg") if "histogram" in str(one.get("class"))]
    assert charts == []
    assert "There are no records in this dataset yet." in found.text


def test_records_of_deleted_tasks_are_told_apart() -> None:
    text = outline(report(production=production(records_of_deleted_tasks=3))).text
    assert "The tasks of 3 more records are deleted and not in these sums." in text


def test_an_unknown_price_is_said_to_be_unknown() -> None:
    made = report(production=production(cost_usd=None, cost_usd_per_accepted=None))
    assert outline(made).text.count("price unknown") == 3


def test_people_and_judges_are_told_of_when_there_are_several() -> None:
    made = report(
        review=replace(
            report().review,
            reviewers=Reviewers(names=("甲", "乙"), common=7, different=2, kappa=0.5, alpha=None),
            beside_judge=BesideJudge(rated=9, within_one=0.9, kappa=0.4, bias=-0.25),
        )
    )
    text = outline(made).text
    assert "Reviewed by two or more7Say different things2Kappa0.50Alpha–甲, 乙" in text
    assert "Scored and rated9At most 1 apart90%Kappa0.40The judge's surplus-0.25" in text


# ---------------------------------------------------------------- colours

CSS = resources.files("corpusmith.reports").joinpath("page.css").read_text("utf-8")
LIGHT, DARK = CSS.split("prefers-color-scheme: dark")
ON_PAPER = ("ink", "soft", "accent", "bad")
PAIRS = [
    *((name, "paper") for name in ON_PAPER),
    *((name, "panel") for name in ("ink", "soft")),
    *(("ink", f"{name}-paper") for name in ("bad", "note", "good")),
    *((name, f"{name}-paper") for name in ("bad",)),
    *(("paper", name) for name in ("bad", "note", "good")),
    *(("ink", f"t{number}") for number in range(8)),
    ("ink", "t-others"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_words_have_a_contrast_of_four_and_a_half(front: str, back: str, scheme: str) -> None:
    assert contrast(colour(front, scheme), colour(back, scheme)) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["c1", "c2", "c4", "ok", "mark"])
def test_charts_have_a_contrast_of_three(name: str, scheme: str) -> None:
    assert contrast(colour(name, scheme), colour("paper", scheme)) >= 3


def colour(name: str, scheme: str) -> str:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", LIGHT if scheme == "light" else DARK)
    assert found is not None
    return found[1]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(text: str) -> float:
    parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
