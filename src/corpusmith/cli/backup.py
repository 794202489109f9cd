"""`corpusmith backup`, `restore`, `upgrade`: everything in one file, and back."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import SHORTFALL
from corpusmith.cli.out import either, number, span
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell

if TYPE_CHECKING:
    from corpusmith.service.backups import Backup, Manifest
    from corpusmith.service.restoring import Restored, Upgrade

app = group("")

TERMINAL_EVERY_S, PLAIN_EVERY_S = 0.2, 10.0


@command(app, "backup")
def backup(
    ctx: typer.Context,
    file: Annotated[str, flags.argument("FILE", "backup_file")],
    with_key: Annotated[bool, flags.option("--with-key", "with_key")] = False,
) -> None:
    """A consistent look at everything, also while tasks run."""
    from corpusmith.config import database_url
    from corpusmith.service import backups
    from corpusmith.store.open import open_as_it_is

    session: Session = ctx.obj
    show = _Progress(session)
    database = open_as_it_is(database_url(session.db))
    try:
        made = backups.backup(
            database, Path(file), with_key=with_key, show=lambda done, all: show("save", done, all)
        )
    finally:
        show.clear()
        database.close()
    either(session, _json(made), lambda: _tell_backup(session, made))
    _warn_of_key(session, made.manifest)


@command(app, "restore")
def restore(
    ctx: typer.Context,
    file: Annotated[str, flags.argument("FILE", "backup_file")],
    force: Annotated[bool, flags.option("--force", "restore_force")] = False,
) -> None:
    """In the place of the database: all or nothing."""
    from corpusmith.service import restoring

    session: Session = ctx.obj
    show = _Progress(session)
    try:
        done = restoring.restore(session.db, Path(file), force=force, show=show)
    finally:
        show.clear()
    either(session, done, lambda: _tell_restored(session, done))
    if done.key in ("left_out", "environment"):
        tell(session.say(f"cli.restore.key.{'there' if done.key_there else 'missing'}"), sys.stderr)


@command(app, "upgrade")
def upgrade(
    ctx: typer.Context,
    check: Annotated[bool, flags.option("--check", "upgrade_check")] = False,
    file: Annotated[str | None, flags.option("--backup", "upgrade_backup", "FILE")] = None,
    no_backup: Annotated[bool, flags.option("--no-backup", "upgrade_no_backup")] = False,
) -> None:
    """The tables of an older version become this version's."""
    from corpusmith.service import restoring

    session: Session = ctx.obj
    show = _Progress(session)
    target = None if file is None else Path(file)
    try:
        found = restoring.upgrade(
            session.db, check=check, save=not no_backup, file=target, show=show
        )
    finally:
        show.clear()
    shown = {
        **{"before": found.before, "after": found.after},
        **{"waiting": found.waiting, "done": found.done},
        "backup": None if found.backup is None else str(found.backup.file),
    }
    either(session, shown, lambda: _tell_upgrade(session, found))
    if check and found.waiting:
        raise typer.Exit(SHORTFALL)


# ---------------------------------------------------------------- what is said


def _tell_backup(session: Session, made: Backup) -> None:
    manifest = made.manifest
    said = session.say(
        "cli.backup.done",
        file=str(made.file),
        size=size_text(made.bytes),
        rows=number(manifest.rows),
        uploads=number(manifest.uploads),
        time=span(made.seconds, session.language),
    )
    tell(said, sys.stdout)


def _warn_of_key(session: Session, manifest: Manifest) -> None:
    if manifest.key != "none":
        tell(session.say(f"cli.backup.key.{manifest.key}"), sys.stderr)


def _tell_restored(session: Session, done: Restored) -> None:
    facts = {"rows": number(done.rows), "uploads": number(done.uploads)}
    facts |= {"version": done.from_version, "at": done.created_at}
    tell(session.say("cli.restore.done", **facts), sys.stdout)
    for place in filter(None, (done.aside, done.key_aside)):
        tell(session.say("cli.restore.aside", place=place), sys.stdout)


def _tell_upgrade(session: Session, found: Upgrade) -> None:
    facts = {"before": found.before or "–", "after": found.after, "n": number(found.waiting)}
    if not found.waiting:
        tell(session.say("cli.upgrade.none", **facts), sys.stdout)
        return
    tell(session.say(f"cli.upgrade.{'done' if found.done else 'waiting'}", **facts), sys.stdout)
    if found.backup is not None:
        tell(session.say("cli.upgrade.backup", file=str(found.backup.file)), sys.stdout)


def _json(made: Backup) -> dict[str, Any]:
    manifest = made.manifest
    return {
        "file": str(made.file),
        "bytes": made.bytes,
        "seconds": round(made.seconds, 3),
        "revision": manifest.revision,
        "database": manifest.database,
        "rows": {one.about: one.rows for one in manifest.members if one.kind == "table"},
        "uploads": manifest.uploads,
        "key": manifest.key,
    }


def size_text(size: int) -> str:
    """`12.3 MB`"""
    for unit, bits in (("GB", 30), ("MB", 20), ("KB", 10)):
        if size >= 1 << bits:
            return f"{size / (1 << bits):,.1f} {unit}"
    return f"{size} B"


class _Progress:
    """How far it is, how fast and how long still: one line that is written over on a terminal."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._live = sys.stderr.isatty() and not session.json
        self._step, self._began_s, self._due_s = "", 0.0, 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if step != self._step:
            self._step, self._began_s = step, now_s
            self._due_s = now_s + (TERMINAL_EVERY_S if self._live else PLAIN_EVERY_S)
        if self._session.json or now_s < self._due_s or not done:
            return
        self._due_s = now_s + (TERMINAL_EVERY_S if self._live else PLAIN_EVERY_S)
        text = self._text(done, total, now_s - self._began_s)
        line, end = (f"\r\x1b[K{text}", "") if self._live else (text, "\n")
        print(line, end=end, file=sys.stderr, flush=True)

    def _text(self, done: int, total: int, elapsed_s: float) -> str:
        rate = done / elapsed_s
        shown = size_text if self._step == "check" else number
        return self._session.say(
            f"cli.backup.progress.{self._step}",
            done=shown(done),
            total=shown(total),
            rate=shown(int(rate)),
            left=span((total - done) / rate, self._session.language),
        )

    def clear(self) -> None:
        """Take the line away."""
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
