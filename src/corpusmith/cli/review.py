"""`corpusmith review`: people look at records, decide, rate, edit; and what comes of it.

Owns: the commands and their options. Does not own: a sitting (`review_terminal.py`), how things
look (`review_show.py`), reviews (`service/reviews.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.errors import INTERRUPTED
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, either, number, show_json
from corpusmith.cli.selecting import SELECTION, selection_of
from corpusmith.cli.session import Session
from corpusmith.cli.signals import terminated_alike
from corpusmith.cli.widths import tell
from corpusmith.errors import NotFound, UsageError

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.values import Selection

app = group("review")

Reviewer = Annotated[str | None, flags.option("--reviewer", "review_reviewer", "NAME")]
RecordId = Annotated[str, flags.argument("RECORD", "review_record")]
_WHERE: dict[str, Any] = {
    "dataset": Annotated[str | None, flags.argument("DATASET", "review_dataset")],
    "task": Annotated[str | None, flags.option("--task", "review_task", "TASK")],
}
_QUEUE: dict[str, Any] = {
    "queue": Annotated[
        str | None,
        flags.option(
            "--queue", "review_queue", "all|pending|sample|lowest|disagreement|flagged", "queue"
        ),
    ],
    "percent": Annotated[str | None, flags.option("--percent", "review_percent", "N", "queue")],
    "seed": Annotated[str | None, flags.option("--seed", "review_seed", "N", "queue")],
}
_SAID: dict[str, Any] = {
    "approve": Annotated[bool, flags.option("--approve", "review_approve", panel="said")],
    "reject": Annotated[bool, flags.option("--reject", "review_reject", panel="said")],
    "reset": Annotated[bool, flags.option("--reset", "review_reset", panel="said")],
    "rate": Annotated[str | None, flags.option("--rate", "review_rate", "1–5|none", "said")],
    "add_tag": Annotated[
        list[str] | None, flags.option("--add-tag", "review_add_tag", "TAG", "said")
    ],
    "remove_tag": Annotated[
        list[str] | None, flags.option("--remove-tag", "review_remove_tag", "TAG", "said")
    ],
    "note": Annotated[str | None, flags.option("--note", "review_note", "TEXT", "said")],
}
_STATES = {"approve": "approved", "reject": "rejected", "reset": "pending"}


def _command(
    name: str, options: Mapping[str, Any], run: Callable[[Session, Mapping[str, Any]], None]
) -> None:
    """Registers a command whose options are a table."""

    def call(ctx: typer.Context, **given: Any) -> None:
        run(ctx.obj, given)

    sign(call, options)
    command(app, name)(call)


def _selected(given: Mapping[str, Any]) -> Selection:
    """The records of a dataset or a task that the options leave. Raises UsageError."""
    from corpusmith.cli.generate import task_number

    task, dataset = given.get("task"), given.get("dataset")
    if (task is None) == (dataset is None):
        raise UsageError("review_where")
    return selection_of(given, task=None if task is None else task_number(task), dataset=dataset)


def _record(text: str) -> int:
    return flags.whole_of(text.removeprefix("#"), "RECORD", least=1)


# ---------------------------------------------------------------- a sitting


def _start(session: Session, given: Mapping[str, Any]) -> None:
    """Opens the queue; what is typed decides."""
    from corpusmith.cli.review_keys import keys_of
    from corpusmith.cli.review_terminal import Sitting

    wished: dict[str, Any] = {"kind": given["queue"]}
    if given["percent"] is not None:
        wished["percent"] = flags.number_of(given["percent"], "--percent")
    if given["seed"] is not None:
        wished["seed"] = flags.whole_of(given["seed"], "--seed")
    with session.studio() as studio:
        queue = studio.reviews.queue_of(
            selection=_selected(given), reviewer=given["reviewer"], **wished
        )
        sitting = Sitting(session, studio, queue, keys_of())
        try:
            with terminated_alike():
                sitting.run()
        except KeyboardInterrupt:
            # Everything is saved: nothing to complain of.
            raise typer.Exit(INTERRUPTED) from None


_command("start", {**_WHERE, **_QUEUE, "reviewer": Reviewer, **SELECTION}, _start)


# ---------------------------------------------------------------- many at once


def _set(session: Session, given: Mapping[str, Any]) -> None:
    from corpusmith.service.review_input import change_of

    said = _said(given)
    change_of(**said)  # complains before anything is counted
    ids = [_record(text) for text in given["record"] or ()]
    if ids and (given["task"] is not None or given["dataset"] is not None):
        raise UsageError("review_ids_or_selection")
    with session.studio() as studio:
        selection = None if ids else _selected(given)
        count = len(set(ids)) if selection is None else studio.reviews.count(selection)
        if given["dry_run"] or not count:
            text = session.say("review.set.dry", n=number(count))
            either(session, {"records": count, "changed": 0}, lambda: print(text))
            return
        question = session.say("review.set.ask", n=number(count))
        if not confirmed(question, session, yes=given["yes"]):
            return
        who = {"reviewer": given["reviewer"], **said}
        if ids:
            found = studio.reviews.apply(ids=ids, **who)
            if found.gone == count:
                named = ", ".join(map(str, ids[:5]))
                raise NotFound("unknown_record", kind="record", name=named)
        else:
            found = studio.reviews.apply(selection, show=_progress(session, count), **who)
    text = session.say("review.set.done", n=number(found.changed))
    if found.unchanged:
        text += session.say("review.set.same", n=number(found.unchanged))
    if found.gone:
        text += session.say("review.set.gone", n=number(found.gone))
    either(session, found, lambda: print(text))


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    states = [state for name, state in _STATES.items() if given[name]]
    if len(states) > 1:
        raise UsageError("review_one_state")
    return {
        "state": states[0] if states else None,
        "rating": given["rate"],
        "note": given["note"],
        "add_tags": given["add_tag"] or (),
        "remove_tags": given["remove_tag"] or (),
    }


def _progress(session: Session, count: int) -> Callable[[int], None] | None:
    if session.json or not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        line = session.say("review.set.progress", done=number(done), n=number(count))
        print(f"\r\x1b[K{line}", end="\r" if done < count else "\r\x1b[K", file=sys.stderr)
        sys.stderr.flush()

    return show


_command(
    "set",
    {
        **_WHERE,
        "record": Annotated[list[str] | None, flags.option("--record", "review_records", "RECORD")],
        **_SAID,
        "reviewer": Reviewer,
        "dry_run": Annotated[bool, flags.option("--dry-run", "review_dry_run")],
        "yes": Annotated[bool, flags.option("--yes -y", "yes")],
        **SELECTION,
    },
    _set,
)


@command(app, "undo")
def undo(ctx: typer.Context, reviewer: Reviewer = None) -> None:
    """The reviewer's last action; again: the one before."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.reviews.undo(reviewer=reviewer)
    action = session.say(f"review.action.{found.action}")
    text = session.say("review.undo", what=action, n=number(found.undone))
    if found.kept:
        text += session.say("review.undo.kept", n=number(found.kept))
    if found.gone:
        text += session.say("review.undo.gone", n=number(found.gone))
    either(session, found, lambda: print(text))


