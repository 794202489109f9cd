"""Driving one task from the command line: what is said before, signals, what is said after.

Owns: the life of a task on a terminal. Does not own: progress while it runs (`show.py`), codes in
words (`words.py`), the task itself (the service).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from corpusmith.cli.errors import DONE, FAILED, INTERRUPTED, SHORTFALL, redacted, say_error
from corpusmith.cli.out import money, number, plain, show_event, show_json, shown_path
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless, tell
from corpusmith.cli.words import cause_text, reasons_text, resume_command, role_text
from corpusmith.errors import UsageError
from corpusmith.messages import catalog

if TYPE_CHECKING:
    from corpusmith.service.estimate import Estimate, Preview
    from corpusmith.service.studio import Studio
    from corpusmith.service.task_file import TaskFile
    from corpusmith.service.tasks import Result
    from corpusmith.store.values import MissRow, Task

ASK_ABOVE_USD = 5.0
"""An estimate above this is confirmed by a person, if there is one at the terminal."""


AFTER = {
    "evaluate": "corpusmith.cli.evaluate:after",
    "rounds": "corpusmith.cli.rounds:after",
}
"""What a recipe says of its result, below what is said of every task."""

ASKED = ("paused", "cancelled")
"""Causes that are somebody's wish, and need no explanation."""

# ---------------------------------------------------------------- before


def show_preview(session: Session, preview: Preview) -> None:
    """The exact prompts of the first item, the shares, and the estimate."""
    if session.json:
        show_json(preview)
        return
    for key, role, messages in preview.calls:
        print(session.say("cli.preview.call", item=key, role=role_text(session, role)))
        for message in messages:
            print(f"\n[{message.role}]\n{harmless(message.content)}")
        print()
    for remark in preview.remarks:
        print(session.say(remark.key, **remark.data) + "\n")
    print(session.say("cli.preview.shares"))
    for name, count in preview.quotas.items():
        print(f"  {harmless(name)}: {number(count)}")
    print(session.say("cli.estimate", **_estimate(preview.estimate, session)))
    print(session.say("cli.preview.nothing_sent"))


def create_and_drive(
    session: Session,
    studio: Studio,
    file: TaskFile,
    *,
    yes: bool,
) -> int:
    """Make the task and run it to its end; returns the exit code."""
    if session.json and file.output == "-":
        raise UsageError("cli_json_and_output")
    preview = studio.tasks.preview(file)
    _say_remarks(session, preview)
    if not yes and not agreed(preview, session):
        return INTERRUPTED
    task = studio.tasks.create(file)
    return drive(session, studio, task, estimate=preview.estimate)


def agreed(preview: Preview, session: Session) -> bool:
    """False when a person at the terminal says no, to what is dear or was guessed."""
    from corpusmith.cli.out import confirmed

    estimate = preview.estimate
    dear = estimate.cost_usd is not None and estimate.cost_usd > ASK_ABOVE_USD
    worth_asking = dear or preview.remarks
    if not worth_asking or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    question = session.say("cli.estimate", **_estimate(estimate, session))
    return confirmed(question, session, yes=False)


def _say_remarks(session: Session, preview: Preview) -> None:
    """What was guessed, said before anything is sent."""
    for remark in preview.remarks:
        if session.json:
            show_event("remark", key=remark.key, **remark.data)
        else:
            tell(session.say(remark.key, **remark.data), sys.stderr)


def _estimate(estimate: Estimate, session: Session) -> dict[str, str]:
    return {
        "calls": number(estimate.calls),
        "prompt": number(estimate.prompt_tokens),
        "completion": number(estimate.completion_tokens),
        "cost": money(estimate.cost_usd, session),
    }


# ---------------------------------------------------------------- while


