"""What commands print: tables, JSON, numbers for people.

Owns: standard output's looks. Does not own: progress (`show.py`), errors (`errors.py`).
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from corpusmith.cli.session import Session
from corpusmith.cli.widths import harmless, pad, width, wrap
from corpusmith.values import Json, Language, Sealed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_COLUMNS = 10_000
"""Into a pipe nothing is wrapped or cut."""
LEAST_COLUMN = 12
"""What a column of text may be narrowed to."""


def console(*, stderr: bool = False) -> Console:
    """A Rich console that takes text as it is: no markup, no highlighting, no emoji codes."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        width=None if stream.isatty() else PIPE_COLUMNS,
    )


def show_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[int] = (),
    whole: Sequence[int] = (0,),
) -> None:
    """An aligned table. Columns of `right` hold numbers, those of `whole` are never wrapped.

    Where these alone do not fit the terminal, each row becomes a block of names and values.
    """
    cells = [[harmless(str(cell)) for cell in row] for row in rows]
    out = console()
    natural = [max(map(width, column)) for column in zip(headers, *cells, strict=True)]
    firm = {*right, *whole}
    least = [n if place in firm else min(n, LEAST_COLUMN) for place, n in enumerate(natural)]
    if sum(least) + 2 * (len(least) - 1) > out.width:
        for number, row in enumerate(cells):
            if number:
                print()
            show_pairs(zip(headers, row, strict=True))
        return
    table = _table(headers, least, firm, right)
    for row in cells:
        table.add_row(*row)
    with out.capture() as captured:
        out.print(table)
    # Rich fills every line up with blanks; those are of no use in a pipe or on a page.
    lines = captured.get().rstrip("\n").split("\n")
    out.file.write("\n".join(line.rstrip() for line in lines) + "\n")


def _table(
    headers: Sequence[str], least: Sequence[int], firm: set[int], right: Sequence[int]
) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, header in enumerate(headers):
        table.add_column(
            header,
            justify="right" if place in right else "left",
            no_wrap=place in firm,
            min_width=least[place],
            overflow="fold",
        )
    return table


def show_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Name and value, one pair a line (a long value goes on below itself)."""
    rows = [(name, str(value)) for name, value in pairs]
    left = max((width(name) for name, _ in rows), default=0) + 2
    columns = get_terminal_size().columns if sys.stdout.isatty() else PIPE_COLUMNS
    for name, value in rows:
        first, *others = wrap(value, columns - left)
        print(f"{pad(name, left)}{first}".rstrip())
        for line in others:
            print(" " * left + line)


def show_json(value: Any) -> None:
    """One JSON value on standard output."""
    import orjson

    text = orjson.dumps(plain(value), option=orjson.OPT_INDENT_2, default=str)
    print(text.decode("utf-8", "replace"))


def show_event(event: str, **data: Any) -> None:
    """One JSON object on one line, flushed: a program reads along."""
    import orjson

    print(orjson.dumps({"event": event, **plain(data)}, default=str).decode(), flush=True)


def plain(value: Any) -> Json:
    """`value` as JSON can hold it; pictures are only said to be there, secrets only hidden."""
    if isinstance(value, Sealed):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: plain(part) for name, part in fields.items()}
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value


def either(session: Session, value: Any, otherwise: Callable[[], None]) -> None:
    """JSON when `--json` was given, else `otherwise`."""
    if session.json:
        show_json(value)
    else:
        otherwise()


# ---------------------------------------------------------------- numbers


def number(value: float) -> str:
    """`12,345`"""
    return f"{value:,.0f}"


def money(cost_usd: float | None, session: Session) -> str:
    """`$0.0123`; in words when it is unknown."""
    if cost_usd is None:
        return session.say("cli.unknown_price")
    return f"${cost_usd:,.4f}" if cost_usd < 1 else f"${cost_usd:,.2f}"


def span(seconds: float, language: Language) -> str:
    """`42 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = max(0, round(seconds))
    units = ("小时", "分", "秒") if language == "zh" else ("h", "min", "s")
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} {units[0]} {minutes} {units[1]}"
    return f"{minutes} {units[1]} {left} {units[2]}" if minutes else f"{left} {units[2]}"


def local_time(moment: str) -> str:
    """`2026-01-31 14:05:09` on this machine's clock."""
    from datetime import datetime

    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"


def shown_path(path: Path) -> str:
    """Short when it lies below the folder we are in."""
    with suppress(ValueError):
        return os.path.join(".", path.relative_to(Path.cwd()))
    return str(path)


def confirmed(question: str, session: Session, *, yes: bool) -> bool:
    """True when `--yes` was given or a person at the terminal says so.

    Raises UsageError when there is nobody to ask.
    """
    from corpusmith.errors import UsageError

    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("cli_needs_yes")
    print(f"{question} {session.say('cli.yes_or_no')} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是", "好")
