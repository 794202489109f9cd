"""What a terminal makes of the signs that a program writes, as far as ours writes them.

Owns: text, colours, moving up, erasing. Does not own: running the program, the picture
(`record_demo.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.text import Text

COLUMNS = 92

_SIGN = re.compile(
    r"\x1b\[(?P<params>[\d;?]*)(?P<kind>[A-Za-z])|\x1b\][^\x07]*\x07|(?P<char>.)", re.S
)
Cell = tuple[str, str]
"""A character and the SGR parameters in force; an empty character is a wide one's right half."""


@dataclass(slots=True)
class Screen:
    """The part of a terminal that this program uses: text, colours, moving up, erasing."""

    rows: list[list[Cell]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0
    style: str = ""

    def feed(self, text: str) -> None:
        """Take what a program wrote."""
        for sign in _SIGN.finditer(text):
            if sign["char"]:
                self._character(sign["char"])
            elif sign["kind"]:
                self._control(sign["kind"], sign["params"])

    def _character(self, char: str) -> None:
        if char == "\n":
            self._go_down()
        elif char == "\r":
            self.column = 0
        elif char >= " ":
            self._put(char)

    def _put(self, char: str) -> None:
        width = cell_len(char)
        if self.column + width > COLUMNS:
            self._go_down()
            self.column = 0
        line = self.rows[self.row]
        line.extend([(" ", "")] * (self.column + width - len(line)))
        line[self.column] = (char, self.style)
        if width == 2:
            line[self.column + 1] = ("", self.style)
        self.column += width

    def _go_down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _control(self, kind: str, params: str) -> None:
        match kind:
            case "A":
                self.row = max(0, self.row - int(params or 1))
            case "K":
                line = self.rows[self.row]
                del line[0 if params == "2" else self.column :]
            case "m":
                kept = "" if params in ("", "0") else self.style
                self.style = f"{kept};{params}".strip(";")

    def lines(self) -> list[Text]:
        """Every line with its colours, the empty ones at the end left out."""
        found = [Text.from_ansi(_ansi(cells)) for cells in self.rows]
        while found and not found[-1].plain.strip():
            found.pop()
        return found


def _ansi(cells: Sequence[Cell]) -> str:
    return "".join(f"\x1b[0;{style}m{char}" for char, style in cells) + "\x1b[0m"
