"""The `duplicates` check: no record that says word for word what another one says.

Owns: when two records are the same, and the set of those there are: 36 bytes a record at a
million. Does not own: records that are nearly the same (`near_duplicates.py`), whose turn it is
(the engine). Reason: exact_duplicate.

Case, width, blanks and punctuation make no difference, and neither does the order of a row's
fields. What a record was only given (kept fields, rounds to go on from) does not count.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import ClassVar

from corpusmith.contracts import Ask, CheckContext, Earlier
from corpusmith.quality.options import ACTIONS, Action, chosen, field_names, found_fault, one_of
from corpusmith.quality.shapes import passages
from corpusmith.quality.spool import Spool
from corpusmith.quality.variants import INVISIBLE
from corpusmith.values import PASS, Draft, Verdict

SCOPES = ("dataset", "task")
_DIGEST_BYTES = 16
# What makes no difference, after NFKC: blanks, signs that show nothing, quotation marks, brackets,
# the ends of sentences. A sign between digits, and those of formulas and names, do: 1.5 is not 15,
# C# and C++ are not C.
_IGNORED = re.compile(
    rf"[\s{INVISIBLE}、。「」『』《》〈〉【】“”‘’\"'`()\[\]!?;~·—]+"
    r"|(?<![0-9])[.,:]|[.,:](?![0-9])|(?<![^\W_])[*_]|[*_](?![^\W_])|(?<=[^\W\d_])-(?=[^\W\d_])"
)
_FIRST_PLACES = 1 << 12
_MOST_PLACES = 1 << 26
"""Made at once for the records that are expected: 256 MB."""


def compared_texts(draft: Draft, fields: Sequence[str]) -> list[str]:
    """The texts by which a draft is compared, in an order that does not depend on the fields'.

    None for a judge's comments: two rows may well deserve the same words.
    """
    if isinstance(draft.content, dict) and "judges" in draft.content:
        return []
    found = chosen(passages(draft), fields)
    return [one.text for one in sorted(found) if one.text]


def normalised(text: str) -> str:
    """`text` as it is compared; of nothing but signs, those."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _IGNORED.sub("", folded) or "".join(folded.split())


class Duplicates:
    """Fails a draft that equals an earlier record of the task or of its dataset.

    `fields`: compare these only, such as `question`. `scope`: `dataset` (with the records of other
    tasks in it), or `task`. `action`: reject or flag.
    """

    name: ClassVar[str] = "duplicates"

    def __init__(
        self,
        *,
        context: CheckContext | None = None,
        fields: str | Sequence[str] = (),
        scope: str = "dataset",
        action: str = "reject",
    ) -> None:
        self._fields = field_names(self.name, "fields", fields)
        self._own_only = one_of(self.name, "scope", scope, SCOPES) == "task"
        self._action: Action = one_of(self.name, "action", action, ACTIONS)
        self._known = Known(0 if context is None else context.expected)

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """See contracts.ComparingCheck."""
        for one in earlier:
            if one.own or not self._own_only:
                self._add(one.place, one.draft)

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        """See contracts.ComparingCheck."""
        digest = self._digest(draft)
        place = None if digest is None else self._known.find(digest)
        if place is None:
            return PASS
        return found_fault(self._action, "exact_duplicate", of=place)

    def remember(self, place: str, draft: Draft) -> None:
        """See contracts.ComparingCheck."""
        self._add(place, draft)

    def _add(self, place: str, draft: Draft) -> None:
        digest = self._digest(draft)
        if digest is not None:
            self._known.add(digest, place)

    def _digest(self, draft: Draft) -> bytes | None:
        """None: the draft has nothing to compare by."""
        texts = [one for text in compared_texts(draft, self._fields) if (one := normalised(text))]
        if not texts:
            return None
        data = "\x1f".join(texts).encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=_DIGEST_BYTES).digest()


class Known:
    """Digests, each with the place of the first record that has it.

    An open-addressing table of row numbers; a row is 16 bytes of digest, and its place stands in a
    file. Python's own dict takes 250 bytes for as much.
    """

    def __init__(self, expected: int = 0) -> None:
        """`expected` records are made room for at once: growing takes seconds at a million."""
        places = _FIRST_PLACES
        while places < _MOST_PLACES and places * 2 < expected * 3:
            places *= 2
        self._digests = bytearray(_DIGEST_BYTES)  # row 0 is nobody's
        self._rows = array("I", bytes(4 * places))
        self._places = Spool()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def held_bytes(self) -> int:
        """Memory: digests, table, and 8 bytes for each place in the file."""
        return len(self._digests) + 4 * len(self._rows) + 8 * len(self)

    def find(self, digest: bytes) -> str | None:
        """The place of the first record with this digest; None: there is none."""
        row = self._rows[self._look(digest)]
        return self._places[row - 1] if row else None

    def add(self, digest: bytes, place: str) -> None:
        """Does nothing if the digest is there."""
        at = self._look(digest)
        if self._rows[at]:
            return
        self._digests += digest
        self._places.extend([place])
        self._rows[at] = len(self)
        if len(self) * 3 > len(self._rows) * 2:
            self._grow()

    def _look(self, digest: bytes) -> int:
        """Where its row stands, or the free place where it belongs."""
        rows, digests = self._rows, self._digests
        last = len(rows) - 1
        at = int.from_bytes(digest[:8], "little") & last
        while row := rows[at]:
            start = row * _DIGEST_BYTES
            if digests[start : start + _DIGEST_BYTES] == digest:
                break
            at = (at + 1) & last
        return at

    def _grow(self) -> None:
        self._rows = array("I", bytes(8 * len(self._rows)))
        rows, last = self._rows, len(self._rows) - 1
        for row in range(1, len(self) + 1):
            start = row * _DIGEST_BYTES
            at = int.from_bytes(self._digests[start : start + 8], "little") & last
            while rows[at]:
                at = (at + 1) & last
            rows[at] = row
