"""A draft that repeats its own prompt, and texts that only share words with it."""

from __future__ import annotations

import pytest
from checks_kit import EN, ZH, dialogue, failed, rounds, row

from corpusmith.contracts import CheckContext
from corpusmith.errors import SpecError
from corpusmith.presets.load import characters, prompts, templates
from corpusmith.quality.leaks import Leaks
from corpusmith.quality.placeholders import Placeholders
from corpusmith.template_text import pieces
from corpusmith.values import PASS, Draft

PROMPT = """请围绕“{topic}”写问答对，用来训练语言模型。

- 站在这位提问者的处境里问，问他真会遇到、真想弄明白的事，口吻也像他说的话。
- 答案里要写上“本回答仅供参考，具体情况请以当地有关部门的规定为准”这句话。
- 讲解中华人民共和国个人信息保护法的适用范围。
- Answer first, then give the reason, the steps or an example.
"""
LITERALS = tuple(literal for literal, _ in pieces(PROMPT))
TEMPLATE = CheckContext(language="zh", boilerplate=LITERALS)


@pytest.mark.parametrize(
    "text",
    [
        "站在这位提问者的处境里问，问他真会遇到、真想弄明白的事，口吻也像他说的话。",
        "好的！我会站在这位提问者的处境里问，问他真会遇到、真想弄明白的事，口吻也像他说的话，下面是问答：",
        "Sure. Answer first, then give the reason, the steps or an example. Here we go.",
        "1. 站在这位提问者的处境里问，问他真会遇到、真想弄明白的事，口吻也像他说的",
    ],
)
def test_a_sentence_of_the_prompt_in_a_row_is_a_leak(text: str) -> None:
    for shift in range(14):
        verdict = Placeholders(context=TEMPLATE)(row(text="嗯" * shift + text))
        assert (verdict.passed, verdict.reason) == (False, "prompt_leak")
        assert verdict.detail["found"] in text


@pytest.mark.parametrize(
    "draft",
    [
        row(text="这部法律的适用范围见中华人民共和国个人信息保护法第三条。"),
        row(text="本回答仅供参考，具体情况请以当地有关部门的规定为准。"),
        row(text="问他真会遇到的事。"),
        row(text="Give the reason, then the steps."),
        row(["text"], text=LITERALS[1]),
        Draft(content={"text": LITERALS[1]}),
        dialogue("你怎么看？", "站在这位提问者的处境里问，问他真会遇到、真想弄明白的事。"),
    ],
)
def test_names_quotations_and_given_texts_are_no_leak(draft: Draft) -> None:
    assert Placeholders(context=TEMPLATE)(draft) is PASS


def test_the_prompts_of_dialogues_and_rounds_are_known() -> None:
    text = "每一轮都带来新东西：一件具体的事、一个细节、一个不同的看法、一点心情的变化。"
    assert text in prompts("dialogue", "zh")["single_system"]
    assert Placeholders(context=ZH)(dialogue("嗯？", text)).reason == "prompt_leak"
    assert Placeholders(context=EN)(dialogue("嗯？", text)) is PASS
    line = "It must be clear what is meant, yet sound like the next thing said in a talk"
    assert line in prompts("rounds", "en")["ask_system"]
    assert Placeholders(context=EN)(rounds((line, "a", "b"))).reason == "prompt_leak"


def test_shipped_examples_are_not_taken_for_their_prompts() -> None:
    for context in (ZH, EN):
        for card in characters(context.language):
            for text in (card.greeting, card.example_dialogues.replace("<START>", "")):
                bare = text.replace("{{user}}", "A").replace("{{char}}", "B")
                assert Placeholders(context=context)(dialogue("…嗯", bare)) is PASS


def test_every_shipped_template_has_sentences_to_find() -> None:
    for language in ("zh", "en"):
        for template in templates(language):
            literals = [literal for literal, _ in pieces(template.prompt)]
            leaks = Leaks(literals)
            assert leaks.find("哦。" + template.prompt) is not None
            assert (
                leaks.find("今天天气真好，一起去公园走走吧？ What a fine day it is today.") is None
            )


def test_a_leak_can_be_flagged_or_allowed() -> None:
    draft = row(text=LITERALS[1])
    found = Placeholders(context=TEMPLATE, prompt_leak="flag")(draft)
    assert found.action == "flag"
    assert Placeholders(context=TEMPLATE, prompt_leak="off")(draft) is PASS
    assert Placeholders()(draft) is PASS
    both = row(text=LITERALS[1] + "{name}")
    assert Placeholders(context=TEMPLATE, action="flag")(both).reason == "placeholder"
    assert Placeholders(words=["示例"])(row(text="示例。")) == failed("placeholder", found="示例")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"prompt_leak": "no"}, "check_word"),
        ({"action": "off"}, "check_word"),
        ({"words": [""]}, "check_texts"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, object], reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        Placeholders(**options)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.data["name"]) == (reason, "placeholders")
