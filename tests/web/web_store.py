"""A store with a bit of everything in it, in both languages, some of it hostile."""

from __future__ import annotations

from corpusmith.nouns import Character, Scenario
from corpusmith.service.simulating import simulated_endpoint
from corpusmith.service.studio import Studio
from corpusmith.store.store import SqlStore

HOSTILE = '<img src=x onerror=alert(1)><div hx-get="/evil" hx-trigger="load">{{7*7}}</div>'
LONG_NAME = "一个名字非常非常长的场景标签" * 8
DATASET = "客服对话"
SCENARIO = "深夜/食堂"
CHARACTER = "林老师"
CONNECTION = "house-model"


def fill(store: SqlStore) -> None:
    """Scenarios, characters, a connection, a dataset, and a task that made it."""
    studio = Studio.over(store, "zh")
    studio.scenarios.add(
        Scenario(name=SCENARIO, description="打烊前的最后一桌客人，外面下着雨。", weight=2)
    )
    english = Scenario(name="Late support call", description="The line is bad.", language="en")
    studio.scenarios.add(english)
    studio.scenarios.add(Scenario(name=HOSTILE, description=HOSTILE * 3, weight=0.25))
    studio.scenarios.add(Scenario(name=LONG_NAME, description="长" * 500))
    studio.characters.add(
        Character(
            name=CHARACTER,
            description="退休的语文老师，说话慢，爱举例子。",
            personality="耐心，有点固执",
            greeting="来，坐下慢慢说。",
            tags=("老师", "温和"),
        )
    )
    studio.characters.add(Character(name=HOSTILE, description=HOSTILE, tags=(HOSTILE[:40],)))
    studio.connections.add(
        CONNECTION,
        base_url="https://models.example/v1",
        model="house-7b",
        rpm=600,
        price={"input": 0.5, "output": 1.5},
    )
    with simulated_endpoint() as endpoint:
        studio.generate(
            characters=[CHARACTER],
            scenarios={SCENARIO: 1},
            count=6,
            turns=2,
            seed=1,
            dataset=DATASET,
            connection=endpoint.model_dump(exclude_unset=True),
        )
