"""Exports: exactly what is seen, whole files or none, nothing left out in silence."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from export_kit import chat, code_of, draft, imported, inside, lines, made

from corpusmith import Studio
from corpusmith.errors import UsageError
from corpusmith.exports import file_set
from corpusmith.service.export_walk import Spools
from corpusmith.simulator import SimulatorConfig, run_in_thread
from corpusmith.values import Selection, Verdict

# ---------------------------------------------------------------- what is seen is what is exported

FLAGGED = {"length": Verdict(passed=True, reason="short")}
SELECTIONS: dict[str, tuple[Selection, int]] = {
    "all": (Selection(dataset="d"), 8),
    "category": (Selection(dataset="d", category="b"), 3),
    "scenario": (Selection(dataset="d", scenario="s1"), 5),
    "character": (Selection(dataset="d", character="林"), 5),
    "both": (Selection(dataset="d", scenario="s1", category="b"), 0),
    "flag": (Selection(dataset="d", flag="length"), 3),
    "any flag": (Selection(dataset="d", flag="any"), 3),
    "unflagged": (Selection(dataset="d", unflagged=True), 5),
    "pending": (Selection(dataset="d", state="pending"), 8),
    "approved": (Selection(dataset="d", state="approved"), 0),
    "min score": (Selection(dataset="d", min_score=3), 3),
    "max score": (Selection(dataset="d", max_score=2), 0),
    "rating": (Selection(dataset="d", min_rating=1), 0),
    "tag": (Selection(dataset="d", tag="x"), 0),
    "task": (Selection(task_id=1), 8),
}


@pytest.mark.parametrize(("selection", "count"), SELECTIONS.values(), ids=SELECTIONS)
def test_an_export_holds_exactly_what_the_selection_counts(
    one: Studio, out: Path, selection: Selection, count: int
) -> None:
    """Trap 7 of the formats."""
    labels = {"scenario": "s1", "character": "林"}
    flagged = {**FLAGGED, "judge": Verdict(passed=True, score=4.0)}
    drafts = {
        "a": [[draft({"n": n}, labels=labels)] for n in range(5)],
        "b": [[_checked(draft({"n": 9 + n}), flagged)] for n in range(3)],
    }
    made(one, "d", drafts)
    imported(one, out.parent, "other", [{"n": 100}])
    done = one.exports.write(out / "o.jsonl", form="jsonl", selection=selection)
    found = list(one.store.records.iterate(selection))
    assert (one.exports.count(selection), done.records) == (count, count)
    assert lines(out / "o.jsonl") == [record.content for record in found]


def _checked(found: Any, verdicts: dict[str, Verdict]) -> Any:
    from dataclasses import replace

    return replace(found, verdicts=verdicts)


def test_the_old_arguments_still_choose(one: Studio, out: Path) -> None:
    made(one, "d", {"a": [[draft({"n": n}, labels={"scenario": f"s{n % 2}"})] for n in range(4)]})
    done = one.exports.write(out / "o.json", dataset="d", scenario="s1")
    assert (done.records, json.loads((out / "o.json").read_text())) == (2, [{"n": 1}, {"n": 3}])
    assert inside(out) == ["o.json"]
    assert done.sha256 == hashlib.sha256((out / "o.json").read_bytes()).hexdigest()
    assert code_of(lambda: one.exports.write(out / "x", task=1, dataset="d")) == "task_or_dataset"
    assert code_of(lambda: one.exports.write(out / "x")) == "task_or_dataset"
    assert code_of(lambda: one.exports.write(out / "x", dataset="?")) == "unknown_dataset"


# ---------------------------------------------------------------- recipes


def test_each_recipes_records_export_with_the_characters_prompt(out: Path, one: Studio) -> None:
    card = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
    with run_in_thread(SimulatorConfig()) as simulator:
        where = {"base_url": f"{simulator.url}/v1", "model": "any"}
        dialogue = one.generate(
            characters=[str(card)], count=3, turns=2, connection=where, dataset="d"
        )
        play = one.generate(
            recipe="selfplay", count=2, refinement_iterations=1, connection=where, dataset="p"
        )
    assert (dialogue.counts.accepted, play.counts.accepted) == (3, 2)
    done = one.exports.write(out / "m.jsonl", dataset="d", form="messages", system="character")
    first = lines(out / "m.jsonl")[0]["messages"]
    assert ([turn["role"] for turn in first], done.simulated) == (
        ["system", *["user", "assistant"] * 2],
        3,
    )
    assert "林知秋" in first[0]["content"]
    done = one.exports.write(out / "p.jsonl", dataset="p", form="dpo")
    assert [sorted(row) for row in lines(out / "p.jsonl")] == [
        ["chosen", "messages", "rejected"]
    ] * 2


def test_records_without_a_known_character_are_counted_by_name(one: Studio, out: Path) -> None:
    lin = {"name": "Lin", "personality": "quiet"}
    talk = {"dialogues": chat("a")["messages"]}
    names = ("Lin", "Kai", "")
    cast = [[draft(talk, labels={"character": name} if name else {})] for name in names]
    made(one, "d", {"x": cast}, spec={"recipe_spec": {"characters": [lin]}})
    how: Any = {"dataset": "d", "form": "messages", "system": "character"}
    done = one.exports.write(out / "o.jsonl", manifest=True, **how)
    assert (done.records, dict(done.without_character)) == (3, {"Kai": 1, "": 1})
    roles = [row["messages"][0]["role"] for row in lines(out / "o.jsonl")]
    assert roles == ["system", "user", "user"]
    told = json.loads((out / "o.jsonl.manifest.json").read_text("utf-8"))
    assert told["without_character"] == {"": 1, "Kai": 1}
    strangers = Selection(character="Kai")
    refused = code_of(lambda: one.exports.write(out / "x", selection=strangers, **how))
    assert (refused, inside(out)) == ("export_no_character", ["o.jsonl", "o.jsonl.manifest.json"])


def test_one_record_may_be_several_rows_of_one_part(one: Studio, out: Path) -> None:
    steps = [{"answer": f"a{n}", "critique": "c"} for n in range(4)]
    play = {"initial_answer": "a0", "final_answer": "a3", "refinement_process": steps}
    items = [[draft({"question": f"q{n}", **play})] for n in range(30)]
    made(one, "d", {"c": items}, recipe="selfplay")
    done = one.exports.write(
        out / "o.jsonl", dataset="d", form="dpo", refinement="steps", split="train=.6,test=.4"
    )
    assert (done.records, done.rows, sum(done.parts.values())) == (30, 90, 30)
    asked = [
        {row["messages"][-1]["content"] for row in lines(out / f"o-{part}.jsonl")}
        for part in ("train", "test")
    ]
    assert asked[0] & asked[1] == set()


# ---------------------------------------------------------------- refused


def test_refused_records_stop_everything_and_all_reasons_are_told(one: Studio, out: Path) -> None:
    rows = [chat("a"), chat("b", "c", "d"), {"x": 1}, {"x": 2}, chat("e")]
    imported(one, out.parent, "d", rows, format="rows")
    with pytest.raises(UsageError) as caught:
        one.exports.write(out / "o.jsonl", dataset="d", form="messages")
    assert (caught.value.reason, caught.value.data["counts"]) == (
        "export_refused",
        {"export_last_turn": 1, "export_no_chat": 2},
    )
    assert "Of 5 records, 3 make" in caught.value.message("en")
    assert "5 条语料里有 3 条" in caught.value.message("zh")
    assert inside(out) == []


def test_a_single_refused_record_says_itself_what_is_wrong(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a"), {"x": 1}], format="rows")
    refused = code_of(lambda: one.exports.write(out / "o.jsonl", dataset="d", form="messages"))
    assert refused == "export_no_chat"


def test_skipped_records_are_counted_by_reason_and_listed(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a"), {"x": 1}, chat("b", "c", "d")], format="rows")
    done = one.exports.write(
        out / "o.jsonl", dataset="d", form="messages", on_refused="skip", manifest=True
    )
    assert (done.records, dict(done.refused), dict(done.refused_records)) == (
        1,
        {"export_no_chat": 1, "export_last_turn": 1},
        {"export_no_chat": [2], "export_last_turn": [3]},
    )
    told = json.loads((out / "o.jsonl.manifest.json").read_text())
    assert told["refused"] == {
        "export_no_chat": {"count": 1, "records": [2]},
        "export_last_turn": {"count": 1, "records": [3]},
    }


def test_when_all_are_refused_nothing_is_written_although_skipped(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [{"x": n} for n in range(3)], format="rows")
    refused = code_of(
        lambda: one.exports.write(
            out / "o.jsonl", dataset="d", form="messages", on_refused="skip", manifest=True
        )
    )
    assert (refused, inside(out)) == ("export_refused_all", [])


def test_a_rating_between_stops_nothing_and_is_told(one: Studio, out: Path) -> None:
    rows = [{"user_input": f"q{n}", "model_response": "a", "rating": n} for n in (1, 3, 5)]
    imported(one, out.parent, "d", rows)
    done = one.exports.write(out / "o.jsonl", dataset="d", form="kto", **FEEDBACK)
    assert ([row["label"] for row in lines(out / "o.jsonl")], dict(done.passed_over)) == (
        [False, True],
        {"export_rating_between": 1},
    )


FEEDBACK = {"prompt_field": "user_input", "answer_field": "model_response"}


def test_mending_is_passed_on(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a", "b", "c")], format="rows")
    done = one.exports.write(out / "o.jsonl", dataset="d", form="messages", mend=True)
    assert (done.records, lines(out / "o.jsonl")) == (1, [chat("a", "b")])


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"form": "messages", "systm": "x"}, "export_option_unknown"),
        ({"form": "json", "system": "character"}, "export_option_none"),
        ({"form": "nothing"}, "unknown_plugin"),
        ({"on_refused": "maybe"}, "export_on_refused"),
        ({"seed": -1}, "export_seed"),
        ({"seed": 2**63}, "export_seed"),
        ({"balance": "mood"}, "export_balance"),
        ({"split": "train=2"}, "export_split"),
        ({"form": "json", "dataset_info": True}, "export_info_format"),
        ({"form": "messages", "split": "validation=0.0001%"}, "export_part_empty"),
        ({"scenario": "none of this name", "split": "test=10%"}, "export_nothing"),
        ({"form": "hf", "scenario": "none of this name"}, "export_nothing"),
        ({"form": "hf", "dataset_info": True}, "export_hf_info"),
        ({"form": "hf", "manifest": False}, "export_hf_manifest"),
        ({"form": "hf", "licence": " "}, "export_licence"),
        ({"form": "hf", "card_language": "fr"}, "export_card_language"),
        ({"form": "hf", "shape": "poem"}, "unknown_plugin"),
        ({"form": "hf", "shape": "messages", "bom": True}, "export_option_unknown"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_written(
    one: Studio, out: Path, how: dict[str, Any], code: str
) -> None:
    imported(one, out.parent, "d", [chat(str(n)) for n in range(20)])
    assert (code_of(lambda: one.exports.write(out / "o", dataset="d", **how)), inside(out)) == (
        code,
        [],
    )


def test_an_unknown_format_names_the_layout_of_the_hub_too(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a")])
    with pytest.raises(UsageError, match="kto_axolotl, hf"):
        one.exports.write(out / "o", dataset="d", form="hub")


@pytest.mark.parametrize("more", [{"split": "test=.5"}, {"manifest": True}, {"dataset_info": True}])
def test_a_stream_takes_rows_only(one: Studio, more: dict[str, Any]) -> None:
    imported(
        one, Path(one.store.url.removeprefix("sqlite:///")).parent, "d", [chat("a"), chat("b")]
    )
    refused = code_of(lambda: one.exports.write("-", dataset="d", form="messages", **more))
    assert refused == "export_stream_only_rows"


def test_a_pipe_is_written_to_directly(one: Studio, out: Path) -> None:
    import threading

    imported(one, out.parent, "d", [chat("a")])
    pipe = out.parent / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    thread.start()
    done = one.exports.write(pipe, dataset="d", form="messages")
    thread.join(10)
    assert (done.records, json.loads(read[0])) == (1, chat("a"))


# ---------------------------------------------------------------- several files


def test_parts_and_what_belongs_to_them_take_their_places_together(
    one: Studio, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(one, out.parent, "d", [chat(str(n)) for n in range(50)])
    out.mkdir()
    before = {
        "o-train.jsonl": "old train",
        "o.jsonl.manifest.json": "old",
        "dataset_info.json": "{}",
    }
    for name, text in before.items():
        (out / name).write_text(text)
    real = file_set._place
    placed: list[Path] = []

    def stumble(staged: Any, *, alone: bool) -> None:
        if len(placed) == 3:
            raise OSError(28, "No space left on device")
        placed.append(staged.target)
        real(staged, alone=alone)

    monkeypatch.setattr(file_set, "_place", stumble)
    how: Any = {"dataset": "d", "form": "messages", "split": "test=20%", "dataset_info": True}
    assert code_of(lambda: one.exports.write(out / "o.jsonl", **how)) == "export_disk_full"
    assert {name: (out / name).read_text() for name in inside(out)} == before
    monkeypatch.setattr(file_set, "_place", real)
    one.exports.write(out / "o.jsonl", **how)
    assert inside(out) == [
        "dataset_info.json",
        "o-test.jsonl",
        "o-train.jsonl",
        "o.jsonl.manifest.json",
    ]


def test_a_file_that_stood_there_stays_when_an_export_fails(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a"), {"x": 1}], format="rows")
    out.mkdir()
    (out / "o.jsonl").write_text("before")
    assert code_of(lambda: one.exports.write(out / "o.jsonl", dataset="d", form="messages"))
    assert ((out / "o.jsonl").read_text(), inside(out)) == ("before", ["o.jsonl"])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_parts_of_a_table_have_the_same_columns(one: Studio, out: Path, suffix: str) -> None:
    rows = [{"a": n, **({"b": [n]} if n == 7 else {})} for n in range(30)]
    imported(one, out.parent, "d", rows, format="rows")
    one.exports.write(out / f"o.{suffix}", dataset="d", form=suffix, split="train=.5,test=.5")
    assert [_columns(out / f"o-{part}.{suffix}") for part in ("train", "test")] == [["a", "b"]] * 2


def _columns(path: Path) -> list[str]:
    if path.suffix == ".csv":
        return path.read_text("utf-8").splitlines()[0].split(",")
    from pyarrow import parquet

    return list(parquet.read_schema(path).names)


def test_the_manifest_tells_what_was_made_how_and_no_more(one: Studio, out: Path) -> None:
    drafts = [[draft(chat(f"{n}"), models=["m1"], recipe="template", seed=7, item=f"c#{n}")]
              for n in range(20)]  # fmt: skip
    made(
        one,
        "d",
        {"c": drafts},
        recipe="template",
        spec={
            "checks": {"length": {"minimum": 3, "words": ["x" * 300], "note": "y" * 400}},
            "temperature": 0.5,
            "output": "/home/someone/secret/out.json",
        },
        connections={
            "writer": {
                "provider": "deepseek",
                "model": "m1",
                "base_url": "http://inner.example:1",
                "key_env": "MY_SECRET_KEY",
                "headers": {"x": "y"},
            }
        },
    )
    done = one.exports.write(
        out / "o.jsonl", dataset="d", form="messages", split="test=30%", seed=3
    )
    text = (out / "o.jsonl.manifest.json").read_text("utf-8")
    told = json.loads(text)
    assert [one_file["file"] for one_file in told["files"]] == ["o-train.jsonl", "o-test.jsonl"]
    for file in told["files"]:
        data = (out / file["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
        assert data.count(b"\n") == file["rows"]
    assert (told["seed"], told["records"], told["simulated"], told["format"]) == (
        3,
        20,
        False,
        "messages",
    )
    assert told["parts"] == {p: {"records": n, "rows": n} for p, n in sorted(done.parts.items())}
    assert told["tasks"][0]["roles"] == {"writer": {"provider": "deepseek", "model": "m1"}}
    assert told["tasks"][0]["checks"] == {
        "length": {"minimum": 3, "words": "(1)", "note": "(400 characters)"}
    }
    for secret in ("inner.example", "MY_SECRET_KEY", "/home", str(out), "recipe_spec"):
        assert secret not in text


# ---------------------------------------------------------------- preview


def test_a_preview_counts_everything_and_writes_nothing(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("a"), {"x": 1}, chat("b")], format="rows")
    found = one.exports.preview(dataset="d", form="messages", first=1)
    assert (found.records, found.rows, list(found.first), dict(found.refused)) == (
        2,
        2,
        [chat("a")],
        {"export_no_chat": 1},
    )
    nothing = one.exports.preview(dataset="d", form="dpo")
    assert (nothing.records, list(nothing.first), sum(nothing.refused.values())) == (0, [], 3)
    assert inside(out) == []


@pytest.mark.parametrize("split", [None, "train=0.5,test=0.5"])
def test_drafts_that_a_killed_export_left_go_with_a_later_one(
    split: str | None, one: Studio, out: Path
) -> None:
    imported(one, out.parent, "d", [chat(f"q{n}") for n in range(20)])
    out.mkdir()
    left, fresh = (out / f".corpusmith-{n:016x}.part" for n in range(2))
    for draft_ in (left, fresh):
        draft_.write_text("half")
    os.utime(left, (0, 0))
    one.exports.write(out / "o.jsonl", dataset="d", form="messages", split=split)
    assert (left.exists(), fresh.exists()) == (False, True)


def test_rows_that_wait_on_a_full_disk_are_dropped_without_a_second_complaint(
    tmp_path: Path,
) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spools = Spools(("a",), tmp_path, look=False)
    spools._files = {"a": spools._stack.enter_context(io.BufferedWriter(Full()))}
    with spools:
        spools.fill([("a", {"n": 1})])
    assert inside(tmp_path) == []


def test_an_export_of_nothing_leaves_a_file_that_is_there_alone(one: Studio, out: Path) -> None:
    made(one, "d", {"a": [[draft({"n": 1}, labels={"scenario": "s1"})]]})
    out.mkdir(exist_ok=True)
    path = out / "o.jsonl"
    path.write_text("a week of work\n")
    how: Any = {"dataset": "d", "form": "jsonl", "scenario": "none of this name"}
    assert code_of(lambda: one.exports.write(path, **how)) == "export_nothing_kept"
    assert path.read_text() == "a week of work\n"
    assert inside(out) == ["o.jsonl"]
    assert one.exports.write(out / "new.jsonl", **how).records == 0
