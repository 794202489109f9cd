"""Stores with something nice to look at in them, for pictures of the studio.

Owns: the sample data of both languages. Does not own: how it is photographed (`screenshots`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpusmith.service.studio import Studio
from corpusmith.values import Language, Selection

EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What things are called in one language."""

    dataset: str
    cards: tuple[str, ...]
    scenarios: Mapping[str, int]
    tags: tuple[str, str, str]
    running: str
    ratio: str
    topics: Sequence[str]
    labels: tuple[str, str, str]
    categories: tuple[str, str, str]
    imported: str
    evaluation: str
    templates: Mapping[str, str]
    """Shipped ones, and how the copies are called."""
    good: str
    """What the template's prompt gains in its second version."""


WORDS: Mapping[Language, Words] = {
    "en": Words(
        dataset="Bookshop evenings",
        cards=("nora.json", "wren.png"),
        scenarios={"Everyday talk": 4, "Heart to heart": 3, "Good news": 2, "Two roads": 1},
        tags=("warm", "too short", "gold"),
        running="Bookshop evenings, part two",
        ratio="Reviews in balance",
        topics=("noodle shop", "bicycle repair", "night train"),
        labels=("positive", "negative", "neutral"),
        categories=("Positive", "Negative", "Neutral"),
        imported="Baker's counter",
        evaluation="Judged by the house rubric",
        templates={
            "qa": "Bakery questions",
            "grounded-qa": "House rules",
            "sentiment": "Guest book",
        },
        good="Let the question be one that a person would really ask.",
    ),
    "zh": Words(
        dataset="书店的晚上",
        cards=("lin.json", "he.png"),
        scenarios={"日常对话": 4, "情感交流": 3, "报个喜讯": 2, "拿个主意": 1},
        tags=("温暖", "太短", "精选"),
        running="书店的晚上（续）",
        ratio="均衡评论",
        topics=("面馆", "修车铺", "夜班火车"),
        labels=("正面", "负面", "中性"),
        categories=("正面", "负面", "中性"),
        imported="烘焙柜台问答",
        evaluation="按通用标准打分",
        templates={"qa": "烘焙问答", "grounded-qa": "店规出题", "sentiment": "留言簿"},
        good="问题要像真人会问的那样。",
    ),
}


def fill(home_db: str, language: Language, quick: str, slow: str) -> None:
    """Material, four finished tasks, reviews, an evaluation, and a task that waits to be run.

    `quick` and `slow` are addresses of simulators; the waiting task is on the slow one.
    """
    words = WORDS[language]
    with Studio(db=home_db, language=language) as studio:
        _material(studio, words, language, quick, slow)
        _dialogues(studio, words)
        _judged(studio, words)
        _reviewed(studio, words)
        _ratio(studio, words, language)
        _imported(studio, words, language)
        _waiting(studio, words)


def _material(studio: Studio, words: Words, language: Language, quick: str, slow: str) -> None:
    for card in words.cards:
        studio.characters.import_file(EXAMPLES / "cards" / card)
    there = {one.name for one in studio.characters.list()}
    for one in [one for one in studio.characters.shipped(language) if one.name not in there][:4]:
        studio.characters.copy(one.name)
    for one in studio.scenarios.shipped(language):
        if one.name in words.scenarios:
            studio.scenarios.add(replace(one, weight=words.scenarios[one.name]))
    for name, own in words.templates.items():
        copy = studio.templates.copy(name, own)
        studio.templates.edit(copy.name, prompt=copy.prompt + "\n" + words.good)
    price = {"input": 0.15, "output": 0.6}
    studio.connections.add("simulator", base_url=quick, model="sim-chat", price=price)
    studio.connections.add("simulator-slow", base_url=slow, model="sim-chat", price=price)
    studio.connections.add("deepseek", provider="deepseek", model="deepseek-chat")


def _dialogues(studio: Studio, words: Words) -> None:
    task = studio.tasks.create(
        {
            "characters": [one.name for one in studio.characters.list()][:3],
            "scenarios": dict(words.scenarios),
            "count": 180,
            "turns": 3,
            "seed": 11,
            "connection": "simulator",
            "dataset": words.dataset,
        },
        name=words.dataset,
    )
    studio.tasks.run(task)


def _judged(studio: Studio, words: Words) -> None:
    fields = {"recipe": "evaluate", "of": f"dataset:{words.dataset}", "connection": "simulator"}
    task = studio.tasks.create(fields, name=words.evaluation)
    studio.tasks.run(task)
    studio.reviews.take_scores(task.id)


def _reviewed(studio: Studio, words: Words) -> None:
    page = studio.records.page(Selection(dataset=words.dataset), limit=200)
    for place, one in enumerate(page.items[:110]):
        given: dict[str, Any] = {"state": "rejected" if place % 9 == 4 else "approved"}
        given["rating"] = (5, 4, 4, 3, 5, 2, 4, 5)[place % 8]
        if place % 5 == 0:
            given["add_tags"] = [words.tags[place % 3]]
        studio.reviews.review(one.id, reviewer="lin", **given)


def _ratio(studio: Studio, words: Words, language: Language) -> None:
    shares = (40, 30, 30)
    task = studio.tasks.create(
        {
            "recipe": "template",
            "total": 60,
            "per_request": 5,
            "template": str(EXAMPLES / "templates" / f"review.{language}.yaml"),
            "vars": {"topic": list(words.topics)},
            "categories": [
                {"name": name, "share": f"{share}%", "vars": {"label": label}}
                for name, share, label in zip(words.categories, shares, words.labels, strict=True)
            ],
            "connection": "simulator",
        },
        name=words.ratio,
    )
    studio.tasks.run(task)


def _imported(studio: Studio, words: Words, language: Language) -> None:
    studio.imports.run(EXAMPLES / f"answers.{language}.jsonl", dataset=words.imported)


def _waiting(studio: Studio, words: Words) -> None:
    task = studio.tasks.create(
        {
            "characters": [one.name for one in studio.characters.list()][:2],
            "scenarios": dict(words.scenarios),
            "count": 400,
            "turns": 3,
            "seed": 5,
            "concurrency": 4,
            "connection": "simulator-slow",
            "dataset": words.dataset,
        },
        name=words.running,
    )
    studio.tasks.queue(task)
