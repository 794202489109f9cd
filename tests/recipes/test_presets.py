"""What ships: complete, in both languages, and fit to be combined."""

from __future__ import annotations

import pytest

from corpusmith.cards.fields import language_of
from corpusmith.cards.png import chunks
from corpusmith.placeholders import example_turns
from corpusmith.presets.load import character, characters, scenarios, variation

BOTH = pytest.mark.parametrize("language", ["zh", "en"])


@BOTH
def test_every_shipped_character_is_complete(language):
    shipped = characters(language)

    assert len(shipped) == len({one.name for one in shipped}) >= 4
    for one in shipped:
        texts = (one.description, one.personality, one.background, one.speaking_style)
        texts += (one.greeting, one.example_dialogues)
        assert all(len(text) > 50 for text in texts), one.name
        assert one.tags
        assert {language_of(text) for text in texts} == {one.language} == {language}


@BOTH
def test_every_shipped_character_shows_two_dialogues_of_three_turns_or_more(language):
    for one in characters(language):
        dialogues = example_turns(one.example_dialogues, one.name, "x")
        assert len(dialogues) >= 2
        for dialogue in dialogues:
            assert len(dialogue) >= 6
            assert [m.role for m in dialogue] == ["user", "assistant"] * (len(dialogue) // 2)


@BOTH
def test_every_shipped_character_has_a_small_sound_picture(language):
    for one in characters(language):
        assert one.image is not None
        assert len(one.image) <= 30_000
        assert [kind for kind, _ in chunks(one.image, one.name)] == [b"IHDR", b"IDAT", b"IEND"]


def test_a_shipped_character_is_found_by_its_file_name():
    lin = character("lin", "zh")

    assert lin is not None
    assert lin.name.startswith("林")
    assert character("nobody", "zh") is None


@BOTH
def test_every_shipped_scenario_guides(language):
    shipped = scenarios(language)

    assert len(shipped) == len({one.name for one in shipped}) >= 8
    for one in shipped:
        sentences = sum(one.description.count(mark) for mark in ("。", ". ")) + (language == "en")
        assert 2 <= sentences <= 5, one.name
        assert one.weight > 0
        assert one.language == language


def test_the_two_scenarios_of_the_specification_are_there():
    assert {"日常对话", "情感交流"} <= {one.name for one in scenarios("zh")}


@BOTH
def test_every_variation_list_is_long_and_its_entries_stand_in_a_sentence(language):
    lists = variation(language)

    assert list(lists) == ["occasion", "mood", "opening", "stake", "length"]
    for entries in lists.values():
        assert 20 <= len(entries) == len(set(entries)) <= 40
        for entry in entries:
            assert entry == entry.strip()
            assert entry[-1] not in "。.，,；;：:"
            assert "{" not in entry
