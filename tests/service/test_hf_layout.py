"""The folder for a hub: `datasets` loads it unchanged; its card says the truth, as text only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from export_kit import chat, draft, imported, inside, made, studio

from corpusmith import Studio
from corpusmith.errors import UsageError
from corpusmith.service.data_card import escaped, fenced
from corpusmith.simulator import SimulatorConfig, run_in_thread
from corpusmith.values import Verdict


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path) as found:
        yield found


def loaded(folder: Path, cache: Path) -> dict[str, list[Any]]:
    import datasets

    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(folder), cache_dir=str(cache))
    return {part: list(rows) for part, rows in found.items()}


def front_matter(text: str) -> dict[str, Any]:
    return yaml.safe_load(text.split("---\n")[1])  # type: ignore[no-any-return]


def test_a_library_loads_each_row_of_each_part(one: Studio, tmp_path: Path) -> None:
    rows = [chat(f"{n}\u2028\U0001f600") for n in range(40)]
    imported(one, tmp_path, "d", rows)
    done = one.exports.write(tmp_path / "hf", dataset="d", form="hf", split="test=25%")
    assert inside(tmp_path / "hf") == [
        "README.md",
        "data/test-00000-of-00001.parquet",
        "data/train-00000-of-00001.parquet",
        "manifest.json",
    ]
    found = loaded(tmp_path / "hf", tmp_path / "cache")
    assert {part: len(rows) for part, rows in found.items()} == done.parts
    everything = sorted(json.dumps(row) for part in found.values() for row in part)
    assert everything == sorted(json.dumps(row) for row in rows)


def test_records_that_are_no_chats_are_written_as_they_are(one: Studio, tmp_path: Path) -> None:
    rows = [{"a": n, "b": [{"c": str(n)}]} for n in range(3)]
    imported(one, tmp_path, "d", rows, format="rows")
    one.exports.write(tmp_path / "hf", dataset="d", form="hf")
    assert loaded(tmp_path / "hf", tmp_path / "cache") == {"train": rows}
    assert "native" in front_matter((tmp_path / "hf" / "README.md").read_text())["tags"]


def test_a_row_may_have_any_format(one: Studio, tmp_path: Path) -> None:
    rounds = [{"question": "q", "answer": "a", "correction": "c"}]
    imported(one, tmp_path, "d", [{"id": "1", "rounds": rounds}])
    one.exports.write(tmp_path / "hf", dataset="d", form="hf", shape="dpo_trl")
    (row,) = loaded(tmp_path / "hf", tmp_path / "cache")["train"]
    assert (sorted(row), row["chosen"][0]["content"]) == (["chosen", "prompt", "rejected"], "c")


def test_the_card_says_who_made_it_how_and_what_was_checked(one: Studio, tmp_path: Path) -> None:
    verdicts = {"length": Verdict(passed=True), "language": Verdict(passed=True, reason="mixed")}
    items = [[_with(draft(chat(f"{n}"), models=["m1"], recipe="template"), verdicts)]
             for n in range(5)]  # fmt: skip
    template = {"name": "qa", "version": 3, "prompt": "Ask about {topic}.", "system": "Be kind."}
    made(
        one,
        "My set",
        {"c": items},
        recipe="template",
        spec={
            "language": "en",
            "checks": {"length": {"minimum": 3}, "language": {}},
            "recipe_spec": {"categories": [{"name": "c", "template": template}]},
        },
        connections={"writer": {"provider": "deepseek", "model": "m1", "base_url": "http://x.y"}},
    )
    folder = tmp_path / "hf"
    one.exports.write(folder, dataset="My set", form="hf", licence="CC-BY-4.0", source="u/n")
    text = (folder / "README.md").read_text("utf-8")
    assert front_matter(text) == {
        "pretty_name": "My set",
        "license": "cc-by-4.0",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["corpusmith", "synthetic", "messages"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data/train-*"}],
            }
        ],
    }
    for words in (
        "**The text of this dataset is synthetic: language models wrote it through Corpusmith",
        "- Recipe: `template`",
        "- Model in the role `writer`: `m1` (`deepseek`)",
        "### qa v3 · `user`\n\n```text\nAsk about {topic}.\n```",
        "### qa v3 · `system`\n\n```text\nBe kind.\n```",
        "| `length` | `minimum=3` | 5 | 0 | 0 |",
        "| `language` | – | 0 | 5 | 0 |",
        "| not looked at | 5 |",
        "load_dataset('u/n')",
    ):
        assert words in text, words
    assert "x.y" not in text
    one.exports.write(folder, dataset="My set", form="hf", card_language="zh")
    text = (folder / "README.md").read_text("utf-8")
    assert "本数据集的文字是合成的" in text and "未知：制作者没有指明许可证" in text
    assert front_matter(text)["license"] == "unknown"


def _with(found: Any, verdicts: Any) -> Any:
    from dataclasses import replace

    return replace(found, verdicts=verdicts)


def test_a_licence_of_ones_own_is_named_as_other(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", [chat("a")])
    one.exports.write(tmp_path / "hf", dataset="d", form="hf", licence="Our: own\nterms")
    found = front_matter((tmp_path / "hf" / "README.md").read_text("utf-8"))
    assert (found["license"], found["license_name"]) == ("other", "Our: own terms")


def test_imported_records_are_not_called_synthetic(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", [chat("a")])
    one.exports.write(tmp_path / "hf", dataset="d", form="hf")
    text = (tmp_path / "hf" / "README.md").read_text("utf-8")
    assert "is synthetic" not in text and "synthetic" not in front_matter(text)["tags"]
    assert "Of the 1 record, 1 was read from files" in text


def test_simulated_records_are_warned_of_on_the_card(one: Studio, tmp_path: Path) -> None:
    with run_in_thread(SimulatorConfig()) as simulator:
        where = {"base_url": f"{simulator.url}/v1", "model": "any"}
        one.generate(
            recipe="selfplay", count=1, refinement_iterations=0, connection=where, dataset="d"
        )
    done = one.exports.write(tmp_path / "hf", dataset="d", form="hf")
    text = (tmp_path / "hf" / "README.md").read_text("utf-8")
    assert ("Do not train on this" in text, "simulated" in front_matter(text)["tags"]) == (
        True,
        True,
    )
    assert (done.simulated, "### selfplay · `learner`" in text) == (1, True)


EVIL = (
    "x</code><script>alert(1)</script>\n---\nlicense: mit\n# Head "
    "[a](javascript:b) `c` |d| **e** ```"
)


def test_no_text_can_be_more_than_text_on_the_card(one: Studio, tmp_path: Path) -> None:
    template = {"name": EVIL, "version": 1, "prompt": f"````\n{EVIL}\n`````", "system": ""}
    made(
        one,
        "d",
        {EVIL: [[draft(chat("a"), models=[EVIL], recipe=EVIL)]], "other": [[draft(chat("b"))]]},
        recipe="template",
        spec={
            "checks": {"length": {"pattern": EVIL}},
            "recipe_spec": {"categories": [{"template": template}]},
        },
        connections={EVIL: {"provider": EVIL, "model": EVIL}},
    )
    one.exports.write(tmp_path / "hf", dataset="d", form="hf", title=EVIL, source=EVIL)
    text = (tmp_path / "hf" / "README.md").read_text("utf-8")
    assert front_matter(text)["license"] == "unknown"
    body = text.split("\n---\n", 1)[1]
    plain = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", body, flags=re.MULTILINE | re.DOTALL)
    plain = re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", plain)
    for mark in ("<script", "](javascript", "**e**", "\n# Head", "````"):
        assert mark not in plain, mark


def test_a_fence_is_longer_than_any_in_its_text() -> None:
    assert fenced("a```b````c") == "`````text\na```b````c\n`````"
    assert escaped("a\nb <c> [d](e) |") == r"a b &lt;c&gt; \[d\]\(e\) \|"


def test_files_of_another_export_are_not_mixed_with_these(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", [chat(str(n)) for n in range(20)])
    one.exports.write(tmp_path / "hf", dataset="d", form="hf", split="test=50%")
    before = {name: (tmp_path / "hf" / name).read_bytes() for name in inside(tmp_path / "hf")}
    with pytest.raises(UsageError) as caught:
        one.exports.write(tmp_path / "hf", dataset="d", form="hf")
    assert caught.value.reason == "export_hf_other"
    after = {name: (tmp_path / "hf" / name).read_bytes() for name in inside(tmp_path / "hf")}
    assert after == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError) as caught:
        one.exports.write(tmp_path / "file", dataset="d", form="hf")
    assert caught.value.reason == "export_hf_file"
