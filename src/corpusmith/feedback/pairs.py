"""Preference pairs: for each prompt a better and a worse answer, grouped on disk.

Owns: which two answers are a pair. Does not own: a pair's row (`samples.py`).
One answer that several people rated counts once, with the mean of its ratings: so two equal
answers are never a pair, and one stray click does not make one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from corpusmith.feedback.fields import Feedback

Choice = Literal["best-worst", "all"]

_AT_ONCE = 2000
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -32768;
CREATE TABLE texts (row INTEGER PRIMARY KEY, prompt TEXT, answer TEXT);
CREATE TABLE ratings (row INTEGER PRIMARY KEY, prompt BLOB, answer BLOB, rating REAL);
"""
_ANSWERS = """
CREATE TABLE answers AS
  SELECT prompt, avg(rating) AS rating, min(row) AS row FROM ratings GROUP BY prompt, answer
"""
# Of equally rated answers the earliest is taken. The slack is for means such as 4.2 - 3.2.
_CHOICES: dict[Choice, str] = {
    "best-worst": """
WITH ranked AS (
  SELECT prompt, rating, row,
    row_number() OVER (PARTITION BY prompt ORDER BY rating DESC, row) AS best,
    row_number() OVER (PARTITION BY prompt ORDER BY rating, row) AS worst
  FROM answers
)
SELECT c.row AS chosen, r.row AS rejected
FROM (SELECT * FROM ranked WHERE best = 1) c JOIN (SELECT * FROM ranked WHERE worst = 1) r
  ON r.prompt = c.prompt
WHERE c.rating - r.rating >= :margin - 1e-9 AND c.rating > r.rating
""",
    "all": """
SELECT c.row AS chosen, r.row AS rejected
FROM answers c JOIN answers r ON r.prompt = c.prompt
WHERE c.rating - r.rating >= :margin - 1e-9 AND c.rating > r.rating
""",
}


class Pair(NamedTuple):
    """A prompt with its better and its worse answer."""

    prompt: str
    chosen: str
    rejected: str


class Pairing:
    """Takes feedback, gives pairs. Memory is flat: it all lies in one file, deleted at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES + "BEGIN;")
        self._texts: list[tuple[int, str, str]] = []
        self._ratings: list[tuple[int, bytes, bytes, float]] = []
        self._row = 0

    def add(self, batch: Sequence[Feedback]) -> None:
        """Takes valid feedback, in the file's order."""
        for one in batch:
            self._row += 1
            self._texts.append((self._row, one.user_input, one.model_response))
            self._ratings.append(
                (self._row, _hash(one.user_input), _hash(one.model_response), one.rating)
            )
        if len(self._texts) >= _AT_ONCE:
            self._flush()

    def pairs(self, choice: Choice, margin: float) -> Iterator[Pair]:
        """All pairs whose ratings differ by `margin` or more, in the order of their answers."""
        self._flush()
        self._database.execute(_ANSWERS)
        self._database.execute("CREATE INDEX by_prompt ON answers (prompt, rating, row)")
        chosen = _CHOICES[choice]
        query = f"""
SELECT c.prompt, c.answer, r.answer
FROM ({chosen}) p JOIN texts c ON c.row = p.chosen JOIN texts r ON r.row = p.rejected
ORDER BY min(p.chosen, p.rejected), max(p.chosen, p.rejected)
"""  # noqa: S608  one of our own two texts
        yield from map(Pair._make, self._database.execute(query, {"margin": margin}))

    def close(self) -> None:
        """Deletes the file. May be called twice."""
        self._database.close()
        self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO texts VALUES (?, ?, ?)", self._texts)
        self._database.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?)", self._ratings)
        self._texts, self._ratings = [], []


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
