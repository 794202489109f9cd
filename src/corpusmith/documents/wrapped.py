"""Joins lines that were broken for the page's width only.

Owns: what stands between two joined pieces. Does not own: which lines belong together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u00ad]$")


def is_wide(char: str) -> bool:
    """A Chinese or Japanese sign, or full-width punctuation: no blank stands beside it."""
    return unicodedata.east_asian_width(char) in "WF" and not "가" <= char <= "힣"


def width(line: str) -> int:
    """Columns: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def joined(lines: Iterable[str], *, hyphens: bool = False) -> str:
    """One line of several: Chinese without a blank; `hyphens`: a parted word whole again."""
    text = ""
    for line in lines:
        piece = line.strip()
        if not text or not piece:
            text += piece
        elif hyphens and piece[0].islower() and _HYPHEN.search(text):
            text = _HYPHEN.sub("", text) + piece
        elif is_wide(text[-1]) and is_wide(piece[0]):
            text += piece
        else:
            text += " " + piece
    return text
