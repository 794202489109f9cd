"""`studio.reports` on both databases: one pass over real rows."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from corpusmith import Studio
from corpusmith.contracts import Quota, Save
from corpusmith.errors import NotFound, UsageError
from corpusmith.service.report_facts import lines_of, opening_of, parts_of
from corpusmith.service.report_twins import MOST_PAIRS
from corpusmith.store.lease import owner_id
from corpusmith.values import Draft, Item, Miss, Outcome, Record, Selection

WORDS = [chr(0x4E00 + place) for place in range(2_000)]


@pytest.fixture
def studio(store_url: str) -> Any:
    with Studio(db=store_url, language="zh") as studio:
        yield studio


def text_of(seed: int) -> str:
    return "".join(random.Random(seed).choices(WORDS, k=60))


def draft(number: int, scenario: str = "日常", text: str | None = None, **more: Any) -> Draft:
    turns = [("user", text_of(number)), ("assistant", text or text_of(number + 10_000))]
    return Draft(
        content={
            "scenario_labels": [scenario],
            "dialogues": [{"role": role, "content": said} for role, said in turns],
            "turn_count": 1,
        },
        labels={"scenario": scenario},
        provenance={"models": ["m"], "simulated": False},
        **more,
    )


def made(
    studio: Studio,
    drafts: Sequence[Draft],
    misses: Sequence[Miss] = (),
    *,
    wanted: dict[str, int] | None = None,
    dataset: str | None = "语料",
    **task: Any,
) -> int:
    """A finished task with these records, committed to the dataset."""
    store = studio.store
    if dataset:
        studio.datasets.ensure(dataset, "zh")
    counts = wanted or {"日常": len(drafts)}
    found = store.tasks.create(
        name="一批",
        recipe=task.pop("recipe", "dialogue"),
        spec={"recipe_spec": task.pop("recipe_spec", {}), "language": "zh"},
        dataset=dataset,
        requested=sum(counts.values()),
        seed=1,
        quotas=[
            Quota(name=name, count=count, labels={"scenario": name}, waves=((0, 1_000),))
            for name, count in counts.items()
        ],
        connections={},
    )
    lease = store.acquire(found.id, owner_id(), 600.0, time.time())
    first = next(iter(counts))
    saves = [
        _save(found.id, lease.fence, _item(one.labels.get("scenario", first), place), (one,), ())
        for place, one in enumerate(drafts)
    ]
    saves += [
        _save(found.id, lease.fence, _item(first, 5_000 + place), (), (one,))
        for place, one in enumerate(misses)
    ]
    transaction = store.transaction()
    transaction.begin()
    transaction.apply(saves)
    transaction.commit()
    store.release(lease, "finished", None)
    if dataset and found.recipe != "evaluate":
        store.records.commit(found.id, dataset)
    return int(found.id)


def _item(category: str, ordinal: int) -> Item:
    return Item(task_seed=1, category=category, ordinal=ordinal)


def _save(
    task: int, fence: int, item: Item, accepted: tuple[Draft, ...], misses: tuple[Miss, ...]
) -> Save:
    outcome = Outcome(item=item, drafts=accepted, misses=misses)
    return Save(task_id=task, fence=fence, outcome=outcome, accepted=accepted, misses=misses)


REFUSED = Miss(kind="rejected", reason="refusal", raw="我不能帮你 <b>。")
SAME = Miss(kind="rejected", reason="near_duplicate", raw="又来一遍")
LATE = Miss(kind="failed", reason="timed_out")


def test_counts_are_those_of_the_tasks_that_gave_records(studio: Studio) -> None:
    first = made(
        studio, [draft(1), draft(2, "工作")], [REFUSED, SAME, LATE], wanted={"日常": 2, "工作": 1}
    )
    second = made(studio, [draft(3)])
    made(studio, [draft(4)], dataset="别的")
    found = studio.reports.of(dataset="语料")
    total = found.production
    assert [(one.id, one.records, one.accepted) for one in total.tasks] == [
        (first, 2, 2),
        (second, 1, 1),
    ]
    assert (total.requested, total.attempted, total.accepted) == (4, 6, 3)
    assert (total.rejected, total.failed, total.shortfall) == (2, 1, 1)
    assert total.rejected_by_reason == {"refusal": 1, "near_duplicate": 1}
    assert total.failed_by_cause == {"timed_out": 1}
    assert found.duplicates.rejected == 1
    assert (found.records, found.languages, found.models) == (3, {"zh": 3}, {"m": 3})


def test_shares_are_held_against_the_plans(studio: Studio) -> None:
    made(studio, [draft(1), draft(2)], wanted={"日常": 3, "工作": 2})
    (group,) = studio.reports.of(dataset="语料").groups
    shares = {one.name: (one.records, one.wanted) for one in group.shares}
    assert shares == {"日常": (2, 3), "工作": (0, 2)}


def test_a_selection_is_held_against_nothing(studio: Studio) -> None:
    made(studio, [draft(1), draft(2, "工作")], wanted={"日常": 1, "工作": 1})
    found = studio.reports.of(dataset="语料", only=Selection(scenario="工作"))
    assert (found.records, found.only) == (1, {"scenario": "工作"})
    assert [one.wanted for group in found.groups for one in group.shares] == [None]


def test_repeats_are_found_exact_and_near_and_said_which(studio: Studio) -> None:
    answer = text_of(10_001)
    ids = made(
        studio,
        [
            draft(1),
            draft(2),
            draft(1, text=f"  {answer}。"),
            draft(1, text=answer[:-2] + "改了"),
            draft(5),
        ],
    )
    assert ids
    found = studio.reports.of(dataset="语料").duplicates
    assert (found.looked_at, found.sampled, found.exact, found.near) == (5, False, 1, 1)
    numbers = [record.id for record in studio.store.records.iterate(dataset="语料")]
    assert [(one.record, one.earlier) for one in found.pairs] == [
        (numbers[2], numbers[0]),
        (numbers[3], numbers[0]),
    ]
    assert found.pairs[0].similarity == 1.0
    assert 0.7 <= found.pairs[1].similarity < 1


def test_of_very_many_a_sample_is_compared(studio: Studio, monkeypatch: Any) -> None:
    monkeypatch.setattr("corpusmith.service.report_twins.MOST_LOOKED_AT", 20)
    made(studio, [draft(1) for _ in range(40)])
    found = studio.reports.of(dataset="语料").duplicates
    assert found.sampled
    assert 5 < found.looked_at < 35
    assert found.exact == found.looked_at - 1
    assert len(found.pairs) == min(MOST_PAIRS, found.exact)


def test_an_evaluation_of_the_dataset_says_who_is_best_and_worst(studio: Studio) -> None:
    made(studio, [draft(number) for number in range(12)])
    numbers = [record.id for record in studio.store.records.iterate(dataset="语料")]
    overall = {number: 1 + place % 5 for place, number in enumerate(numbers)}
    of = "dataset:语料"
    task = evaluated(studio, of, overall)
    evaluated(studio, "dataset:别的", {1: 5})
    found = studio.reports.of(dataset="语料")
    (part,) = found.evaluations
    assert (part.task_id, part.scored, part.judges) == (task, 12, ("a", "b"))
    assert part.dimensions[0].distribution == (6, 6, 4, 4, 4)
    assert (part.exact, part.alpha) == (1.0, 1.0)
    assert found.examples.basis == "evaluation"
    assert [one.score for one in found.examples.best] == [5, 5, 4, 4]
    assert [one.score for one in found.examples.worst] == [1, 1, 1, 2]
    shown = found.examples.best[0]
    assert (shown.record, shown.lines[0]) == (numbers[4], ("user", text_of(4)))


def test_an_evaluation_counts_for_the_selected_records_only(studio: Studio) -> None:
    made(studio, [draft(1), draft(2), draft(3, "工作")], wanted={"日常": 2, "工作": 1})
    numbers = [record.id for record in studio.store.records.iterate(dataset="语料")]
    evaluated(studio, "dataset:语料", dict(zip(numbers, (1, 2, 5), strict=True)))
    (whole,) = studio.reports.of(dataset="语料").evaluations
    assert (whole.scored, whole.elsewhere, whole.mean) == (3, 0, 2.6667)
    found = studio.reports.of(dataset="语料", only=Selection(scenario="日常"))
    (part,) = found.evaluations
    assert (part.scored, part.elsewhere, part.mean) == (2, 1, 1.5)
    assert part.distribution == (2, 2, 0, 0, 0)
    assert [one.score for one in (*found.examples.best, *found.examples.worst)] == [2, 1]
    assert "它还评了 1 条不在这份报告里的语料" in studio.reports.page(found)
    found = studio.reports.of(dataset="语料", only=Selection(state="approved"))
    assert found.evaluations == ()


def test_records_taken_out_since_no_longer_count(studio: Studio) -> None:
    made(studio, [draft(1), draft(2)])
    numbers = [record.id for record in studio.store.records.iterate(dataset="语料")]
    evaluated(studio, "dataset:语料", dict(zip(numbers, (1, 5), strict=True)))
    studio.store.records.delete(numbers[:1])
    (part,) = studio.reports.of(dataset="语料").evaluations
    assert (part.scored, part.elsewhere, part.mean) == (1, 1, 5.0)


def test_an_evaluation_of_the_task_counts_in_its_dataset_and_says_so(studio: Studio) -> None:
    task = made(studio, [draft(1), draft(2)])
    made(studio, [draft(3)])
    numbers = list(studio.store.records.ids(dataset="语料"))
    evaluated(studio, f"task:{task}", dict.fromkeys(numbers[:2], 4))
    found = studio.reports.of(dataset="语料")
    (part,) = found.evaluations
    assert (part.of, part.scored, part.elsewhere) == (f"task:{task}", 2, 0)
    page = studio.reports.page(found)
    assert "这里的 3 条语料评了 2 条" in page
    assert f"评的是任务 {task}。" in page
    (other,) = studio.reports.of(task=task).evaluations
    assert (other.scored, "评的是任务" in studio.reports.page(studio.reports.of(task=task))) == (
        2,
        False,
    )


def test_a_task_that_gave_its_dataset_nothing_is_counted(studio: Studio) -> None:
    made(studio, [], [REFUSED, LATE], wanted={"日常": 2})
    found = studio.reports.of(dataset="语料")
    assert (found.records, found.production.requested, found.production.shortfall) == (0, 2, 2)
    assert found.production.rejected_by_reason == {"refusal": 1}
    assert [one.code for one in found.findings] == ["none_in_dataset", "misses"]


def evaluated(studio: Studio, of: str, overall: dict[int, int]) -> int:
    ends = {"score_1": "差", "score_5": "好"}
    rubric = {
        "name": "general",
        "judged": "全部",
        "dimensions": [{"name": "clarity", "description": "清楚", **ends}],
    }
    judges = [{"role": "judge", "name": "a"}, {"role": "judge2", "name": "b"}]
    drafts = [
        Draft(
            content={
                "id": number,
                "scores": {"clarity": mark},
                "overall": mark,
                "judges": [
                    {"judge": name, "model": "j", "scores": {"clarity": mark}, "comment": ""}
                    for name in "ab"
                ],
            },
            labels={"scenario": "all"},
        )
        for number, mark in overall.items()
    ]
    spec = {"of": of, "rubric": rubric, "judges": judges}
    return made(
        studio, drafts, wanted={"all": len(drafts)}, dataset=None, recipe="evaluate",
        recipe_spec=spec,
    )  # fmt: skip


def test_what_several_people_and_the_judge_say_stands_side_by_side(studio: Studio) -> None:
    made(studio, [draft(number) for number in range(6)])
    numbers = [record.id for record in studio.store.records.iterate(dataset="语料")]
    evaluated(studio, "dataset:语料", dict.fromkeys(numbers, 4))
    studio.reviews.take_scores(studio.tasks.last())
    for number in numbers[:4]:
        studio.reviews.review(number, reviewer="甲", rating=4, state="approved")
        studio.reviews.review(number, reviewer="乙", rating=2, state="approved")
    found = studio.reports.of(dataset="语料").review
    assert found.states == {"approved": 4, "pending": 2}
    assert found.rated == 4
    assert found.reviewers is not None
    assert (set(found.reviewers.names), found.reviewers.common) == ({"甲", "乙"}, 4)
    assert found.reviewers.different == 4
    assert found.beside_judge is not None
    assert (found.beside_judge.rated, found.beside_judge.bias) == (4, 1.0)


def test_without_any_score_some_are_drawn_by_the_seed(studio: Studio) -> None:
    made(studio, [draft(number) for number in range(30)])
    found = [studio.reports.of(dataset="语料", seed=seed).examples for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert (found[0].basis, len(found[0].drawn), found[0].best) == (None, 4, ())


def test_the_same_records_and_seed_give_the_same_figures(studio: Studio) -> None:
    made(studio, [draft(number) for number in range(50)], [REFUSED])
    one, other = (studio.reports.of(dataset="语料", seed=3) for _ in range(2))
    same = {"made_at": "", "spare": ""}
    assert {**_plain(one), **same} == {**_plain(other), **same}


def test_a_rejected_draft_is_shown_with_its_reason_and_raw_text(studio: Studio) -> None:
    task = made(studio, [draft(1)], [REFUSED] * 5 + [SAME])
    rejected = studio.reports.of(task=task).examples.rejected
    assert [(one.reason, one.lines) for one in rejected] == [
        ("refusal", (("raw", "我不能帮你 <b>。"),)),
        ("refusal", (("raw", "我不能帮你 <b>。"),)),
        ("near_duplicate", (("raw", "又来一遍"),)),
    ]


def test_records_outlive_their_task(studio: Studio) -> None:
    task = made(studio, [draft(1), draft(2)])
    studio.tasks.delete(task)
    found = studio.reports.of(dataset="语料")
    assert (found.records, found.production.tasks) == (2, ())
    assert found.production.records_of_deleted_tasks == 2
    assert "2 条语料的任务已删除" in studio.reports.page(found)


def test_a_task_without_records_still_tells_why(studio: Studio) -> None:
    task = made(studio, [], [REFUSED, LATE], wanted={"日常": 2})
    found = studio.reports.of(task=task)
    assert (found.records, found.production.rejected, found.production.failed) == (0, 1, 1)
    assert [one.code for one in found.findings] == ["none_yet", "misses"]
    assert "我不能帮你 &lt;b&gt;。" in studio.reports.page(found)


def test_scores_are_no_records(studio: Studio) -> None:
    task = evaluated(studio, "file:x", {1: 3})
    with pytest.raises(UsageError) as caught:
        studio.reports.of(task=task)
    assert caught.value.reason == "report_of_scores"


@pytest.mark.parametrize("wish", [{"dataset": "没有"}, {"task": 99}])
def test_what_is_not_there_is_not_found(studio: Studio, wish: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        studio.reports.of(**wish)


def test_json_is_the_report(studio: Studio) -> None:
    made(studio, [draft(1)])
    found = studio.reports.of(dataset="语料")
    read = orjson.loads(studio.reports.text(found, "json"))
    assert (read["format"], read["records"], read["name"]) == ("corpusmith-report/1", 1, "语料")
    assert read["production"]["tasks"][0]["accepted"] == 1


def test_progress_is_told_up_to_the_end(studio: Studio) -> None:
    made(studio, [draft(number) for number in range(600)])
    told: list[tuple[int, int]] = []
    studio.reports.of(dataset="语料", show=lambda seen, whole: told.append((seen, whole)))
    assert told == [(500, 600), (600, 600)]


def _plain(report: Any) -> dict[str, Any]:
    return dict(orjson.loads(orjson.dumps(report)))


# ---------------------------------------------------------------- a record's facts


def record(content: Any, **provenance: Any) -> Record:
    return Record(
        id=1, task_id=1, dataset_id=None, category="c", ordinal=0, sample=0, content=content,
        provenance=provenance, labels={}, state="pending", committed=False, created_at="",
    )  # fmt: skip


HELLO = {"role": "assistant", "content": "嗨"}
ROUND = {"question": "问", "answer": "答", "correction": "改"}
SHAPES: dict[str, tuple[Any, dict[str, list[str]], int | None, str]] = {
    "dialogue": (
        {"dialogues": [HELLO, {"role": "user", "content": "你好"}]},
        {"assistant": ["嗨"], "user": ["你好"]},
        1,
        "你好",
    ),
    "rounds": (
        {"id": "r1", "rounds": [ROUND, ROUND]},
        {"question": ["问", "问"], "answer": ["答", "答"], "correction": ["改", "改"]},
        2,
        "问",
    ),
    "refinement": (
        {
            "question": "问",
            "initial_answer": "初",
            "final_answer": "终",
            "refinement_process": [{"answer": "初", "critique": "评"}] * 3,
        },
        {"question": ["问"], "initial_answer": ["初"], "final_answer": ["终"]},
        3,
        "问",
    ),
    "row": (
        {"answer": "答", "question": "问", "n": 3},
        {"answer": ["答"], "question": ["问"]},
        None,
        "问",
    ),
    "unknown row": ({"甲": "一", "乙": "二"}, {"甲": ["一"], "乙": ["二"]}, None, "一"),
    "list": (["一", {"a": "二"}], {"text": ["一", "二"]}, None, "一"),
    "broken dialogue": ({"dialogues": [3], "x": "y"}, {"x": ["y"]}, None, "y"),
    "no text": ({"n": 3}, {"text": []}, None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_a_record_has_its_texts_by_part(name: str) -> None:
    content, parts, turns, opening = SHAPES[name]
    assert parts_of(record(content)) == (parts, turns)
    assert opening_of(parts) == opening


def test_what_a_row_was_given_is_no_part_of_it() -> None:
    assert parts_of(record({"category": "正面", "text": "好"}, given_fields=["category"])) == (
        {"text": ["好"]},
        None,
    )


@pytest.mark.parametrize("name", SHAPES)
def test_any_record_has_lines_to_read(name: str) -> None:
    lines = lines_of(record(SHAPES[name][0]))
    assert all(isinstance(who, str) and isinstance(text, str) for who, text in lines)
