"""Help pages, in the user's language and to the terminal's width.

Owns: what a page looks like. Does not own: its texts (the catalog). Rich is not used here: to
import it would take longer than everything else that `--help` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import Any

from corpusmith.cli.session import Session
from corpusmith.cli.widths import pad, width, wrap

LEFT_MAX = 34
GLOBALS = (
    ("--db URL", "db"),
    ("--lang zh|en", "lang"),
    ("--log-level INFO|DEBUG", "log_level"),
    ("--json", "json"),
    ("--debug", "debug"),
    ("-h, --help", "help"),
)

Rows = Sequence[tuple[str, str]]


def command_page(command: Any, ctx: Any) -> str:
    """The page of one command."""
    session: Session = ctx.obj
    parts = [_usage(ctx, command, session), _text(command.help, session)]
    panels: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        if getattr(param, "hidden", False) or "--help" in param.opts:
            continue
        panel = getattr(param, "rich_help_panel", None) or _panel_of(param)
        panels.setdefault(panel, []).append((_name(param), _param_text(param, session)))
    for panel, rows in panels.items():
        parts.append(_section(session.say(f"help.panel.{panel}"), rows))
    parts.append(_section(session.say("help.panel.global"), _global_rows(session)))
    return "\n\n".join(parts) + "\n"


def group_page(group: Any, ctx: Any) -> str:
    """The page of a group: its commands, one line each."""
    session: Session = ctx.obj
    prefix = f"help.{group.name}." if ctx.parent is not None else "help."
    rows = [
        (name, session.say(f"{prefix}{name}").partition("\n")[0])
        for name in group.list_commands(ctx)
    ]
    globals_ = _global_rows(session)
    if ctx.parent is None:
        globals_.append(("--version", session.say("help.option.version")))
    parts = [
        _usage(ctx, group, session),
        _text(group.help, session),
        _section(session.say("help.panel.commands"), rows),
        _section(session.say("help.panel.global"), globals_),
    ]
    return "\n\n".join(parts) + "\n"


def _usage(ctx: Any, command: Any, session: Session) -> str:
    pieces = [ctx.command_path]
    if hasattr(command, "commands"):
        pieces.append(session.say("help.usage.command"))
    else:
        options = [param for param in command.get_params(ctx) if param.opts[0].startswith("-")]
        pieces += [_name(param) for param in command.get_params(ctx) if param not in options]
        pieces += [session.say("help.usage.options")] if len(options) > 1 else []
    return session.say("help.usage", line=" ".join(pieces))


def _text(key: str, session: Session) -> str:
    return "\n".join(wrap(session.say(key), _columns()))


def _panel_of(param: Any) -> str:
    return "arguments" if param.param_type_name == "argument" else "options"


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        name = param.metavar or param.name.upper()
        name = name if param.required else f"[{name.strip('[]')}]"
        return f"{name}…" if param.nargs == -1 else name
    names = ", ".join(sorted((*param.opts, *param.secondary_opts), key=len))
    return names if param.is_flag else f"{names} {param.metavar or 'TEXT'}"


def _param_text(param: Any, session: Session) -> str:
    text = session.say(f"help.option.{param.help}")
    if getattr(param, "multiple", False):
        text += session.say("help.repeatable")
    return text


def _global_rows(session: Session) -> list[tuple[str, str]]:
    return [(name, session.say(f"help.option.{key}")) for name, key in GLOBALS]


def _section(title: str, rows: Rows) -> str:
    return "\n".join([f"{title}", *_table(rows)])


def _table(rows: Rows) -> Iterable[str]:
    """Two columns; a long left side has its line to itself."""
    columns = _columns()
    widest = min(LEFT_MAX, max(10, columns // 2 - 4))
    left = max((width(name) for name, _ in rows if width(name) <= widest), default=widest)
    for name, text in rows:
        lines = wrap(text, columns - left - 4)
        if width(name) > left:
            yield f"  {name}"
            name = ""
        yield f"  {pad(name, left)}  {lines[0]}"
        yield from (" " * (left + 4) + line for line in lines[1:])


def _columns() -> int:
    return min(get_terminal_size().columns, 100)
