"""How wide text is on a terminal, where a Chinese character takes two columns.

Owns: measuring, padding, wrapping, and keeping foreign text from steering the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from shutil import get_terminal_size
from typing import TextIO

_WIDE = "WF"
_OPENING = "（【「『《“‘([{"
_CLOSING = "，。、；：？！）】」』》”’…,.;:?!)]}%"
# A Latin word, number or option stays whole; a Chinese character may stand alone.
_PIECE = re.compile(r"\s+|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+|.", re.DOTALL)

# All controls but line break and tab, and the signs that turn the writing direction.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """`text` with � for what a terminal would obey: a model's answer must not clear the screen."""
    return _STEERING.sub("\ufffd", text)


def width(text: str) -> int:
    """Columns that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in _WIDE else 1


def pad(text: str, columns: int) -> str:
    """`text` with spaces up to `columns`; longer text stays as it is."""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """At most `columns` of `text`, with … where something is missing."""
    if width(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if width(kept) + _columns(sign) > columns - 1:
            break
        kept += sign
    return kept + "…"


def tell(text: str, stream: TextIO) -> None:
    """Prints `text`, wrapped where the stream is a terminal; into a pipe it goes as it is."""
    text = harmless(text)
    if stream.isatty():
        text = "\n".join(wrap(text, get_terminal_size().columns))
    print(text, file=stream, flush=True)


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns`, where the words allow it. Line breaks in `text` are kept."""
    text = harmless(text)
    return [line for part in text.split("\n") for line in _wrapped(part, max(columns, 8))]


def _wrapped(text: str, columns: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width(line) + width(piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = indent + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """What must not be torn; punctuation stays with what it opens or closes."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        closes = bool(pieces) and piece[0] in _CLOSING and not pieces[-1].isspace()
        if closes or (pieces and pieces[-1][-1] in _OPENING and not piece.isspace()):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces
