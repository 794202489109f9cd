"""Diversity: figures against values worked out by hand."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.reports.diversity import (
    DISTINCT_TOKENS,
    compression,
    distinct,
    diversity,
    similarity,
    tokens_of,
    tree,
)

RNG = random.Random(0)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("你好，世界！", ["你", "好", "世", "界"]),
        ("The QUICK fox's tail", ["the", "quick", "fox", "s", "tail"]),
        ("用 Python3 写 SQL", ["用", "python3", "写", "sql"]),
        ("こんにちは", ["こ", "ん", "に", "ち", "は"]),
        ("안녕 привет 12", ["안녕", "привет", "12"]),
        ("，。!? _", []),
    ],
)
def test_a_token_is_a_chinese_character_or_a_word(text: str, tokens: list[str]) -> None:
    assert list(tokens_of(text)) == tokens


@pytest.mark.parametrize(
    ("n", "grams", "different"), [(1, 6, 3), (2, 5, 3), (3, 4, 3)], ids=["1", "2", "3"]
)
def test_distinct_n_is_different_over_all(n: int, grams: int, different: int) -> None:
    found = distinct(["a", "b", "c", "a", "b", "c"], n)
    assert (found.grams, found.different, found.share) == (grams, different, different / grams)


def test_distinct_n_looks_at_so_many_tokens_and_no_more() -> None:
    texts = ["字" * 30_000] * 5
    found = diversity(texts, [], random.Random(0))
    assert found.tokens == DISTINCT_TOKENS
    assert [one.different for one in found.distinct] == [1, 1, 1]


def test_what_repeats_itself_is_packed_smaller() -> None:
    letters = random.Random(1)
    varied = "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(5_000)).encode()
    repeated = varied[:3_000] * 5
    assert compression(varied) < 1.6
    assert compression(repeated) > 3 * compression(varied)


def test_equal_texts_are_wholly_alike_and_others_not_at_all() -> None:
    same = similarity(["今天天气真的很好啊"] * 20, random.Random(0))
    other = similarity([f"{chr(0x4E00 + n * 9)}" * 9 for n in range(20)], random.Random(0))
    assert same is not None
    assert other is not None
    assert (same.mean, same.most, same.bins[-1]) == (1.0, 1.0, same.pairs)
    assert (other.mean, other.most, other.bins[0]) == (0.0, 0.0, other.pairs)


def test_half_alike_texts_are_half_alike() -> None:
    # 9 tokens and 6 four-grams each, of which 3 are shared: 3 of 9.
    found = similarity(["甲乙丙丁戊己庚辛壬", "甲乙丙丁戊己子丑寅"], random.Random(0))
    assert found is not None
    assert found.mean == pytest.approx(3 / 9)


@pytest.mark.parametrize("texts", [[], ["只有一条"], ["短", "也短"]])
def test_too_little_text_has_no_similarity(texts: list[str]) -> None:
    assert similarity(texts, RNG) is None


def test_the_tree_counts_how_texts_begin() -> None:
    root = tree(["请问今天", "请问明天", "Please explain it", "please do"])
    assert root is not None
    assert root.count == 4
    begins = {
        one.word: (one.count, [inner.word for inner in one.branches]) for one in root.branches
    }
    assert begins == {"请问": (2, ["今天", "明天"]), "please": (2, ["do", "explain"])}


def test_rare_beginnings_are_one_branch_without_a_name() -> None:
    root = tree([f"{chr(0x4E00 + n)}字" for n in range(50)])
    assert root is not None
    assert (root.branches[-1].word, root.branches[-1].count) == ("", 40)


def test_no_opening_is_no_tree() -> None:
    assert tree([]) is None


@given(st.lists(st.text(max_size=50), max_size=30))
def test_any_text_has_figures_that_are_shares(texts: list[str]) -> None:
    found = diversity(texts, texts, random.Random(0))
    assert all(0 < one.share <= 1 for one in found.distinct)
    assert found.similarity is None or 0 <= found.similarity.mean <= found.similarity.most <= 1
    assert found == diversity(texts, texts, random.Random(0))
