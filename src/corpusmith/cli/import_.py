"""`corpusmith import`: existing data into a dataset, and out again.

Owns: what is said. Does not own: reading, shapes, storing (the service).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import DONE, SHORTFALL, redacted
from corpusmith.cli.generate import task_number
from corpusmith.cli.out import either, number
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError
from corpusmith.messages import catalog

if TYPE_CHECKING:
    from corpusmith.readers.shapes import Detected
    from corpusmith.service.import_ratings import RowsRated
    from corpusmith.service.import_rows import Refused
    from corpusmith.service.imports import Imported, ImportPreview

app = group("")

PROGRESS_EVERY_S = 2.0


@command(app, "import")
def import_(
    ctx: typer.Context,
    file: Annotated[str | None, flags.argument("FILE", "import_file")] = None,
    dataset: Annotated[str | None, flags.option("--dataset", "import_dataset", "NAME")] = None,
    format: Annotated[str, flags.option("--format", "import_format", "auto|FORMAT")] = "auto",
    map: Annotated[list[str] | None, flags.option("--map", "import_map", "OURS=THEIRS")] = None,
    limit: Annotated[str | None, flags.option("--limit", "import_limit", "N")] = None,
    skip_duplicates: Annotated[bool, flags.option("--skip-duplicates", "skip_duplicates")] = False,
    name: Annotated[str | None, flags.option("--name", "task_name", "TEXT")] = None,
    dry_run: Annotated[bool, flags.option("--dry-run", "import_dry_run")] = False,
    undo: Annotated[str | None, flags.option("--undo", "import_undo", "TASK")] = None,
) -> None:
    """Imports, shows what it would import, or takes an import back."""
    session: Session = ctx.obj
    if undo is not None:
        _undo(session, undo)
        return
    if file is None:
        raise UsageError("cli_missing", name="FILE")
    if dataset is None and not dry_run:
        raise UsageError("cli_missing", name="--dataset")
    how: dict[str, Any] = {
        "format": format,
        "map": dict(_pair(text) for text in map or ()),
        "limit": None if limit is None else flags.whole_of(limit, "--limit", least=1),
    }
    with session.studio() as studio:
        if dry_run:
            preview = studio.imports.preview(file, dataset, **how)
            either(session, preview, lambda: _show_preview(session, preview))
            return
        show = _Progress(session)
        done = studio.imports.run(
            file, dataset or "", skip_duplicates=skip_duplicates, name=name, show=show, **how
        )
    either(session, done, lambda: _show_done(session, file, done))
    raise typer.Exit(SHORTFALL if done.refused else DONE)


def _pair(text: str) -> tuple[str, str]:
    """`instruction=prompt`: our field, and what the file calls it."""
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise UsageError("cli_map", text=text[:60])
    return ours, theirs


def _undo(session: Session, task: str) -> None:
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        count = studio.imports.undo(found)
    text = session.say("cli.import.undone", task=found.id, n=number(count))
    either(session, {"undone": found.id, "records": count}, lambda: print(text))


class _Progress:
    """A line on standard error now and then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._due_s = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, rows: int) -> None:
        if self._session.json or time.monotonic() < self._due_s:
            return
        self._due_s = time.monotonic() + PROGRESS_EVERY_S
        text = self._session.say("cli.import.progress", n=number(rows))
        print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- what is said


def _show_preview(session: Session, preview: ImportPreview) -> None:
    import orjson

    print(_detected_text(session, preview.file, preview.detected))
    for place, content in enumerate(preview.first, 1):
        text = orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str).decode()
        print(f"\n{session.say('cli.import.row', n=place)}\n{redacted(text)}")
    print()
    _show_ratings(session, preview.ratings)
    _show_refused(session, preview.refused, preview.refusals)
    if preview.already_there:
        print(session.say("cli.import.there", n=number(preview.already_there)))
    good = preview.rows - preview.refused
    print(session.say("cli.import.dry", n=number(good), rows=number(preview.rows)))


def _show_done(session: Session, file: str, done: Imported) -> None:
    print(_detected_text(session, file, done.detected))
    counts = {"n": number(done.imported), "rows": number(done.read), "dataset": done.dataset}
    print(session.say("cli.import.done", task=done.task_id, **counts))
    _show_ratings(session, done.ratings)
    if done.skipped:
        print(session.say("cli.import.skipped", n=number(done.skipped)))
    elif done.already_there:
        print(session.say("cli.import.there", n=number(done.already_there)))
    _show_refused(session, done.refused, done.refusals)
    if done.refused > len(done.refusals):
        print(session.say("cli.import.more", task=done.task_id))
    print(session.say("cli.import.undo", task=done.task_id))


def _detected_text(session: Session, file: str, found: Detected) -> str:
    """Which shape it is, and why."""
    data = {
        "file": file,
        "shape": found.shape,
        "looked": number(found.looked),
        "fitting": number(found.fitting),
        "keys": ", ".join(found.keys),
    }
    if found.keys:
        return session.say("cli.import.detected", **data)
    if found.near:
        why = reason_text(session, found.reason, found.detail)
        return session.say("cli.import.near", near=found.near, why=why, **data)
    key = "cli.import.rows" if found.shape == "rows" else "cli.import.asked"
    return session.say(key, **data)


def _show_ratings(session: Session, found: RowsRated) -> None:
    """Which field was taken for people's ratings, and how its words were read."""
    if not found.by:
        return
    counts = [f"{word} ({number(count)})" for word, count in found.words.items()]
    key = "rated_words" if counts else "rated"
    words = session.say("cli.comma").join(counts)
    told = {"field": found.by, "n": number(found.rated), "words": words}
    print(redacted(session.say(f"cli.import.{key}", **told)))
    if found.unread:
        print(session.say("cli.import.unrated", n=number(found.unread), field=found.by))


def _show_refused(session: Session, count: int, listed: Sequence[Refused]) -> None:
    if not count:
        return
    print(session.say("cli.import.refused", n=number(count)))
    for one in listed:
        why = reason_text(session, one.reason, one.detail)
        print(redacted(session.say("cli.import.line", line=one.line, why=why)))


def reason_text(session: Session, reason: str, detail: Any) -> str:
    """Why a row is refused, in words."""
    key = f"reason.{reason}"
    return session.say(key, **detail) if key in catalog(session.language) else reason
