"""The two kinds of places in texts: `{place}` in our own, `{{char}}` and `{{user}}` in cards.

Owns: filling them once, and reading example dialogues written with them.
Does not own: the texts. Nothing here uses `str.format`, and no value is ever expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from corpusmith.values import Message, Role

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_NAME = re.compile(r"\{\{\s*(char|user)\s*\}\}|<(user|bot)>", re.IGNORECASE)
_START = re.compile(r"<START>", re.IGNORECASE)


def fill(text: str, /, **values: object) -> str:
    """`text` with each `{place}` put in from `values`. Raises KeyError for a place without one.

    Braces that do not hold a lower-case identifier, such as those of JSON, stay as they are.
    """
    return _PLACE.sub(lambda match: str(values[match[1]]), text)


def places(text: str) -> frozenset[str]:
    """The names of all places in `text`."""
    return frozenset(_PLACE.findall(text))


def fill_names(text: str, char: str, user: str) -> str:
    """`text` with `{{char}}`, `<BOT>` as `char` and `{{user}}`, `<USER>` as `user`, in any case."""
    if "{{" not in text and "<" not in text:
        return text
    return _NAME.sub(lambda m: user if (m[1] or m[2]).lower() == "user" else char, text)


def example_turns(mes_example: str, char: str, user: str) -> list[list[Message]]:
    """The dialogues of a card's examples, split at `<START>`; empty ones are left out.

    A line that begins with a speaker's name and a colon starts a message; other lines belong to
    the message before. Words before the first speaker are dropped: nobody says them.
    """
    speaker = re.compile(
        rf"[ \t]*(?:({_alternatives('{{user}}', '<user>', user)})"
        rf"|({_alternatives('{{char}}', '<bot>', char)}))[ \t]*[:：][ \t]?(.*)",
        re.IGNORECASE,
    )
    blocks = (_messages(block, speaker, char, user) for block in _START.split(mes_example))
    return [block for block in blocks if block]


def example_text(dialogues: Iterable[Sequence[Message]]) -> str:
    """Dialogues in a card's own notation, which `example_turns` reads back."""
    mark = {"user": "{{user}}", "assistant": "{{char}}"}
    lines: list[str] = []
    for dialogue in dialogues:
        lines.append("<START>")
        lines += [f"{mark[one.role]}: {one.content}" for one in dialogue]
    return "\n".join(lines)


def _alternatives(*names: str) -> str:
    return "|".join(re.escape(name) for name in names if name)


def _messages(block: str, speaker: re.Pattern[str], char: str, user: str) -> list[Message]:
    spoken: list[tuple[Role, list[str]]] = []
    for line in block.replace("\r\n", "\n").split("\n"):
        if match := speaker.fullmatch(line):
            spoken.append(("assistant" if match[1] is None else "user", [match[3]]))
        elif spoken:
            spoken[-1][1].append(line)
    texts = ((role, "\n".join(lines).strip()) for role, lines in spoken)
    return [Message(role, fill_names(text, char, user)) for role, text in texts if text]
