"""`corpusmith worker`: runs queued tasks until it is told to stop.

Owns: signals, and lines about what it does. Does not own: the work (`service/worker.py`).
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import show_event
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.worker import Worker

app = group("")

AtOnce = Annotated[str, flags.option("--tasks-at-once", "tasks_at_once", "N", "serve")]


@command(app, "worker")
def worker(
    ctx: typer.Context,
    tasks_at_once: AtOnce = "4",
    watched: Annotated[bool, flags.option("--watched", "watched", panel="serve")] = False,
) -> None:
    """Until SIGINT or SIGTERM; a second one does not wait for calls in flight."""
    from corpusmith.service import loop

    session: Session = ctx.obj
    at_once = flags.whole_of(tasks_at_once, "--tasks-at-once", least=1)
    with session.studio() as studio:
        loop.run(_work(session, studio, at_once, watched=watched))


async def _work(session: Session, studio: Studio, at_once: int, *, watched: bool) -> None:
    from corpusmith.cli.running import handled
    from corpusmith.service.worker import Worker

    def told(event: str, task_id: int) -> None:
        if session.json:
            show_event(event, task=task_id)
        elif not watched:
            status = session.say(f"status.{studio.tasks.get(task_id).status}")
            text = session.say(f"cli.worker.{event}", task=task_id, status=status)
            tell(text, sys.stderr)

    worker = Worker(studio, tasks_at_once=at_once, told=told)
    if watched:
        _watch_parent(worker)
    elif not session.json:
        tell(session.say("cli.worker.ready", n=at_once), sys.stderr)
    with handled(worker.stop):
        await worker.run()


def _watch_parent(worker: Worker) -> None:
    """Stop when the server that started us is gone, however it went: its end of the pipe is."""
    running = asyncio.get_running_loop()

    def wait() -> None:
        # Not by `sys.stdin`: a thread that holds it at the end of a program breaks that end.
        while os.read(0, 1024):
            pass
        running.call_soon_threadsafe(worker.stop)

    threading.Thread(target=wait, name="corpusmith-parent", daemon=True).start()
