"""Both languages say everything, with the same places to fill."""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from pathlib import Path

from corpusmith import errors
from corpusmith.messages import PLACE, catalog, say
from corpusmith.values import Language

SRC = Path(__file__).parent.parent / "src" / "corpusmith"


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalog("zh")) == set(catalog("en"))


def test_no_key_stands_in_two_files() -> None:
    """One of the two would be read where the other is meant."""
    for language in ("zh", "en"):
        files = sorted((SRC / "locales" / language).glob("*.json"))
        keys = Counter(key for path in files for key in json.loads(path.read_text("utf-8")))
        assert [key for key, times in keys.items() if times > 1] == []


def test_both_languages_fill_the_same_places() -> None:
    def places(language: Language) -> dict[str, set[str]]:
        texts = catalog(language)
        return {key: {place[1] for place in PLACE.finditer(t)} for key, t in texts.items()}

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


def _counted() -> dict[str, list[tuple[str, str, str]]]:
    """The English texts that count something: each (place, word for one, word for others)."""
    found = {key: PLACE.findall(text) for key, text in catalog("en").items()}
    return {key: [one for one in places if one[1]] for key, places in found.items()}


def test_every_message_that_counts_reads_right_for_one_and_for_two() -> None:
    for key, places in _counted().items():
        for number, wanted, other in ((1, 1, 2), (2, 2, 1)):
            text = say(key, "en", **{place[0]: number for place in places})
            for place in places:
                assert re.search(rf"\b{number} {re.escape(place[wanted])}(?!\w)", text), key
                assert not re.search(rf"\b{number} {re.escape(place[other])}(?!\w)", text), key


def _nouns(one: str, others: str) -> set[str]:
    """`rows` of `row that passes` and `rows that pass`."""
    single = set(one.split())
    return {word for word in others.split() if {word[:-1], f"{word[:-3]}y"} & single - {""}}


LIMITS = {
    *("error.contamination_too_large", "error.file_too_deep", "error.file_yaml_large"),
    *("error.review_note", "error.review_reviewer", "error.review_tag", "error.words_line_long"),
    *("error.template_cells_many", "report.compression_hint", "report.distinct_hint"),
    *("error.password_short", "error.password_long", "error.cards_many"),
    *("cli.feedback.speed", "show.speed", "error.export_tool_calls", "error.export_call_shape"),
    *("error.token_days", "page.error.token_days"),
}
"""Where what looks like a counted noun has a number that is never 1, is a rate, or is a verb."""


def test_no_english_text_counts_with_the_plural_alone() -> None:
    forms = [place[1:] for places in _counted().values() for place in places]
    nouns = "|".join(sorted({noun for one, others in forms for noun in _nouns(one, others)}))
    before = "more|of the|of these|of them|complete|incomplete|completion|random"
    plain = re.compile(rf"\{{(?!share\}})[a-z_]+(?::,)?\}} (?:(?:{before}) )?(?:{nouns})\b(?!\')")
    wrong = {key for key, text in catalog("en").items() if plain.search(text)}
    assert wrong - LIMITS == set()


def test_chinese_needs_no_word_for_one() -> None:
    assert [
        key for key, text in catalog("zh").items() if any(p[1] for p in PLACE.findall(text))
    ] == []


def test_a_number_with_its_separators_is_not_one() -> None:
    numbers = ("0", "1", "1,000", "1.0", 1, 11)
    said = [say("cli.datasets.total", "en", name="a", n=n).split()[-1] for n in numbers]
    assert said == ["records", "record", "records", "records", "record", "records"]


def test_what_is_counted_is_counted_in_both_languages_and_its_digits_are_grouped() -> None:
    def counts(text: str) -> set[str]:
        return {one[1] for one in PLACE.finditer(text) if ":" in one[0]}

    chinese = catalog("zh")
    other = {key for key, text in catalog("en").items() if counts(text) != counts(chinese[key])}
    assert other == set()
    for number in (1234, "1234", "1,234"):
        assert say("web.quality.done.reject", "en", n=number) == "Rejected: 1,234."
        assert say("cli.datasets.total", "zh", name="a", n=number).count("1,234") == 1
        assert say("cli.datasets.total", "en", name="a", n=number).endswith("1,234 records")
    assert say("web.records.one", "en", n=1234) == "Record 1234"
