"""The program `corpusmith`: the list of its commands, and its start.

Owns: the table. Does not own: any command (one module a group), what goes wrong (`errors.py`).
A new command is one new file and one line here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from corpusmith import __version__
from corpusmith.cli.command import Root
from corpusmith.cli.errors import PIPE_CLOSED, report
from corpusmith.cli.session import Session, language_wished, take_session
from corpusmith.errors import CorpusmithError

COMMANDS = {
    "demo": "demo:demo",
    "init": "starter:init",
    "run": "generate:run",
    "generate": "generate:generate",
    "preview": "generate:preview",
    "template": "template:template",
    "ratio": "template:ratio",
    "rounds": "rounds",
    "selfplay": "selfplay:selfplay",
    "feedback": "feedback:feedback",
    "evaluate": "evaluate:evaluate",
    "review": "review",
    "resume": "generate:resume",
    "tasks": "tasks",
    "report": "report:report",
    "check": "check:check",
    "export": "export:export",
    "push": "push:push",
    "import": "import_:import",
    "connections": "connections",
    "providers": "providers:providers",
    "characters": "characters",
    "scenarios": "scenarios",
    "templates": "templates",
    "domains": "domains",
    "rubrics": "rubrics",
    "datasets": "datasets",
    "users": "users",
    "tokens": "tokens",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "upgrade": "backup:upgrade",
    "journal": "journal",
    "settings": "settings",
    "serve": "serve:serve",
    "worker": "worker:worker",
    "simulate": "simulate:simulate",
    "doctor": "doctor:doctor",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; returns the exit code."""
    _open_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    _speak_any_text()
    try:
        session, rest = take_session(given)
    except CorpusmithError as error:
        return report(error, Session(language=language_wished(given)))
    if session.version:
        print(f"corpusmith {__version__}")
        return 0
    try:
        code = _run(rest, session)
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    return code


def _run(arguments: list[str], session: Session) -> int:
    try:
        code = Root("corpusmith", COMMANDS).main(
            arguments, prog_name="corpusmith", standalone_mode=False, obj=session
        )
    except BrokenPipeError:
        raise
    except SystemExit as ended:
        if ended.code == 1:  # Typer's way to say that the reader has gone
            raise BrokenPipeError from ended
        raise
    # Everything that can happen ends here, in one message: nobody is shown a traceback.
    except BaseException as error:  # noqa: BLE001
        return report(error, session)
    return code if isinstance(code, int) else 0


def _open_streams() -> None:
    """A stream that was closed (`<&-`) is an empty one: else Python has None in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  for good


def _speak_any_text() -> None:
    """Signs that the terminal's encoding lacks are shown as ?, and stop nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _pipe_closed() -> int:
    """Nobody reads any more (`| head`): end quietly, also when Python flushes at its own end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    return PIPE_CLOSED


if __name__ == "__main__":
    sys.exit(main())
