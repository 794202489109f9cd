"""The `near_duplicates` check: no record that says nearly the same as another one.

Owns: which texts of a record are compared, and with which records. Does not own: finding what is
alike (`near_index.py`), records that are exactly the same (`duplicates.py`), whose turn it is (the
engine). Reason: near_duplicate.

Compared is the record as a whole: a dialogue is all its turns. Of two that are alike the earlier
one stays. What a template puts into every record is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from corpusmith.contracts import Ask, CheckContext, Earlier
from corpusmith.quality.duplicates import SCOPES, compared_texts
from corpusmith.quality.options import (
    ACTIONS,
    Action,
    field_names,
    found_fault,
    number,
    one_of,
    whole,
)
from corpusmith.quality.spool import Spool
from corpusmith.values import PASS, Draft, Verdict

if TYPE_CHECKING:
    from corpusmith.quality.near_index import Prepared

THRESHOLD = 0.7
_MOST_ROOM = 2_000_000
"""Texts that room is made for at once, 230 bytes each; for more it grows on the way."""


class NearDuplicates:
    """Fails a draft that is nearly the same as an earlier record of the task or of its dataset.

    `threshold`: how alike is too alike, from 0.3 to 1: of the short pieces that either of two texts
    consists of, the share that both have. `ngram`: characters in a piece, from 2 to 20; by the
    script if there is none. `fields`: compare these only, such as `question`. `scope`: `dataset`
    (with the records of other tasks in it), or `task`. `action`: reject or flag.
    """

    name: ClassVar[str] = "near_duplicates"

    def __init__(
        self,
        *,
        context: CheckContext,
        threshold: float = THRESHOLD,
        ngram: int | None = None,
        fields: str | Sequence[str] = (),
        scope: str = "dataset",
        action: str = "reject",
    ) -> None:
        # On use: numpy takes a tenth of a second, and most tasks do not compare.
        from corpusmith.quality.near_index import NearIndex

        self._fields = field_names(self.name, "fields", fields)
        self._own_only = one_of(self.name, "scope", scope, SCOPES) == "task"
        self._action: Action = one_of(self.name, "action", action, ACTIONS)
        self._places = Spool()
        self._last: tuple[str, Prepared | None] | None = None
        self._index = NearIndex(
            threshold=number(self.name, "threshold", threshold, 0.3, 1),
            ngram=None if ngram is None else whole(self.name, "ngram", ngram, 2, 20),
            boilerplate=context.boilerplate,
            expected=min(context.expected, _MOST_ROOM),
        )

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """See contracts.ComparingCheck."""
        self._index.add_many(self._texts(earlier))

    def settle(self) -> None:
        """See contracts.ComparingCheck: the tables are made here, not under the first draft."""
        self._index.settle()

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        """See contracts.ComparingCheck."""
        prepared = self._prepared(draft)
        match = None if prepared is None else self._index.nearest(prepared)
        if match is None:
            return PASS
        return found_fault(
            self._action,
            "near_duplicate",
            of=self._places[match.number],
            similarity=round(match.similarity, 3),
        )

    def remember(self, place: str, draft: Draft) -> None:
        """See contracts.ComparingCheck."""
        prepared = self._prepared(draft)
        if prepared is not None:
            self._index.add(prepared)
            self._places.extend([place])

    def _texts(self, earlier: Iterable[Earlier]) -> Iterator[str]:
        for one in earlier:
            text = self._text(one.draft) if one.own or not self._own_only else ""
            if text:
                self._places.extend([one.place])
                yield text

    def _prepared(self, draft: Draft) -> Prepared | None:
        """Made once for `compare` and `remember`; None: the draft has nothing to compare by."""
        text = self._text(draft)
        if self._last is None or self._last[0] != text:
            self._last = (text, self._index.prepare(text) if text else None)
        return self._last[1]

    def _text(self, draft: Draft) -> str:
        """Empty: the draft has nothing to compare by."""
        return "\n".join(compared_texts(draft, self._fields)).strip()
