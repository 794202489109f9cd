"""A report in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.report make|ours --db FILE [--records N]

`make` fills a store with dialogues of about 300 characters, two of a hundred of which nearly repeat
an earlier one, and with scores of two judges for each of them.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.rig import now_s, usage
from corpusmith import Studio
from corpusmith.contracts import Quota, Save
from corpusmith.store.lease import owner_id
from corpusmith.values import Draft, Item, Outcome

Figures = dict[str, Any]
DATASET = "语料"
SCENARIOS = ("日常对话", "情感交流", "知识问答", "工作协作", "学习辅导")
CHARACTERS = ("林知秋", "何小舟", "周行")
DIMENSIONS = ("helpfulness", "clarity", "safety")
_AT_ONCE = 1_000
_REPEATED = 0.02


def make(db: Path, records: int) -> Figures:
    """A task with its records in a dataset, and an evaluate task with their scores."""
    with Studio(db=f"sqlite:///{db}", language="zh") as studio:
        studio.datasets.ensure(DATASET, "zh")
        _fill(studio, "dialogue", {}, list(_drafts(records)))
        studio.tasks.commit(1)
        ids = [record.id for record in studio.store.records.iterate(dataset=DATASET)]
        _fill(studio, "evaluate", _evaluation(), [_score(number) for number in ids])
    return {"mb": db.stat().st_size / 2**20}


def ours(db: Path) -> Figures:
    """The report as both files, `wall_s` and `peak_mb` of the whole process."""
    with Studio(db=f"sqlite:///{db}", language="zh") as studio:
        began_s = now_s()
        report = studio.reports.of(dataset=DATASET)
        written = [studio.reports.write(report, db.with_suffix(f".{form}"), form)
                   for form in ("html", "json")]  # fmt: skip
        return {
            "wall_s": now_s() - began_s,
            "records": report.records,
            "near_duplicates": report.duplicates.near,
            "scored": report.evaluations[0].scored,
            "html_kb": written[0].bytes / 1024,
        }


# ---------------------------------------------------------------- what it is made from


def _drafts(records: int) -> Iterator[Draft]:
    rng = random.Random(1)
    words = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(2)) for _ in range(3_000)]
    earlier: list[list[str]] = []
    for _ in range(records):
        texts = ["".join(rng.choices(words, k=rng.randrange(10, 40))) for _ in range(6)]
        if earlier and rng.random() < _REPEATED:
            texts = [*rng.choice(earlier)[:5], texts[5][:10]]
        if len(earlier) < 1_000:
            earlier.append(texts)
        roles = ("user", "assistant") * 3
        turns = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
        scenario, character = rng.choice(SCENARIOS), rng.choice(CHARACTERS)
        yield Draft(
            content={"scenario_labels": [scenario], "dialogues": turns, "turn_count": 3},
            labels={"scenario": scenario, "character": character},
            provenance={"models": ["m"], "simulated": True},
        )


def _evaluation() -> dict[str, Any]:
    ends = {"score_1": "none", "score_5": "all"}
    dimensions = [{"name": name, "description": name, **ends} for name in DIMENSIONS]
    rubric = {"name": "bench", "judged": "all of it", "dimensions": dimensions}
    judges = [{"role": "judge", "name": "a"}, {"role": "judge2", "name": "b"}]
    return {"of": f"dataset:{DATASET}", "rubric": rubric, "judges": judges}


def _score(number: int) -> Draft:
    rng = random.Random(number)
    given = [{name: rng.randint(1, 5) for name in DIMENSIONS} for _ in range(2)]
    scores = {name: sum(one[name] for one in given) / 2 for name in DIMENSIONS}
    judges = [
        {"judge": name, "model": "m", "scores": one, "comment": "清楚，但缺一个例子。"}
        for name, one in zip("ab", given, strict=True)
    ]
    overall = round(sum(scores.values()) / len(scores), 2)
    return Draft(content={"id": number, "scores": scores, "overall": overall, "judges": judges})


def _fill(
    studio: Studio, recipe: str, recipe_spec: dict[str, Any], drafts: Sequence[Draft]
) -> None:
    store = studio.store
    task = store.tasks.create(
        name=recipe,
        recipe=recipe,
        spec={"recipe_spec": recipe_spec, "language": "zh"},
        dataset=DATASET if recipe == "dialogue" else None,
        requested=len(drafts),
        seed=1,
        quotas=[Quota(name="all", count=len(drafts), waves=((0, len(drafts)),))],
        connections={},
    )
    lease = store.acquire(task.id, owner_id(), 3600.0, time.time())
    for start in range(0, len(drafts), _AT_ONCE):
        transaction = store.transaction()
        transaction.begin()
        transaction.apply(
            [
                _save(task.id, lease.fence, ordinal, draft)
                for ordinal, draft in enumerate(drafts[start : start + _AT_ONCE], start)
            ]
        )
        transaction.commit()
    store.release(lease, "finished", None)


def _save(task_id: int, fence: int, ordinal: int, draft: Draft) -> Save:
    item = Item(task_seed=1, category="all", ordinal=ordinal)
    outcome = Outcome(item=item, drafts=(draft,))
    return Save(task_id=task_id, fence=fence, outcome=outcome, accepted=(draft,), misses=())


def main() -> None:
    """Do it and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "ours"])
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--records", type=int, default=100_000)
    given = parser.parse_args()
    figures = make(given.db, given.records) if given.what == "make" else ours(given.db)
    after = usage()
    print(json.dumps({**figures, **after}))


if __name__ == "__main__":
    main()
