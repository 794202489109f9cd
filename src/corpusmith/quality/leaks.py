"""Finds sentences of a prompt in a text that was made with it.

Owns: which sentences of a prompt are instructions, and finding them word for word. Does not own:
which prompts there are, and what becomes of a find (`placeholders.py`).

A sentence counts whole, or a long stretch of it: the name of a law or a product stands in a prompt
too, and in every text about it. What a prompt has in quotation marks it may well want to be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from corpusmith.presets.load import prompts
from corpusmith.quality.repetition import weight
from corpusmith.values import Language

_SENTENCE_WEIGHT = 40
"""Shorter ones say little: 20 characters of Chinese, 40 Latin letters."""
_STRETCH_WEIGHT = 80
_MOST = 0.9
"""Of a sentence: the rest may be a comma, or the word that the text goes on with."""
_GRAM = 8
_STRIDE = 12
_ENDS = re.compile(r"[。！？；!?;\n]+|\.(?:\s+|$)|\{[a-z_]+\}")
_QUOTED = re.compile(r"“[^”\n]*”|「[^」\n]*」|《[^》\n]*》|\"[^\"\n]*\"|`[^`\n]*`|\{\{.*?\}\}")
_LETTERS = re.compile(r"[^\W_]")
_MARK = re.compile(r"^[\s\-*•#>]*(?:\d{1,2}[.、)）]\s*)?")


class Leaks:
    """The sentences of `texts`, ready to be found. Costs one look-up for every 12 characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._sentences = tuple(dict.fromkeys(one for text in texts for one in _sentences(text)))
        self._places: dict[str, list[tuple[str, int]]] = {}
        for sentence in self._sentences:
            for at in range(len(sentence) - _GRAM + 1):
                self._places.setdefault(sentence[at : at + _GRAM], []).append((sentence, at))

    def find(self, text: str) -> str | None:
        """The first stretch of a sentence in `text`, as it stands there; None: there is none."""
        if not self._places:
            return None
        for start in range(0, len(text) - _GRAM + 1, _STRIDE):
            for sentence, at in self._places.get(text[start : start + _GRAM], ()):
                found = _shared(text, start, sentence, at)
                if _is_leak(found, sentence):
                    return found
        return None


@lru_cache
def leaks_of_recipe(recipe: str, language: Language) -> Leaks:
    """Of the prompts that are shipped for a recipe."""
    return Leaks(prompts(recipe, language).values())


def _sentences(text: str) -> list[str]:
    parts = _ENDS.split(_QUOTED.sub("\n", text))
    bare = (_MARK.sub("", part).strip() for part in parts)
    return [part for part in bare if weight(part) >= _SENTENCE_WEIGHT and _says_something(part)]


def _says_something(part: str) -> bool:
    """Half of it are letters: a rule of dashes or the frame of a table is nobody's sentence."""
    return 2 * len(_LETTERS.findall(part)) >= len(part)


def _shared(text: str, start: int, sentence: str, at: int) -> str:
    """The stretch around both places that is the same."""
    back = 0
    while back < min(start, at) and text[start - back - 1] == sentence[at - back - 1]:
        back += 1
    length = _GRAM
    room = min(len(text) - start, len(sentence) - at)
    while length < room and text[start + length] == sentence[at + length]:
        length += 1
    return text[start - back : start + length]


def _is_leak(found: str, sentence: str) -> bool:
    heavy = weight(found)
    return heavy >= _STRETCH_WEIGHT or (
        heavy >= _SENTENCE_WEIGHT and len(found) >= _MOST * len(sentence)
    )
