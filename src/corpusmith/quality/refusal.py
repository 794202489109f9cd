"""The `refusal` check: no stock refusal of an assistant in a model's answer.

Owns: the phrases, which must stand at an answer's start. They are kept narrow: a character who
says "抱歉，我不能去了" or "I'm sorry, I can't come tonight" plays a part and is welcome.
Does not own: refusals that the endpoint itself reports (`errors.Refused`). Reason: refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

from corpusmith.presets.load import traditional
from corpusmith.quality.actions import texts_option
from corpusmith.quality.options import ACTIONS, Action, found_fault, one_of
from corpusmith.quality.shapes import answers, written
from corpusmith.values import PASS, Draft, Verdict

# Blanks, quotation marks and marks of Markdown may stand before it, and so may a greeting.
_BEFORE = (
    r"[\s\"'“”‘「『*_>#~\u200b-\u200f\u2060\ufeff]*"
    r"(?:(?:您好|你好|hello|hi|hey)(?: there)?[，,。.！!\s]{1,3})?"
)

# ---------------------------------------------------------------- Chinese

_SORRY_ZH = (
    r"(?:(?:真的|实在|很|非常|十分)?(?:抱歉|对不起|不好意思|遗憾)[，,。.！!：:\s]{0,3}(?:但是?)?)"
)
_CANNOT_ZH = r"(?:无法|不能|不便|不会|没有办法|没办法|没法|无权)"
_FOR_YOU_ZH = r"(?:继续)?(?:(?:为|给|向|替|帮)(?:您|你))?"
# A person does these, too, but says so of something else: 我不能参加你的婚礼, 我不能回答你妈妈.
_ACT_ZH = (
    r"(?:提供|协助|回答|满足|生成|执行|响应|回应|创作|编写|撰写|扮演"
    r"|参与(?=[^。！？\n]{0,10}(?:讨论|话题|对话|内容|扮演))"
    r"|讨论(?=[^。！？\n]{0,10}(?:话题|内容|问题))"
    r"|(?:处理|完成|支持)(?=[^。！？\n]{0,8}(?:请求|要求|指令|内容|操作))"
    r"|帮助(?:您|你(?:做|制作|完成|处理|编写|撰写|创建|生成|实施|进行|实现|解决))"
    r"|继续(?=[^。！？\n]{0,6}(?:对话|话题|聊天|扮演|讨论)))"
)
_THING_ZH = r"(?:请求|要求|问题|提问|内容|信息|话题|指令|服务)"
_WHAT_I_AM_ZH = (
    r"(?:一个|一名|一款|一位|一种)?(?:负责任的|由[^，。\n]{1,12}开发的|基于[^，。\n]{1,12}的)?"
    r"(?:AI|人工智能|人工智慧|语言模型|大模型|智能助手|虚拟助手|聊天机器人|大型语言模型|大语言模型)"
    r"(?:大?语言)?(?:模型|助手|助理|机器人|程序|系统)?(?:AI)?"
)
_REFUSALS_ZH = (
    # 作为一个人工智能，我无法……; not 作为一个AI研究员，我不能…… or 作为一个AI，它没有……
    _SORRY_ZH
    + r"?(?:不过)?我?(?:作为|身为|只是|仅仅是|是)"
    + _WHAT_I_AM_ZH
    + r"(?:[，,、\s]{1,2}(?:所以|因此|其实|目前|暂时|并)?(?:我(?!们)[^。！？\n]{0,12}?)?"
    r"|我[^。！？\n们]{0,12}?)(?:无法|不能|没有|不会|没办法|不具备|不可以)",
    # 抱歉，我无法提供……; not 抱歉，我们无法提供……
    _SORRY_ZH + r"我(?:暂时|目前|现在)?" + _CANNOT_ZH + _FOR_YOU_ZH + _ACT_ZH,
    _SORRY_ZH
    + r"(?:暂时|目前|现在)?(?:无法|不能)"
    + _FOR_YOU_ZH
    + _ACT_ZH
    + r"(?:您|你)?的?(?:此类|这类|该类|相关|这个|这一|该|此)[^。！？\n]{0,6}"
    + _THING_ZH,
    # 抱歉，出于安全考虑，我无法提供……
    _SORRY_ZH
    + r"(?:出于|由于|基于|根据|为了)[^。！？\n，,]{1,16}[，,]我(?!们)"
    + _CANNOT_ZH
    + _FOR_YOU_ZH
    + _ACT_ZH,
    # 抱歉，这个问题我无法回答
    _SORRY_ZH + r"(?:关于)?(?:这|该|此|您|你)[^。！？\n，,]{0,8}" + _THING_ZH + r"[，,]?我(?!们)"
    r"(?:暂时|目前|现在|还)?" + _CANNOT_ZH + r"(?:回答|提供|满足|处理|讨论|协助)",
    _SORRY_ZH + r"我(?:还|暂时|目前)?没有?学会(?:怎么|如何)?(?:回答|处理)",
    # 您的请求超出了我能帮助的范围, 违反了我的使用政策
    _SORRY_ZH + r"?(?:您的|你的|这个|这一|该|此)(?:请求|要求|问题|提问)"
    r"(?:超出了?我(?:所?能|可以)(?:为您|为你)?(?:帮助|协助|提供|回答|处理|讨论)的?范围"
    r"|[^。！？\n]{0,4}违反了?(?:我的|使用|内容|安全|社区)[^。！？\n]{0,4}"
    r"(?:政策|准则|规范|指南|原则))",
    # 我无法满足您的请求, 我不能协助这个请求, 我无法提供相关内容
    r"我?(?:无法|不能)" + _FOR_YOU_ZH + r"(?:满足|响应|执行|处理)"
    r"(?:您|你|这个|这一|该|此)的?(?:请求|要求)",
    r"我(?:无法|不能)" + _FOR_YOU_ZH + r"(?:提供|协助|回答|生成|讨论)(?:您|你)?(?:完成|处理)?"
    r"(?:此类|这类|该类|任何|相关|有关|这个|这一|这方面|该|此)[^。！？\n]{0,8}" + _THING_ZH,
)

# ---------------------------------------------------------------- English

_SORRY_EN = (
    r"(?:(?:i['’]?m |i am )?(?:very |so |really |truly )?(?:sorry|afraid(?: that)?)|i apologi[sz]e"
    r"|(?:my )?apologies|unfortunately|regrettably)[,.!:]?\s{0,2}(?:but )?"
)
_CANNOT_EN = (
    r"(?:can['’]?t|cannot|can not|(?:am|['’]m) (?:not able|unable) to|won['’]t be able to"
    r"|(?:must|have to) (?:respectfully |politely )?decline(?: to)?)(?: really)? "
)
_THAT = r"(?:that|this|these|such|your (?:question|request|query)|it\b(?=[.!]|$))"
_SUBJECT = (
    r"(?:content|information|instructions?|assistance|guidance|(?:medical|legal|financial) advice"
    r"|(?:explicit|harmful|hateful|sexual|violent|illegal|inappropriate)\b)"
)
# A person does these, too, but says so of something else: I can't provide for a family.
_ACT_EN = (
    r"(?:assist\b|comply\b|fulfill?\b"
    r"|(?:provide|generate|create|produce|write|share|offer)(?: you with)?(?: any| a| the)? ?"
    r"(?:" + _THAT + "|" + _SUBJECT + r")"
    r"|(?:answer|discuss) "
    + _THAT
    + r"|(?:engage|participate) in (?:that|this|these|such|any|discussions?|conversations?|role)"
    r"|role-?play\b"
    r"|continue (?:with )?th(?:is|e) (?:conversation|roleplay|role-play|request)"
    r"|help (?:you )?with (?:" + _THAT + r"(?: request| task| topic| one)?(?=\s*(?:[.!,;*\"]|$|\n))"
    r"|(?:requests|creating|generating|anything that)\b)"
    r"|help you (?:create|write|generate) )"
)
_WHAT_I_AM_EN = (
    r"(?:(?:just|only|merely) )?an? (?:[a-z\-]{1,14} ){0,2}?(?:ai|artificial intelligence"
    r"|language model|virtual assistant|chatbot)"
    r"(?: (?:language )?(?:model|assistant|chatbot|system|program|bot))?"
    r"(?: (?:developed|created|made|trained) by \w+)?"
)
_REFUSALS_EN = (
    # As an AI language model …, whatever it goes on with
    r"as an? (?:large |ai |ai-powered )*language model\b",
    # As an AI, I cannot …; not: as an AI researcher, I cannot …
    r"(?:" + _SORRY_EN + r")?(?:as|i['’]?m|i am) " + _WHAT_I_AM_EN
    + r"(?:[,;:.]| and(?= )| so(?= )|(?= i\b))[^.!?\n]{0,40}?"
    r"(?:can['’]?t|cannot|can not|unable|not able|don['’]?t|do not|must decline"
    r"|not (?:possible|allowed))\b",
    # I'm sorry, but I can't help with that
    _SORRY_EN + r"(?:as an ai\b|i ?" + _CANNOT_EN + _ACT_EN + ")",
    r"i ?" + _CANNOT_EN + _ACT_EN,
    # Sorry, I can't do that. It goes against my guidelines
    _SORRY_EN + r"i ?" + _CANNOT_EN + r"[^\n]{0,80}?(?:against|violates?) (?:my|our|openai['’]?s)"
    r" (?:[a-z]+ )?(?:guidelines|programming|polic(?:y|ies)|principles)",
)  # fmt: skip

_REFUSAL = re.compile(
    _BEFORE + "(?:" + "|".join(f"(?:{one})" for one in (*_REFUSALS_ZH, *_REFUSALS_EN)) + ")",
    re.IGNORECASE,
)
_HEAD_CHARS = 240
"""No pattern reaches further."""
_TRADITIONAL = re.compile("[無對為沒幫這類內請]")
_EXCERPT_CHARS = 60


class Refusal:
    """Fails a draft whose answer starts with a stock refusal. `phrases`: further starts.
    `action`: reject or flag."""

    name: ClassVar[str] = "refusal"

    def __init__(self, *, phrases: Sequence[str] = (), action: str = "reject") -> None:
        self._phrases = texts_option(self.name, "phrases", phrases)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)

    def __call__(self, draft: Draft) -> Verdict:
        for answer in answers(written(draft)):
            if _REFUSAL.match(_head(answer)) or (
                self._phrases and answer.startswith(self._phrases)
            ):
                found = answer.strip()[:_EXCERPT_CHARS]
                return found_fault(self._action, "refusal", found=found)
        return PASS


def _head(answer: str) -> str:
    """The beginning of an answer, in simplified characters."""
    head = answer[:_HEAD_CHARS]
    return head.translate(_simplified()) if _TRADITIONAL.search(head) else head


@cache
def _simplified() -> dict[int, str]:
    return {ord(old): new for old, new in traditional().items()}
