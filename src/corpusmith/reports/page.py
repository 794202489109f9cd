"""The report as one HTML file: no script, no other file, no request.

Owns: the document, its head, the summary. Does not own: sections (`sections.py`, `judgements.py`,
`variety.py`, `examples.py`), looks (`page.css`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources

from corpusmith.reports import examples, judgements, sections, variety
from corpusmith.reports.figures import decimal, money, number, percent, share_of
from corpusmith.reports.markup import Markup, Part, element, foreign, trusted
from corpusmith.reports.report import EvaluationPart, Finding, Report
from corpusmith.reports.words import Words, code, gap, hint, pairs, section
from corpusmith.values import Language

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_LANG = {"zh": "zh-Hans", "en": "en"}
_MARKS = {"bad": "!", "note": "i", "good": "✓"}

Draw = Callable[[Report, Words], Markup]
# The heading's name → what draws it; the order of the page.
SECTIONS: dict[str, Draw] = {
    "production": sections.production,
    "groups": sections.groups,
    "lengths": sections.lengths,
    "scores": judgements.scores,
    "checks": variety.checks,
    "diversity": variety.diversity,
    "languages": sections.languages,
    "review": judgements.review,
    "examples": examples.examples,
}


def page(report: Report, language: Language) -> str:
    """The whole file."""
    words = Words(language)
    # Without records there is nothing to draw, but the tasks still say why.
    names = list(SECTIONS) if report.records else ["production", "examples"]
    body = element(
        "main",
        _head(report, words),
        _summary(report, words),
        _contents(names, words),
        [SECTIONS[name](report, words) for name in names],
        _about(report, words),
    )
    return "<!doctype html>\n" + element(
        "html", _document_head(report, words), element("body", body), lang=_LANG[language]
    )


def _document_head(report: Report, words: Words) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", words("title", name=report.name)),
        element("style", trusted(_style())),
    )


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("page.css").read_text("utf-8")


def _head(report: Report, words: Words) -> Markup:
    day, _, time = report.made_at.partition("T")
    made = words("made", date=day, time=time[:5])
    kind = words(f"kind.{report.kind}", n=report.task or 0)
    only = None
    if report.only:
        chosen = words("comma").join(f"{name}={value}" for name, value in report.only.items())
        only = element("p", words("only", chosen=chosen), class_="warning")
    return element(
        "header",
        element("p", kind, class_="kind"),
        element("h1", foreign(report.name)),
        element("p", made, class_="hint"),
        only,
        class_="top",
    )


# ---------------------------------------------------------------- summary


def _summary(report: Report, words: Words) -> Markup:
    items = [_finding(one, words) for one in report.findings]
    return element(
        "section",
        element("h2", words("section.summary"), id="summary"),
        element("ul", items, class_="findings"),
        element(
            "div",
            [_tile(name, value, note, words) for name, value, note in _tiles(report, words)],
            class_="tiles",
        )
        if report.records
        else None,
        aria_labelledby="summary",
    )


def _finding(one: Finding, words: Words) -> Markup:
    mark = element("span", _MARKS[one.weight], class_="mark-of", aria_hidden="true")
    weight = element("span", words(f"weight.{one.weight}"), class_="unseen")
    told = words.told(one.code, one.data)
    text = element("span", told, gap(told) if one.command else None, code(one.command))
    return element("li", mark, weight, text, class_=one.weight)


def _tiles(report: Report, words: Words) -> list[tuple[str, str, str]]:
    made = report.production
    shown = report.evaluations[0] if report.evaluations else None
    unknown = made.cost_usd_per_accepted is None
    diverse = report.diversity.distinct
    tiles = [
        (
            "records",
            number(report.records),
            words("tile.of", n=number(made.requested)) if made.tasks else words("tile.no_tasks"),
        ),
        (
            "acceptance",
            percent(share_of(made.accepted, made.attempted)) if made.attempted else "–",
            words("tile.attempted", n=number(made.attempted)),
        ),
        ("tokens_each", number(made.tokens_per_accepted), words("tile.tokens")),
        (
            "cost_each",
            words("unknown_price") if unknown else money(made.cost_usd_per_accepted),
            words("tile.cost"),
        ),
        ("duplicates", percent(report.duplicates.share), words("tile.duplicates")),
        ("score", decimal(shown.mean) if shown else "–", _scored(shown, words)),
        (
            "distinct",
            percent(diverse[1].share) if len(diverse) > 1 else "–",
            words("tile.distinct"),
        ),
        (
            "reviewed",
            percent(1 - share_of(report.review.states.get("pending", 0), report.records)),
            words("tile.reviewed"),
        ),
    ]
    return tiles


def _scored(shown: EvaluationPart | None, words: Words) -> str:
    if shown is None:
        return words("tile.no_score")
    return words("tile.made_up" if shown.simulated else "tile.score", n=number(shown.scored))


def _tile(name: str, value: str, note: str, words: Words) -> Markup:
    return element(
        "div",
        element("span", words(f"tile_name.{name}"), class_="name"),
        element("b", value),
        element("span", note, class_="note"),
        class_="tile",
    )


def _contents(names: list[str], words: Words) -> Markup:
    links: list[Part] = [
        element("a", words(f"section.{name}"), href=f"#{name}") for name in (*names, "about")
    ]
    return element("nav", links, aria_label=words("contents"))


def _about(report: Report, words: Words) -> Markup:
    return section(
        words,
        "about",
        pairs(
            [
                (words("about.seed"), number(report.seed)),
                (words("about.format"), report.format),
                (words("about.records"), number(report.records)),
            ]
        ),
        [hint(words(f"about.{name}")) for name in ("samples", "lengths", "offline")],
    )
