"""`{{char}}` and `{{user}}` in cards, `{place}` in our own texts, and example dialogues."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.placeholders import example_text, example_turns, fill, fill_names, places
from corpusmith.values import Message


def test_names_are_filled_in_every_notation_and_case():
    text = "{{char}} {{USER}} {{ User }} <user> <BOT> <Bot>"

    assert fill_names(text, "Lin", "Bo") == "Lin Bo Bo Bo Lin Lin"


def test_a_name_that_looks_like_a_placeholder_is_not_expanded_again():
    assert fill_names("{{char}}/{{user}}", "{{user}}", "{0.__class__}") == "{{user}}/{0.__class__}"


def test_other_braces_stay_as_they_are():
    text = '{"a": {}} {char} {{random}} <b>'

    assert fill_names(text, "Lin", "Bo") == text


def test_examples_split_at_start_and_at_speakers():
    text = (
        "Some words before.\n<START>\n{{user}}: Hello\n{{char}}： Hi, {{user}}.\n  More.\n"
        "<start>\r\nBo: Again?\r\nLin: {{char}} again.\r\n<START>\n"
    )

    assert example_turns(text, "Lin", "Bo") == [
        [Message("user", "Hello"), Message("assistant", "Hi, Bo.\n  More.")],
        [Message("user", "Again?"), Message("assistant", "Lin again.")],
    ]


def test_no_examples_are_no_dialogues():
    assert example_turns("", "Lin", "Bo") == []


LINE = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=9).filter(
    lambda text: text.strip() == text
)


@given(st.lists(st.lists(st.tuples(LINE, LINE), min_size=1, max_size=3), max_size=3))
@settings(max_examples=60, deadline=None)
def test_written_examples_read_back(given_turns):
    dialogues = [
        [m for said, reply in turns for m in (Message("user", said), Message("assistant", reply))]
        for turns in given_turns
    ]

    assert example_turns(example_text(dialogues), "Lin", "Bo") == dialogues


def test_a_place_is_filled_once_and_json_is_left_alone():
    text = '{"a": [{"b": "…"}]} {n} {N} { n }'

    assert fill(text, n="{n}") == '{"a": [{"b": "…"}]} {n} {N} { n }'
    assert places(text) == {"n"}


def test_a_place_without_a_value_is_an_error():
    with pytest.raises(KeyError):
        fill("{missing}", other=1)
