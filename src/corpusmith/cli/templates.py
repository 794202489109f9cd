"""`corpusmith templates`: prompts with variables, their versions, and one sample to try them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, either, local_time, plain, show_table
from corpusmith.cli.session import Session
from corpusmith.cli.template_show import show_template
from corpusmith.cli.template_trial import OPTIONS, trial
from corpusmith.errors import UsageError
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.nouns import Template

app = group("templates")

Name = Annotated[str, flags.argument("NAME", "templates_name")]
Wish = Annotated[str, flags.argument("NAME|FILE", "template_wish")]
NewName = Annotated[str, flags.argument("NEW_NAME", "templates_new_name")]
TYPES = ("qa", "dialogue", "summary", "classification", "custom")
SHORT = 60


# ---------------------------------------------------------------- looking


@command(app, "list")
def list_(
    ctx: typer.Context,
    search: Annotated[str | None, flags.option("--search", "search", "TEXT")] = None,
    type: Annotated[str | None, flags.option("--type", "templates_type", "|".join(TYPES))] = None,
    shipped: Annotated[bool, flags.option("--shipped", "shipped")] = False,
) -> None:
    """The stored ones, or those that come with Corpusmith."""
    session: Session = ctx.obj
    if type is not None and type not in TYPES:
        raise UsageError("cli_choice", option="--type", value=type, known=", ".join(TYPES))
    kind: Any = type
    with session.studio() as studio:
        if shipped:
            found = _fitting(studio.templates.shipped(), search or "", type)
        else:
            found = list(studio.templates.list(search, type=kind, limit=None))
    either(session, found, lambda: _show_list(session, found, shipped=shipped))


def _fitting(found: Sequence[Template], search: str, type: str | None) -> list[Template]:
    wanted = search.casefold()
    return [
        one
        for one in found
        if type in (None, one.type) and wanted in f"{one.name}\n{one.description}".casefold()
    ]


def _show_list(session: Session, found: Sequence[Template], *, shipped: bool) -> None:
    from corpusmith.cli.widths import cut

    if not found:
        print(session.say("cli.templates.none"))
        return
    columns = ("name", "version", "type", "language", "description")
    rows = [
        (one.name, one.version or "-", one.type, one.language, cut(one.description, SHORT))
        for one in found
    ]
    headers = [session.say(f"column.{name}") for name in columns]
    show_table(headers, rows, right=(1,), whole=(0, 2, 3))
    print(session.say("cli.templates.use" if shipped else "cli.templates.more"))


@command(app, "show")
def show(ctx: typer.Context, name: Wish) -> None:
    """Prompt, variables with where they come from, the shape of a sample."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.templates.find(name)
        about = studio.templates.about(found)
    value = {
        **plain(found),
        "variables": plain(about.variables),
        "sample_schema": plain(about.schema),
        "schema_from": about.shape,
        "several": about.several,
    }
    either(session, value, lambda: show_template(session, found, about))


