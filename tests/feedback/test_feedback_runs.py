"""Whole runs, through the Python interface: files field by field, counts that add up."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.errors import SpecError, UsageError
from corpusmith.feedback.tally import FeedbackResult, ModelCounts
from corpusmith.service.feedback import Reading


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'store.db'}"
    with Studio(db=url, language="en") as studio:
        yield studio


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"fb-{number}",
        "user_input": f"问题{number}",
        "model_response": f"回答{number}",
        "rating": 5,
        "model_name": "huanhuan-qwen",
        "timestamp": "2026-01-02T03:04:05",
        **changes,
    }


def sample(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "instruction": f"问题{number}",
        "input": "",
        "output": f"回答{number}",
        "rating": 5,
        "model_name": "huanhuan-qwen",
        "feedback_id": f"fb-{number}",
        "timestamp": "2026-01-02T03:04:05",
        **changes,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def adds_up(result: FeedbackResult) -> bool:
    dropped, bad = sum(result.dropped.values()), sum(result.bad.values())
    of_models = sum(one.read for one in result.models) + bad
    return result.read == result.kept + dropped + bad == of_models


def test_a_run_writes_the_three_files_of_the_page(studio: Studio, tmp_path: Path) -> None:
    rows = [row(1), row(2, rating=4), row(3, rating=3), row(4, rating=4.5, model_name="other")]
    out = tmp_path / "deep" / "out"
    result = studio.feedback.run(
        feedback_file=str(write(tmp_path / "f.jsonl", rows)), output_dir=str(out)
    )
    wanted = [sample(1), sample(2, rating=4), sample(4, rating=4.5, model_name="other")]
    assert json.loads((out / "high_quality_samples.json").read_text("utf-8")) == wanted
    assert lines(out / "high_quality_samples.jsonl") == wanted
    assert json.loads((out / "alpaca_format_samples.json").read_text("utf-8")) == [
        {key: one[key] for key in ("instruction", "input", "output")} for one in wanted
    ]
    assert sorted(one.name for one in out.iterdir()) == [
        "alpaca_format_samples.json",
        "high_quality_samples.json",
        "high_quality_samples.jsonl",
    ]
    assert result == FeedbackResult(
        read=4,
        kept=3,
        dropped={"rating_below": 1},
        bad={},
        mean_rating=4.5,
        mean_rating_read=4.125,
        models=[
            ModelCounts(model_name="huanhuan-qwen", read=3, kept=2, mean_rating=4.0),
            ModelCounts(model_name="other", read=1, kept=1, mean_rating=4.5),
        ],
        words={},
        existing=0,
        pairs=None,
        kto=None,
        files={
            "json": out / "high_quality_samples.json",
            "jsonl": out / "high_quality_samples.jsonl",
            "alpaca": out / "alpaca_format_samples.json",
        },
        bad_rows=None,
        took_s=result.took_s,
    )


def test_the_json_file_looks_as_on_the_page(studio: Studio, tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", [row(1), row(2)])
    studio.feedback.run(feedback_file=str(file), output_dir=str(tmp_path / "o"))
    wanted = json.dumps([sample(1), sample(2)], ensure_ascii=False, indent=2) + "\n"
    assert (tmp_path / "o" / "high_quality_samples.json").read_text("utf-8") == wanted


def test_both_filters_apply_together(studio: Studio, tmp_path: Path) -> None:
    rows = [row(1), row(2, rating=3), row(3, model_name="b"), row(4, model_name="b", rating=1)]
    result = studio.feedback.run(
        feedback_file=str(write(tmp_path / "f.jsonl", rows)),
        output_dir=str(tmp_path / "o"),
        model_name="huanhuan-qwen",
        min_rating=4,
    )
    assert (result.kept, result.dropped) == (1, {"other_model": 2, "rating_below": 1})
    assert sorted(one.name for one in (tmp_path / "o").iterdir()) == [
        "huanhuan-qwen_alpaca_format.json",
        "huanhuan-qwen_samples.json",
        "huanhuan-qwen_samples.jsonl",
    ]
    assert lines(tmp_path / "o" / "huanhuan-qwen_samples.jsonl") == [sample(1)]


def test_nothing_kept_is_empty_files_not_old_ones(studio: Studio, tmp_path: Path) -> None:
    file = str(write(tmp_path / "f.jsonl", [row(1, rating=3)]))
    for least in (3, 5):
        studio.feedback.run(feedback_file=file, output_dir=str(tmp_path / "o"), min_rating=least)
    texts = [one.read_text("utf-8") for one in sorted((tmp_path / "o").iterdir())]
    assert texts == ["[]\n", "[]\n", ""]


def test_bad_rows_are_listed_by_line_and_counted(studio: Studio, tmp_path: Path) -> None:
    file = write(tmp_path / "f.jsonl", [row(1), row(2, rating=9), row(3, user_input=None)])
    file.write_text(file.read_text("utf-8") + '{"id": \n' + json.dumps(row(5)), "utf-8")
    result = studio.feedback.run(feedback_file=str(file), output_dir=str(tmp_path / "o"))
    assert (result.read, result.kept) == (5, 2)
    assert result.bad == {"rating_range": 1, "field_missing": 1, "row_json": 1}
    assert result.bad_rows == tmp_path / "o" / "bad_rows.jsonl"
    found = lines(result.bad_rows)
    assert [(one["line"], one["reason"], one["problem"]) for one in found] == [
        (2, "rating_range", "The rating 9 is not between 1 and 5."),
        (3, "field_missing", "The field “user_input” is missing."),
        (4, "row_json", "This is not valid JSON."),
    ]
    assert found[0]["raw"].startswith('{"id":"fb-2","user_input":"问题2"')
    assert adds_up(result)


def test_a_list_of_bad_rows_goes_when_there_are_none_any_more(
    studio: Studio, tmp_path: Path
) -> None:
    out = tmp_path / "o"
    for rows in ([row(1), row(2, rating=9)], [row(1)]):
        file = str(write(tmp_path / "f.jsonl", rows))
        studio.feedback.run(feedback_file=file, output_dir=str(out), formats=["jsonl"])
    assert [one.name for one in out.iterdir()] == ["high_quality_samples.jsonl"]


def test_somebody_elses_file_of_that_name_stays(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "bad_rows.jsonl").write_text('{"mine": 1}\n', "utf-8")
    file = str(write(tmp_path / "f.jsonl", [row(1)]))
    studio.feedback.run(feedback_file=file, output_dir=str(tmp_path))
    assert (tmp_path / "bad_rows.jsonl").read_text("utf-8") == '{"mine": 1}\n'


def test_a_file_without_one_usable_row_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    out = tmp_path / "o"
    good = str(write(tmp_path / "good.jsonl", [row(1)]))
    studio.feedback.run(feedback_file=good, output_dir=str(out), formats=["jsonl"])
    wrong = str(write(tmp_path / "wrong.jsonl", [{"prompt": "q", "stars": 5}] * 3))
    with pytest.raises(SpecError) as caught:
        studio.feedback.run(feedback_file=wrong, output_dir=str(out), formats=["jsonl"])
    assert str(caught.value) == (
        f"No row of {wrong} (3 in all) can be used; nothing was written. The first one (number "
        "1): The field “rating” is missing. It has the fields: prompt, stars. Say which is which "
        "with --map, such as --map user_input=prompt rating=stars."
    )
    assert [one.name for one in out.iterdir()] == ["high_quality_samples.jsonl"]
    assert lines(out / "high_quality_samples.jsonl") == [sample(1)]


def test_a_file_without_rows_replaces_nothing(studio: Studio, tmp_path: Path) -> None:
    out = tmp_path / "o"
    good = str(write(tmp_path / "good.jsonl", [row(1)]))
    studio.feedback.run(feedback_file=good, output_dir=str(out), formats=["jsonl"])
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(SpecError) as caught:
        studio.feedback.run(
            feedback_file=str(tmp_path / "none.json"), output_dir=str(out), formats=["jsonl"]
        )
    assert caught.value.reason == "rows_empty"
    assert lines(out / "high_quality_samples.jsonl") == [sample(1)]


def test_pairs_and_kto_come_from_the_same_file(studio: Studio, tmp_path: Path) -> None:
    rows = [
        row(1, user_input="q", model_response="good", rating=5, model_name="a"),
        row(2, user_input="q", model_response="bad", rating=2, model_name="b"),
        row(3, user_input="q", model_response="so so", rating=3),
    ]
    result = studio.feedback.run(
        feedback_file=str(write(tmp_path / "f.jsonl", rows)),
        output_dir=str(tmp_path),
        formats=[],
        pairs=True,
        pairs_format="alpaca",
        kto=True,
        kto_format="trl",
    )
    assert (result.pairs, result.kto) == (1, {"true": 1, "false": 1})
    assert lines(tmp_path / "preference_pairs.jsonl") == [
        {"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"}
    ]
    assert lines(tmp_path / "kto_samples.jsonl") == [
        {
            "prompt": [{"role": "user", "content": "q"}],
            "completion": [{"role": "assistant", "content": text}],
            "label": label,
        }
        for text, label in (("good", True), ("bad", False))
    ]


@pytest.mark.parametrize("name", ["old.json", "old.jsonl"])
def test_merging_puts_existing_rows_first_and_adds_only_new_ones(
    name: str, studio: Studio, tmp_path: Path
) -> None:
    extra = {"instruction": "旧", "input": "", "output": "旧答", "system": "s", "more": 1}
    plain = {"instruction": "问题1", "output": "回答1"}
    old = [extra, plain, extra]
    text = json.dumps(old) if name == "old.json" else "\n".join(map(json.dumps, old))
    (tmp_path / name).write_text(text, "utf-8")
    file = write(tmp_path / "f.jsonl", [row(1), row(2), row(3, rating=1), row(2, id="again")])
    result = studio.feedback.run(
        feedback_file=str(file), output_dir=str(tmp_path / "o"), merge_with=str(tmp_path / name)
    )
    assert (result.existing, result.kept, result.dropped) == (
        3,
        1,
        {"rating_below": 1, "duplicate": 2},
    )
    assert lines(tmp_path / "o" / "high_quality_samples.jsonl") == [*old, sample(2)]
    alpaca = json.loads((tmp_path / "o" / "alpaca_format_samples.json").read_text("utf-8"))
    kept = {key: extra[key] for key in ("instruction", "input", "output", "system")}
    assert alpaca == [
        kept,
        {"instruction": "问题1", "input": "", "output": "回答1"},
        kept,
        {"instruction": "问题2", "input": "", "output": "回答2"},
    ]
    assert adds_up(result)


def test_merging_with_the_file_that_is_written_grows_it(studio: Studio, tmp_path: Path) -> None:
    target = tmp_path / "high_quality_samples.json"
    for numbers in ((1, 2), (2, 3)):
        file = str(write(tmp_path / "f.jsonl", [row(number) for number in numbers]))
        merge = {"merge_with": str(target)} if target.exists() else {}
        studio.feedback.run(feedback_file=file, output_dir=str(tmp_path), **merge)
    assert json.loads(target.read_text("utf-8")) == [sample(1), sample(2), sample(3)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"instruction": "a", "output": "b"}\n{"instruction": \n', "feedback_merge_row"),
        ('{"messages": []}\n', "feedback_merge_shape"),
    ],
)
def test_a_training_set_loses_no_row_in_a_merge(
    text: str, code: str, studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "old.jsonl").write_text(text, "utf-8")
    file = str(write(tmp_path / "f.jsonl", [row(1)]))
    with pytest.raises(SpecError) as caught:
        studio.feedback.run(
            feedback_file=file,
            output_dir=str(tmp_path / "o"),
            merge_with=str(tmp_path / "old.jsonl"),
        )
    assert (caught.value.reason, list((tmp_path / "o").iterdir())) == (code, [])


def since_last(studio: Studio, folder: Path, rows: list[dict[str, Any]], **more: Any) -> Any:
    file = str(write(folder / "f.jsonl", rows))
    return studio.feedback.run(
        feedback_file=file, output_dir=str(folder / "o"), since_last=True, **more
    )


def test_a_second_run_since_last_adds_only_what_is_new(studio: Studio, tmp_path: Path) -> None:
    kept = []
    for count in (2, 2, 5):
        rows = [row(number, rating=1 if number == 1 else 5) for number in range(count)]
        result = since_last(studio, tmp_path, rows, kto=True)
        assert adds_up(result)
        kept.append((result.kept, result.dropped))
    assert kept == [
        (1, {"rating_below": 1}),
        (0, {"seen_before": 2}),
        (3, {"seen_before": 2}),
    ]
    wanted = [sample(0), *(sample(number) for number in (2, 3, 4))]
    out = tmp_path / "o"
    assert json.loads((out / "high_quality_samples.json").read_text("utf-8")) == wanted
    assert lines(out / "high_quality_samples.jsonl") == wanted
    assert len(json.loads((out / "alpaca_format_samples.json").read_text("utf-8"))) == 4
    assert [one["label"] for one in lines(out / "kto_samples.jsonl")] == [True, False, *[True] * 3]


def test_a_changed_rating_is_new_but_never_the_same_sample_twice(
    studio: Studio, tmp_path: Path
) -> None:
    since_last(studio, tmp_path, [row(1, rating=3), row(2, rating=4)])
    result = since_last(studio, tmp_path, [row(1, rating=5), row(2, rating=5)])
    assert (result.kept, result.dropped) == (1, {"duplicate": 1})


def test_pairs_since_last_are_added_too(studio: Studio, tmp_path: Path) -> None:
    first = [row(1, user_input="q", rating=5), row(2, user_input="q", rating=1)]
    more = [*first, row(3, user_input="r", rating=5), row(4, user_input="r", rating=1)]
    counts = [since_last(studio, tmp_path, rows, pairs=True).pairs for rows in (first, more)]
    assert counts == [1, 1]
    found = lines(tmp_path / "o" / "preference_pairs.jsonl")
    assert [one["messages"][0]["content"] for one in found] == ["q", "r"]


def test_files_that_were_taken_away_begin_anew_with_what_is_new(
    studio: Studio, tmp_path: Path
) -> None:
    since_last(studio, tmp_path, [row(1)], formats=["json", "jsonl"])
    for one in (tmp_path / "o").glob("high*"):
        one.unlink()
    since_last(studio, tmp_path, [row(1), row(2)], formats=["json", "jsonl"])
    assert lines(tmp_path / "o" / "high_quality_samples.jsonl") == [sample(2)]
    text = (tmp_path / "o" / "high_quality_samples.json").read_text("utf-8")
    assert json.loads(text) == [sample(2)]


def test_other_options_since_last_are_refused(studio: Studio, tmp_path: Path) -> None:
    since_last(studio, tmp_path, [row(1)])
    with pytest.raises(UsageError) as caught:
        since_last(studio, tmp_path, [row(1)], min_rating=3)
    assert (caught.value.reason, caught.value.data["fields"]) == ("feedback_options", "min_rating")
    assert since_last(studio, tmp_path, [row(1), row(2)], model_name="huanhuan-qwen").kept == 2


def test_a_whole_run_forgets_what_was_seen(studio: Studio, tmp_path: Path) -> None:
    since_last(studio, tmp_path, [row(1)])
    file = str(write(tmp_path / "f.jsonl", [row(2)]))
    studio.feedback.run(feedback_file=file, output_dir=str(tmp_path / "o"))
    assert since_last(studio, tmp_path, [row(1), row(2)]).kept == 2
    assert lines(tmp_path / "o" / "high_quality_samples.jsonl") == [sample(1), sample(2)]


def test_a_file_that_cannot_be_gone_on_with_is_left_alone(studio: Studio, tmp_path: Path) -> None:
    since_last(studio, tmp_path, [row(1)])
    target = tmp_path / "o" / "high_quality_samples.json"
    target.write_text("{}", "utf-8")
    with pytest.raises(SpecError) as caught:
        since_last(studio, tmp_path, [row(2)])
    assert (caught.value.reason, target.read_text("utf-8")) == ("feedback_append", "{}")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "feedback_no_source"),
        ({"feedback_file": "a", "dataset": "b"}, "feedback_two_sources"),
        ({"feedback_file": "a", "formats": []}, "file_unreadable"),
        ({"dataset": "none such"}, "not_found"),
        ({"feedback_file": "a", "min_rating": 6}, "spec_fields"),
        ({"feedback_file": "a", "format": "json"}, "spec_fields"),
        ({"feedback_file": "a", "formats": "xml"}, "spec_fields"),
        ({"feedback_file": "a", "map": {"x": "y"}}, "file_unreadable"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    fields: dict[str, Any], code: str, studio: Studio
) -> None:
    with pytest.raises(UsageError) as caught:
        studio.feedback.run(**fields)
    assert caught.value.reason in (code, "unknown_dataset")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"formats": []}, "feedback_nothing"),
        ({"map": {"question": "q"}}, "feedback_field"),
        ({"merge_with": "x", "since_last": True}, "feedback_merge_since"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    fields: dict[str, Any], code: str, studio: Studio, tmp_path: Path
) -> None:
    file = str(write(tmp_path / "f.jsonl", [row(1)]))
    with pytest.raises(UsageError) as caught:
        studio.feedback.run(feedback_file=file, output_dir=str(tmp_path / "o"), **fields)
    assert caught.value.reason == code
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_memory_is_flat_and_progress_is_told(form: str, studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / f"long.{form}"
    rows = (json.dumps(row(number, model_response="回答" * 200)) for number in range(20_000))
    text = "\n".join(rows) if form == "jsonl" else "[" + ",".join(rows) + "]"
    path.write_text(text, "utf-8")
    del rows, text
    told: list[Reading] = []
    tracemalloc.start()
    try:
        result = studio.feedback.run(
            feedback_file=str(path), output_dir=str(tmp_path / "o"), pairs=True, show=told.append
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.read, result.kept) == (20_000, 20_000)
    assert peak < 20_000_000 < path.stat().st_size
    assert (told[-1].bytes, told[-1].total_bytes) == (path.stat().st_size,) * 2
