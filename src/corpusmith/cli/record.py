"""Shows a record of any job to a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from shutil import get_terminal_size

from corpusmith.cli.out import PIPE_COLUMNS
from corpusmith.cli.session import Session
from corpusmith.cli.widths import cut, harmless, width, wrap
from corpusmith.values import Json, Record

LEFT_MAX = 24


def show_record(session: Session, record: Record) -> None:
    """A dialogue as a talk, anything else as its fields; a simulated one says so."""
    content = record.content
    if isinstance(content, dict) and isinstance(content.get("dialogues"), list):
        _show_dialogue(session, record)
        return
    print(f"#{record.id}  {harmless(record.category)}{_mark(session, record)}")
    _show_rows(list(_fields(content)))


def _show_dialogue(session: Session, record: Record) -> None:
    """The labels, then one line a message, wrapped below itself."""
    content = record.content
    character = harmless(record.labels.get("character", ""))
    labels = session.say("cli.comma").join(content.get("scenario_labels", []))
    head = session.say("cli.dialogue.head", character=character, labels=labels)
    print(head + _mark(session, record))
    names = {"user": session.say("role.user"), "assistant": character or "assistant"}
    _show_rows(
        [
            (names.get(message["role"], message["role"]), message["content"])
            for message in content["dialogues"]
        ]
    )


def _mark(session: Session, record: Record) -> str:
    return session.say("cli.simulated") if record.provenance.get("simulated") else ""


def _fields(content: Json, name: str = "") -> Iterator[tuple[str, str]]:
    """(name, text) of every value; of lists of objects, each object's with its number."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _fields(value, f"{name}.{key}" if name else str(key))
    elif isinstance(content, list) and any(isinstance(one, dict) for one in content):
        for number, one in enumerate(content, 1):
            yield from _fields(one, f"{name} {number}")
    elif isinstance(content, str):
        yield name, content
    else:
        yield name, json.dumps(content, ensure_ascii=False)


def _show_rows(rows: list[tuple[str, str]]) -> None:
    """A name on the left, its text wrapped on the right."""
    names = [cut(harmless(name), LEFT_MAX) for name, _ in rows]
    left = max(map(width, names), default=0) + 2
    columns = min(get_terminal_size().columns, 100) if sys.stdout.isatty() else PIPE_COLUMNS
    for name, (_, text) in zip(names, rows, strict=True):
        first, *others = wrap(text, columns - left - 2)
        print(f"  {name}{' ' * (left - width(name))}{first}")
        for line in others:
            print(" " * (left + 2) + line)
