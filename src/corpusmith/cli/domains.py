"""`corpusmith domains`: the fields of knowledge that self-play is played in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import either, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.recipes.selfplay_domain import Domain

app = group("domains")


@command(app, "list")
def list_(ctx: typer.Context) -> None:
    """Those that come with Corpusmith."""
    from corpusmith.service.domains import shipped_domains

    session: Session = ctx.obj
    found = shipped_domains()
    plain = [_summary(domain) for domain in found]
    either(session, plain, lambda: _show_list(session, found))


def _summary(domain: Domain) -> dict[str, Json]:
    lists = {name: len(entries) for name, entries in domain.axes.items()}
    fields: dict[str, Json] = domain.model_dump(
        include={"name", "title", "language", "description"}
    )
    return {**fields, "output": domain.file_name, "axes": lists}


def _show_list(session: Session, found: Sequence[Domain]) -> None:
    columns = ("name", "domain_title", "language", "description")
    rows = [(one.name, one.shown, one.language, one.description) for one in found]
    show_table([session.say(f"column.{name}") for name in columns], rows, whole=(0, 2))
    print(session.say("cli.domains.more"))


@command(app, "show")
def show(
    ctx: typer.Context, name: Annotated[str, flags.argument("NAME|FILE", "domain_name")]
) -> None:
    """A shipped one, or a file: its lists and prompts."""
    from corpusmith.service.domains import find_domain

    session: Session = ctx.obj
    domain = find_domain(name)
    either(session, domain.model_dump(mode="json"), lambda: _show(session, domain))


def _show(session: Session, domain: Domain) -> None:
    from corpusmith.cli.widths import harmless

    texts = {
        "name": domain.name,
        "domain_title": domain.shown,
        "language": domain.language,
        "description": domain.description,
        "output": domain.file_name,
    }
    show_pairs((session.say(f"column.{key}"), text) for key, text in texts.items())
    for axis, entries in domain.axes.items():
        print(f"\n{session.say('cli.domains.list', name=axis, n=len(entries))}")
        for entry in entries:
            weight = f"  ×{entry.weight}" if entry.weight != 1 else ""
            print(f"  {harmless(entry.text)}{weight}")
    for role, pair in domain.prompts.model_dump().items():
        for part, text in pair.items():
            if text:
                print(f"\n—— {role}.{part} ——\n{harmless(text)}")


@command(app, "init")
def init(
    ctx: typer.Context,
    name: Annotated[str, flags.argument("NAME", "domain_new")],
    language: Annotated[flags.Text, flags.option("--language", "domain_language", "zh|en")] = None,
    force: Annotated[bool, flags.option("--force", "force")] = False,
) -> None:
    """Writes `NAME.yaml`, commented and ready to run."""
    from corpusmith.cli.characters import checked_language
    from corpusmith.service.domains import write_starter

    session: Session = ctx.obj
    if language is not None:
        checked_language(language)
    path = write_starter(name, cast(Any, language or session.language), force=force)
    either(
        session, {"file": str(path)}, lambda: print(session.say("cli.domains.made", file=str(path)))
    )
