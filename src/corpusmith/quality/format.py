"""The `format` check: a draft has exactly its shape, and no empty or broken text.

Owns: the shapes of the jobs' records. Does not own: what the texts say.
Reasons: keys, types, roles, turns, empty, control, role_prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from corpusmith.quality.shapes import strings, written
from corpusmith.quality.variants import INVISIBLE
from corpusmith.values import PASS, Draft, Json, Verdict

# Line feed and tab are text. A carriage return is not: half of a line's end on one machine only.
# A lone surrogate cannot be written as UTF-8 at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# White space in Python's sense, and the signs that show nothing: zero-width, BOM, Hangul filler.
_BLANK = re.compile(rf"[\s{INVISIBLE}]*")
_ROLE_PREFIX = re.compile(
    r"\W{0,4}(?:user|assistant|human|ai|bot|system|character|用户|助手|角色|机器人|系统)\W{0,4}",
    re.IGNORECASE,
)

_RECORD_KEYS = frozenset(
    {"scenario_labels", "dialogues", "turn_count", "batch_id", "generation_time"}
)
_TURN_KEYS = frozenset({"role", "content"})
_REFINED_KEYS = frozenset({"question", "initial_answer", "final_answer", "refinement_process"})
_STEP_KEYS = frozenset({"answer", "critique"})
_FIRST_ONLY = frozenset({"system", "developer"})
_ASKING = frozenset({"user", "tool"})
_ANSWERING = frozenset({"assistant", "function_call"})
_CHAT_ROLES = _FIRST_ONLY | _ASKING | _ANSWERING
# Who may not speak twice in a row: trainers drop such a chat. Several tools may answer one call.
_OTHER = {"user": "assistant", "assistant": "user"}
_ANSWER_KEYS = ("chosen", "rejected")
# Texts that may be empty in a good record: Alpaca's `input`.
_MAY_BE_EMPTY = (".input", ".system")


class Format:
    """Passes a draft that has exactly its job's shape; of an unknown shape, one without blanks."""

    name: ClassVar[str] = "format"

    def __call__(self, draft: Draft) -> Verdict:
        content = written(draft)
        # A template's rows are what its schema says, whatever their fields are called.
        own_shape = draft.provenance.get("recipe") == "template"
        if isinstance(content, dict) and not own_shape:
            for key, test in SHAPES.items():
                if key in content:
                    return test(content)
        return _any_shape(content)


def _dialogue(content: dict[str, Any]) -> Verdict:
    """The record of a character dialogue, as the JSON export writes it."""
    if content.keys() != _RECORD_KEYS:
        return _wrong_keys("$", content, _RECORD_KEYS)
    fault = _head_fault(content)
    if fault is not None:
        return fault
    turns = content["dialogues"]
    for at, turn in enumerate(turns):
        verdict = _turn(turn, at)
        if not verdict.passed:
            return verdict
    if len(turns) != 2 * content["turn_count"]:
        return _fail("turns", wanted=content["turn_count"], found=len(turns) / 2)
    return PASS


def _head_fault(content: dict[str, Any]) -> Verdict | None:
    labels = content["scenario_labels"]
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels):
        return _fail("types", path="$.scenario_labels", wanted="list of texts")
    if type(content["turn_count"]) is not int or content["turn_count"] < 1:
        return _fail("types", path="$.turn_count", wanted="whole number from 1")
    for key in ("batch_id", "generation_time"):
        if not isinstance(content[key], str):
            return _fail("types", path=f"$.{key}", wanted="text")
    if not isinstance(content["dialogues"], list):
        return _fail("types", path="$.dialogues", wanted="list of turns")
    for text in (*labels, content["batch_id"], content["generation_time"]):
        if not text or text.isspace():
            return _fail("empty", path="$")
    return None


def _turn(turn: Json, at: int) -> Verdict:
    if not isinstance(turn, dict):
        return _fail("types", path=f"$.dialogues[{at}]", wanted="object")
    if turn.keys() != _TURN_KEYS:
        return _wrong_keys(f"$.dialogues[{at}]", turn, _TURN_KEYS)
    wanted = "assistant" if at % 2 else "user"
    if turn["role"] != wanted:
        return _fail("roles", path=f"$.dialogues[{at}].role", wanted=wanted)
    text = turn["content"]
    if not isinstance(text, str):
        return _fail("types", path=f"$.dialogues[{at}].content", wanted="text")
    reason = _text_fault(text)
    return _fail(reason, path=f"$.dialogues[{at}].content") if reason else PASS


