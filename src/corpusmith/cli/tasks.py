"""`corpusmith tasks`: look at tasks and end them.

Owns: showing. Does not own: running (`generate.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.generate import task_number
from corpusmith.cli.out import confirmed, either, money, number, show_json, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless
from corpusmith.errors import UsageError
from corpusmith.messages import catalog
from corpusmith.values import Status

if TYPE_CHECKING:
    from corpusmith.contracts import Quota
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import MissRow, Task

app = group("tasks")

Number = Annotated[str, flags.argument("TASK", "task_number")]
OrLast = Annotated[str | None, flags.argument("TASK", "task")]
"""A task's number; left out: the last task."""
Limit = Annotated[str, flags.option("--limit", "limit", "N")]
Kind = Annotated[str | None, flags.option("--kind", "miss_kind", "failed|rejected")]
EXAMPLES = 3
KNOWN_ANYWAY = ("endpoint", "connection", "model", "check")
EXAMPLE_CHARACTERS = 160


@command(app, "list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, flags.option("--status", "status", "STATUS")] = None,
    limit: Limit = "30",
) -> None:
    """Newest first."""
    session: Session = ctx.obj
    if status is not None and status not in get_args(Status):
        known = ", ".join(get_args(Status))
        raise UsageError("cli_choice", option="--status", value=status, known=known)
    most = flags.whole_of(limit, "--limit", least=1)
    with session.studio() as studio:
        found = studio.tasks.list(status=cast(Status | None, status), limit=most)
    either(session, found, lambda: _show_list(session, found))


def _show_list(session: Session, tasks: Sequence[Task]) -> None:
    if not tasks:
        print(session.say("cli.tasks.none"))
        return
    headers = [session.say(f"column.{name}") for name in _LIST]
    rows = [
        (
            task.id,
            task.name,
            recipe_text(session, task),
            status_text(session, task),
            f"{number(task.counts.accepted)}/{number(task.requested)}",
            number(task.counts.rejected),
            number(task.counts.failed),
            money(task.spend.cost_usd, session),
            local_time(task.created_at),
        )
        for task in tasks
    ]
    show_table(headers, rows, right=(0, 4, 5, 6), whole=(0, 3, 8))


_LIST = (
    *("number", "name", "recipe", "status", "done"),
    *("rejected", "failed", "cost", "created"),
)


def _found(studio: Studio, task: str | None) -> Task:
    return studio.tasks.last() if task is None else studio.tasks.get(task_number(task))


@command(app, "show")
def show(ctx: typer.Context, task: OrLast = None) -> None:
    """Everything about one task."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        quotas = studio.tasks.quotas(found)
        if session.json:
            show_json(
                {
                    "task": found,
                    "quotas": quotas,
                    "executions": studio.tasks.executions(found),
                    "misses": _by_reason(studio.tasks.miss_counts(found)),
                }
            )
            return
        _show_head(session, found)
        _show_quotas(session, quotas)
        _show_executions(session, studio, found)
        _show_misses(session, studio, found)


def _show_head(session: Session, task: Task) -> None:
    from corpusmith.cli.running import cause_text

    counts, spend = task.counts, task.spend
    names = ("attempted", "accepted", "rejected", "failed")
    pairs: list[tuple[str, object]] = [
        ("number", f"#{task.id} {task.name}"),
        ("description", task.spec.get("description") or ""),
        ("status", status_text(session, task)),
        ("cause", cause_text(session, task.cause) if task.cause else ""),
        ("done", f"{number(counts.accepted)}/{number(task.requested)}"),
        (
            "counts",
            session.say("cli.ended.counts", **{n: number(getattr(counts, n)) for n in names}),
        ),
        (
            "spend",
            session.say(
                "show.spend",
                calls=number(spend.calls),
                tokens=number(spend.usage.total_tokens),
                cost=money(spend.cost_usd, session),
            ),
        ),
        ("seed", task.seed),
        ("dataset", task.dataset or ""),
        ("endpoint", _endpoints(session, task)),
        ("template", ", ".join(templates_of(task))),
        ("parameters", parameters_text(task)),
        ("output", task.spec.get("output") or ""),
        ("created", local_time(task.created_at)),
    ]
    show_pairs((session.say(f"column.{name}"), text) for name, text in pairs if text != "")


def _endpoints(session: Session, task: Task) -> str:
    """`writer: MODEL at URL`, one a role."""
    from corpusmith.cli.running import role_text

    return "\n".join(
        f"{role_text(session, role)}: {one.get('model')} @ {one.get('base_url')}"
        for role, one in task.connections.items()
    )


_COMMON = (
    *("language", "temperature", "top_p", "max_tokens", "stop", "extra"),
    *("concurrency", "rpm", "tpm", "max_cost", "max_total_tokens", "max_calls"),
    *("max_attempts_multiplier", "checks"),
)
_LONGEST = 60


def parameters_text(task: Task) -> str:
    """`mode=single turns=3 …`: the recipe's own, then the common ones; not what was left open."""
    own = {
        name: value
        for name, value in task.spec.get("recipe_spec", {}).items()
        if isinstance(value, int | float | str) and len(str(value)) <= _LONGEST and name != "ratio"
    }
    spec = own | {name: task.spec.get(name) for name in _COMMON}
    shown = []
    for name, value in spec.items():
        if value is None or value in ({}, [], (), "", False):
            continue
        # A mapping (the checks) by its names: its options may hold whole files.
        text = ",".join(map(str, value)) if isinstance(value, list | tuple | dict) else value
        shown.append(f"{name}={text}")
    return harmless(" ".join(shown))


