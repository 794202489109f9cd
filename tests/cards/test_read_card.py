"""Reading cards of every form, and refusing everything else with a CardError."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.cards.read import read_card
from corpusmith.errors import CardError
from corpusmith.nouns import Character
from corpusmith.presets.load import character

FLAT = {
    "name": "沈月",
    "description": "茶馆里说书的。",
    "personality": "爽快",
    "scenario": "城南的茶馆",
    "first_mes": "{{user}}，里面请。",
    "mes_example": "<START>\n{{user}}: 今天说哪一段？\n{{char}}: 说你没听过的那一段。",
}
V2 = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        **FLAT,
        "creator_notes": "n",
        "system_prompt": "s",
        "tags": ["茶", "古"],
        "creator": "甲",
        "extensions": {"depth": {"n": 4}},
    },
}
KNOWN = Character(
    name="沈月",
    description="茶馆里说书的。",
    personality="爽快",
    background="城南的茶馆",
    greeting="{{user}}，里面请。",
    example_dialogues="<START>\n{{user}}: 今天说哪一段？\n{{char}}: 说你没听过的那一段。",
    language="zh",
)


def fields(found: Character) -> dict[str, Any]:
    """All but what the card itself is kept as."""
    return {k: v for k, v in asdict(found).items() if k not in ("card", "image")}


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*texts: bytes) -> bytes:
    """A real 1 x 1 picture with chunks before its end."""
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0))
    return (
        start + chunk(b"IDAT", zlib.compress(b"\0\1\2\3")) + b"".join(texts) + chunk(b"IEND", b"")
    )


def text_chunk(name: bytes, card: Any) -> bytes:
    return chunk(b"tEXt", name + b"\0" + base64.b64encode(as_json(card)))


def test_a_flat_card_maps_its_fields_to_ours():
    assert fields(read_card(as_json(FLAT), "a.json")) == fields(KNOWN)


def test_a_v2_card_brings_system_prompt_tags_and_creator_and_keeps_the_whole_document():
    found = read_card(as_json(V2), "a.json")

    assert fields(found) == fields(KNOWN) | {
        "system_prompt": "s",
        "tags": ("茶", "古"),
        "creator": "甲",
    }
    assert found.card == V2


def test_a_v3_card_reads_like_a_v2_card():
    v3 = {**V2, "spec": "chara_card_v3", "spec_version": "3.0"}

    assert fields(read_card(as_json(v3), "a.json")) == fields(read_card(as_json(V2), "a.json"))


def test_our_own_simple_form_takes_examples_as_text_or_as_turns():
    turns = [{"user": "早。", "assistant": "早，茶在桌上。"}]
    messages = [
        {"role": "user", "content": "早。"},
        {"role": "assistant", "content": "早，茶在桌上。"},
    ]
    text = "<START>\n{{user}}: 早。\n{{char}}: 早，茶在桌上。"

    read = [
        read_card(
            as_json({"name": "丁", "speaking_style": "短句", "example_dialogues": given}),
            "own.json",
        )
        for given in (
            turns,
            [turns],
            messages,
            [messages],
            text,
            ["{{user}}: 早。\n{{char}}: 早，茶在桌上。"],
        )
    ]

    wanted = Character(name="丁", speaking_style="短句", example_dialogues=text)
    assert [fields(one) for one in read] == [fields(wanted)] * 6


def test_a_byte_order_mark_is_no_obstacle():
    assert read_card(b"\xef\xbb\xbf" + as_json(FLAT), "a.json").name == "沈月"


def test_the_language_is_told_by_the_share_of_chinese_characters():
    chinese = read_card(
        as_json({"name": "Kira", "description": "在 Berlin 开店的 DJ，话少。"}), "a"
    )
    english = read_card(as_json({"name": "Mei 梅", "description": "Runs a tea house."}), "b")

    assert (chinese.language, english.language) == ("zh", "en")


def test_what_no_database_takes_is_made_harmless():
    text = '{"name": "a\\u0000b\\ud83d", "description": "\\ud83d\\ude00", "extensions": {"n": 1%s}}'

    found = read_card((text % ("0" * 30)).encode(), "a.json")

    assert (found.name, found.description) == ("a\ufffdb\ufffd", "😀")
    assert found.card is not None
    assert found.card["extensions"] == {"n": 1e30}


def test_a_png_card_keeps_its_picture_without_the_card():
    found = read_card(png(text_chunk(b"chara", V2)), "a.png")

    assert fields(found) == fields(read_card(as_json(V2), "a.json"))
    assert found.image == png()


def test_ccv3_wins_over_chara_wherever_it_stands():
    v3 = {"spec": "chara_card_v3", "spec_version": "3.0", "data": {**FLAT, "name": "三"}}
    one, other = text_chunk(b"chara", V2), text_chunk(b"ccv3", v3)

    assert [read_card(png(*order), "a.png").name for order in ((one, other), (other, one))] == [
        "三",
        "三",
    ]


@pytest.mark.parametrize(
    "body",
    [
        chunk(b"zTXt", b"chara\0\0" + zlib.compress(base64.b64encode(as_json(V2)))),
        chunk(b"iTXt", b"chara\0\0\0\0\0" + base64.b64encode(as_json(V2))),
        chunk(b"iTXt", b"chara\0\1\0en\0k\0" + zlib.compress(base64.b64encode(as_json(V2)))),
        chunk(b"tEXt", b"Chara\0" + base64.encodebytes(as_json(V2))),
        chunk(b"tEXt", b"chara\0" + base64.b64encode(as_json(V2)).rstrip(b"=")),
        chunk(b"iTXt", b"chara\0\0\0\0\0" + as_json(V2)),
    ],
    ids=["zTXt", "iTXt", "packed iTXt", "wrapped base64", "no padding", "plain JSON"],
)
def test_other_ways_to_carry_a_card_in_a_png_are_read_too(body):
    assert read_card(png(body), "a.png").name == "沈月"


DEEP = b'{"name": "x", "extensions": ' + b"[" * 200 + b"]" * 200 + b"}"
BAD = {
    "empty": (b"", "card_empty"),
    "not JSON": (b"name: Lin", "card_json"),
    "cut JSON": (as_json(FLAT)[:-5], "card_json"),
    "NaN": (b'{"name": "x", "n": NaN}', "card_json"),
    "infinite": (b'{"name": "x", "n": 1e999}', "card_json"),
    "long integer": (b'{"name": "x", "n": 1' + b"0" * 400 + b"}", "card_json"),
    "very long integer": (b'{"name": "x", "n": 1' + b"0" * 5000 + b"}", "card_json"),
    "a list": (b"[1]", "card_not_object"),
    "a text": (b'"Lin"', "card_not_object"),
    "invalid UTF-8": (b'{"name": "\xff\xfe"}', "card_encoding"),
    "UTF-16": (json.dumps(FLAT).encode("utf-16"), "card_encoding"),
    "no name": (b"{}", "card_no_name"),
    "a blank name": (b'{"name": " "}', "card_no_name"),
    "a null name": (b'{"name": null}', "card_no_name"),
    "a number as name": (b'{"name": 7}', "card_type"),
    "a list as description": (b'{"name": "x", "description": []}', "card_type"),
    "a text as tags": (b'{"name": "x", "tags": "a"}', "card_type"),
    "numbers as tags": (b'{"name": "x", "tags": [1]}', "card_type"),
    "examples of the wrong shape": (b'{"name": "x", "example_dialogues": [{"a": 1}]}', "card_type"),
    "a number as examples": (b'{"name": "x", "example_dialogues": 3}', "card_type"),
    "V2 without data": (b'{"spec": "chara_card_v2"}', "card_type"),
    "V2 with a list as data": (b'{"spec": "chara_card_v2", "data": []}', "card_type"),
    "deep": (DEEP, "card_too_deep"),
    "deeper than the parser": (b'{"a":' * 100_000, "card_too_deep"),
    "JPEG": (b"\xff\xd8\xff\xe0", "card_foreign_file"),
    "ZIP": (b"PK\x03\x04", "card_foreign_file"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_card_is_refused_with_its_reason(data, reason):
    with pytest.raises(CardError) as caught:
        read_card(data, "坏卡.json")

    assert caught.value.reason == reason


CUT = png(text_chunk(b"chara", V2))
BAD_PNG = {
    "no card": (png(), "card_png_no_card"),
    "another text": (png(chunk(b"tEXt", b"Title\0x")), "card_png_no_card"),
    "no picture": (b"hello", "card_png_signature"),
    "signature alone": (CUT[:8], "card_png_cut"),
    "cut in a chunk": (CUT[:60], "card_png_cut"),
    "no end": (CUT[:-12], "card_png_cut"),
    "no header": (CUT[:8] + chunk(b"IEND", b""), "card_png_cut"),
    "a flipped bit": (CUT[:90] + bytes([CUT[90] ^ 1]) + CUT[91:], "card_png_crc"),
    "bad base64": (png(chunk(b"tEXt", b"chara\0***")), "card_base64"),
    "impossible base64": (png(chunk(b"tEXt", b"chara\0abcde")), "card_base64"),
    "no JSON inside": (png(chunk(b"tEXt", b"chara\0" + base64.b64encode(b"hi"))), "card_json"),
    "no zlib inside": (png(chunk(b"zTXt", b"chara\0\0nope")), "card_compressed"),
    "cut zlib": (
        png(chunk(b"zTXt", b"chara\0\0" + zlib.compress(b"a" * 99)[:-6])),
        "card_compressed",
    ),
    "a bomb": (
        png(chunk(b"zTXt", b"chara\0\0" + zlib.compress(bytes(40 << 20)))),
        "card_too_large",
    ),
}


@pytest.mark.parametrize(("data", "reason"), BAD_PNG.values(), ids=BAD_PNG.keys())
def test_a_bad_png_is_refused_with_its_reason(data, reason):
    with pytest.raises(CardError) as caught:
        read_card(data, "坏卡.png")

    assert caught.value.reason == reason


def test_a_card_of_more_than_32_mib_is_refused():
    with pytest.raises(CardError) as caught:
        read_card(bytes((32 << 20) + 1), "big.json")

    assert caught.value.reason == "card_too_large"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("data", "reason"), [*BAD.values(), *BAD_PNG.values()])
def test_every_refusal_names_the_file_and_leaves_no_place_unfilled(data, reason, language):
    name = "卡.png" if reason.startswith("card_png") else "卡.json"

    with pytest.raises(CardError) as caught:
        read_card(data, name)

    message = caught.value.message(language)
    assert name in message
    assert "{" not in message.replace('{"user", "assistant"}', "")


@given(st.binary(max_size=300), st.sampled_from(["a.json", "a.png"]))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_raise_nothing_but_card_errors(data, name):
    only_card_errors(data, name)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["spec", "data", "name", "scenario", "tags", "extensions", "example_dialogues", "language", "x"]
)


@given(st.dictionaries(NAMES, VALUES | st.just("chara_card_v2") | st.dictionaries(NAMES, VALUES)))
@settings(max_examples=150, deadline=None)
def test_arbitrary_json_raises_nothing_but_card_errors(document):
    only_card_errors(json.dumps(document).encode(), "a.json")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_surgery_on_a_real_png_raises_nothing_but_card_errors(data):
    lin = character("lin", "zh")
    assert lin is not None
    assert lin.image is not None
    whole = bytearray(png(text_chunk(b"chara", V2), text_chunk(b"ccv3", V2)) + lin.image[:50])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(at, min(len(whole), at + 40)))
        whole[at:end] = data.draw(st.binary(max_size=12))

    only_card_errors(bytes(whole), "a.png")


def only_card_errors(data: bytes, name: str) -> None:
    try:
        assert read_card(data, name).name.strip()
    except CardError as error:
        assert error.message("zh") and error.message("en")
