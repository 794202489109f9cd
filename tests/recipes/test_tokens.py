"""The rough count of tokens: a number for every text, and quickly."""

from __future__ import annotations

from timeit import repeat

from corpusmith.tokens import tokens_of


def test_a_script_counts_by_what_its_signs_carry():
    english, chinese, russian, japanese = "word" * 100, "语料" * 100, "слово" * 100, "かな" * 100

    counts = [tokens_of(text) for text in (english, chinese, russian, japanese)]

    assert counts == [100, 160, 263, 160]


def test_nothing_is_nothing_and_anything_is_something():
    assert [tokens_of(text) for text in ("", "a", "语", "😀", "\ud83d")] == [0, 1, 1, 2, 1]


def test_a_mixed_text_is_the_sum_of_its_parts():
    assert abs(tokens_of("语料" * 50 + "text" * 50) - (80 + 50)) <= 1


def test_a_kilobyte_is_counted_quickly():
    text = "语料 text " * 100

    best_s = min(repeat(lambda: tokens_of(text), number=200, repeat=20)) / 200

    assert best_s < 60e-6  # about 1e-6 on an idle core