def recipe_text(session: Session, task: Task) -> str:
    """The recipe in words, with the template that it ran: `template my-qa@2`."""
    from corpusmith.cli.running import recipe_name

    text = recipe_name(session, task.recipe)
    templates = templates_of(task)
    return f"{text} {templates[0]}" if len(templates) == 1 else text


def templates_of(task: Task) -> list[str]:
    """The templates that a task ran, with the versions of stored ones; others' tasks have none."""
    categories = task.spec.get("recipe_spec", {}).get("categories", [])
    found = [one["template"] for one in categories if isinstance(one.get("template"), dict)]
    names = [
        f"{one['name']}@{one['version']}" if one.get("version") else one["name"] for one in found
    ]
    return list(dict.fromkeys(names))


def _show_quotas(session: Session, quotas: Sequence[Quota]) -> None:
    print()
    columns = ("category", "wanted", "accepted", "rejected", "failed")
    rows = [
        (one.name, *map(number, (one.count, one.accepted, one.rejected, one.failed)))
        for one in quotas
    ]
    headers = [_group_text(session, quotas), *(session.say(f"column.{n}") for n in columns[1:])]
    show_table(headers, rows, right=(1, 2, 3, 4), whole=())


def _group_text(session: Session, quotas: Sequence[Quota]) -> str:
    """What the categories are made of: `scenario/character` for dialogues."""
    known = catalog(session.language)
    keys = [f"column.{name}" for quota in quotas[:1] for name in quota.labels]
    if not keys or any(key not in known for key in keys):
        return session.say("column.category")
    return "/".join(session.say(key) for key in keys)


def _show_executions(session: Session, studio: Studio, task: Task) -> None:
    found = studio.tasks.executions(task)
    if not found:
        return
    print()
    columns = ("execution", "status", "started", "ended", "accepted", "calls", "owner")
    rows = [
        (
            place,
            session.say(f"status.{one.status}"),
            local_time(one.started_at),
            local_time(one.ended_at) if one.ended_at else "",
            number(one.counts.accepted),
            number(one.spend.calls),
            one.owner,
        )
        for place, one in enumerate(found, 1)
    ]
    headers = [session.say(f"column.{name}") for name in columns]
    show_table(headers, rows, right=(0, 4, 5), whole=(0, 1, 2, 3))


def _show_misses(session: Session, studio: Studio, task: Task) -> None:
    counts = studio.tasks.miss_counts(task)
    if not counts:
        return
    print()
    print(session.say("cli.tasks.misses"))
    examples = studio.tasks.misses(task, limit=200)
    for (kind, reason), count in counts.items():
        some = [one for one in examples if (one.kind, one.reason) == (kind, reason)]
        print(f"  {_reason_line(session, kind, reason, count)}")
        for one in some[:EXAMPLES]:
            print(f"    {_example(one)}")
    print(session.say("cli.tasks.more_misses", task=task.id))


def _reason_line(session: Session, kind: str, reason: str, count: int) -> str:
    from corpusmith.cli.running import reason_text

    return session.say(
        "cli.tasks.reason",
        n=number(count),
        kind=session.say(f"column.{kind}"),
        reason=reason_text(session, reason),
        code=reason,
    )


def _example(miss: MissRow) -> str:
    from corpusmith.cli.errors import redacted
    from corpusmith.cli.widths import cut

    detail = " ".join(
        f"{name}={value}"
        for name, value in miss.detail.items()
        if value is not None and name not in KNOWN_ANYWAY
    )
    text = " ".join(f"{miss.item}  {detail}".split())
    return cut(redacted(text), EXAMPLE_CHARACTERS)


def _by_reason(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "reason": reason, "count": count} for (kind, reason), count in counts.items()
    ]


