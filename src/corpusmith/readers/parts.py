"""Parts of a row: texts, lists and chats under whatever names files give them.

Owns: what a part may look like, and what is wrong when it does not.
Does not own: which parts make a shape (`shapes.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from corpusmith.values import Json

Row = Mapping[str, Json]

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bing", "bard", "model", "bot"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function"), "tool"),
    **dict.fromkeys(("system", "developer", "function_call"), ""),
}
"""A speaker's name in files -> the role here; empty: the same."""


class Misfit(Exception):
    """A row that does not fit a shape. `reason` is a stable code: `row_missing`, `row_empty`,
    `row_text`, `row_list`, `row_role`, `row_order`, `row_label`, `row_pair`."""

    def __init__(self, reason: str, **detail: Json) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail: dict[str, Json] = detail


def text_of(row: Row, key: str, *, empty: bool = False) -> str:
    """The text under `key`; `empty`: it may be blank or lacking. Raises Misfit."""
    value = row.get(key)
    if value is None and not empty:
        raise Misfit("row_missing", key=key)
    text = "" if value is None else value
    if not isinstance(text, str):
        raise Misfit("row_text", key=key)
    if not empty and not text.strip():
        raise Misfit("row_empty", key=key)
    return text


def list_of(row: Row, key: str) -> list[Json]:
    """The list under `key`, also as JSON text (a cell of a CSV). Raises Misfit."""
    value = unpacked(row.get(key))
    if not isinstance(value, list):
        raise Misfit("row_missing" if value is None else "row_list", key=key)
    if not value:
        raise Misfit("row_empty", key=key)
    return value


def unpacked(value: Json) -> Json:
    """JSON text of a list or object as its value; all else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def rest_of(row: Row, *taken: str) -> dict[str, Json]:
    return {key: value for key, value in row.items() if key not in taken}


def chat_of(turns: Iterable[Json], key: str) -> list[dict[str, Json]]:
    """Messages as `{role, content}`, whatever names they had. Raises Misfit."""
    return [message for at, one in enumerate(turns) for message in _messages(one, key, at)]


def _messages(one: Json, key: str, at: int) -> list[dict[str, Json]]:
    """One entry of a chat; `{"human": …, "assistant": …}` holds two."""
    if not isinstance(one, Mapping):
        raise Misfit("row_text", key=f"{key}.{at}")
    if "human" in one and "assistant" in one:
        return [
            {"role": role, "content": text_of(one, name)}
            for name, role in (("human", "user"), ("assistant", "assistant"))
        ]
    role = one.get("role", one.get("from"))
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise Misfit("row_role", role=str(role)[:60], at=at + 1)
    content = one.get("content", one.get("value"))
    others = rest_of(one, "role", "from", "content", "value")
    return [
        {
            "role": ROLES[role.lower()] or role.lower(),
            "content": _content(content, f"{key}.{at}", may_lack=bool(others.get("tool_calls"))),
            **others,
        }
    ]


def _content(value: Json, key: str, *, may_lack: bool = False) -> str:
    """A message's text; parts of text are joined. Raises Misfit for a picture or a sound."""
    if value is None and may_lack:
        return ""
    if isinstance(value, list) and all(
        isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    if not isinstance(value, str):
        raise Misfit("row_text", key=key)
    return value


_PROMPTS = (("messages",), ("conversations",), ("instruction", "input"), ("prompt",))


def prompt_keys(row: Row) -> tuple[str, ...]:
    """The fields that `prompt_of` reads; empty: there is none."""
    return next((keys for keys in _PROMPTS if keys[0] in row), ())


def prompt_of(row: Row) -> list[dict[str, Json]]:
    """The messages before the answer: `messages`, `conversations`, `prompt` or `instruction`."""
    for key in ("messages", "conversations"):
        if key in row:
            return with_system(row, chat_of(list_of(row, key), key))
    if "instruction" in row:
        parts = (text_of(row, "instruction"), text_of(row, "input", empty=True))
        asked = {"role": "user", "content": "\n".join(part for part in parts if part)}
        return with_system(row, [asked])
    prompt = unpacked(row.get("prompt"))
    if isinstance(prompt, list):
        return with_system(row, chat_of(list_of(row, "prompt"), "prompt"))
    return with_system(row, [{"role": "user", "content": text_of(row, "prompt")}])


def with_system(row: Row, chat: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """`chat` with the row's `system` text in front, unless it starts with one."""
    system = row.get("system")
    if not isinstance(system, str) or not system.strip() or chat[0]["role"] == "system":
        return chat
    return [{"role": "system", "content": system}, *chat]


def answer_of(row: Row, key: str) -> list[dict[str, Json]]:
    """The answer under `key`, as messages: a text, one message, or several."""
    value = unpacked(row.get(key))
    if isinstance(value, Mapping):
        return chat_of([value], key)
    if isinstance(value, list):
        return chat_of(list_of(row, key), key)
    return [{"role": "assistant", "content": text_of(row, key)}]
