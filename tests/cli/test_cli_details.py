"""The words of verdicts' details: every key of every check has a label in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import Cli

import corpusmith.quality
import corpusmith.readers
from corpusmith.cli.details import detail_text, verdict_text
from corpusmith.cli.session import Session
from corpusmith.cli.task_show import show_miss_rows
from corpusmith.messages import catalog
from corpusmith.store.values import MissRow
from corpusmith.values import Language

QUALITY, READERS = (Path(one.__file__).parent for one in (corpusmith.quality, corpusmith.readers))
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CALLS = ("found_fault", "_fail", "Misfit")
"""What makes a verdict, or a row's fault, of named values."""
MAKERS = ("_detail", "_excerpt", "_fault", "_outside")
"""Functions whose dictionaries are details."""


def _keys(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in CALLS:
                yield from (word.arg for word in node.keywords if word.arg)
            for word in node.keywords:
                if word.arg == "detail":
                    yield from _of_dict(word.value)
            for given in node.args if name == "BadRow" else ():
                yield from _of_dict(given)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "detail":
            yield from _of_dict(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name in MAKERS:
            for inner in ast.walk(node):
                yield from _of_dict(inner)


def _of_dict(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant):
                yield str(key.value)


def _all_keys() -> set[str]:
    files = [*QUALITY.glob("*.py"), *READERS.glob("*.py")]
    return {key for file in files for key in _keys(ast.parse(file.read_text("utf-8")))}


def test_the_keys_of_details_are_found_in_the_source() -> None:
    assert _all_keys() >= {
        *("path", "found", "wanted", "missing", "unknown", "unit", "allowed", "times", "share"),
        *("support", "source", "script", "expected", "language", "first", "of", "similarity"),
        *("kind", "context", "hits", "kinds", "category", "word", "categories", "test", "overlap"),
        *("score", "scores", "comment", "model", "call", "key", "limit"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_of_every_check_has_a_label(language: Language) -> None:
    known = catalog(language)
    assert sorted(key for key in _all_keys() if f"detail.{key}" not in known) == []


def _wanted() -> set[str]:
    tree = ast.parse((QUALITY / "format.py").read_text("utf-8"))
    return {
        word.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "wanted"
        and isinstance(word.value, ast.Constant)
        and isinstance(word.value.value, str)
    }


def test_what_a_format_wants_is_said_in_both_languages() -> None:
    roles = {"user", "assistant"}
    assert len(_wanted()) > 5
    for language in LANGUAGES:
        missing = {
            one for one in _wanted() - roles if f"detail.wanted.{one}" not in catalog(language)
        }
        assert missing == set()


DETAIL = {
    "kind": "phone",
    "found": "138****5678",
    "path": "$.answer",
    "kinds": {"phone": 2, "email": 1},
    "missing": ["7", "8"],
    "similarity": 0.75,
    "source": None,
    "new": "a\n  line",
}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "zh",
            "种类：电话  查到：138****5678  位置：$.answer  各种类：电话 2、邮箱 1  缺少：7、8"
            "  相似度：0.75  new：a line",
        ),
        (
            "en",
            "kind: phone  found: 138****5678  where: $.answer  kinds: phone 2, e-mail 1"
            "  missing: 7, 8  similarity: 0.75  new: a line",
        ),
    ],
)
def test_a_detail_is_one_line_of_labels_and_values(language: Language, said: str) -> None:
    assert detail_text(Session(language=language), DETAIL) == said


def test_a_verdict_is_said_in_words_and_a_pass_not_at_all() -> None:
    session = Session(language="zh")
    flag = {"action": "flag", "reason": "too_short", "detail": {"unit": "chars", "found": 3}}
    assert verdict_text(session, flag) == "标记  太短  单位：字符  查到：3"
    assert verdict_text(session, "pass") == ""


def test_misses_are_told_in_the_readers_language(cli: Cli, url: str) -> None:
    words = ("--base-url", url, "--model", "sim-chat", "--count", "1", "--seed", "1")
    short = ("--check", "length:min_chars=99999", "--dataset", "d")
    assert cli("template", "--template", "qa", "--var", "topic=tea", *words, *short).code == 3
    shown = cli("tasks", "misses", "1", "--limit", "1", env={"CORPUSMITH_LANG": "zh"}).out
    for line in ("  质检：length", "  单位：字符", "  界限：99999"):
        assert line in shown.splitlines()
    assert "单位：字符" in cli("tasks", "show", "1").out


def test_a_misss_raw_text_is_shown_without_personal_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    miss = MissRow(
        item="qa#1",
        kind="rejected",
        reason="personal_data",
        detail={"check": "personal_data", "kind": "phone"},
        raw='{"answer": "打 13812345678"}',
        saved_at="2026-01-01T00:00:00Z",
        place=(0, 0, 0),
    )
    show_miss_rows(Session(language="zh"), [miss])
    assert capsys.readouterr().out.splitlines()[1:4] == [
        "  质检：personal_data",
        "  种类：电话",
        '  {"answer": "打 ***********"}',
    ]
