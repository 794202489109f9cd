"""The rough count: near what tokenizers say, and quick."""

from __future__ import annotations

from timeit import repeat

from corpusmith.tokens import tokens_of


def test_counts_are_near_those_of_real_vocabularies():
    english = "The quick brown fox jumps over the lazy dog. " * 10
    chinese = "清早，街上还没什么人，她把门板一块一块卸下来。" * 10
    russian = "Съешь ещё этих мягких французских булок. " * 10

    # o200k counts 101, about 160 and about 130 for these.
    assert (tokens_of(english), tokens_of(chinese), tokens_of(russian)) == (113, 184, 215)


def test_nothing_is_nothing_and_anything_is_something():
    assert [tokens_of(text) for text in ("", "a", "语", "😀", "\ud83d")] == [0, 1, 1, 2, 1]


def test_a_mixed_text_is_the_sum_of_its_parts():
    assert abs(tokens_of("语料" * 50 + "text" * 50) - (80 + 50)) <= 1


def test_a_kilobyte_is_counted_quickly():
    text = "语料 text " * 100

    best_s = min(repeat(lambda: tokens_of(text), number=200, repeat=20)) / 200

    assert best_s < 60e-6  # about 1e-6 on an idle core
