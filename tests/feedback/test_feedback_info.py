"""`dataset_info.json` beside the files of a feedback run, on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.errors import CorpusmithError


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'store.db'}"
    with Studio(db=url, language="en") as studio:
        yield studio


ROWS = [
    {"user_input": "q", "model_response": "good", "rating": 5, "model_name": "a,b"},
    {"user_input": "q", "model_response": "bad", "rating": 1, "model_name": "a,b"},
]


def run(studio: Studio, folder: Path, **options: Any) -> dict[str, Any]:
    """What stands in the file afterwards."""
    file = folder / "feedback.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    wish = {"feedback_file": str(file), "output_dir": str(folder / "o"), "dataset_info": True}
    result = studio.feedback.run(**wish, **options)
    assert result.files["dataset_info"] == folder / "o" / "dataset_info.json"
    return dict(json.loads((folder / "o" / "dataset_info.json").read_text("ascii")))


def test_it_lists_what_llamafactory_reads(studio: Studio, tmp_path: Path) -> None:
    entries = run(studio, tmp_path, pairs=True, kto=True)
    told = {name: (one["file_name"], one["columns"]) for name, one in entries.items()}
    assert told == {
        "alpaca_format_samples": (
            "alpaca_format_samples.json",
            {"prompt": "instruction", "query": "input", "response": "output"},
        ),
        "preference_pairs": (
            "preference_pairs.jsonl",
            {"messages": "messages", "chosen": "chosen", "rejected": "rejected"},
        ),
        "kto_samples": ("kto_samples.jsonl", {"messages": "messages", "kto_tag": "label"}),
    }
    assert {name for name, one in entries.items() if one.get("ranking")} == {"preference_pairs"}
    assert entries["kto_samples"]["tags"]["system_tag"] == "system"


def test_pairs_of_the_alpaca_shape_have_its_columns(studio: Studio, tmp_path: Path) -> None:
    entries = run(studio, tmp_path, pairs=True, pairs_format="alpaca", formats="none")
    assert entries == {
        "preference_pairs": {
            "file_name": "preference_pairs.jsonl",
            "ranking": True,
            "columns": {
                "prompt": "instruction",
                "query": "input",
                "chosen": "chosen",
                "rejected": "rejected",
            },
        }
    }


def test_other_entries_stay_and_a_second_run_changes_nothing(
    studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "dataset_info.json").write_text('{"mine": {"file_name": "m.json"}}')
    first = run(studio, tmp_path, kto=True)
    assert list(first) == ["mine", "alpaca_format_samples", "kto_samples"]
    assert run(studio, tmp_path, kto=True, since_last=True) == first


def test_columns_of_a_file_that_was_merged_are_listed_too(studio: Studio, tmp_path: Path) -> None:
    old = [{"instruction": "i", "output": "o", "system": "s"}]
    (tmp_path / "old.json").write_text(json.dumps(old))
    entries = run(studio, tmp_path, merge_with=str(tmp_path / "old.json"))
    assert entries["alpaca_format_samples"]["columns"]["system"] == "system"
    assert "history" not in entries["alpaca_format_samples"]["columns"]


def test_an_entrys_name_can_be_asked_for(studio: Studio, tmp_path: Path) -> None:
    """LLaMA-Factory takes several names with commas between them."""
    entries = run(studio, tmp_path, model_name="a,b")
    assert {name: one["file_name"] for name, one in entries.items()} == {
        "a_b_alpaca_format": "a,b_alpaca_format.json"
    }


@pytest.mark.parametrize(
    ("options", "there", "code"),
    [
        ({"formats": "json"}, None, "feedback_info_nothing"),
        ({"pairs": True, "pairs_format": "trl"}, None, "feedback_info_trl"),
        ({"kto": True, "kto_format": "trl"}, None, "feedback_info_trl"),
        ({}, "[]", "feedback_info_broken"),
        ({}, '{"alpaca_format_samples": {"file_name": "x"}}', "feedback_info_taken"),
    ],
)
def test_what_cannot_be_listed_is_refused_before_anything_is_written(
    options: dict[str, Any], there: str | None, code: str, studio: Studio, tmp_path: Path
) -> None:
    if there is not None:
        (tmp_path / "o").mkdir()
        (tmp_path / "o" / "dataset_info.json").write_text(there)
    with pytest.raises(CorpusmithError) as caught:
        run(studio, tmp_path, **options)
    assert caught.value.reason == code
    for language in ("zh", "en"):
        assert caught.value.message(language) != code  # type: ignore[arg-type]
    left = [one.name for one in tmp_path.glob("o/*")]
    assert left == ([] if there is None else ["dataset_info.json"])
