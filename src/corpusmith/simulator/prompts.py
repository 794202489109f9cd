"""Reads from a prompt what a reply should be like.

Owns: guesses at language, kind, length, counts, names, and a schema written into the prompt.
Does not own: the reply. Prompts are foreign text: nothing of them is ever executed or expanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from corpusmith.simulator.asks import Ask
from corpusmith.simulator.prose import Pack, pack
from corpusmith.simulator.scribe import NO_WISHES, Wishes
from corpusmith.values import Json, Language

_WINDOW = 2_000
"""Characters of a prompt's start and end that guesses look at."""

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # Who speaks is said first: a card's own words must not pass for an instruction.
        (
            "user_more",
            r"扮演(?:一[个位名])?用户|你是用户|用户的下一|下一句用户|以用户的(?:身份|口吻)"
            r"|充当(?:一[个位名])?(?:普通人|用户)|(?:play|you are|act as|as) the user"
            r"|next user message|user's next|you are an ordinary person",
        ),
        (
            "character",
            r"角色卡|你就是(?:这个人|下面)|person on the card|stay in character|role-?play as",
        ),
        ("follow", r"追问|后续问题|继续提问|下一个问题|follow-?up"),
        (
            "critique",
            r"评审|评判|批评|点评|挑刺|评委|裁判|critique|critici[sz]e|\bjudge|review the",
        ),
        (
            "correction",
            r"更正|纠正|修正|改进|优化(?:后|这|上|回)|润色"
            r"|\bcorrect|refine|revise|improve the",
        ),
        ("question", r"提出?一个|提问|提个问题|学习者|ask (?:a|one)|write a question|learner"),
        ("summary", r"总结|摘要|概括|summar"),
        ("title", r"起(?:一)?个标题|拟(?:一)?个标题|write a title"),
        ("character", r"角色|扮演|人设|character|role-?play|persona|in character"),
        ("answer", r"回答|解答|专家|answer|expert|reply"),
    )
)
_LAST = re.compile(r"最后一轮|最后一次开口|the last one\b|last time you speak", re.IGNORECASE)
_ENDING = {"user_more": "user_close", "character": "character_close"}
_CAP = re.compile(
    r"(?:不超过|不多于|少于|至多|最多|at most|under|no more than|within|fewer than)[^\d]{0,6}$",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"(?P<low>\d{1,5})\s*(?:(?:[-~–—至到]|to)\s*(?P<high>\d{1,5})\s*)?个?"
    r"(?P<unit>汉字|字(?!段|符集|母)|words?\b|characters?\b)(?P<cap2>以内|之内)?",
    re.IGNORECASE,
)
_TURNS = re.compile(r"(\d{1,3})\s*(?:轮|个回合|turns?\b|rounds?\b|exchanges?\b)", re.IGNORECASE)
_ITEMS = re.compile(
    r"(\d{1,4})\s*(?:条|组|段|份|道|篇|个(?:问|样|例|对|题)"
    r"|(?:[a-z]+ )?(?:sample|item|dialogue|conversation|pair|question|example)s?\b"
    r"|(?:[a-z]+ )?entr(?:y|ies)\b)",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"(?:\[(?:姓名|Name)\]\s*\n|(?:角色名|角色|姓名|名字|名称|扮演|\bname|\bcharacter)[^：:\n]{0,4}[：:]\s*)[「“《【\"]?"
    r"(?P<name>[A-Za-z\u4e00-\u9fa5·]{1,12}(?: [A-Z][a-z]{1,12})?)",
    re.IGNORECASE,
)
_WHO_ELSE = re.compile(
    r"(?:你是|扮演|You are )[「“]?(?P<name>[\u4e00-\u9fa5·]{2,5}|[A-Z][a-z]{1,12})[」”，。,.]"
)
_NO_NAMES = frozenset(("user", "assistant", "a", "an", "the"))
_NO_STARTS = ("一", "用户", "助手", "专家", "角色", "模型")