def _refinement(content: dict[str, Any]) -> Verdict:
    """The record of self-play: a question, and an answer that was refined step by step."""
    if content.keys() != _REFINED_KEYS:
        return _wrong_keys("$", content, _REFINED_KEYS)
    steps = content["refinement_process"]
    if not isinstance(steps, list) or not steps:
        return _fail("types", path="$.refinement_process", wanted="list of steps")
    for at, step in enumerate(steps):
        path = f"$.refinement_process[{at}]"
        if not isinstance(step, dict):
            return _fail("types", path=path, wanted="object")
        if step.keys() != _STEP_KEYS:
            return _wrong_keys(path, step, _STEP_KEYS)
    texts = [(key, content[key]) for key in ("question", "initial_answer", "final_answer")]
    texts += [(f"refinement_process.{key}", text) for step in steps for key, text in step.items()]
    for key, text in texts:
        if not isinstance(text, str):
            return _fail("types", path=f"$.{key}", wanted="text")
    return _any_shape(content)


def _chat(content: dict[str, Any]) -> Verdict:
    """A chat as trainers read it; of a preference it is the prompt, and two answers follow."""
    messages = content["messages"]
    fault = _messages_fault(messages) or _ends_fault(content)
    if fault is not None:
        return fault
    if type(content.get("label")) is int and content["label"] in (0, 1):
        # LLaMA-Factory takes an integer for no label at all, and trains on what nobody wanted.
        return _fail("types", path="$.label", wanted="true or false")
    for at, one in enumerate(messages):
        reason = None if one.get("tool_calls") else _text_fault(one["content"])
        if reason:
            return _fail(reason, path=f"$.messages[{at}].content")
    return _any_shape({key: one for key, one in content.items() if key != "messages"})


def _messages_fault(messages: Json) -> Verdict | None:
    if not isinstance(messages, list) or not messages:
        return _fail("types", path="$.messages", wanted="list of messages")
    before = ""
    for at, one in enumerate(messages):
        path = f"$.messages[{at}]"
        if not _is_message(one):
            return _fail("types", path=path, wanted="message")
        role = one["role"]
        if role not in _CHAT_ROLES or (role in _FIRST_ONLY and at > 0):
            return _fail("roles", path=f"{path}.role", wanted="user or assistant")
        if role == before and role in _OTHER:
            return _fail("roles", path=f"{path}.role", wanted=_OTHER[role])
        before = role
    return None


def _ends_fault(content: dict[str, Any]) -> Verdict | None:
    """A chat ends with an answer; of a preference, with what is to be answered."""
    answers = [key for key in _ANSWER_KEYS if key in content]
    for key in answers:
        if not _is_message(content[key]):
            return _fail("types", path=f"$.{key}", wanted="message")
        if content[key]["role"] != "assistant":
            return _fail("roles", path=f"$.{key}.role", wanted="assistant")
    if len(answers) == 1:
        return _wrong_keys("$", dict.fromkeys(answers), frozenset(_ANSWER_KEYS))
    last = content["messages"][-1]["role"]
    if last in (_ASKING if answers else _ANSWERING):
        return None
    path = f"$.messages[{len(content['messages']) - 1}].role"
    return _fail("roles", path=path, wanted="user" if answers else "assistant")


def _is_message(value: Json) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), str) for key in ("role", "content")
    )


def _text_fault(text: str) -> str | None:
    if _BLANK.fullmatch(text):
        return "empty"
    if _CONTROL.search(text):
        return "control"
    if len(text) < 20 and _is_role_prefix(text):
        return "role_prefix"
    return None


def _is_role_prefix(text: str) -> bool:
    """`用户：` alone, not the word `用户` as an answer."""
    return (":" in text or "：" in text) and _ROLE_PREFIX.fullmatch(text) is not None


def _any_shape(content: Json) -> Verdict:
    for path, text in strings(content):
        reason = _text_fault(text)
        if reason and not (reason == "empty" and path.endswith(_MAY_BE_EMPTY)):
            return _fail(reason, path=path)
    return PASS


def _wrong_keys(path: str, found: dict[str, Any], wanted: frozenset[str]) -> Verdict:
    missing = sorted(wanted - found.keys())
    unknown = sorted(map(str, found.keys() - wanted))[:10]
    return _fail("keys", path=path, missing=missing, unknown=unknown)


def _fail(reason: str, **detail: Json) -> Verdict:
    return Verdict(passed=False, reason=reason, detail=detail)


# The key that tells a shape -> its test. A new job's record is one line here.
SHAPES: dict[str, Callable[[dict[str, Any]], Verdict]] = {
    "dialogues": _dialogue,
    "refinement_process": _refinement,
    "messages": _chat,
}
