"""Commands and groups as this program has them: loaded on use, helped in the user's language.

Owns: finding a command, and complaining about words that belong to none. Does not own: the list
of commands (`main.py`), help pages (`help.py`).
A command's help is a key of the catalog: `help.<group>.<command>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from corpusmith.cli.help import command_page, group_page
from corpusmith.errors import UsageError

Run = TypeVar("Run", bound=Callable[..., Any])

SETTINGS = {
    "help_option_names": ["-h", "--help"],
    # `--max_cost` and `--max-cost` are the same.
    "token_normalize_func": lambda token: token.replace("_", "-"),
}


class Command(TyperCommand):
    """One command."""

    allow_extra_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, args)
        except typer.TyperException as error:
            # The parser does not always say where it was: hints and names need it.
            error.ctx = ctx  # type: ignore[attr-defined]  # every one from here has it
            raise
        if rest and not ctx.resilient_parsing:
            raise UsageError("cli_extra_argument", argument=rest[0], command=ctx.command_path)
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(command_page(self, ctx))


class Group(TyperGroup):
    """Several commands under one name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(2)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name.replace("_", "-"))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = get_close_matches(name, self.list_commands(ctx), n=1)
            code = "cli_unknown_command_near" if near else "cli_unknown_command"
            raise UsageError(code, name=name, near="".join(near), command=ctx.command_path)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(group_page(self, ctx))


class Root(Group):
    """The program. Its commands are `name → module` or `name → module:command`."""

    def __init__(self, name: str, targets: Mapping[str, str]) -> None:
        super().__init__(
            name=name, help="help.corpusmith", context_settings=SETTINGS, rich_markup_mode=None
        )
        self._targets = targets

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self._targets)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        target = self._targets.get(cmd_name.replace("_", "-"))
        if target is None:
            return None
        module, _, command = target.partition(":")
        group = _group_of(module)
        return group.commands[command] if command else group


@cache
def _group_of(module: str) -> Any:
    # Its texts are keys yet: it is the same in each language.
    return get_group(import_module(f"corpusmith.cli.{module}").app)


def group(name: str) -> typer.Typer:
    """An empty group; `name` leads the help keys of its commands."""
    return typer.Typer(
        name=name, cls=Group, help=f"help.{name}", add_completion=False, rich_markup_mode=None
    )


def command(app: typer.Typer, name: str) -> Callable[[Run], Run]:
    """Registers a function as the command `name` of `app`."""
    prefix = f"help.{app.info.name}." if app.info.name else "help."
    return app.command(name, cls=Command, help=f"{prefix}{name}")