@command(app, "versions")
def versions(ctx: typer.Context, name: Name) -> None:
    """All versions, oldest first."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.templates.versions(name)
    rows = [{"version": version, "created_at": when} for version, when in found]
    headers = [session.say("column.version"), session.say("column.created")]
    shown = [(version, local_time(when)) for version, when in found]
    either(session, rows, lambda: show_table(headers, shown, right=(0,), whole=(1,)))


@command(app, "diff")
def diff(
    ctx: typer.Context,
    name: Name,
    old: Annotated[str | None, flags.argument("OLD", "templates_old")] = None,
    new: Annotated[str | None, flags.argument("NEW", "templates_new")] = None,
) -> None:
    """What changed between two versions."""
    from corpusmith.cli.widths import harmless

    session: Session = ctx.obj
    numbers = [
        None if text is None else flags.whole_of(text.removeprefix("@"), place, least=1)
        for text, place in ((old, "OLD"), (new, "NEW"))
    ]
    with session.studio() as studio:
        text = studio.templates.diff(name, *numbers)
    same = session.say("cli.templates.same", name=name)
    either(session, {"diff": text}, lambda: print(harmless(text).rstrip("\n") or same))


sign(trial, OPTIONS)
command(app, "test")(trial)


# ---------------------------------------------------------------- changing


@command(app, "add")
def add(
    ctx: typer.Context,
    file: Annotated[str, flags.argument("FILE", "templates_file")],
    name: Annotated[str | None, flags.option("--name", "templates_as", "NAME")] = None,
    replace: Annotated[bool, flags.option("--replace", "templates_replace")] = False,
) -> None:
    """From a YAML or JSON file."""
    from dataclasses import replace as changed

    from corpusmith.service.template_file import read_template

    session: Session = ctx.obj
    read = read_template(Path(file).expanduser())
    found = read if name is None else changed(read, name=name)
    with session.studio() as studio:
        made = studio.templates.save(found) if replace else studio.templates.add(found)
    _say_saved(session, "added", made)


@command(app, "edit")
def edit(
    ctx: typer.Context,
    name: Name,
    prompt_file: Annotated[str | None, flags.option("--prompt-file", "prompt_file", "FILE")] = None,
    system_file: Annotated[str | None, flags.option("--system-file", "system_file", "FILE")] = None,
    schema_file: Annotated[str | None, flags.option("--schema-file", "schema_file", "FILE")] = None,
    set: Annotated[list[str] | None, flags.option("--set", "set", "FIELD=VALUE")] = None,
) -> None:
    """Changes what is given, as the next version."""
    session: Session = ctx.obj
    fields = _edited(prompt_file, system_file, schema_file, set or [])
    if not fields:
        raise UsageError("cli_nothing_to_change")
    with session.studio() as studio:
        before = studio.templates.find(name).version
        made = studio.templates.edit(name, **_with_vars(fields, studio.templates.find(name)))
    _say_saved(session, "unchanged" if made.version == before else "changed", made)


def _edited(
    prompt_file: str | None, system_file: str | None, schema_file: str | None, sets: Sequence[str]
) -> dict[str, Json]:
    from corpusmith.service.yaml_file import read_fields, value_of

    fields: dict[str, Json] = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals):
            raise UsageError("cli_set", text=text[:60])
        fields[key.strip()] = value_of(value)
    for key, file in (("prompt", prompt_file), ("system", system_file)):
        if file is not None:
            fields[key] = flags.text_in(file)
    if schema_file is not None:
        fields["schema"] = read_fields(Path(schema_file).expanduser())
    return fields


def _with_vars(fields: Mapping[str, Json], old: Template) -> dict[str, Json]:
    """`vars.topic` changes one variable and leaves the others."""
    changed = {key: value for key, value in fields.items() if not key.startswith("vars.")}
    own = {key.removeprefix("vars."): v for key, v in fields.items() if key.startswith("vars.")}
    if own:
        merged = {**old.vars, **own}
        changed["vars"] = {name: value for name, value in merged.items() if value is not None}
    return changed


@command(app, "copy")
def copy(ctx: typer.Context, name: Wish, new_name: NewName) -> None:
    """Any template as a new stored one."""
    session: Session = ctx.obj
    with session.studio() as studio:
        made = studio.templates.copy(name, new_name)
    _say_saved(session, "added", made)


@command(app, "rename")
def rename(ctx: typer.Context, name: Name, new_name: NewName) -> None:
    """With all its versions."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.templates.rename(name, new_name)
    text = session.say("cli.templates.renamed", name=name, new_name=new_name)
    either(session, {"renamed": name, "name": new_name}, lambda: print(text))


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """With all its versions."""
    session: Session = ctx.obj
    with session.studio() as studio:
        count = len(studio.templates.versions(name))
        if not confirmed(session.say("cli.templates.ask", name=name, n=count), session, yes=yes):
            return
        studio.templates.delete(name)
    either(session, {"deleted": name}, lambda: print(session.say("cli.deleted", name=name)))


@command(app, "export")
def export(
    ctx: typer.Context,
    name: Wish,
    output: Annotated[str | None, flags.option("--output -o", "templates_output", "FILE|-")] = None,
) -> None:
    """As a YAML file."""
    from corpusmith.service.template_file import dump_template

    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.templates.find(name)
        if output == "-":
            sys.stdout.write(dump_template(found))
            return
        written = studio.templates.export_file(name, output or f"{found.name}.yaml")
    text = session.say("cli.templates.exported", name=found.name, file=written)
    either(session, {"file": str(written)}, lambda: print(text))


def _say_saved(session: Session, what: str, made: Template) -> None:
    text = session.say(f"cli.templates.{what}", name=made.name, version=made.version)
    either(session, made, lambda: print(text))
