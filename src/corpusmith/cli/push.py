"""`corpusmith push`: a dataset onto a Hugging Face hub.

Owns: its options, the progress, what is said. Does not own: the folder and the upload (the
service), the options that it shares with `export`.
"""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import DONE, SHORTFALL
from corpusmith.cli.export import FOLDER, PARTS, ROWS, show_left_out, wanted, warn
from corpusmith.cli.making import sign
from corpusmith.cli.out import number, show_json
from corpusmith.cli.selecting import SELECTION
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.errors import UsageError

app = group("")

PROGRESS_EVERY_S = 1.0
_MB = 1_000_000

_HUB: dict[str, Any] = {
    "repo": Annotated[str | None, flags.option("--repo", "push_repo", "USER/NAME", "hub")],
    "private": Annotated[bool, flags.option("--private", "push_private", panel="hub")],
    "branch": Annotated[str | None, flags.option("--branch", "push_branch", "NAME", "hub")],
    "token_env": Annotated[
        str | None, flags.option("--token-env", "push_token_env", "VARIABLE", "hub")
    ],
    "endpoint": Annotated[str | None, flags.option("--endpoint", "push_endpoint", "URL", "hub")],
    "message": Annotated[str | None, flags.option("--message", "push_message", "TEXT", "hub")],
}
_DATASET: dict[str, Any] = {
    "dataset": Annotated[str | None, flags.argument("DATASET", "push_dataset")],
    "task": Annotated[str | None, flags.option("--task", "export_task", "N", "selection")],
}


def push(ctx: typer.Context, **given: Any) -> None:
    """Uploads everything in one commit, or nothing."""
    session: Session = ctx.obj
    if given["repo"] is None:
        raise UsageError("cli_missing", name="--repo")
    hub = {
        name: given[name] for name in _HUB if name != "repo" and given[name] not in (None, False)
    }
    with session.studio() as studio:
        done = studio.exports.push(given["repo"], show=_Progress(session), **hub, **wanted(given))
    export = done.export
    if session.json:
        show_json(done)
    else:
        counts = {"n": number(export.records), "rows": number(export.rows)}
        lines = [session.say("cli.push.done", repo=done.repo, branch=done.branch, **counts)]
        lines += [session.say("cli.push.removed", file=name) for name in done.removed]
        lines.append(session.say("cli.push.commit", commit=done.commit, url=done.url))
        tell("\n".join([*lines, *show_left_out(session, export)]), sys.stdout)
    warn(session, export)
    raise typer.Exit(SHORTFALL if export.refused or export.short else DONE)


class _Progress:
    """A line on standard error now and then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._due_s = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, sent: int, total: int) -> None:
        now = time.monotonic()
        if self._session.json or (now < self._due_s and sent < total):
            return
        self._due_s = now + PROGRESS_EVERY_S
        sizes = {"sent": f"{sent / _MB:,.1f}", "total": f"{total / _MB:,.1f}"}
        print(self._session.say("cli.push.progress", **sizes), file=sys.stderr, flush=True)


sign(push, {**_DATASET, **_HUB, **SELECTION, **ROWS, **PARTS, **FOLDER})
command(app, "push")(push)
