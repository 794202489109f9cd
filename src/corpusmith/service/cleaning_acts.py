"""Use-cases of doing something about bad records that were found.

Owns: what becomes of them, by hand or by the checks, counted in one shape. Does not own: finding
them (`cleaning.py`), what a bulk action does (`records.py`), what a check does (`checking.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from corpusmith.service.checking import USUAL
from corpusmith.service.checks import options_of
from corpusmith.values import Selection

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

ByHand = Literal["reject", "tag", "delete"]
"""Of the groups that somebody chose."""
ByChecks = Literal["flag", "mask"]
"""Of all that the checks find."""


class Show(Protocol):
    """Told now and then: (records done, records in all)."""

    def __call__(self, done: int, total: int | None = None, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What was done. count == changed + unchanged + gone."""

    action: ByHand | ByChecks
    count: int
    changed: int
    unchanged: int
    gone: int
    """Those that were in no dataset any more."""
    removals: Sequence[int]
    """Of `delete`: each can be put back."""
    action_id: int | None
    """Of what a reviewer says: undo takes it back."""


def by_hand(
    studio: Studio,
    action: ByHand,
    ids: Sequence[int],
    *,
    tags: Sequence[str] = (),
    reviewer: str | None = None,
    show: Show = lambda done, total=None, /: None,
) -> Cleaned:
    """Reject, tag or take out these records. Raises UsageError."""
    show(0, len(ids))
    tags = tags if action == "tag" else ()
    done = studio.records.bulk(action, ids, tags=tags, reviewer=reviewer, show=show)
    return Cleaned(
        action=action,
        count=done.count,
        changed=done.changed,
        unchanged=done.unchanged,
        gone=done.gone + done.left_out,
        removals=[one.number for one in done.removals],
        action_id=done.action_id,
    )


def by_checks(
    studio: Studio,
    action: ByChecks,
    dataset: str,
    checks: Any,
    *,
    reviewer: str | None = None,
    show: Show = lambda done, total=None, /: None,
) -> Cleaned:
    """Note at all records of a dataset what the checks say, or mask what they can. Whole or not at
    all. Raises NotFound, UsageError, SpecError."""
    found = studio.checking.records(
        Selection(dataset=dataset),
        checks=_to_mask(checks) if action == "mask" else checks,
        apply=action,
        reviewer=reviewer,
        look=lambda found: show(found.looked, found.total),
    )
    if action == "flag":
        return _done(action, found.looked, found.noted)
    masked = found.masked
    if masked is None:
        return _done(action, found.maskable, 0)
    return _done(action, found.maskable, masked.changed, masked.action_id)


def _to_mask(checks: Any) -> Any:
    """The checks without what else they would do about it: to mask is wanted now."""
    wished = options_of(checks, {name: {} for name in USUAL})
    return [
        {name: {option: own[option] for option in own if option != "action"}}
        for name, own in wished.items()
    ]


def _done(action: ByChecks, count: int, changed: int, action_id: int | None = None) -> Cleaned:
    return Cleaned(
        action=action,
        count=count,
        changed=changed,
        unchanged=count - changed,
        gone=0,
        removals=(),
        action_id=action_id,
    )
