"""Where the elements of a JSON array end, without parsing them.

Owns: bytes and brackets. It is linear and exact for valid JSON, and slower than a parser; it is
asked only where the quick way (`arrays.py`) does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# An unclosed string matches too, without its last quote: the file may go on.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|([{\[])|[}\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]\s]*+")
_BLANK = re.compile(rb"[ \t\r\n]*+")
_GAP = re.compile(rb"[ \t\r\n]*+,?[ \t\r\n]*+")
_OPENING = b"{["
_QUOTE = ord('"')
_CLOSE = ord("]")


def elements(text: bytes, *, whole: bool) -> Iterator[tuple[int, int, int]]:
    """(start, end, start of what follows) of each element that ends inside `text`.

    `text` starts at an element or at blanks; `whole`: nothing comes behind it. Ends before the
    first `]` that closes the array, and before an element that may go on behind `text`. Commas that
    are missing or too many are passed over: what stands between them is for its parser to judge.
    """
    at = blanks_end(text, 0)
    while at < len(text) and text[at] != _CLOSE:
        end = _element_end(text, at, whole)
        after = None if end is None else _gap_end(text, end)
        if end is None or after is None or (after == len(text) and not whole):
            return
        yield at, end, after
        at = after


def blanks_end(text: bytes, start: int) -> int:
    """Where the blanks at `start` end."""
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _gap_end(text: bytes, start: int) -> int:
    found = _GAP.match(text, start)
    return found.end() if found else start


def _element_end(text: bytes, start: int, whole: bool) -> int | None:
    """Where the element at `start` ends; None: not inside `text`."""
    if text[start] in _OPENING:
        return _nested_end(text, start)
    if text[start] == _QUOTE:
        string = _TOKEN.match(text, start)
        return string.end() if string and string[1] else None
    scalar = _SCALAR.match(text, start)
    end = scalar.end() if scalar else start
    return end if end < len(text) or whole else None


def _nested_end(text: bytes, start: int) -> int | None:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[2]:
            depth += 1
        elif token[1] is None:
            depth -= 1
            if depth == 0:
                return token.end()
        elif not token[1]:
            return None
    return None
