"""`corpusmith init`: a folder with a task file and a card to begin with.

Owns: writing them. Does not own: their texts (`presets/starter/`).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import either
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

app = group("")

CARDS = {"zh": "lin", "en": "nora"}


@command(app, "init")
def init(
    ctx: typer.Context,
    folder: Annotated[str, flags.argument("FOLDER", "init_folder")] = ".",
    force: Annotated[bool, flags.option("--force", "force")] = False,
) -> None:
    """Writes `task.yaml` and a card, ready for `corpusmith run`."""
    session: Session = ctx.obj
    presets = resources.files("corpusmith") / "presets"
    card = CARDS[session.language]
    contents = {
        "task.yaml": presets / "starter" / f"task.{session.language}.yaml",
        f"cards/{card}.json": presets / "characters" / session.language / f"{card}.json",
    }
    target = Path(folder)
    taken = [name for name in contents if (target / name).exists()]
    if taken and not force:
        raise UsageError("cli_file_exists", file=str(target / taken[0]))
    try:
        for name, source in contents.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.read_bytes())
    except OSError as error:
        raise UsageError("cannot_write", path=str(target), cause=error.strerror) from None
    either(session, {"files": list(contents)}, lambda: _say_files(session, target, list(contents)))


def _say_files(session: Session, target: Path, names: list[str]) -> None:
    print(session.say("cli.init.made"))
    for name in names:
        print(f"  {target / name}")
    print(session.say("cli.init.next", file=target / "task.yaml"))
