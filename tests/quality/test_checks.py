"""The usual checks, on good dialogues, broken ones, and ordinary text that only looks broken."""

from __future__ import annotations

from typing import Any

import pytest

from corpusmith import registry
from corpusmith.contracts import CheckContext
from corpusmith.errors import NotFound, SpecError
from corpusmith.messages import LANGUAGES, catalog
from corpusmith.quality.chain import Chain, build
from corpusmith.quality.format import Format
from corpusmith.quality.placeholders import Placeholders
from corpusmith.quality.refusal import Refusal
from corpusmith.service.checks import options_of
from corpusmith.values import PASS, Draft, Json, Miss, Verdict

GOOD: dict[str, Any] = {
    "scenario_labels": ["日常对话"],
    "dialogues": [
        {"role": "user", "content": "今天下雨了，你带伞了吗？"},
        {"role": "assistant", "content": "（笑）带了，\n\t还多带了一把。"},
    ],
    "turn_count": 1,
    "batch_id": "batch_20241201_143022",
    "generation_time": "2024-12-01T14:30:22",
}
ALL = ["format", "placeholders", "refusal"]


def chain(*names: str, **options: dict[str, Any]) -> Chain:
    """The checks of these names, those of `options` with their options."""
    return build({**{name: {} for name in names}, **options}, CheckContext(language="zh"))


def good(**changes: Json) -> Draft:
    return Draft(content={**GOOD, **changes})


def saying(text: str, *, role: str = "assistant") -> Draft:
    """A good dialogue in which `role` says `text`."""
    turns = [
        {**turn, "content": text} if turn["role"] == role else turn for turn in GOOD["dialogues"]
    ]
    return good(dialogues=turns)


def failed(reason: str, **detail: Json) -> Verdict:
    return Verdict(passed=False, reason=reason, detail=detail)


def rejected(reason: str, **detail: Json) -> Miss:
    return Miss(kind="rejected", reason=reason, detail=detail, fresh=True)


def test_a_good_dialogue_passes_every_check() -> None:
    verdicts = chain(*ALL).own(Draft(content=GOOD))
    assert verdicts == Draft(content=GOOD, verdicts=dict.fromkeys(ALL, PASS))


USER, REPLY = GOOD["dialogues"]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"note": 1}, failed("keys", path="$", missing=[], unknown=["note"])),
        ({"turn_count": "1"}, failed("types", path="$.turn_count", wanted="whole number from 1")),
        ({"turn_count": True}, failed("types", path="$.turn_count", wanted="whole number from 1")),
        ({"turn_count": 0}, failed("types", path="$.turn_count", wanted="whole number from 1")),
        (
            {"scenario_labels": "x"},
            failed("types", path="$.scenario_labels", wanted="list of texts"),
        ),
        (
            {"scenario_labels": [1]},
            failed("types", path="$.scenario_labels", wanted="list of texts"),
        ),
        ({"scenario_labels": [" "]}, failed("empty", path="$")),
        ({"batch_id": None}, failed("types", path="$.batch_id", wanted="text")),
        ({"generation_time": ""}, failed("empty", path="$")),
        ({"dialogues": {}}, failed("types", path="$.dialogues", wanted="list of turns")),
        ({"dialogues": []}, failed("turns", wanted=1, found=0)),
        ({"dialogues": [USER]}, failed("turns", wanted=1, found=0.5)),
        ({"turn_count": 2}, failed("turns", wanted=2, found=1)),
        ({"dialogues": [USER, REPLY] * 2}, failed("turns", wanted=1, found=2)),
        ({"dialogues": ["x"]}, failed("types", path="$.dialogues[0]", wanted="object")),
        ({"dialogues": [REPLY, USER]}, failed("roles", path="$.dialogues[0].role", wanted="user")),
        (
            {"dialogues": [USER, USER]},
            failed("roles", path="$.dialogues[1].role", wanted="assistant"),
        ),
        (
            {"dialogues": [{"role": "user"}, REPLY]},
            failed("keys", path="$.dialogues[0]", missing=["content"], unknown=[]),
        ),
        (
            {"dialogues": [USER, {**REPLY, "mood": "glad"}]},
            failed("keys", path="$.dialogues[1]", missing=[], unknown=["mood"]),
        ),
        (
            {"dialogues": [USER, {**REPLY, "content": None}]},
            failed("types", path="$.dialogues[1].content", wanted="text"),
        ),
    ],
)
def test_a_dialogue_of_another_shape_fails_with_its_reason(
    changes: dict[str, Json], verdict: Verdict
) -> None:
    assert Format()(good(**changes)) == verdict