@command(app, "misses")
def misses(ctx: typer.Context, task: OrLast = None, kind: Kind = None, limit: Limit = "20") -> None:
    """The samples that did not become records, with the model's own words."""
    session: Session = ctx.obj
    wish = _kinds(kind)[0] if kind else None
    most = flags.whole_of(limit, "--limit", least=1)
    with session.studio() as studio:
        found = _found(studio, task)
        rows = studio.tasks.misses(found, wish, limit=most)
    either(session, rows, lambda: _show_miss_rows(session, rows))


def _show_miss_rows(session: Session, rows: Sequence[MissRow]) -> None:
    from corpusmith.cli.errors import redacted

    if not rows:
        print(session.say("cli.tasks.no_misses"))
    for one in rows:
        print(f"{redacted(one.item)}  {_reason_line(session, one.kind, one.reason, 1)}")
        for name, value in one.detail.items():
            if value is not None:
                print(f"  {name}: {redacted(str(value))}")
        if one.raw:
            print("  " + "\n  ".join(redacted(one.raw).splitlines()))
        print()


@command(app, "pause")
def pause(ctx: typer.Context, task: Number) -> None:
    """Calls in flight end; `resume` goes on."""
    _ask(ctx.obj, task, "pause")


@command(app, "cancel")
def cancel(ctx: typer.Context, task: Number) -> None:
    """Like pause, but for good."""
    _ask(ctx.obj, task, "cancel")


def _ask(session: Session, task: str, wish: Literal["pause", "cancel"]) -> None:
    with session.studio() as studio:
        found = studio.tasks.ask(task_number(task), wish)
    key = f"cli.tasks.{wish}.asked" if found.request else "cli.tasks.now"
    text = session.say(key, task=found.id, status=status_text(session, found))
    either(session, found, lambda: print(text))


@command(app, "resume")
def resume(ctx: typer.Context, task: OrLast = None) -> None:
    """The same as `corpusmith resume`."""
    from corpusmith.cli.running import drive

    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        raise typer.Exit(drive(session, studio, found, resumed=True))


@command(app, "retry")
def retry(ctx: typer.Context, task: OrLast = None, kind: Kind = None) -> None:
    """Puts missed items back and runs them."""
    from corpusmith.cli.running import drive

    session: Session = ctx.obj
    with session.studio() as studio:
        found = _found(studio, task)
        count = studio.tasks.retry(found, _kinds(kind))
        if count == 0:
            either(session, {"put_back": 0}, lambda: print(session.say("cli.tasks.retry.none")))
            return
        if not session.json:
            typer.echo(session.say("cli.tasks.retry", n=number(count)), err=True)
        raise typer.Exit(drive(session, studio, studio.tasks.get(found.id), resumed=True))


def _kinds(kind: str | None) -> list[Literal["failed", "rejected"]]:
    if kind is None:
        return ["failed", "rejected"]
    if kind not in ("failed", "rejected"):
        raise UsageError("cli_choice", option="--kind", value=kind, known="failed, rejected")
    return [cast(Literal["failed", "rejected"], kind)]


@command(app, "commit")
def commit(ctx: typer.Context, task: Number, dataset: flags.Dataset = None) -> None:
    """确认入库"""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        count = studio.tasks.commit(found, dataset)
    name = dataset or found.dataset
    text = session.say("cli.tasks.committed", n=number(count), dataset=name)
    either(session, {"committed": count, "dataset": name}, lambda: print(text))


@command(app, "discard")
def discard(ctx: typer.Context, task: Number, yes: flags.Yes = False) -> None:
    """Throws away what is in no dataset."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        if not confirmed(session.say("cli.tasks.discard.ask", task=found.id), session, yes=yes):
            return
        count = studio.tasks.discard(found)
    text = session.say("cli.tasks.discarded", n=number(count))
    either(session, {"discarded": count}, lambda: print(text))


@command(app, "delete")
def delete(ctx: typer.Context, task: Number, yes: flags.Yes = False) -> None:
    """Forgets a task; committed records stay."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.tasks.get(task_number(task))
        if not confirmed(session.say("cli.tasks.delete.ask", task=found.id), session, yes=yes):
            return
        studio.tasks.delete(found)
    text = session.say("cli.deleted", name=f"#{found.id} {found.name}")
    either(session, {"deleted": found.id}, lambda: print(text))


def status_text(session: Session, task: Task) -> str:
    """The status in words; a running task whose process is gone is interrupted."""
    return session.say("status.interrupted" if task.interrupted else f"status.{task.status}")


def local_time(moment: str) -> str:
    """`2026-01-31 14:05:09` on this machine's clock."""
    from datetime import datetime

    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"
