"""What tasks look like: their list, one of them, and the samples that did not become records.

Owns: tables and lines. Does not own: the commands (`tasks.py`), codes in words (`words.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from corpusmith.cli.details import detail_pairs, detail_text
from corpusmith.cli.errors import redacted
from corpusmith.cli.out import local_time, money, number, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.widths import cut, harmless
from corpusmith.cli.words import cause_text, reason_text, recipe_name, role_text
from corpusmith.messages import catalog

if TYPE_CHECKING:
    from corpusmith.contracts import Quota
    from corpusmith.service.studio import Studio
    from corpusmith.store.values import MissRow, Task

EXAMPLES = 3
KNOWN_ANYWAY = ("endpoint", "connection", "model", "check")
EXAMPLE_CHARACTERS = 160


def show_list(session: Session, tasks: Sequence[Task]) -> None:
    """A table, a task a line."""
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


def show_task(session: Session, studio: Studio, task: Task) -> None:
    """Everything about one task: what it is, its groups, its runs, and what is missing."""
    _show_head(session, task)
    _show_quotas(session, studio.tasks.quotas(task))
    _show_executions(session, studio, task)
    _show_misses(session, studio, task)


def _show_head(session: Session, task: Task) -> None:
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
            print(f"    {_example(session, one)}")
    print(session.say("cli.tasks.more_misses", task=task.id))


def _reason_line(session: Session, kind: str, reason: str, count: int) -> str:
    return session.say(
        "cli.tasks.reason",
        n=number(count),
        kind=session.say(f"column.{kind}"),
        reason=reason_text(session, reason),
        code=reason,
    )


def _example(session: Session, miss: MissRow) -> str:
    told = {name: value for name, value in miss.detail.items() if name not in KNOWN_ANYWAY}
    text = f"{miss.item}  {detail_text(session, told)}"
    return cut(redacted(text), EXAMPLE_CHARACTERS)


def show_miss_rows(session: Session, rows: Sequence[MissRow]) -> None:
    """Each missed sample with its reason, its details and what the model said, personal data
    covered: `--json` has the text as it is."""
    from corpusmith.cli.errors import redacted
    from corpusmith.service.checks import covered

    if not rows:
        print(session.say("cli.tasks.no_misses"))
    for one in rows:
        print(f"{redacted(one.item)}  {_reason_line(session, one.kind, one.reason, 1)}")
        for label, text in detail_pairs(session, one.detail):
            print("  " + redacted(session.say("detail.pair", label=label, text=text)))
        if one.raw:
            print("  " + "\n  ".join(redacted(covered(one.raw)).splitlines()))
        print()


def status_text(session: Session, task: Task) -> str:
    """The status in words; a running task whose process is gone is interrupted."""
    return session.say("status.interrupted" if task.interrupted else f"status.{task.status}")
