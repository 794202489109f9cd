"""What the rounds recipe says to its models, and what it takes from their replies.

Owns: whose words stand where, how much of a conversation is shown, and labels that models put
before a text. Does not own: our texts (`presets/prompts/rounds.<language>.md`), when a model is
asked (`rounds.py`). Pure.

A conversation's words are data: they travel as messages of their own and are never filled into
one of our texts, so nothing in them is expanded and nothing can end a frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpusmith.presets.load import prompts
from corpusmith.tokens import tokens_of
from corpusmith.values import Language, Message

Round = Mapping[str, str]
"""`question`, `answer` and `correction`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How much of a conversation a model is shown."""

    messages: int
    tokens: int

    def of(self, talk: Sequence[Message], least: int) -> list[Message]:
        """The newest messages of `talk` within both limits, the first of them a user's.

        Whole messages, the oldest dropped first; the last `least` stay whatever the limits say,
        and the first of those must be a user's.
        """
        start, tokens = len(talk), 0
        for at in reversed(range(len(talk))):
            count = len(talk) - at
            tokens += tokens_of(talk[at].content)
            if count > least and (count > self.messages or tokens > self.tokens):
                break
            start = at
        while talk[start].role != "user":
            start += 1
        return list(talk[start:])


def ask(rounds: Sequence[Round], window: Window, language: Language) -> list[Message]:
    """Asks for the question that follows the last round."""
    texts = prompts("rounds", language)
    return [
        Message("system", texts["ask_system"]),
        *window.of(_talk(rounds), least=2),
        Message("user", texts["ask_cue"]),
    ]


def answer(
    rounds: Sequence[Round], question: str, window: Window, language: Language
) -> list[Message]:
    """Asks for an answer to `question`, which follows `rounds`."""
    talk = [*_talk(rounds), Message("user", question)]
    system = prompts("rounds", language)["answer_system"]
    return [Message("system", system), *window.of(talk, least=1)]


def correct(
    rounds: Sequence[Round], question: str, draft: str, window: Window, language: Language
) -> list[Message]:
    """Asks for a better answer to `question` than `draft`."""
    texts = prompts("rounds", language)
    talk = [*_talk(rounds), Message("user", question), Message("assistant", draft)]
    return [
        Message("system", texts["correct_system"]),
        *window.of(talk, least=2),
        Message("user", texts["correct_cue"]),
    ]


def _talk(rounds: Sequence[Round]) -> list[Message]:
    """The conversation as it should have gone: each question with its corrected answer."""
    talk: list[Message] = []
    for one in rounds:
        talk += [Message("user", one["question"]), Message("assistant", one["correction"])]
    return talk


# ---------------------------------------------------------------- replies


def _label(*words: str) -> re.Pattern[str]:
    """One of `words` and a colon at a text's start, plain, as a heading or in bold.

    Signs after the colon go only with their twins before the label: they may be the text's own.
    """
    return re.compile(
        r"[#>\s]*(?P<bold>[*_]{0,2})(?:"
        + "|".join(words)
        + r")\s*(?:(?P=bold)\s*[:：]|[:：]\s*(?P=bold))",
        re.IGNORECASE,
    )


_QUESTION = _label(
    r"[【\[(（]?(?:(?:用户|提问者)的?)?(?:下一个|接下来的|后续)?(?:追问|提问|问题|问|用户)[】\])）]?",
    r"\[?(?:(?:the )?(?:next|follow[- ]?up) )?(?:question|follow[- ]?up|user|q)\]?",
)
_CORRECTION = _label(
    r"(?:好的[，,。！!]\s*)?(?:(?:以下|下面)是)?(?:经过?)?(?:修正|更正|纠正|改进|修改)(?:过|后|之后)?的?"
    r"(?:完整)?(?:回答|答案|回复|版本|内容)",
    r"(?:(?:sure|certainly)[,.!]\s*)?(?:here(?: is|['’]s) )?(?:the |an? )?(?:complete |full )?"
    r"(?:corrected|improved|revised)(?: and [a-z]+)? (?:answer|response|version|reply)",
)
_QUOTES = {"“": "”", "「": "」", "『": "』", '"': '"', "«": "»"}


def question_in(text: str) -> str:
    """The follow-up without a label before it or quotation marks around it; may be empty."""
    bare = _unlabelled(text, _QUESTION)
    closing = _QUOTES.get(bare[:1])
    if closing and len(bare) > 1 and bare.endswith(closing) and closing not in bare[1:-1]:
        bare = _unlabelled(bare[1:-1], _QUESTION)
    return bare


def correction_in(text: str) -> str:
    """The corrected answer without a label before it; may be empty."""
    return _unlabelled(text, _CORRECTION)


def question_fault(text: str, rounds: Sequence[Round]) -> str:
    """Why a reply is no follow-up to `rounds`, as a code; empty: it is one."""
    question = question_in(text)
    if not question:
        return "empty_reply_text"
    repeated = any(same(question, one["question"]) for one in rounds)
    return "repeated_question" if repeated else ""


def correction_fault(text: str) -> str:
    """Why a reply is no corrected answer, as a code; empty: it is one."""
    return "" if correction_in(text) else "empty_reply_text"


def answer_in(text: str) -> str:
    """The answer as it came, in lines of one kind."""
    return text.replace("\r\n", "\n").strip()


def _unlabelled(text: str, label: re.Pattern[str]) -> str:
    plain = answer_in(text)
    found = label.match(plain)
    return plain[found.end() :].strip() if found else plain


def same(one: str, other: str) -> bool:
    """Whether two questions are the same but for spaces, case and the signs between words."""
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum()) or text
