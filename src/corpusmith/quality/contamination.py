"""The `contamination` check: no record that holds a question of a test set.

Owns: which texts of the test sets count, and how much of one in a record is too much. Does not own:
reading files (`readers`, by the service), folding (`shingles.py`). Reason: contaminated.

A text is a row of tokens: a Chinese character or a Latin word each. Of a test text of `ngram`
tokens or more, the share of its n-grams that stand in the record decides; a shorter one counts when
all of it stands there, and it has at least `least` tokens: `yes` alone is no test question.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar

from corpusmith.errors import SpecError
from corpusmith.quality.options import ACTIONS, Action, found_fault, number, one_of, whole
from corpusmith.quality.shapes import passages
from corpusmith.values import PASS, Draft, Verdict

_EXCERPT_CHARS = 60
_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]|[^\W_\u2e80-\u9fff]+"
)


class Contamination:
    """Fails a draft that holds a text of `tests`, or nearly.

    `tests`: test set's name → its texts; the service reads them from the option `files`. `ngram`:
    tokens in a piece, 3 to 50; `threshold`: share of a test text's pieces, 0.05 to 1; `least`:
    tokens of the shortest test text that counts; `action`: reject or flag.
    """

    name: ClassVar[str] = "contamination"

    def __init__(
        self,
        *,
        tests: Mapping[str, Sequence[str]] | None = None,
        ngram: int = 8,
        threshold: float = 0.5,
        least: int = 6,
        action: str = "reject",
    ) -> None:
        """Raises SpecError."""
        if tests is None:
            raise SpecError("contamination_none")
        self._size = whole(self.name, "ngram", ngram, 3, 50)
        self._share = number(self.name, "threshold", threshold, 0.05, 1)
        least = whole(self.name, "least", least, 1, 1000)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)
        self._where: list[tuple[str, str]] = []
        self._pieces: list[int] = []
        self._holders: dict[int, list[int]] = {}
        """Piece → the test texts that it stands in."""
        self._lengths: set[int] = set()
        for name, one in _texts(tests):
            self._take(name, one, least)

    def __call__(self, draft: Draft) -> Verdict:
        for passage in passages(draft):
            found = self._worst(tokens(passage.text))
            if found is not None:
                test, text = self._where[found[0]]
                return found_fault(
                    self._action,
                    "contaminated",
                    path=passage.path,
                    test=test,
                    overlap=round(found[1], 3),
                    found=text[:_EXCERPT_CHARS],
                )
        return PASS

    def _take(self, name: str, text: str, least: int) -> None:
        said = tokens(text)
        if len(said) < least:
            return
        size = min(self._size, len(said))
        pieces = set(_pieces(said, size))
        place = len(self._where)
        self._where.append((name, " ".join(text.split())))
        self._pieces.append(len(pieces))
        self._lengths.add(size)
        for piece in pieces:
            self._holders.setdefault(piece, []).append(place)

    def _worst(self, said: Sequence[str]) -> tuple[int, float] | None:
        """(test text, share of it) of the one that the text holds most of; None: none enough."""
        hits: Counter[int] = Counter()
        for size in self._lengths:
            for piece in set(_pieces(said, size)):
                hits.update(self._holders.get(piece, ()))
        shares = ((count / self._pieces[place], -place) for place, count in hits.items())
        share, place = max(shares, default=(0.0, 0))
        return (-place, share) if share >= self._share else None


def tokens(text: str) -> list[str]:
    """Characters of scripts without blanks, words of others; case and width make no difference."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _texts(tests: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(tests, Mapping) or not tests:
        raise SpecError("contamination_tests")
    for name, texts in tests.items():
        if isinstance(texts, str) or not all(isinstance(one, str) for one in texts):
            raise SpecError("contamination_tests")
        yield from ((str(name), one) for one in texts)


def _pieces(said: Sequence[str], size: int) -> Iterator[int]:
    """Each run of `size` tokens as a number of 64 bits, the same in every process."""
    for start in range(len(said) - size + 1):
        text = "\x1f".join(said[start : start + size])
        yield int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
