"""The `refusal` check: no stock refusal of an assistant in a model's answer.

Owns: the phrases, which must stand at an answer's start. They are kept narrow: a character who
says "抱歉，我不能去了" or "I'm sorry, I can't come tonight" plays a part and is welcome.
Does not own: refusals that the endpoint itself reports (`errors.Refused`). Reason: refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from corpusmith.quality.actions import texts_option
from corpusmith.quality.options import ACTIONS, Action, found_fault, one_of
from corpusmith.quality.shapes import answers, written
from corpusmith.values import PASS, Draft, Verdict

_I_ZH = (
    r"(?:一个|一名|一款|一位)?(?:AI|人工智能|语言模型|大型语言模型|大语言模型|智能助手|聊天机器人)"
)
_ACT_ZH = (
    r"(?:提供|协助|回答|满足|生成|参与|讨论|处理|执行|响应|回应|支持|完成|创作|编写|撰写|扮演)"
)
_ACT_EN = (
    r"(?:assist|provide|fulfil|fulfill|comply|generate|create|produce|write|engage|participate"
    r"|continue (?:with )?th(?:is|e) (?:conversation|roleplay|role-play|request)|answer|discuss"
    r"|role-?play|help(?= (?:you )?with|[.,!]| you (?:create|write|generate)))"
)
_CANNOT_EN = (
    r"(?:can['’]?t|cannot|can not|am (?:not able|unable) to|won['’]t be able to|must decline)"
)

_REFUSAL = re.compile(
    r"[\s\"'“”「『*]*(?:"
    # As an AI language model, … / I'm an AI …
    r"as an? (?:large |ai |ai-powered )*language model\b"
    r"|(?:as|i['’]?m (?:just |only )?|i am (?:just |only )?) ?an? "
    r"(?:ai|artificial intelligence|language model|virtual assistant|chatbot)\b[^.!?\n]{0,40}?"
    r"(?:can['’]?t|cannot|can not|unable|not able|don['’]?t|do not|not (?:possible|allowed))\b"
    # I'm sorry, but I can't assist with that
    r"|(?:i['’]?m |i am )?(?:very |so |really )?(?:sorry|i apologi[sz]e|apologies)[,.!]?\s*"
    r"(?:but )?(?:as an ai\b|i " + _CANNOT_EN + r" (?:to )?" + _ACT_EN + r"\b)"
    r"|i " + _CANNOT_EN + r" (?:to )?(?:assist|comply|fulfil|fulfill)\b"
    # I'm afraid I cannot provide that
    r"|(?:i['’]?m |i am )afraid (?:that )?i " + _CANNOT_EN + r" (?:to )?"
    r"(?:assist|provide|fulfil|fulfill|comply)\b"
    # 作为一个人工智能，我无法……
    r"|(?:(?:很|非常|十分)?(?:抱歉|对不起|不好意思|遗憾)[，,。！!]?\s*)?(?:但|但是|不过)?我?"
    r"(?:作为|只是|仅仅是|是)" + _I_ZH + r"[^。！？\n]{0,16}?(?:无法|不能|没有|不会|不具备|不可以)"
    # 抱歉，我无法提供……
    r"|(?:(?:很|非常|十分)?(?:抱歉|对不起|不好意思|遗憾))[，,。！!]?\s*(?:但|但是|不过)?我?(?:暂时|目前|现在)?"
    r"(?:无法|不能|不便|没有办法|没办法)(?:继续)?(?:为您|为你|给您|给你|向您|向你|帮您|帮你)?"
    + _ACT_ZH
    # 对不起，这个请求超出了我能帮助的范围
    + r"|(?:(?:很|非常|十分)?(?:抱歉|对不起|不好意思|遗憾)[，,。！!]?\s*)?"
    r"(?:您的|你的|这个|这一|该|此)(?:请求|要求)超出了?我(?:所?能|可以)(?:为您|为你)?"
    r"(?:帮助|协助|提供|回答|处理|讨论)的?范围"
    + r"|我?(?:无法|不能)(?:为您|为你|向您|向你)?(?:满足|响应|执行|处理)"
    r"(?:您|你|这个|这一|该|此)的?(?:请求|要求)"
    r")",
    re.IGNORECASE,
)
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
            if _REFUSAL.match(answer) or (self._phrases and answer.startswith(self._phrases)):
                found = answer.strip()[:_EXCERPT_CHARS]
                return found_fault(self._action, "refusal", found=found)
        return PASS
