"""Both languages say everything, with the same places to fill."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from corpusmith import errors
from corpusmith.messages import catalog, say
from corpusmith.values import Language

PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
SRC = Path(__file__).parent.parent / "src" / "corpusmith"


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalog("zh")) == set(catalog("en"))


def test_both_languages_fill_the_same_places() -> None:
    def places(language: Language) -> dict[str, set[str]]:
        texts = catalog(language)
        return {key: set(PLACE.findall(text)) for key, text in texts.items()}

    assert places("zh") == places("en")


def test_chinese_texts_are_chinese() -> None:
    same = [
        key
        for key, text in catalog("zh").items()
        if text == catalog("en")[key] and re.search(r"[A-Za-z]{4,} [a-z]{2,} [a-z]{2,}", text)
    ]
    assert same == []


def test_every_error_class_has_a_text() -> None:
    codes = {
        cls.code
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.CorpusmithError)
    }
    missing = {code for code in codes if f"error.{code}" not in catalog("en")}
    assert missing == set()


def test_every_code_that_is_raised_has_a_text() -> None:
    raised = set()
    for path in SRC.rglob("*.py"):
        for match in re.finditer(r"\b[A-Z]\w*\(\s*\"([a-z][a-z0-9_]+)\"", path.read_text("utf-8")):
            raised.add((match[0].split("(")[0], match[1]))
    classes = {
        name
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.CorpusmithError)
    }
    missing = {
        code for name, code in raised if name in classes and f"error.{code}" not in catalog("en")
    }
    assert missing == set()


def test_a_value_is_never_expanded_again() -> None:
    assert say("error.not_found", "en", kind="{name}", name="x").count("{name}") == 1
