"""What the dialogue recipe says to its models.

Owns: which text stands where, and whose view of the talk a model gets.
Does not own: the texts (`presets/prompts/dialogue.<language>.md`), or when a model is asked
(`dialogue.py`). Pure: the same arguments give the same messages.

A card's text is data. It stands between tags that occur nowhere in it, and no instruction of
ours repeats a word of it outside them, so it can neither end its frame nor speak from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from corpusmith.nouns import Character, Scenario
from corpusmith.placeholders import fill, fill_names
from corpusmith.presets.load import prompts
from corpusmith.values import Language, Message, Schema

Pick = Mapping[str, str]
"""One entry of each variation list, by the list's name."""

_CARD = (
    "name",
    "description",
    "personality",
    "background",
    "speaking_style",
    "system_prompt",
    "greeting",
    "example_dialogues",
)
_VIEWS = {
    "single": ("character_card", _CARD),
    "persona": ("character_card", _CARD),
    "person": ("person", ("name", "description")),
}
"""Who reads the card: the tag it stands in, and the fields that this reader may know."""

_START = re.compile(r"<START>", re.IGNORECASE)
_MAX_FRAMES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What every prompt of one character in one scenario has in common."""

    single: Message
    person: str
    persona: str
    scenario: str


def single(
    character: Character,
    scenario: Scenario,
    picks: Sequence[Pick],
    turns: int,
    language: Language,
) -> list[Message]:
    """Asks for `len(picks)` whole dialogues in one reply of the shape `dialogue_schema`."""
    texts = prompts("dialogue", language)
    items = [
        fill(texts["single_item"], number=number, picks=_pick_lines(pick, language))
        for number, pick in enumerate(picks, 1)
    ]
    request = texts["single_request_one" if len(picks) == 1 else "single_request_many"]
    task = fill(request, count=len(picks), turns=turns, dialogues="\n\n".join(items))
    return [_frame(character, scenario, turns, language).single, Message("user", task)]


def user_turn(
    character: Character,
    scenario: Scenario,
    pick: Pick,
    turns: int,
    language: Language,
    history: Sequence[Message],
) -> list[Message]:
    """Asks the user's model for its next message; an empty `history` opens the talk.

    Its own lines are the assistant's here, the character's are the user's.
    """
    texts = prompts("dialogue", language)
    frame = _frame(character, scenario, turns, language)
    turn = len(history) // 2 + 1
    system = fill(
        texts["user_system"],
        person=frame.person,
        scenario=frame.scenario,
        picks=_pick_lines(pick, language),
        stage=fill(texts[_stage(turn, turns)], turn=turn, turns=turns),
    )
    # Anthropic and many chat templates want the first message after the system's to be the
    # user's, and strict alternation after it: the cue takes that place.
    return [Message("system", system), Message("user", texts["user_cue"]), *_flipped(history)]


def character_turn(
    character: Character,
    scenario: Scenario,
    pick: Pick,
    turns: int,
    language: Language,
    history: Sequence[Message],
) -> list[Message]:
    """Asks the character's model for its reply to `history`, which ends with the user's line.

    Of the pick it learns only what both can see: the user's heart is the user's own.
    """
    texts = prompts("dialogue", language)
    frame = _frame(character, scenario, turns, language)
    system = fill(
        texts["character_system"],
        persona=frame.persona,
        scenario=frame.scenario,
        occasion=pick.get("occasion", texts["unset"]),
        length=pick.get("length", texts["unset"]),
    )
    if len(history) // 2 + 1 >= turns:
        system += "\n" + texts["character_last"]
    return [Message("system", system), *history]


def system_prompt(character: Character, language: Language) -> str:
    """The persona as a system prompt: what a model is told that plays it, or learns to."""
    card = _card("persona", character, language)
    return fill(prompts("dialogue", language)["persona"], card=card)


@lru_cache
def dialogue_schema(turns: int, k: int) -> Schema:
    """The shape of `single`'s reply: exactly `k` dialogues of exactly `turns` turns."""
    line = {"type": "string", "minLength": 1}
    turn = _record(user=line, assistant=line)
    dialogue = _record(turns=_list(turn, turns))
    return Schema(name=f"dialogues_{k}x{turns}", body=_record(dialogues=_list(dialogue, k)))


def _record(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: object, count: int) -> dict[str, object]:
    return {"type": "array", "items": items, "minItems": count, "maxItems": count}


_frames: dict[tuple[int, int, int, Language], tuple[Character, Scenario, _Frame]] = {}


def _frame(character: Character, scenario: Scenario, turns: int, language: Language) -> _Frame:
    """The frame of these very objects, built once.

    By identity: a character has no cheap hash (its card is a dict), and hashing a long card for
    every prompt would cost more than the prompt. The entry holds both objects, so an id cannot
    come to stand for another one.
    """
    key = (id(character), id(scenario), turns, language)
    found = _frames.get(key)
    if found is None:
        if len(_frames) >= _MAX_FRAMES:
            _frames.clear()
        found = _frames[key] = (character, scenario, _build(character, scenario, turns, language))
    return found[2]


def _build(character: Character, scenario: Scenario, turns: int, language: Language) -> _Frame:
    texts = prompts("dialogue", language)
    told = f"{scenario.name}\n{scenario.description}".strip()
    # Scenarios speak of "the user" for every reader; people who know cards write {{user}} here too.
    told = fill_names(told, character.name, texts["user_name.single"])
    situation = _between("scenario", told)
    card = _card("single", character, language)
    text = fill(texts["single_system"], card=card, scenario=situation, turns=turns)
    return _Frame(
        single=Message("system", text),
        person=_card("person", character, language),
        persona=system_prompt(character, language),
        scenario=situation,
    )


def _card(view: str, character: Character, language: Language) -> str:
    """The card for one reader: each filled field under its label, between tags."""
    texts = prompts("dialogue", language)
    tag, fields = _VIEWS[view]
    shown = ((field, _shown(field, getattr(character, field))) for field in fields)
    parts = [f"[{texts['card.' + field]}]\n{text}" for field, text in shown if text.strip()]
    user = texts["user_name." + view]
    return _between(tag, fill_names("\n\n".join(parts), character.name, user))


def _shown(field: str, text: str) -> str:
    """A field without the marks that are meant for programs."""
    if field == "system_prompt":
        # A V2 card may say where a frontend's own prompt goes; ours stands around it already.
        return text.replace("{{original}}", "")
    return _START.sub("* * *", text) if field == "example_dialogues" else text


def _between(tag: str, text: str) -> str:
    """`text` between tags whose name does not occur in it."""
    name, number, low = tag, 1, text.lower()
    while name in low:
        number += 1
        name = f"{tag}_{number}"
    return f"<{name}>\n{text}\n</{name}>"


def _pick_lines(pick: Pick, language: Language) -> str:
    labels = _pick_labels(language)
    separator = "：" if language == "zh" else ": "
    return "\n".join(
        f"- {labels.get(name, name)}{separator}{entry}" for name, entry in pick.items()
    )


@cache
def _pick_labels(language: Language) -> dict[str, str]:
    texts = prompts("dialogue", language)
    return {
        name.removeprefix("pick."): text for name, text in texts.items() if name.startswith("pick.")
    }


def _stage(turn: int, turns: int) -> str:
    if turns == 1:
        return "user_stage_only"
    if turn == 1:
        return "user_stage_first"
    return "user_stage_last" if turn >= turns else "user_stage_middle"


def _flipped(history: Sequence[Message]) -> list[Message]:
    return [replace(one, role="assistant" if one.role == "user" else "user") for one in history]
