"""`corpusmith characters`: personas, stored, shipped and in card files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, either, show_pairs, show_table
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.nouns import Character

app = group("characters")

Name = Annotated[str, flags.argument("NAME", "character_name")]
Search = Annotated[str | None, flags.option("--search", "search", "TEXT")]
Description = Annotated[str | None, flags.option("--description", "description", "TEXT")]
Personality = Annotated[str | None, flags.option("--personality", "personality", "TEXT")]
Background = Annotated[str | None, flags.option("--background", "background", "TEXT")]
Style = Annotated[str | None, flags.option("--speaking-style", "speaking_style", "TEXT")]
Examples = Annotated[
    str | None, flags.option("--example-dialogues", "example_dialogues", "TEXT|@FILE")
]
Greeting = Annotated[str | None, flags.option("--greeting", "greeting", "TEXT")]
Prompt = Annotated[str | None, flags.option("--system-prompt", "system_prompt", "TEXT|@FILE")]
Tags = Annotated[str | None, flags.option("--tags", "tags", "TAG,…")]
Creator = Annotated[str | None, flags.option("--creator", "creator", "TEXT")]
SHORT = 60


@command(app, "list")
def list_(
    ctx: typer.Context,
    search: Search = None,
    shipped: Annotated[bool, flags.option("--shipped", "shipped")] = False,
) -> None:
    """The stored ones, or those that come with Corpusmith."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.characters.shipped() if shipped else studio.characters.list(search)
    either(session, found, lambda: _show_list(session, found, shipped=shipped))


def _show_list(session: Session, found: Sequence[Character], *, shipped: bool) -> None:
    from corpusmith.cli.widths import cut

    if not found:
        print(session.say("cli.characters.none"))
        return
    columns = ("name", "language", "description")
    rows = [(one.name, one.language, cut(one.description, SHORT)) for one in found]
    show_table([session.say(f"column.{name}") for name in columns], rows, whole=(0, 1))
    if not shipped:
        print(session.say("cli.characters.more"))


@command(app, "show")
def show(ctx: typer.Context, name: Name) -> None:
    """A stored or shipped one, or a card file."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.characters.find(name)
    either(session, found, lambda: show_pairs(_pairs(session, found)))


_FIELDS = [
    "name",
    "description",
    "personality",
    "background",
    "speaking_style",
    "greeting",
    "system_prompt",
    "example_dialogues",
    "creator",
    "language",
]


def _pairs(session: Session, one: Character) -> list[tuple[str, str]]:
    texts = {name: getattr(one, name) for name in _FIELDS} | {"tags": ", ".join(one.tags)}
    return [(session.say(f"column.{name}"), text) for name, text in texts.items() if text]


@command(app, "import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[str], flags.argument("FILE", "card_files")],
    replace: Annotated[bool, flags.option("--replace", "replace")] = False,
) -> None:
    """Cards, JSON or PNG, V1 to V3."""
    session: Session = ctx.obj
    names = []
    with session.studio() as studio:
        for file in files:
            made = studio.characters.import_file(file, replace_existing=replace)
            names.append(made.name)
            if not session.json:
                print(session.say("cli.characters.imported", name=made.name, file=file))
    if session.json:
        either(session, {"imported": names}, lambda: None)


@command(app, "export")
def export(
    ctx: typer.Context,
    name: Name,
    output: Annotated[str | None, flags.option("--output -o", "card_output", "FILE")] = None,
    form: Annotated[str, flags.option("--form", "card_form", "v1|v2|v3")] = "v2",
) -> None:
    """A card for other programs; `.png` puts it into the picture."""
    session: Session = ctx.obj
    if form not in ("v1", "v2", "v3"):
        raise UsageError("cli_choice", option="--form", value=form, known="v1, v2, v3")
    target = output or f"{name.replace('/', '_')}.json"
    with session.studio() as studio:
        written = studio.characters.export_file(name, target, form=form)  # type: ignore[arg-type]  # checked above
    text = session.say("cli.characters.exported", name=name, file=written)
    either(session, {"file": str(written)}, lambda: print(text))


OPTIONS = {
    "name": Name,
    "description": Description,
    "personality": Personality,
    "background": Background,
    "speaking_style": Style,
    "example_dialogues": Examples,
    "greeting": Greeting,
    "system_prompt": Prompt,
    "tags": Tags,
    "creator": Creator,
    "language": flags.Speech,
}
"""What `add` and `edit` take."""


def add(ctx: typer.Context, name: str, **given: Any) -> None:
    """A new one from the options."""
    from corpusmith.nouns import Character

    session: Session = ctx.obj
    fields = {"language": session.language, **_fields(given)}
    with session.studio() as studio:
        made = studio.characters.add(Character(name=name, **fields))
    either(session, made, lambda: print(session.say("cli.added", name=name)))


def edit(ctx: typer.Context, name: str, **given: Any) -> None:
    """Changes what is given, and nothing else."""
    session: Session = ctx.obj
    fields = _fields(given)
    if not fields:
        raise UsageError("cli_nothing_to_change")
    with session.studio() as studio:
        made = studio.characters.update(name, **fields)
    either(session, made, lambda: print(session.say("cli.changed", name=name)))


for run in (add, edit):
    sign(run, OPTIONS)
    command(app, run.__name__)(run)


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """Refused while a dataset binds it."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.characters.get(name)
        if not confirmed(session.say("cli.delete.ask", name=name), session, yes=yes):
            return
        studio.characters.delete(name)
    either(session, {"deleted": name}, lambda: print(session.say("cli.deleted", name=name)))


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in _FIELDS if name != "name"]
    fields: dict[str, Any] = {
        name: _text(given[name]) for name in names if given.get(name) is not None
    }
    if given.get("tags") is not None:
        fields["tags"] = tuple(tag.strip() for tag in given["tags"].split(",") if tag.strip())
    if "language" in fields:
        checked_language(fields["language"])
    return fields


def checked_language(value: str) -> None:
    """Raises UsageError for a language that texts cannot be in."""
    if value not in ("zh", "en"):
        raise UsageError("cli_choice", option="--language", value=value, known="zh, en")


def _text(value: str) -> str:
    """The text itself, or a file's after `@`."""
    return flags.text_in(value[1:]) if value.startswith("@") else value