def drive(
    session: Session,
    studio: Studio,
    task: Task,
    *,
    estimate: Estimate | None = None,
    resumed: bool = False,
) -> int:
    """Run `task` to its end, a pause or a cause; returns the exit code."""
    from corpusmith.cli.logs import logged
    from corpusmith.cli.show import progress_for
    from corpusmith.service import loop
    from corpusmith.service.tasks import refuse_at_end

    refuse_at_end(task)
    _say_start(session, task, estimate, resumed=resumed)
    with progress_for(session, task) as show, logged(session, studio, task):
        result = loop.run(_run(session, studio, task, show))
    if result is None:
        _say_stopped(session, studio.tasks.get(task.id))
        return INTERRUPTED
    _say_end(session, studio, task, result)
    if task.recipe in AFTER:
        module, _, name = AFTER[task.recipe].partition(":")
        getattr(import_module(module), name)(session, studio, studio.tasks.get(task.id))
    return _code(result)


async def _run(
    session: Session, studio: Studio, task: Task, show: Callable[..., None]
) -> Result | None:
    """The result; None when a second signal cut it short."""
    work = asyncio.current_task()
    assert work is not None  # noqa: S101  for the type checker: we are in a coroutine
    signals = 0

    def stop() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            say_error(session.say("cli.draining"), session, label="")
            if studio.tasks.stop(task):
                return
        work.cancel()

    with handled(stop):
        try:
            return await studio.tasks.run_async(task, show=show)
        except asyncio.CancelledError:
            if signals == 0:
                raise
            return None