# ---------------------------------------------------------------- contents


@command(app, "edit")
def edit(
    ctx: typer.Context,
    record: RecordId,
    content: Annotated[str | None, flags.option("--content", "review_content", "FILE|-")] = None,
    text: Annotated[str | None, flags.option("--text", "review_text", "N")] = None,
    based_on: Annotated[
        str | None, flags.option("--based-on", "review_based_on", "VERSION")
    ] = None,
    reviewer: Reviewer = None,
) -> None:
    """A new content; without --content it is asked for in the editor."""
    session: Session = ctx.obj
    number_ = None if text is None else flags.whole_of(text, "--text", least=1)
    version = None if based_on is None else flags.whole_of(based_on, "--based-on", least=1)
    if content is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("cli_missing", name="--content")
    with session.studio() as studio:
        record_id = _record(record)
        if content is None:
            saved = _in_editor(session, studio, record_id, number_, reviewer)
        else:
            fresh = _given_content(studio, record_id, content, number_)
            saved = studio.reviews.edit(record_id, fresh, reviewer=reviewer, version=version)
    said = session.say("review.edited", record=saved.id, version=saved.version)
    either(session, saved, lambda: print(said))


def _given_content(studio: Studio, record_id: int, file: str, number_: int | None) -> Any:
    from corpusmith.cli.review_edit import parsed
    from corpusmith.service.review_content import texts_of, with_text

    given = sys.stdin.read() if file == "-" else flags.text_in(file)
    if number_ is None:
        return parsed(given, file)
    whole = studio.reviews.get(record_id).content
    texts = texts_of(whole)
    if number_ > len(texts):
        raise UsageError("review_no_text", number=number_, count=len(texts))
    return with_text(whole, texts[number_ - 1].path, given.removesuffix("\n"))


