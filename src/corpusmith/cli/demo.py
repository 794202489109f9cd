"""`corpusmith demo`: the main job once, small and whole.

Owns: the choice of what is made. Does not own: how a task is driven (`running.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.task_file import EndpointPart

app = group("")

DATASET = "demo"
FOLDER = "corpusmith-demo"
SINGLE, TURNS = 24, 6
SIMULATED_LATENCY_MS = 120.0
"""Slow enough to see progress, quick enough for a demo."""


@command(app, "demo")
def demo(
    ctx: typer.Context,
    output_dir: Annotated[str, flags.option("--output-dir", "demo_dir", "FOLDER")] = FOLDER,
) -> None:
    """Makes a small dataset and files from it."""
    from corpusmith.cli.record import show_record

    session: Session = ctx.obj
    with session.studio() as studio, _endpoint(session, studio) as simulated:
        for fields in _tasks(session, studio):
            code = _run(session, studio, simulated, fields)
            if code:
                raise typer.Exit(code)
        files = _export(studio, Path(output_dir))
        if session.json:
            return
        print()
        for record in studio.tasks.first(studio.tasks.last(), 1):
            show_record(session, record)
        _say_end(session, files, simulated=simulated is not None)


def _tasks(session: Session, studio: Studio) -> list[dict[str, object]]:
    characters = [one.name for one in studio.characters.shipped(session.language)]
    scenarios = {one.name: one.weight for one in studio.scenarios.shipped(session.language)}
    same = {
        "characters": characters,
        "scenarios": scenarios,
        "dataset": DATASET,
        "language": session.language,
        "turns": 3,
    }
    return [
        {**same, "mode": "single", "count": SINGLE, "name": session.say("cli.demo.single")},
        {**same, "mode": "turns", "count": TURNS, "name": session.say("cli.demo.turns")},
    ]


@contextmanager
def _endpoint(session: Session, studio: Studio) -> Iterator[EndpointPart | None]:
    """The simulator, if it is needed; None: a task finds an endpoint by itself."""
    from corpusmith.service.endpoints import unnamed_connection
    from corpusmith.service.simulating import simulated_endpoint

    real = unnamed_connection(studio.store)
    if real is not None:
        _say(session, "cli.demo.real", url=real.base_url)
        yield None
        return
    _say(session, "cli.demo.simulated")
    with simulated_endpoint(SIMULATED_LATENCY_MS) as endpoint:
        yield endpoint


def _say(session: Session, key: str, **data: object) -> None:
    if not session.json:
        tell(session.say(key, **data), sys.stderr)


def _run(
    session: Session, studio: Studio, simulated: EndpointPart | None, fields: dict[str, object]
) -> int:
    from corpusmith.cli.running import create_and_drive
    from corpusmith.service.task_file import task_file

    connection = {"connection": simulated.model_dump(exclude_unset=True)} if simulated else {}
    file = task_file({**fields, **connection}, source="corpusmith demo")
    return create_and_drive(session, studio, file, yes=True)


def _export(studio: Studio, folder: Path) -> list[Path]:
    files = {"json": folder / "dialogues.json", "messages": folder / "messages.jsonl"}
    for form, path in files.items():
        studio.exports.write(path, dataset=DATASET, form=form)
    return list(files.values())


def _say_end(session: Session, files: list[Path], *, simulated: bool) -> None:
    from corpusmith.cli.out import shown_path

    print()
    print(session.say("cli.demo.dataset", dataset=DATASET))
    for path in files:
        print(f"  {shown_path(path.absolute())}")
    print()
    tell(session.say("cli.demo.next_simulated" if simulated else "cli.demo.next"), sys.stdout)
