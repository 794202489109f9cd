"""No check takes more than linear time: hard texts of 100 kB, made to be slow."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest
from checks_kit import EN, ZH, dialogue, nobody, row

from corpusmith.contracts import CheckContext, ComparingCheck
from corpusmith.quality.chain import build
from corpusmith.values import Draft

SIZE = 100_000
LIMIT_S = 2
"""Of the processor, for one text; most take a hundredth of it."""
RANDOM = random.Random(4)
# Each opens, nearly closes or nearly fulfils what a pattern of some check looks for.
PIECES: dict[str, list[str]] = {
    "brackets": [
        "(",
        "[",
        "{",
        "{{",
        "{a",
        "<",
        "<|a",
        "【",
        "[insert ",
        "（此处",
        "(the rest ",
        '{"a":[',
    ],
    "digits": ["1", "12", "1 ", "1-", "1.", "0,", "一", "一百", "twenty ", "1. ", "①"],
    "phones": ["138", "13812345678", "138-1234-", "+86 ", "+44-1-", "(010)", "(415) ", "021-5566 "],
    "cards": ["6222 0202 0011 ", "6222-0202-", "4111 1111 1111 1111 ", "11010119900307", "110101 "],
    "mail": ["a@", "a@a.", "a.", "@", "a-", "a@a.com@"],
    "keys": [
        "sk-a1",
        "eyJaaaaaaaaa.",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "--",
        "api_key=",
        "api_",
        "密码是",
        "0a" * 16 + ".",
        "AKIA",
        "ghp_",
    ],
    "blanks": [" ", "\n", "\t", "  \n", "\n- ", "　", "\u200b", "\u202e", "\ufeff"],
    "one sign": ["a", "好", "哈", "。", "，", "…", "“", "😀", "\u0301", "\ud800", "가", "が", "Ａ"],
    "code": [
        "```",
        "`a",
        "$x",
        "$$",
        "\\[",
        "\\(",
        "\\a",
        "http://",
        "<a",
        "def ",
        "x=",
        "SELECT ",
        "|\n",
    ],
    "loops": [
        "ab",
        "好的，",
        "哈哈",
        "the ",
        "a b c d e f g ",
        "| a |\n",
        "第1轮",
        "TODO\n",
        "XXX",
    ],
    "refusals": [
        "作为一个AI",
        "抱歉，我",
        "抱歉，关于",
        "您的请求",
        "as a ",
        "i'm sorry, ",
        "i can't ",
    ],
    "words": ["王八", "王.八.", "kill ", "敏.", "王八蛋" * 3 + "好" * 300],
    "JSON": ['{"a": [1, ', '"\\"', "true, ", "[[", "}", '{"text": "'],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "format": {},
    "placeholders": {},
    "refusal": {},
    "length": {"max_tokens": 100},
    "repetition": {},
    "language": {"script": "simplified"},
    "sensitive": {"action": "mask"},
    "personal_data": {"action": "mask"},
    "grounding": {},
    "contamination": {
        "tests": {"exam": ["一个水池有甲乙两个进水管，单开甲管六小时注满", "好" * 200]}
    },
}
CONTEXT = CheckContext(language="zh", boilerplate=("请围绕主题写问答，" + "=" * 200, "好" * 500))


def long(piece: str) -> str:
    """As many of them as fill 100 kB."""
    return piece * (SIZE // len(piece.encode("utf-8", "surrogatepass")))


def took_s(check: Any, draft: Draft) -> float:
    """Seconds of the processor: other work on the machine does not count."""
    began_s = time.process_time()
    if isinstance(check, ComparingCheck):
        asyncio.run(check.compare(draft, nobody))
        check.remember("t#0", draft)
    else:
        check(draft)
    return time.process_time() - began_s


@pytest.mark.parametrize("kind", PIECES)
@pytest.mark.parametrize("name", OPTIONS)
def test_no_hard_text_takes_a_check_long(name: str, kind: str) -> None:
    check = build({name: OPTIONS[name]}, CONTEXT).plain[0]
    slow = {}
    for piece in PIECES[kind]:
        text = long(piece)
        draft = row(["text"], text=text, answer=text) if name == "grounding" else row(text=text)
        if (spent_s := took_s(check, draft)) > LIMIT_S:
            slow[piece] = spent_s
    assert slow == {}


@pytest.mark.parametrize("name", ["duplicates", "near_duplicates"])
def test_no_hard_text_takes_comparing_long(name: str) -> None:
    check = build({name: {}}, ZH).comparers[0]
    texts = [long(piece) for pieces in PIECES.values() for piece in pieces[:4]]
    slow = {one[:20]: spent for one in texts if (spent := took_s(check, row(text=one))) > LIMIT_S}
    assert slow == {}


def signs(count: int) -> str:
    return "".join(chr(RANDOM.randrange(0x4E00, 0x9FFF)) for _ in range(count))


def test_grounding_looks_thousands_of_quotations_and_pieces_up_at_once() -> None:
    check = build({"grounding": {}}, ZH).plain[0]
    source = signs(SIZE)
    quoted = "".join(f"“{source[at : at + 2]}”" for at in range(SIZE - 2, SIZE // 2, -3))
    assert took_s(check, row(["text"], text=source, answer=quoted)) < LIMIT_S
    assert took_s(check, row(["text"], text=source, evidence=signs(SIZE))) < LIMIT_S
    same = "甲" * SIZE + "甲乙"
    assert took_s(check, row(["text"], text=same, answer="“甲乙”" * 20_000)) < LIMIT_S


def test_ten_thousand_turns_and_fields_are_judged_in_time() -> None:
    talk = dialogue(*(f"第{number}句话，说说今天的天气。" for number in range(10_000)))
    wide = row(**{f"field{number}": f"第{number}个值" for number in range(10_000)})
    for context in (ZH, EN):
        for name in ("format", "placeholders", "refusal", "length", "repetition", "language"):
            check = build({name: {}}, context).plain[0]
            for draft in (talk, wide):
                # A neighbour on the same core slows the processor too: the better of two counts.
                assert took_s(check, draft) < LIMIT_S or took_s(check, draft) < LIMIT_S
