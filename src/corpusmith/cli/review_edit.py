"""Edits of a record in the user's editor: as JSON, or one of its texts as it is read.

Owns: the files and the editor. Does not own: saving (the service). An edit that cannot be saved,
because its JSON is broken or somebody else was quicker, stays in its file until it can.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from corpusmith.errors import UsageError
from corpusmith.service.review_content import texts_of, with_text
from corpusmith.values import Json, Record

USUAL_EDITOR = "notepad" if os.name == "nt" else "vi"


@dataclass(slots=True, kw_only=True)
class Draft:
    """An edit that is not saved yet."""

    file: Path
    content: Json
    """What was edited."""
    version: int
    """The version that it will take the place of."""
    number: int | None
    """Which of its texts; None: the whole as JSON."""


class Drafts:
    """The edits of one sitting, by record and text."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._open: dict[tuple[int, int | None], Draft] = {}

    def edit(self, record: Record, number: int | None) -> tuple[Draft, Json] | None:
        """The edit and the content that it makes; None: nothing was changed.

        `number`: which of the record's texts, from 1. Raises UsageError for broken JSON, an editor
        that cannot be started, a text that is not there; what was typed is kept.
        """
        draft = self._draft(record, number)
        before = draft.file.read_text("utf-8")
        run_editor(draft.file)
        text = _read(draft.file)
        content = _content(draft, text)
        if content == draft.content and text == before:
            self.close(record.id, number)
            return None
        return draft, content

    def close(self, record_id: int, number: int | None) -> None:
        """An edit is saved, or given up."""
        draft = self._open.pop((record_id, number), None)
        if draft is not None:
            draft.file.unlink(missing_ok=True)

    def end(self) -> list[Path]:
        """The files of edits that were not saved; without any, nothing is left behind."""
        if self._folder is not None and not self._open:
            shutil.rmtree(self._folder, ignore_errors=True)
        return [draft.file for draft in self._open.values()]

    def _draft(self, record: Record, number: int | None) -> Draft:
        key = (record.id, number)
        if key not in self._open:
            text = _text(record.content, number)
            if self._folder is None:
                # Only its owner may look into it: records may be private.
                self._folder = Path(tempfile.mkdtemp(prefix="corpusmith-review-"))
            name = (
                f"record-{record.id}.json" if number is None else f"record-{record.id}-{number}.txt"
            )
            file = self._folder / name
            file.write_text(text, "utf-8")
            self._open[key] = Draft(
                file=file, content=record.content, version=record.version, number=number
            )
        return self._open[key]


def run_editor(file: Path) -> None:
    """Opens a file in VISUAL, EDITOR or the system's own editor, and waits. Raises UsageError."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or USUAL_EDITOR
    try:
        done = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603  theirs
    except (OSError, ValueError) as error:
        raise UsageError("review_editor", editor=editor[:100], problem=str(error)[:200]) from None
    if done.returncode:
        raise UsageError("review_editor_failed", editor=editor[:100], status=done.returncode)


def parsed(text: str, file: str) -> Json:
    """A content as JSON. Raises UsageError saying where it is broken."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise UsageError(
            "review_json", file=file, line=error.lineno, column=error.colno, problem=error.msg
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "review_json", file=file, line=1, column=1, problem=str(error)[:100]
        ) from None


def _no_constant(name: str) -> Json:
    raise ValueError(name)


def _text(content: Json, number: int | None) -> str:
    if number is None:
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    texts = texts_of(content)
    if not 1 <= number <= len(texts):
        raise UsageError("review_no_text", number=number, count=len(texts))
    return texts[number - 1].text


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError("file_not_text", file=str(file)) from None
    except OSError as error:
        raise UsageError("file_unreadable", file=str(file), problem=error.strerror) from None


def _content(draft: Draft, text: str) -> Json:
    if draft.number is None:
        return parsed(text, str(draft.file))
    old = texts_of(draft.content)[draft.number - 1]
    # An editor ends its last line; the text did not.
    if text.endswith("\n") and not old.text.endswith("\n"):
        text = text[:-1]
    return with_text(draft.content, old.path, text)