@contextmanager
def handled(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop` on the event loop."""
    loop = asyncio.get_running_loop()
    caught = [signal.SIGINT, signal.SIGTERM]
    before: dict[Any, Any] = {}
    for number_ in caught:
        try:
            loop.add_signal_handler(number_, stop)
        except NotImplementedError:  # Windows
            before[number_] = signal.signal(
                number_, lambda *_: loop.call_soon_threadsafe(stop) and None
            )
    try:
        yield
    finally:
        for number_ in caught:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number_)
        for number_, handler in before.items():
            signal.signal(number_, handler)


# ---------------------------------------------------------------- after


def _say_start(session: Session, task: Task, estimate: Estimate | None, *, resumed: bool) -> None:
    if session.json:
        show_event(
            "started",
            task=task.id,
            name=task.name,
            seed=task.seed,
            requested=task.requested,
            counts=task.counts,
            resumed=resumed,
            estimate=estimate,
        )
        return
    key = "cli.resuming" if resumed else "cli.starting"
    done = number(task.counts.accepted)
    lines = [
        session.say(
            key, task=task.id, name=task.name, n=number(task.requested), seed=task.seed, done=done
        ),
        *_endpoint_lines(session, task),
    ]
    if estimate is not None:
        lines.append(session.say("cli.estimate", **_estimate(estimate, session)))
    tell("\n".join(lines), sys.stderr)


def _endpoint_lines(session: Session, task: Task) -> list[str]:
    """Each endpoint of the task once, and why it is used where nobody named it."""
    ways: dict[tuple[object, object], Mapping[str, Any]] = {}
    for one in task.connections.values():
        way = (one.get("model"), one.get("base_url"))
        if way not in ways or one.get("chosen_by"):
            ways[way] = one
    return [_endpoint_line(session, one) for one in ways.values()]


def _endpoint_line(session: Session, one: Mapping[str, Any]) -> str:
    why = one.get("chosen_by")
    key = "cli.endpoint" if why is None else f"cli.endpoint.{'only' if why == 'only' else 'env'}"
    return session.say(
        key, model=one.get("model"), url=one.get("base_url"), name=one.get("name"), variable=why
    )


def _say_end(session: Session, studio: Studio, task: Task, result: Result) -> None:
    after = studio.tasks.get(task.id)
    if session.json:
        show_event(
            "ended",
            task=task.id,
            status=result.status,
            cause=result.cause,
            counts=plain(result.counts),
            shortfall=result.counts.shortfall,
            spend=plain(result.spend),
            misses=result.misses,
            output=None if result.output is None else str(result.output),
        )
        return
    # With `--output -` standard output holds the records, and nothing else.
    stream = sys.stderr if after.spec.get("output") == "-" else sys.stdout
    examples = studio.tasks.misses(task, limit=50) if result.misses else ()
    tell("\n".join(summary(session, after, result, examples)), stream)


def summary(
    session: Session, task: Task, result: Result, examples: Sequence[MissRow] = ()
) -> list[str]:
    """What became of the task, a few lines."""
    counts, spend = result.counts, result.spend
    complete = result.status == "finished" and counts.shortfall == 0
    key = "complete" if complete else result.status
    lines = [
        session.say(
            f"cli.ended.{key}",
            task=task.id,
            n=number(counts.requested),
            accepted=number(counts.accepted),
            shortfall=number(counts.shortfall),
        )
    ]
    if counts.attempted != counts.accepted:
        lines.append(
            session.say(
                "cli.ended.counts",
                attempted=number(counts.attempted),
                accepted=number(counts.accepted),
                rejected=number(counts.rejected),
                failed=number(counts.failed),
            )
        )
    if result.misses:
        lines.append(session.say("cli.ended.misses", reasons=reasons_text(session, result.misses)))
        lines += [] if complete else _example(session, examples)
    lines.append(
        session.say(
            "cli.ended.spend",
            calls=number(spend.calls),
            tokens=number(spend.usage.total_tokens),
            cost=money(spend.cost_usd, session),
        )
    )
    if result.cause and not complete and result.cause["code"] not in ASKED:
        lines.append(cause_text(session, result.cause))
    lines += _whereabouts(session, task, result)
    if not complete and result.status != "cancelled":
        # What is finished is not gone on with: its missing samples are put back first.
        words = "tasks retry" if result.status == "finished" else "resume"
        command = resume_command(session, task.id, words)
        lines.append(session.say("cli.to_resume", command=command))
    return lines


def _example(session: Session, examples: Sequence[MissRow]) -> list[str]:
    """The message of the most frequent reason, and what helps."""
    if not examples:
        return []
    reasons = Counter(one.reason for one in examples)
    reason = reasons.most_common(1)[0][0]
    miss = next(one for one in examples if one.reason == reason)
    known = catalog(session.language)
    keys = [key for key in (f"error.{reason}", f"reason.{reason}") if key in known][:1]
    keys += [key for key in (f"hint.{reason}",) if key in known]
    texts = [redacted(session.say(key, **miss.detail)) for key in keys]
    return (
        [session.say("cli.ended.example", text=session.say("cli.gap").join(texts))] if texts else []
    )


def _whereabouts(session: Session, task: Task, result: Result) -> list[str]:
    lines = []
    if result.output is not None and str(result.output) != "-":
        lines.append(session.say("cli.written", file=shown_path(result.output)))
    committed = result.status == "finished" and task.dataset and task.spec.get("commit", True)
    if committed:
        lines.append(session.say("cli.committed", dataset=task.dataset))
    elif result.counts.accepted and result.output is None:
        lines.append(session.say("cli.to_export", task=task.id))
    return lines


def _say_stopped(session: Session, task: Task) -> None:
    if session.json:
        show_event("ended", task=task.id, status=task.status, cause=task.cause, counts=task.counts)
        return
    tell(session.say("cli.stopped", task=task.id, done=number(task.counts.accepted)), sys.stdout)
    tell(session.say("cli.to_resume", command=resume_command(session, task.id)), sys.stdout)


def _code(result: Result) -> int:
    if result.status == "finished":
        return SHORTFALL if result.counts.shortfall else DONE
    if result.status == "failed":
        return FAILED
    cause = str((result.cause or {}).get("code", ""))
    if cause.startswith("budget_"):
        return SHORTFALL
    return INTERRUPTED if cause in ASKED else FAILED
