"""Shows a dialogue record to a person."""

from __future__ import annotations

import sys
from shutil import get_terminal_size

from corpusmith.cli.out import PIPE_COLUMNS
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless, width, wrap
from corpusmith.values import Record


def show_dialogue(session: Session, record: Record) -> None:
    """The labels, then one line a message, wrapped below itself."""
    content = record.content
    character = harmless(record.labels.get("character", ""))
    labels = session.say("cli.comma").join(content.get("scenario_labels", []))
    mark = session.say("cli.simulated") if record.provenance.get("simulated") else ""
    print(session.say("cli.dialogue.head", character=character, labels=labels) + mark)
    names = {"user": session.say("role.user"), "assistant": character or "assistant"}
    left = max(width(name) for name in names.values()) + 2
    columns = min(get_terminal_size().columns, 100) if sys.stdout.isatty() else PIPE_COLUMNS
    for message in content.get("dialogues", []):
        name = names.get(message["role"], message["role"])
        first, *others = wrap(message["content"], columns - left - 2)
        print(f"  {name}{' ' * (left - width(name))}{first}")
        for line in others:
            print(" " * (left + 2) + line)
