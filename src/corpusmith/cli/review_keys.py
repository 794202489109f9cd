"""What a reviewer types: single keys at a terminal, lines from a pipe.

Owns: reading them. Does not own: what they mean (`review_terminal.py`).
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple, Protocol, Self, TextIO

try:
    import termios
    import tty
except ImportError:  # Windows
    import msvcrt

    termios = None  # type: ignore[assignment]

NEXT, QUIT = "s", "q"
_END_OF_INPUT = "\x04"
_ESCAPE = "\x1b"
_NEXT_SIGNS = ("\r", "\n", " ", "")


class Typed(NamedTuple):
    """A command and what stands behind it on its line; a terminal's key has nothing behind it."""

    key: str
    rest: str = ""


class Keys(Protocol):
    """Where commands come from. Used within `with`."""

    live: bool
    """Whether somebody sits there and can be asked."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def command(self) -> Typed:
        """The next command; the end of the input is QUIT."""

    def line(self) -> str:
        """The answer to a question, without its line end."""

    def usual(self) -> AbstractContextManager[None]:
        """Inside, the terminal is as other programs expect it."""


class Lines:
    """A command a line: `a`, `4`, `t good,-old`, `n what I think`, `e 2`."""

    live = False

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def command(self) -> Typed:
        line = self._stream.readline()
        if not line:
            return Typed(QUIT)
        key, _, rest = line.strip().partition(" ")
        return Typed(_known(key), rest.strip())

    def line(self) -> str:
        """Nothing: what belongs to a command stands behind it."""
        return ""

    def usual(self) -> AbstractContextManager[None]:
        return nullcontext()


class Terminal:
    """Keys as they are pressed, without Enter and unseen. Ctrl-C stays what it is.

    The terminal stays so for the whole sitting: what is typed ahead is neither shown nor lost.
    """

    live = True

    def __init__(self) -> None:
        self._before: Any = None

    def __enter__(self) -> Self:
        if termios is not None:
            self._before = termios.tcgetattr(sys.stdin.fileno())
            self._listen()
        return self

    def __exit__(self, *error: object) -> None:
        self._rest()

    def command(self) -> Typed:
        return Typed(_known(_pressed()))

    def line(self) -> str:
        with self.usual():
            return sys.stdin.readline().strip()

    @contextmanager
    def usual(self) -> Iterator[None]:
        self._rest()
        try:
            yield
        finally:
            self._listen()

    def _listen(self) -> None:
        if termios is not None:
            # Not tty.setcbreak's own way: it throws away what was typed ahead.
            tty.setcbreak(sys.stdin.fileno(), termios.TCSADRAIN)

    def _rest(self) -> None:
        if termios is not None and self._before is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)


def keys_of() -> Keys:
    """What fits standard input."""
    return Terminal() if sys.stdin.isatty() and sys.stdout.isatty() else Lines()


def _known(typed: str) -> str:
    """`Ａ`, as a Chinese keyboard may give it, and `A` are `a`; Enter and the blank go on."""
    if typed == _END_OF_INPUT:
        return QUIT
    return NEXT if typed in _NEXT_SIGNS else unicodedata.normalize("NFKC", typed).lower()


def _pressed() -> str:
    """One character, as soon as it is typed; of an arrow's or function key's sequence nothing."""
    if termios is None:
        return str(msvcrt.getwch())
    place = sys.stdin.fileno()
    while (sign := _character(place)) == _ESCAPE:
        _pass_over(place)
    return sign


def _character(place: int) -> str:
    """One character of UTF-8; the end of the input is Ctrl-D."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        byte = os.read(place, 1)
        if not byte:
            return _END_OF_INPUT
        if sign := decoder.decode(byte):
            return sign


def _pass_over(place: int) -> None:
    """The rest of an escape sequence: `[` or `O`, then up to a letter. Escape alone has none."""
    if _next(place) not in (b"[", b"O"):
        return
    while (byte := _next(place)) and not b"@" <= byte <= b"~":
        pass


def _next(place: int) -> bytes:
    """A byte that is there already; none: the key was Escape itself."""
    return os.read(place, 1) if select.select([place], [], [], 0.02)[0] else b""
