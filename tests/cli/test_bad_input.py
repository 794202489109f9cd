"""Whatever is wrong, the user is told what, about which thing, and what to do: in their language.

The cases stand in `bad_input_*.py`, the messages in `bad_input/*.json`, whole, as a user sees
them. After a wanted change, run this file with WRITE_BAD_INPUT=1 and read the difference.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bad_input_chains
import bad_input_evaluate
import bad_input_export
import bad_input_general
import bad_input_quality
import bad_input_rounds
import bad_input_template
import pytest
from bad_input_kit import Case
from bad_input_world import World, made_world

from corpusmith.cli.main import main
from corpusmith.messages import LANGUAGES
from corpusmith.values import Language

GROUPS: dict[str, Mapping[str, Case]] = {
    "general": bad_input_general.CASES,
    "template": bad_input_template.CASES,
    "rounds": bad_input_rounds.CASES,
    "evaluate": bad_input_evaluate.CASES,
    "chains": bad_input_chains.CASES,
    "export": bad_input_export.CASES,
    "quality": bad_input_quality.CASES,
}
"""Each has its texts in a file of the same name."""
ALL = [(group, name) for group, cases in GROUPS.items() for name in cases]
FOLDER = Path(__file__).with_name("bad_input")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made_world(tmp_path_factory.mktemp("bad")) as world:
        yield world


@pytest.fixture(scope="module")
def texts() -> Iterator[dict[str, dict[str, Any]]]:
    """Group → case → language → what is said; written back when that is asked for."""
    files = {group: FOLDER / f"{group}.json" for group in GROUPS}
    found = {group: json.loads(file.read_text("utf-8")) for group, file in files.items()}
    if not os.environ.get("WRITE_BAD_INPUT"):
        yield found
        return
    found = {
        group: {name: found[group].get(name, {}) for name in cases}
        for group, cases in GROUPS.items()
    }
    yield found
    for group, said in found.items():
        text = json.dumps(said, ensure_ascii=False, indent=1)
        files[group].write_text(f"{text}\n", "utf-8")


def shown(
    case: Case, language: Language, world: World, capsys: pytest.CaptureFixture[str]
) -> dict[str, object]:
    """What a user sees of a case, and the exit code."""
    words = [str(word) for word in case(world)]
    code = main([*words, *([] if "--lang" in words else ["--lang", language])])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "secret" not in said.out + said.err
    assert "\x1b" not in said.out + said.err
    if "--json" in words and code:
        assert list(json.loads(said.err)) == ["error"]
    return {"exit": code, "out": world.hidden(said.out), "err": world.hidden(said.err)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("group", "name"), ALL)
def test_bad_input_is_answered_with_one_clear_message(
    group: str,
    name: str,
    language: Language,
    world: World,
    texts: dict[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CORPUSMITH_LANG", language)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    found = shown(GROUPS[group][name], language, world, capsys)
    if os.environ.get("WRITE_BAD_INPUT"):
        texts[group][name][language] = found
    assert found == texts[group][name][language]


@pytest.mark.parametrize("group", GROUPS)
def test_there_are_no_stale_texts(group: str, texts: dict[str, dict[str, Any]]) -> None:
    assert list(texts[group]) == list(GROUPS[group])


def test_there_are_enough_cases() -> None:
    assert len(ALL) >= 400
