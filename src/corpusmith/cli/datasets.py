"""`corpusmith datasets`: collections of records, and what they bind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.characters import checked_language
from corpusmith.cli.command import command, group
from corpusmith.cli.out import confirmed, either, number, show_json, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless

if TYPE_CHECKING:
    from corpusmith.values import Record, Verdict

app = group("datasets")

Name = Annotated[str, flags.argument("NAME", "dataset_name")]
Description = Annotated[str | None, flags.option("--description", "dataset_description", "TEXT")]
Characters = Annotated[list[str] | None, flags.option("--character", "bind_character", "FILE|NAME")]
Scenarios = Annotated[
    list[str] | None, flags.option("--scenario", "bind_scenario", "NAME[=WEIGHT]")
]
SHOWN_BROKEN = 20


@command(app, "list")
def list_(
    ctx: typer.Context,
    search: Annotated[str | None, flags.option("--search", "search", "TEXT")] = None,
) -> None:
    """By name, with the number of records."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.datasets.list(search)
        totals = {one.name: studio.datasets.statistics(one.name).total for one in found}
    if session.json:
        show_json([{"name": one.name, "records": totals[one.name]} for one in found])
        return
    if not found:
        print(session.say("cli.datasets.none"))
        return
    columns = ("name", "records", "description")
    rows = [(one.name, number(totals[one.name]), one.description) for one in found]
    show_table([session.say(f"column.{name}") for name in columns], rows, right=(1,))


@command(app, "show")
def show(
    ctx: typer.Context,
    name: Name,
    limit: Annotated[str, flags.option("--limit", "first_records", "N")] = "3",
) -> None:
    """What it binds, and its first records with what is said of them."""
    from corpusmith.cli.record import show_record

    session: Session = ctx.obj
    with session.studio() as studio:
        dataset = studio.datasets.get(name)
        characters, scenarios = studio.datasets.bindings(name)
        total = studio.datasets.statistics(name).total
        records = studio.datasets.first(name, flags.whole_of(limit, "--limit", least=0))
    bound: dict[str, Any] = {
        "characters": [one.name for one in characters],
        "scenarios": {one.name: weight for one, weight in scenarios},
    }
    if session.json:
        show_json({"dataset": dataset, **bound, "records": total, "first": records})
        return
    weights = [f"{scenario}={weight:g}" for scenario, weight in bound["scenarios"].items()]
    texts = {
        "name": dataset.name,
        "description": dataset.description,
        "language": dataset.language,
        "characters": ", ".join(bound["characters"]),
        "scenarios": ", ".join(weights),
        "records": number(total),
    }
    show_pairs((session.say(f"column.{key}"), text) for key, text in texts.items() if text)
    for record in records:
        print()
        show_record(session, record)
        _show_said(session, record)


def _show_said(session: Session, record: Record) -> None:
    """What people and the checks say of a record: one line, and one for each check that found
    something."""
    from corpusmith.cli.details import GAP, verdict_text
    from corpusmith.cli.review_show import record_facts

    facts = [session.say(f"review.state.{record.state}"), *record_facts(session, record)]
    if record.rating is not None:
        facts.insert(1, session.say("review.rated", rating=f"{record.rating:g}"))
    print(harmless(f"  [{session.say('show.separator').join(facts)}]"))
    for name, verdict in record.verdicts.items():
        if text := verdict_text(session, verdict):
            print(harmless(f"  {name}{GAP}{text}"))


@command(app, "add")
def add(
    ctx: typer.Context,
    name: Name,
    description: Description = None,
    language: flags.Speech = None,
    character: Characters = None,
    scenario: Scenarios = None,
) -> None:
    """A new dataset, with what it binds."""
    session: Session = ctx.obj
    if language is not None:
        checked_language(language)
    chosen: Any = language
    with session.studio() as studio:
        made = studio.datasets.add(
            name,
            description=description or "",
            language=chosen,
            characters=character or (),
            scenarios=_weights(scenario),
        )
    either(session, made, lambda: print(session.say("cli.added", name=name)))


@command(app, "bind")
def bind(
    ctx: typer.Context, name: Name, character: Characters = None, scenario: Scenarios = None
) -> None:
    """In place of what was bound before; the kind that is not given stays."""
    session: Session = ctx.obj
    with session.studio() as studio:
        old_characters, old_scenarios = studio.datasets.bindings(name)
        characters = character if character else [one.name for one in old_characters]
        scenarios = {one.name: weight for one, weight in old_scenarios}
        studio.datasets.bind(
            name, characters=characters, scenarios=_weights(scenario) if scenario else scenarios
        )
    either(session, {"bound": name}, lambda: print(session.say("cli.datasets.bound", name=name)))


def _weights(texts: Sequence[str] | None) -> Mapping[str, float]:
    pairs = (text.rpartition("=") for text in texts or ())
    return {
        (name if equals else weight): (
            flags.number_of(weight, "--scenario", least=0) if equals else 1.0
        )
        for name, equals, weight in pairs
    }


