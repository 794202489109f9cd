"""Which two answers to one prompt are a pair, a better and a worse one: grouped on disk.

Owns: the choice, and why an answer is in no pair. Does not own: what prompts and answers are, nor
rows of a file.
An answer that was rated several times counts once, with the mean of its ratings: so two equal
answers are never a pair, and one stray click does not make one. Equal ratings are never a pair
either; of equally rated answers the earliest is taken.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, cast

Choice = Literal["best-worst", "all"]
Left = Literal["alone", "repeated", "between", "close"]
"""Why an answer is in no pair: it has no other beside it; the same answer is in one; it is neither
the best nor the worst of its prompt; no other's rating differs enough."""

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -32768;
CREATE TABLE ratings (row INTEGER PRIMARY KEY, prompt BLOB, answer BLOB, rating REAL);
BEGIN;
"""
_ANSWERS = (
    """
CREATE TABLE answers AS
  SELECT prompt, answer, avg(rating) AS rating, min(row) AS row
  FROM ratings GROUP BY prompt, answer
""",
    "CREATE INDEX by_prompt ON answers (prompt, rating, row)",
)
# The slack is for means such as 4.2 - 3.2.
_CHOICES: dict[Choice, str] = {
    "best-worst": """
WITH ranked AS (
  SELECT prompt, rating, row,
    row_number() OVER (PARTITION BY prompt ORDER BY rating DESC, row) AS best,
    row_number() OVER (PARTITION BY prompt ORDER BY rating, row) AS worst
  FROM answers
)
SELECT c.row AS better, r.row AS worse, c.prompt AS prompt
FROM (SELECT * FROM ranked WHERE best = 1) c JOIN (SELECT * FROM ranked WHERE worst = 1) r
  ON r.prompt = c.prompt
WHERE c.rating - r.rating >= :margin - 1e-9 AND c.rating > r.rating
""",
    "all": """
SELECT c.row AS better, r.row AS worse, c.prompt AS prompt
FROM answers c JOIN answers r ON r.prompt = c.prompt
WHERE c.rating - r.rating >= :margin - 1e-9 AND c.rating > r.rating
""",
}
_PAIRS = """
CREATE TABLE pairs AS SELECT better, worse, prompt FROM ({chosen})
ORDER BY min(better, worse), max(better, worse)
"""
_BY_PROMPT = """
SELECT better, worse, (SELECT min(row) FROM answers WHERE prompt = pairs.prompt) AS first
FROM pairs ORDER BY first, pairs.rowid
"""
_USED = (
    "CREATE TABLE used (row INTEGER PRIMARY KEY)",
    "INSERT INTO used SELECT better FROM pairs UNION SELECT worse FROM pairs",
    "CREATE INDEX by_answer ON answers (prompt, answer)",
    """
CREATE TABLE prompts AS
  SELECT prompt, count(*) AS answers, max(row IN (SELECT row FROM used)) AS paired
  FROM answers GROUP BY prompt
""",
    "CREATE INDEX by_name ON prompts (prompt)",
)
_LEFT = """
SELECT r.row, CASE
  WHEN p.answers = 1 THEN 'alone'
  WHEN a.row <> r.row AND a.row IN (SELECT row FROM used) THEN 'repeated'
  WHEN p.paired AND :choice = 'best-worst' THEN 'between'
  ELSE 'close' END
FROM ratings r
JOIN answers a ON a.prompt = r.prompt AND a.answer = r.answer
JOIN prompts p ON p.prompt = r.prompt
WHERE r.row NOT IN (SELECT row FROM used)
ORDER BY r.row
"""


class Rated(NamedTuple):
    """An answer to a prompt; both may be any text that tells them from others."""

    prompt: str
    answer: str
    rating: float


class Chosen(NamedTuple):
    """A pair, by the places (from 1) of its answers in the order they were added. `first`: that of
    the first answer to their prompt."""

    better: int
    worse: int
    first: int


class Ranking:
    """Takes all rated answers, then `settle` it, then ask. Memory is flat: it all lies in one file,
    deleted at the end. Raises sqlite3.Error for what the disk says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(_TABLES)
        self._row = 0
        self._choice: Choice = "best-worst"

    def add(self, answers: Iterable[Rated]) -> None:
        """Takes some more; many at once are quicker."""
        rows = [
            (at, _hash(one.prompt), _hash(one.answer), one.rating)
            for at, one in enumerate(answers, self._row + 1)
        ]
        self._row += len(rows)
        self.database.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?)", rows)

    def settle(self, choice: Choice, margin: float) -> None:
        """Chooses the pairs: ratings differ by `margin` or more. Once."""
        self._choice = choice
        for statement in _ANSWERS:
            self.database.execute(statement)
        self.database.execute(_PAIRS.format(chosen=_CHOICES[choice]), {"margin": margin})

    def pairs(self) -> Iterator[Chosen]:
        """All of them, those of a prompt one after the other."""
        return map(Chosen._make, self.database.execute(_BY_PROMPT))

    def left_out(self) -> Iterator[tuple[int, Left]]:
        """(place, why) of every answer that is in no pair. Once."""
        for statement in _USED:
            self.database.execute(statement)
        for place, why in self.database.execute(_LEFT, {"choice": self._choice}):
            yield place, cast(Left, why)

    def close(self) -> None:
        """Deletes the file. May be called twice."""
        self.database.close()
        self._path.unlink(missing_ok=True)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