def test_a_record_without_one_of_its_keys_fails() -> None:
    content = {key: value for key, value in GOOD.items() if key != "batch_id"}
    assert Format()(Draft(content=content)) == failed(
        "keys", path="$", missing=["batch_id"], unknown=[]
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t　", "empty"),
        ("\u200b\ufeff", "empty"),
        ("a\x00b", "control"),
        ("a\r\nb", "control"),
        ("\x0crac{1}{2}", "control"),
        ("\x85", "empty"),
        ("a\ud800", "control"),
        ("User:", "role_prefix"),
        ("用户：", "role_prefix"),
        ("**Assistant**: ", "role_prefix"),
    ],
)
def test_a_text_that_says_nothing_or_breaks_files_fails(text: str, reason: str) -> None:
    assert Format()(saying(text)) == failed(reason, path="$.dialogues[1].content")


@pytest.mark.parametrize(
    "text", ["用户", "AI?", "User: hi", "。", "❤", "👨‍👩‍👧", "a\u200bb", "e\u0301"]
)
def test_a_short_or_unusual_text_passes(text: str) -> None:
    assert Format()(saying(text)) is PASS


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        ({"question": "a", "answer": ["b", {"c": "d"}], "score": 1}, PASS),
        ({"question": "a", "answer": ["b", {"c": " "}]}, failed("empty", path="$.answer[1].c")),
        ({"instruction": "a", "input": "", "output": "b"}, PASS),
        ({"instruction": "a", "input": "", "output": ""}, failed("empty", path="$.output")),
        (["a", "\x07"], failed("control", path="$[1]")),
        ("", failed("empty", path="$")),
        (None, PASS),
    ],
)
def test_a_draft_of_an_unknown_shape_gets_the_general_tests(
    content: Json, verdict: Verdict
) -> None:
    assert Format()(Draft(content=content)) == verdict


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("你好，{name}！", "{name}"),
        ("{user_name}你好", "{user_name}"),
        ("我叫{角色名}。", "{角色名}"),
        ("{{char}}笑了。", "{{char}}"),
        ("Hello {{ user }}, sit down.", "{{ user }}"),
        ("<START>\n你好", "<START>"),
        ("<USER>，你来了", "<USER>"),
        ("好的。<|im_end|>", "<|im_end|>"),
        ("[INST] hi", "[INST]"),
        ("住在[插入地址]。", "[插入地址]"),
        ("住在【请填写地址】。", "【请填写地址】"),
        ("Dear [insert name here],", "[insert name here]"),
        ("我在XXX公司上班", "XXX"),
        ("电话是×××", "×××"),
        ("TODO: write the answer", "TODO:"),
        ("这里TODO：补充", "TODO："),
        ("好的。\nTODO\n再见", "TODO"),
        ("你好。（此处省略三轮对话）再见", "（此处省略三轮对话）"),
        ("[以下内容略]", "[以下内容略]"),
        ("Hi. (the rest of the dialogue is omitted)", "(the rest of the dialogue is omitted)"),
        ("第3轮对话内容", "第3轮对话内容"),
        ("第三轮用户消息：", "第三轮用户消息："),
        ("这是第N轮的回答", "第N轮"),
        ("...", "..."),
        ("……", "……"),
        ("用户消息", "用户消息"),
        ("Assistant reply here", "Assistant reply here"),
        ("[user message 1]", "[user message 1]"),
        ("string", "string"),
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_an_unfilled_place_is_found(text: str, found: str, role: str) -> None:
    verdict = Placeholders()(saying(text, role=role))
    assert verdict == failed("placeholder", found=found)