def language_of(text: str) -> Language:
    """`zh` when at least a tenth of the characters are Chinese."""
    wide = (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 2
    return "zh" if wide * 10 >= max(1, len(text)) else "en"


def kind_of(ask: Ask) -> str:
    """What kind of text a plain chat asks for."""
    kind = _kind_in(ask.system) or _kind_in(ask.last)
    if kind is None:
        return "character" if ask.system and len(ask.messages) > 1 else "answer"
    if kind == "user_more" and len(ask.messages) <= 1:
        return "user_open"
    return _ENDING.get(kind, kind) if _LAST.search(ask.system[-600:]) else kind


def wishes_of(ask: Ask, language: Language) -> Wishes:
    """Lengths and counts that the prompt asks for; the last message's go first."""
    last, system = _wishes_in(ask.last, language), _wishes_in(ask.system, language)
    return Wishes(
        length=last.length or system.length,
        turns=last.turns or system.turns,
        items=last.items or system.items,
    )


def who_of(ask: Ask) -> str:
    """The character's name in the prompt, or ""."""
    return _who_in(ask.system) or _who_in(ask.last)


def topic_of(ask: Ask, words: Pack, chance: float) -> int | None:
    """The topic that a talk is on, or that the prompt calls for; None: any.

    `chance` in [0, 1) decides whether a call is heeded; a talk's own topic always is.
    """
    talk = len(ask.messages) > 1 or (ask.mode == "text" and kind_of(ask).startswith("character"))
    said = "".join([text for _, text in ask.messages[-4:]]) if talk else ""
    if found := words.finder.findall(said[-600:]):
        places = [words.topic_of[one.lower()] for one in found]
        return max(places, key=places.count)
    found = words.finder.findall(ask.last[:400]) or _called(ask.system, words.language)
    if not found or chance >= 0.7:
        return None
    return words.topic_of[found[int(chance / 0.7 * len(found))].lower()]


# System prompts repeat from request to request: what they say is read once.


@lru_cache(maxsize=2048)
def _called(text: str, language: Language) -> list[str]:
    return pack(language).finder.findall(text[-800:])


@lru_cache(maxsize=2048)
def _kind_in(text: str) -> str | None:
    shown = _window(text)
    return next((kind for kind, pattern in _KINDS if pattern.search(shown)), None)


@lru_cache(maxsize=2048)
def _wishes_in(text: str, language: Language) -> Wishes:
    shown = _window(text)
    if not any(map(shown.__contains__, "0123456789")):
        return NO_WISHES
    turns = _TURNS.search(shown)
    items = _ITEMS.search(shown)
    return Wishes(
        length=_length(shown, language),
        turns=int(turns[1]) if turns and 0 < int(turns[1]) <= 200 else None,
        items=int(items[1]) if items and 0 < int(items[1]) <= 1000 else None,
    )


def _length(text: str, language: Language) -> tuple[int, int] | None:
    found = _LENGTH.search(text)
    if found is None:
        return None
    low = int(found["low"])
    high = int(found["high"] or low)
    if found["high"] is None:
        capped = found["cap2"] or _CAP.search(text[max(0, found.start() - 14) : found.start()])
        low, high = (low // 2, low) if capped else (low * 9 // 10, low * 23 // 20)
    letters = 5.6 if found["unit"].lower().startswith("word") and language == "en" else 1.0
    return min(20_000, int(low * letters)), min(24_000, max(4, int(high * letters)))


@lru_cache(maxsize=2048)
def _who_in(text: str) -> str:
    shown = _window(text)
    for pattern in (_WHO, _WHO_ELSE):
        found = pattern.search(shown)
        if found and not found["name"].startswith(_NO_STARTS):
            name = found["name"]
            return "" if name.lower() in _NO_NAMES else name
    return ""


def _window(text: str) -> str:
    return text if len(text) <= 2 * _WINDOW else f"{text[:_WINDOW]}\n{text[-_WINDOW:]}"


# ---------------------------------------------------------------- schemas in prompts

_MARKS = ("properties", "$ref", "$defs", "anyOf", "oneOf", "allOf", "items", "enum")


def schema_in(ask: Ask) -> Json:
    """The JSON Schema or example that the prompt shows; None: it asks for no JSON."""
    # JSON in what was said before is talk: the wish is in the system prompt or the last message.
    prompt = f"{ask.system}\n{ask.last}"
    if "json" not in prompt.lower() or ("{" not in prompt and "[" not in prompt):
        return None
    found = _values_in(prompt)
    schemas = [one for one in found if isinstance(one, dict) and _is_schema(one)]
    if schemas:
        return max(schemas, key=lambda one: len(str(one)))
    return like(max(found, key=lambda one: len(str(one)))) if found else None


def _is_schema(value: Mapping[str, Json]) -> bool:
    kind = value.get("type")
    typed = isinstance(kind, str | list) and kind in ("object", "array", "OBJECT", "ARRAY")
    return any(mark in value for mark in _MARKS) and (
        typed or "$schema" in value or "$ref" in value
    )


def _values_in(text: str) -> list[Json]:
    decoder = json.JSONDecoder()
    found: list[Json] = []
    place, tries = 0, 0
    for match in re.finditer(r"[{\[]", text):
        if match.start() < place or tries >= 60:
            continue
        tries += 1
        try:
            value, place = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if value:
            found.append(value)
    return found


def like(value: Json, depth: int = 0) -> Json:
    """The schema of values that look like an example."""
    if depth > 20:
        return {}
    if isinstance(value, dict):
        properties = {name: like(one, depth + 1) for name, one in value.items()}
        return {"type": "object", "properties": properties, "required": list(value)}
    if isinstance(value, list):
        items = like(value[0], depth + 1) if value else {"type": "string"}
        return {"type": "array", "items": items, "minItems": 1}
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": names.get(type(value), "null")}