def _in_editor(
    session: Session, studio: Studio, record_id: int, number_: int | None, reviewer: str | None
) -> Any:
    from corpusmith.cli.review_edit import Drafts

    drafts, record = Drafts(), studio.reviews.get(record_id)
    try:
        edited = drafts.edit(record, number_)
        if edited is None:
            return record
        draft, fresh = edited
        saved = studio.reviews.edit(record_id, fresh, reviewer=reviewer, version=draft.version)
        drafts.close(record_id, number_)
        return saved
    finally:
        for file in drafts.end():
            tell(session.say("review.kept", file=file), sys.stderr)


@command(app, "restore")
def restore(
    ctx: typer.Context,
    record: RecordId,
    version: Annotated[str, flags.argument("VERSION", "review_version")],
    reviewer: Reviewer = None,
) -> None:
    """An older content is the newest one again."""
    session: Session = ctx.obj
    wanted = flags.whole_of(version, "VERSION", least=1)
    with session.studio() as studio:
        saved = studio.reviews.restore(_record(record), wanted, reviewer=reviewer)
    text = session.say("review.restored", record=saved.id, old=wanted, version=saved.version)
    either(session, saved, lambda: print(text))


@command(app, "history")
def history(ctx: typer.Context, record: RecordId) -> None:
    """Who did what to a record."""
    from corpusmith.cli.review_show import show_history

    session: Session = ctx.obj
    with session.studio() as studio:
        record_id = _record(record)
        versions = studio.reviews.versions(record_id)
        events = studio.reviews.history(record_id)
        reviews = studio.reviews.of(record_id)
    if session.json:
        show_json({"events": events, "versions": versions, "reviews": reviews})
    else:
        show_history(session, events, versions)


# ---------------------------------------------------------------- numbers


def _stats(session: Session, given: Mapping[str, Any]) -> None:
    from corpusmith.cli.review_show import show_statistics

    with session.studio() as studio:
        found = studio.reviews.statistics(_selected(given))
    either(session, found, lambda: show_statistics(session, found))


def _agreement(session: Session, given: Mapping[str, Any]) -> None:
    from corpusmith.cli.review_show import show_agreement

    with session.studio() as studio:
        selection = _selected(given)
        between = studio.reviews.agreement(selection, reviewers=given["between"] or ())
        judge = studio.reviews.judge(selection)
    if session.json:
        show_json({"reviewers": between, "judge": judge})
    else:
        show_agreement(session, between, judge)


_command("stats", {**_WHERE, **SELECTION}, _stats)
_command(
    "agreement",
    {
        **_WHERE,
        "between": Annotated[list[str] | None, flags.option("--between", "review_between", "NAME")],
        **SELECTION,
    },
    _agreement,
)


@command(app, "scores")
def scores(
    ctx: typer.Context, task: Annotated[str, flags.argument("TASK", "review_scores")]
) -> None:
    """The records learn the scores of an evaluation, in place of earlier ones."""
    from corpusmith.cli.generate import task_number

    session: Session = ctx.obj
    with session.studio() as studio:
        taken = studio.reviews.take_scores(task_number(task))
    text = session.say("review.scores", n=number(taken))
    either(session, {"records": taken}, lambda: print(text))
