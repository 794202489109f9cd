"""What the command line says of a sample of datasets (`ratio`, `run`).

Owns: showing it, its exit code. Does not own: options, sampling (the service).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.cli.errors import DONE, SHORTFALL
from corpusmith.cli.out import number, show_json, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.errors import UsageError
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.sampling import Sampled
    from corpusmith.service.studio import Studio


def run_sampling(
    session: Session,
    studio: Studio,
    file: Mapping[str, Json] | str | Path,
    *,
    dry_run: bool = False,
    **fields: Any,
) -> int:
    """Samples and says what came of it; returns the exit code. `fields` replace the file's."""
    if session.json and fields.get("output") == "-":
        raise UsageError("cli_json_and_output")
    if dry_run:
        done = studio.sampling.preview(file, **fields)
    else:
        done = studio.sampling.run(file, **fields)
    say_sampled(session, done)
    return SHORTFALL if done.shortfalls else DONE


def say_sampled(session: Session, done: Sampled) -> None:
    """The shares, what is lacking, where it is."""
    if session.json:
        show_json({"sampled": done, "shortfalls": done.shortfalls})
        return
    stream = sys.stderr if str(done.output) == "-" else sys.stdout
    if stream is sys.stdout:
        headers = [session.say(f"column.{name}") for name in ("category", "wanted", "accepted")]
        rows = [
            (name, number(count), number(done.found[name])) for name, count in done.wanted.items()
        ]
        show_table(headers, rows, right=(1, 2))
    counts = {"n": number(done.counts.accepted), "total": number(done.counts.requested)}
    if done.task_id is None:
        tell(session.say("cli.sample.dry", **counts), stream)
    else:
        tell(
            session.say("cli.sample.done", task=done.task_id, into=_into(session, done), **counts),
            stream,
        )
    if done.shortfalls:
        tell(session.say("cli.sample.short"), stream)
    if done.output is not None and str(done.output) != "-":
        from corpusmith.cli.out import shown_path

        tell(session.say("cli.written", file=shown_path(done.output)), stream)


def _into(session: Session, done: Sampled) -> str:
    if done.dataset is None:
        return session.say("cli.sample.kept")
    return session.say("cli.sample.into", dataset=done.dataset)
