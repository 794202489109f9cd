"""Writing cards: what we know is ours, what we do not know survives."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.cards.png import card_texts, chunks
from corpusmith.cards.read import read_card
from corpusmith.cards.write import write_card
from corpusmith.errors import CardError
from corpusmith.nouns import Character
from corpusmith.presets.load import characters

EXAMPLES = Path(__file__).parents[2] / "examples" / "cards"
FOREIGN = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "name": "Ada",
    "fav": True,
    "data": {
        "name": "Ada",
        "description": "A miller.",
        "personality": "calm",
        "scenario": "a mill",
        "first_mes": "Hello.",
        "mes_example": "",
        "creator_notes": "notes",
        "system_prompt": "",
        "post_history_instructions": "p",
        "alternate_greetings": ["Hi."],
        "tags": ["mill"],
        "creator": "Bo",
        "character_version": "1.2",
        "extensions": {"depth_prompt": {"depth": 4, "prompt": "x"}, "fav": False, "n": 1.5},
        "character_book": {"entries": [{"keys": ["flour"], "content": "white", "id": 0}]},
        "unheard_of": [None, {"a": "ä"}],
    },
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
CHARACTERS = st.builds(
    Character,
    name=TEXT.filter(str.strip),
    description=TEXT,
    personality=TEXT,
    background=TEXT,
    speaking_style=TEXT,
    example_dialogues=TEXT,
    greeting=TEXT,
    system_prompt=TEXT,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    creator=TEXT,
    language=st.sampled_from(["zh", "en"]),
)


def bare(character: Character) -> Character:
    return replace(character, card=None, image=None)


def document(data: bytes) -> dict:
    return json.loads(data)


@given(CHARACTERS, st.sampled_from(["v1", "v2", "v3"]))
@settings(max_examples=100, deadline=None)
def test_a_written_card_reads_back_as_the_same_character(character, form):
    assert bare(read_card(write_card(character, form), "a.json")) == character


@pytest.mark.parametrize("form", ["v1", "v2", "v3"])
def test_a_png_with_a_card_in_it_reads_back_with_the_same_picture(form):
    for character in characters("zh"):
        data = write_card(character, form, png=character.image)

        assert replace(read_card(data, "a.png"), card=None) == character


def test_a_v2_card_that_nobody_edited_goes_out_as_it_came():
    found = read_card(json.dumps(FOREIGN).encode(), "a.json")

    assert document(write_card(found, "v2")) == FOREIGN


def test_a_v3_card_keeps_the_version_it_came_with():
    v3 = {**FOREIGN, "spec": "chara_card_v3", "spec_version": "3.1"}
    v3["data"] = {**FOREIGN["data"], "group_only_greetings": ["Hey."], "nickname": "A"}

    found = read_card(json.dumps(v3).encode(), "a.json")

    assert document(write_card(found, "v3")) == v3


def test_a_v1_card_that_nobody_edited_goes_out_as_it_came():
    flat = {k: FOREIGN["data"][k] for k in ("name", "description", "personality", "scenario")}
    flat |= {"first_mes": "Hello.", "mes_example": "", "avatar": "none", "data": {"odd": 1}}

    found = read_card(json.dumps(flat).encode(), "a.json")

    assert document(write_card(found, "v1")) == flat


def test_unknown_fields_survive_the_way_through_every_form():
    first = read_card(json.dumps(FOREIGN).encode(), "a.json")
    second = read_card(write_card(first, "v1"), "b.json")
    third = read_card(write_card(second, "v3"), "c.json")

    assert document(write_card(third, "v2"))["data"] == {
        **FOREIGN["data"],
        "fav": True,
        "group_only_greetings": [],
    }


def test_an_edited_field_wins_over_the_card_in_every_place_that_repeats_it():
    found = read_card(json.dumps(FOREIGN).encode(), "a.json")

    written = document(write_card(replace(found, name="Eve", tags=("new",)), "v2"))

    wanted = {**FOREIGN["data"], "name": "Eve", "tags": ["new"]}
    assert written == {**FOREIGN, "name": "Eve", "data": wanted}


def test_a_speaking_style_is_seen_by_other_programs_and_read_back_once():
    ada = Character(name="Ada", personality="calm", speaking_style="Short.", language="en")

    data = document(write_card(ada, "v2"))["data"]

    assert (data["personality"], data["extensions"]) == (
        "calm\n\nWay of speaking: Short.",
        {"corpusmith": {"speaking_style": "Short.", "language": "en"}},
    )


def test_a_personality_that_another_program_edited_is_kept_whole():
    ada = Character(name="Ada", personality="calm", speaking_style="Short.", language="en")
    card = document(write_card(ada, "v2"))
    card["data"]["personality"] += " And loud."

    found = read_card(json.dumps(card).encode(), "a.json")

    assert (found.personality, found.speaking_style) == (
        "calm\n\nWay of speaking: Short. And loud.",
        "Short.",
    )


def test_our_own_form_loses_no_unknown_field_and_repeats_none_of_ours():
    own = {"name": "丁", "background": "船上", "example_dialogues": "", "mood": {"a": 1}}

    data = document(write_card(read_card(json.dumps(own).encode(), "a.json"), "v1"))

    assert data == {
        "name": "丁",
        "description": "",
        "personality": "",
        "scenario": "船上",
        "first_mes": "",
        "mes_example": "",
        "mood": {"a": 1},
    }


def test_a_v3_png_carries_a_v2_card_too_and_no_older_one():
    lin = characters("zh")[0]
    once = write_card(replace(lin, name="旧名"), "v3", png=lin.image)

    texts = card_texts(chunks(write_card(lin, "v3", png=once), "a.png"), "a.png")

    cards = {name: document(base64.b64decode(text)) for name, text in texts.items()}
    assert {k: (c["spec"], c["data"]["name"]) for k, c in cards.items()} == {
        "chara": ("chara_card_v2", lin.name),
        "ccv3": ("chara_card_v3", lin.name),
    }


def test_a_picture_that_is_no_png_is_refused():
    with pytest.raises(CardError) as caught:
        write_card(Character(name="Ada"), "v2", png=b"JPEG")

    assert caught.value.reason == "card_png_signature"


def test_the_example_cards_are_the_shipped_characters():
    shipped = {c.name: bare(c) for language in ("zh", "en") for c in characters(language)}

    read = [read_card(file.read_bytes(), file.name) for file in sorted(EXAMPLES.iterdir())]

    assert [bare(one) for one in read] == [
        shipped[name] for name in ("贺三娘", "林知秋", "Nora Pell", "Wren Halloway")
    ]