@pytest.mark.parametrize(
    "text",
    [
        "……嗯，我知道了。",
        "嗯...\n\n……\n\n好吧。",
        "集合{1, 2, 3}和{a, b}，还有{x}。",
        r"答案是 $\frac{ab}{cd}$，即 x_{ij}^{max}，\text{when} \{name\}",
        'JSON 是 {"name": "林"}，或 {"a": {"b": 1}}。',
        "`{name}` 是占位符。",
        '```python\nprint(f"Hello {name}")\n# TODO: more\nXXX = 1\n```',
        'f"Hello {name}" 和 "{name}".format(name=1)',
        "echo ${HOME} 和 $(ls) 和 #{tag}",
        "p {color: red} a{margin:0}",
        "int main() { return 0; }",
        "Put it on your TODO list.",
        "我的TODO清单很长",
        "Call 138-XXXX-XXXX.",
        "Super Bowl XXXIV was in 2000; XXX Corps was there.",
        "XXL码的衬衫",
        "[笑] [1] [insertion sort] 【注】",
        "第三轮对话内容很精彩，我们继续第4轮吧。",
        "细节我就从略了（篇幅所限）。",
        "a < b, <b>bold</b>, <start>",
        "用户消息太多了，我看不过来",
        "content is king",
        "What is a string?",
    ],
)
def test_ordinary_text_is_not_taken_for_a_placeholder(text: str) -> None:
    assert Placeholders()(saying(text)) is PASS


def test_own_words_can_be_forbidden() -> None:
    run = chain(placeholders={"words": ["示例文本"]})
    assert run.own(saying("这是示例文本。")) == rejected(
        "placeholder", check="placeholders", found="示例文本"
    )


@pytest.mark.parametrize(
    "text",
    [
        "作为一个AI语言模型，我无法体验情感。",
        "抱歉，作为人工智能，我不能回答这个问题。",
        "我只是一个人工智能助手，没有身体。",
        "很抱歉，我无法提供这方面的内容。",
        "对不起，但我不能协助您完成这个请求。",
        "我无法满足您的请求。",
        "As an AI language model, I have no feelings.",
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, but I can’t help with that request.",
        "Sorry, I cannot continue this roleplay.",
        "I apologize, but I am unable to provide that.",
        "I'm just an AI, I can't do that.",
        "I cannot fulfill this request.",
        "I'm afraid I cannot provide that content.",
        "对不起，这个请求超出了我能帮助的范围。",
        '"As an AI assistant, I do not eat."',
    ],
)
def test_a_stock_refusal_is_found_in_an_answer(text: str) -> None:
    assert Refusal()(saying(text)) == failed("refusal", found=text[:60])


@pytest.mark.parametrize(
    "text",
    [
        "抱歉，我不能去了，明天要加班。",
        "对不起，我不能帮你撒谎。",
        "抱歉，我无法忘记那个夏天。",
        "不好意思，让你久等了。",
        "作为你的朋友，我不能看着你这样。",
        "作为人工智能研究员，我每天都很忙。",
        "他说：“作为一个AI，我无法爱。”我笑了。",
        "I'm sorry, I can't come tonight.",
        "I'm sorry, but I can't help falling in love with you.",
        "I can't help it!",
        "I cannot write to you every day.",
        "As an AI assistant, I can help you with that.",
        "As an aide, I cannot comment.",
        "Sorry! Did I wake you?",
        "I'm afraid I can't come tonight.",
        "对不起，这个要求超出了我的底线。",
    ],
)
def test_a_character_may_say_no(text: str) -> None:
    assert Refusal()(saying(text)) is PASS


def test_a_users_line_is_a_models_answer_too() -> None:
    """In a dialogue both sides are written by a model, and each may refuse instead."""
    text = "很抱歉，我无法协助完成这个请求。"
    assert Refusal()(saying(text, role="user")) == failed("refusal", found=text)