@command(app, "stats")
def stats(ctx: typer.Context, name: Name) -> None:
    """Records per scenario and per character."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.datasets.statistics(name)
    if session.json:
        show_json(found)
        return
    print(session.say("cli.datasets.total", name=name, n=number(found.total)))
    for kind, counts in (("scenario", found.by_scenario), ("character", found.by_character)):
        if any(counts):  # a table of nothing but records without the label would say nothing
            print()
            headers = [session.say(f"column.{column}") for column in (kind, "records", "share")]
            rows = [
                (label or session.say("cli.unlabelled"), number(n), f"{n / found.total:.1%}")
                for label, n in counts.items()
            ]
            show_table(headers, rows, right=(1, 2))


@command(app, "clean")
def clean(
    ctx: typer.Context,
    name: Name,
    apply: Annotated[bool, flags.option("--apply", "apply")] = False,
) -> None:
    """Finds records that break the format; takes them out only with --apply."""
    session: Session = ctx.obj
    with session.studio() as studio:
        broken = studio.datasets.broken(name)
        removal = studio.datasets.clean(name) if apply else None
    if session.json:
        rows = [{"record": one.id, "reason": v.reason, "detail": v.detail} for one, v in broken]
        show_json({"broken": rows, "removal": removal})
        return
    _show_broken(session, broken)
    if removal is not None:
        taken = {"n": number(removal.count), "number": removal.number}
        print(session.say("cli.check.removed", **taken))
    elif broken:
        print(session.say("cli.datasets.dry", name=name))


def _show_broken(session: Session, broken: Sequence[tuple[Record, Verdict]]) -> None:
    from corpusmith.cli.details import GAP, detail_text
    from corpusmith.cli.words import reason_text, reasons_text

    if not broken:
        print(session.say("cli.datasets.sound"))
        return
    reasons = Counter(verdict.reason for _, verdict in broken)
    text = reasons_text(session, reasons)
    print(session.say("cli.datasets.broken", n=number(len(broken)), reasons=text))
    for record, verdict in broken[:SHOWN_BROKEN]:
        said = (str(record.id), reason_text(session, verdict.reason))
        line = GAP.join((*said, detail_text(session, verdict.detail)))
        print(harmless(f"  {line}".rstrip()))


@command(app, "delete-records")
def delete_records(
    ctx: typer.Context,
    name: Name,
    scenario: Annotated[str | None, flags.option("--scenario", "delete_scenario", "NAME")] = None,
    yes: flags.Yes = False,
) -> None:
    """A scenario's records."""
    from corpusmith.errors import UsageError

    session: Session = ctx.obj
    if scenario is None:
        raise UsageError("cli_missing", name="--scenario")
    with session.studio() as studio:
        count = studio.datasets.statistics(name).by_scenario.get(scenario, 0)
        question = session.say(
            "cli.datasets.delete_records.ask", n=number(count), scenario=scenario, name=name
        )
        if not confirmed(question, session, yes=yes):
            return
        deleted = studio.datasets.delete_records(name, scenario=scenario)
    text = session.say("cli.datasets.records_deleted", n=number(deleted))
    either(session, {"deleted": deleted}, lambda: print(text))


@command(app, "removed")
def removed(
    ctx: typer.Context,
    dataset: Annotated[str | None, flags.option("--dataset", "removal_dataset", "NAME")] = None,
) -> None:
    """Removals, newest first."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.datasets.removals(dataset)
    if session.json:
        show_json(found)
        return
    if not found:
        print(session.say("cli.datasets.no_removals"))
        return
    columns = ("removal", "dataset", "records", "reason", "removed_at", "undone")
    rows = [
        (
            *(str(one.number), one.dataset, number(one.count), one.reason),
            *(one.created_at[:19], (one.undone_at or "")[:19]),
        )
        for one in found
    ]
    show_table([session.say(f"column.{name}") for name in columns], rows, right=(0, 2))


@command(app, "restore")
def restore(
    ctx: typer.Context,
    removal: Annotated[str, flags.argument("N", "removal_number")],
) -> None:
    """Each record with its own number, its reviews and its flags."""
    from corpusmith.errors import UsageError

    session: Session = ctx.obj
    if not removal.isdecimal() or len(removal) > 18:
        raise UsageError("cli_removal", text=removal[:60])
    with session.studio() as studio:
        back = studio.datasets.restore(int(removal))
    text = session.say("cli.datasets.restored", n=number(back.count), name=back.dataset)
    either(session, back, lambda: print(text))


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """Refused while it holds records or a task writes to it."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.datasets.get(name)
        if not confirmed(session.say("cli.delete.ask", name=name), session, yes=yes):
            return
        studio.datasets.delete(name)
    either(session, {"deleted": name}, lambda: print(session.say("cli.deleted", name=name)))
