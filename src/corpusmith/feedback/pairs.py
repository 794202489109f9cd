"""Preference pairs of feedback: for each prompt a better and a worse answer.

Owns: the texts of a pair, kept on disk. Does not own: which two answers are one (`ranking.py`), a
pair's row (`samples.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from corpusmith.feedback.fields import Feedback
from corpusmith.feedback.ranking import Choice, Ranking, Rated

_AT_ONCE = 2000
_TEXTS = "CREATE TABLE texts (row INTEGER PRIMARY KEY, prompt TEXT, answer TEXT)"
_PAIRS = """
SELECT c.prompt, c.answer, r.answer
FROM pairs p JOIN texts c ON c.row = p.better JOIN texts r ON r.row = p.worse
ORDER BY p.rowid
"""


class Pair(NamedTuple):
    """A prompt with its better and its worse answer."""

    prompt: str
    chosen: str
    rejected: str


class Pairing:
    """Takes feedback, gives pairs. Memory is flat: it all lies in one file, deleted at the end."""

    def __init__(self, path: Path) -> None:
        self._ranking = Ranking(path)
        self._ranking.database.execute(_TEXTS)
        self._waiting: list[Feedback] = []

    def add(self, batch: Sequence[Feedback]) -> None:
        """Takes valid feedback, in the file's order."""
        self._waiting += batch
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def pairs(self, choice: Choice, margin: float) -> Iterator[Pair]:
        """All pairs whose ratings differ by `margin` or more, in the order of their answers."""
        self._flush()
        self._ranking.settle(choice, margin)
        yield from map(Pair._make, self._ranking.database.execute(_PAIRS))

    def close(self) -> None:
        """Deletes the file. May be called twice."""
        self._ranking.close()

    def _flush(self) -> None:
        """The texts get the next places, as their ratings do."""
        waiting, self._waiting = self._waiting, []
        texts = [(one.user_input, one.model_response) for one in waiting]
        self._ranking.database.executemany("INSERT INTO texts VALUES (NULL, ?, ?)", texts)
        self._ranking.add(Rated(one.user_input, one.model_response, one.rating) for one in waiting)