NO = "很抱歉，我无法协助完成这个请求。"
ROUND = {"question": "水温多少？", "answer": "随便", "correction": "八十五度。"}
REFINED = {
    "question": "怎么剪辑？",
    "initial_answer": "先剪。",
    "final_answer": "先写脚本再剪。",
    "refinement_process": [
        {"answer": "先剪。", "critique": "太短。"},
        {"answer": "先写脚本再剪。", "critique": "最终优化版本"},
    ],
}
VERDICT = {"id": 1, "scores": {"a": 3}, "overall": 3, "judges": [{"comment": "还行。"}]}


@pytest.mark.parametrize(
    "content",
    [
        {"id": "r1", "rounds": [{**ROUND, "question": NO}]},
        {"id": "r1", "rounds": [{**ROUND, "correction": NO}]},
        {**REFINED, "question": NO},
        {**REFINED, "refinement_process": [{"answer": "先剪。", "critique": NO}]},
        {**REFINED, "refinement_process": [{"answer": NO, "critique": "太短。"}]},
        {**VERDICT, "judges": [{"comment": "还行。"}, {"comment": NO}]},
        {"question": "几点了？", "answer": NO},
    ],
)
def test_a_refusal_is_found_wherever_a_model_speaks(content: Json) -> None:
    assert Refusal()(Draft(content=content)) == failed("refusal", found=NO)


def test_an_answer_that_is_corrected_may_be_a_refusal() -> None:
    content = {"id": "r1", "rounds": [{**ROUND, "answer": NO}]}
    assert Refusal()(Draft(content=content)) is PASS


def test_a_critique_may_quote_the_gap_and_a_question_may_have_none() -> None:
    gap = "这里写着{姓名}，请补上。"
    first, last = REFINED["refinement_process"]
    quoting = {**REFINED, "refinement_process": [{**first, "critique": gap}, last]}
    assert Placeholders()(Draft(content=quoting)) is PASS
    asking = Draft(content={**REFINED, "question": gap})
    assert Placeholders()(asking) == failed("placeholder", found="{姓名}")


def test_a_user_may_quote_a_refusal() -> None:
    assert Refusal()(saying("It said: As an AI language model…", role="user")) is PASS


def test_own_phrases_count_as_refusals() -> None:
    assert Refusal(phrases=["恕难从命"])(saying("恕难从命。")) == failed(
        "refusal", found="恕难从命。"
    )


def test_the_cheapest_check_that_fails_is_named() -> None:
    draft = saying("\x00{name}")
    miss = rejected("control", check="format", path="$.dialogues[1].content")
    assert chain("refusal", "placeholders", "format", "format").own(draft) == miss


def test_no_checks_pass_everything() -> None:
    assert chain().own(Draft(content=None)) == Draft(content=None)


def test_an_unknown_check_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound) as caught:
        chain("fromat")
    assert caught.value.data["name"] == "fromat"
    assert "format" in caught.value.data["known"]


def test_an_option_that_a_check_does_not_take_is_the_users_error() -> None:
    with pytest.raises(SpecError) as caught:
        chain(format={"strict": True})
    assert (caught.value.reason, caught.value.data["name"]) == ("check_options", "format")


def test_options_of_a_check_that_is_switched_off_do_no_harm() -> None:
    usual = {"format": {}, "refusal": {"phrases": "no list"}}
    options = options_of({"refusal": "off"}, usual)
    assert chain(**options).own(Draft(content=GOOD)) == Draft(
        content=GOOD, verdicts={"format": PASS}
    )


@pytest.mark.parametrize("name", ALL)
def test_every_check_is_registered_under_its_name(name: str) -> None:
    assert registry.load("check", name)().name == name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_text(language: Any) -> None:
    reasons = {"keys", "types", "roles", "turns", "empty", "control", "role_prefix"}
    assert {f"reason.{one}" for one in reasons | {"placeholder", "refusal"}} <= set(
        catalog(language)
    )
