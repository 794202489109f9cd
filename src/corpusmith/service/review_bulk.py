"""The same said of many records: one action, a batch at a time.

Owns: which records a batch has, and adding up what became of them. Does not own: what may be said
(`review_input.py`), saying it (`store/reviews.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from corpusmith.store.review_values import Change, Changed, Place
from corpusmith.store.reviews import AT_ONCE
from corpusmith.store.store import SqlStore
from corpusmith.values import Selection

Show = Callable[[int], None]
"""Told now and then how many records are done."""


def said_of_all(
    store: SqlStore, batches: Iterator[Sequence[int]], reviewer: str, change: Change, show: Show
) -> Changed:
    """Says it of all of them. What was said before a crash stands."""
    action: int | None = None
    changed = unchanged = gone = 0
    for batch in batches:
        found = store.reviews.change(batch, reviewer, change, kind="bulk", action=action)
        action = found.action_id
        changed += found.changed
        unchanged += found.unchanged
        gone += found.gone
        show(changed + unchanged + gone)
    return Changed(action_id=action, changed=changed, unchanged=unchanged, gone=gone)


def batches_of(store: SqlStore, selection: Selection) -> Iterator[Sequence[int]]:
    """The selection's records, and none that comes while this goes on."""
    if selection.text is not None:
        yield from portions(list(store.records.ids(selection)))
        return
    newest = store.review_queues.newest(selection)
    after: Place | None = None
    while True:
        page = store.review_queues.members(selection, limit=AT_ONCE, upto=newest, after=after)
        if page.ids:
            yield page.ids
        if page.after is None:
            return
        after = page.after


def portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """These, a batch at a time."""
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
