"""`corpusmith run` of a chain: its steps one after the other.

Owns: what is said of a chain. Does not own: which steps there are to do (the service), a task's own
life on the terminal (`running.py`).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.cli.errors import DONE, INTERRUPTED, SHORTFALL
from corpusmith.cli.out import number, plain, show_event, show_json, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.cli.words import recipe_name
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.chains import Opened, StepResult
    from corpusmith.service.studio import Studio


def is_chain(fields: Mapping[str, Json]) -> bool:
    """True for fields that are a chain's and no task's."""
    return "steps" in fields


def run_chain(
    session: Session,
    path: str | Path,
    *,
    again: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    **fields: Any,
) -> int:
    """Runs a chain or goes on with it; returns the exit code. `fields` replace the file's own."""
    from corpusmith.service.chain_file import read_chain

    plan = read_chain(path, **fields)
    with session.studio() as studio:
        if dry_run:
            _show_plan(session, studio.chains.look(plan, again=again))
            return DONE
        opened = studio.chains.open(plan, again=again)
        _say_kept(session, opened, path)
        done: list[StepResult] = []
        for place in range(len(opened.states)):
            code, result = _step(session, studio, opened, place, yes=yes)
            if result is None or result.status != "finished":
                _say_stopped(session, opened, place, path)
                return code
            done.append(result)
    return _say_end(session, opened, done, path)


def _step(
    session: Session, studio: Studio, opened: Opened, place: int, *, yes: bool
) -> tuple[int, StepResult | None]:
    """The exit code of one step, and what became of it; None: nobody agreed to its price."""
    from corpusmith.cli import running
    from corpusmith.service.bulk import RECIPES
    from corpusmith.service.chains import step_result

    state = opened.states[place]
    _say_step(session, opened, place)
    if state == "new" and not yes and not _agreed(session, studio, opened, place):
        return INTERRUPTED, None
    task = studio.chains.ready(opened, place)
    code = DONE
    if state != "done" and task.recipe not in RECIPES:
        code = running.drive(session, studio, task, resumed=task.status != "created")
        task = studio.tasks.get(task.id)
    elif state != "done":
        _say_copied(session, opened, place, step_result(opened, place, task))
    return code, step_result(opened, place, task)


def _agreed(session: Session, studio: Studio, opened: Opened, place: int) -> bool:
    """A person at the terminal is asked before a dear step."""
    from corpusmith.cli import running

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    preview = studio.chains.preview(opened, place)
    return preview is None or running.agreed(preview, session)


# ---------------------------------------------------------------- what is said


def _show_plan(session: Session, opened: Opened) -> None:
    steps = list(zip(opened.plan.steps, opened.states, opened.tasks, strict=True))
    if session.json:
        rows = [
            {
                "step": step.name,
                "recipe": step.recipe,
                "state": state,
                "task": task,
                "inputs": [*step.needs, *step.after],
            }
            for step, state, task in steps
        ]
        show_json({"chain": opened.plan.name, "changed": opened.changed, "steps": rows})
        return
    headers = [session.say(f"column.{name}") for name in ("step", "recipe", "inputs", "state")]
    show_table(
        headers,
        [
            (
                step.name,
                recipe_name(session, step.recipe),
                ", ".join((*step.needs, *step.after)),
                session.say(f"cli.chain.{state}", task=task or ""),
            )
            for step, state, task in steps
        ],
    )
    print(session.say("cli.preview.nothing_sent"))


def _say_kept(session: Session, opened: Opened, path: str | Path) -> None:
    """What of an earlier run is still good."""
    steps = zip(opened.plan.steps, opened.states, strict=True)
    kept = [step.name for step, state in steps if state != "new"]
    if session.json:
        steps_json = {
            step.name: state for step, state in zip(opened.plan.steps, opened.states, strict=True)
        }
        show_event(
            "chain", name=opened.plan.name, changed=opened.changed, states=steps_json, kept=kept
        )
        return
    if opened.changed:
        names = session.say("cli.comma").join(kept) or session.say("cli.chain.none")
        tell(session.say("cli.chain.changed", file=path, steps=names), sys.stderr)


def _say_step(session: Session, opened: Opened, place: int) -> None:
    step, state = opened.plan.steps[place], opened.states[place]
    if session.json:
        show_event("step", step=step.name, place=place + 1, of=len(opened.states), state=state)
        return
    how = session.say(f"cli.chain.{state}", task=opened.tasks[place] or "")
    text = session.say(
        "cli.chain.step",
        place=place + 1,
        of=len(opened.states),
        step=step.name,
        recipe=recipe_name(session, step.recipe),
        how=how,
    )
    tell(text, sys.stderr)


def _say_copied(session: Session, opened: Opened, place: int, done: StepResult) -> None:
    if session.json:
        show_event("ended", task=done.task_id, status=done.status, counts=plain(done.counts))
        return
    counts = {"n": number(done.counts.accepted), "total": number(done.counts.requested)}
    tell(session.say("cli.chain.copied", task=done.task_id, **counts), sys.stderr)


def _say_stopped(session: Session, opened: Opened, place: int, path: str | Path) -> None:
    if session.json:
        show_event("chain_stopped", step=opened.plan.steps[place].name)
        return
    text = session.say(
        "cli.chain.stopped",
        step=opened.plan.steps[place].name,
        place=place + 1,
        of=len(opened.states),
        command=_command(session, path),
    )
    tell(text, sys.stdout)


def _say_end(session: Session, opened: Opened, done: list[StepResult], path: str | Path) -> int:
    short = [one for one in done if one.counts.shortfall]
    if session.json:
        show_event(
            "chain_ended",
            name=opened.plan.name,
            steps=plain(done),
            shortfall=[s.name for s in short],
        )
        return SHORTFALL if short else DONE
    if all(one.kept for one in done):
        command = f"{_command(session, path)} --again"
        tell(session.say("cli.chain.all_kept", name=opened.plan.name, command=command), sys.stdout)
    headers = [session.say(f"column.{name}") for name in ("step", "number", "wanted", "accepted")]
    rows = [
        (one.name, f"#{one.task_id}", number(one.counts.requested), number(one.counts.accepted))
        for one in done
    ]
    show_table(headers, rows, right=(2, 3))
    key = "cli.chain.short" if short else "cli.chain.ended"
    names = session.say("cli.comma").join(one.name for one in short)
    tell(session.say(key, name=opened.plan.name, n=len(done), steps=names), sys.stdout)
    return SHORTFALL if short else DONE


def _command(session: Session, path: str | Path) -> str:
    """What to type to go on, with the database it was started with."""
    db = f" --db {shlex.quote(session.db)}" if session.db else ""
    return f"corpusmith run {shlex.quote(str(path))}{db}"
