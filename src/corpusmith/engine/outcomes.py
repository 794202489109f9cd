"""What became of an item: drafts, errors and gaps as one Outcome that adds up. Pure.

Owns: `len(drafts) + len(misses) == want`, and which misses need fresh samples. Does not own: the
checks' verdicts (the runner turns those into misses).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from corpusmith.errors import CorpusmithError, ProviderError, ReplyError
from corpusmith.values import Draft, Item, Json, Miss, Outcome


def miss_of(error: CorpusmithError, role: str = "") -> Miss:
    """A failed sample; a paid but useless reply needs fresh samples to do better.

    `role`: whose answer failed, where a recipe has several.
    """
    raw = error.raw if isinstance(error, ProviderError | ReplyError) else ""
    return Miss(
        kind="failed",
        reason=error.reason,
        detail=_plain(error.data) | ({"role": role} if role else {}),
        raw=raw,
        fresh=isinstance(error, ReplyError),
    )


def internal_miss(error: Exception) -> Miss:
    """A bug in a recipe: its type and words, for a report."""
    detail = {"type": type(error).__name__, "cause": str(error)[:500]}
    return Miss(kind="failed", reason="internal", detail=detail, fresh=True)


def all_missed(item: Item, miss: Miss, calls: int) -> Outcome:
    """Nothing came of the item, for one reason."""
    return Outcome(item=item, misses=(miss,) * item.want, calls=calls)


def outcome_of(item: Item, made: object, calls: int) -> Outcome:
    """What the recipe made, filled up to `want`: samples it did not bring are failed."""
    parts = list(made) if isinstance(made, list | tuple) else []
    parts = parts[: item.want]
    drafts = tuple(part for part in parts if isinstance(part, Draft))
    misses = [part for part in parts if isinstance(part, Miss)]
    for _ in range(item.want - len(drafts) - len(misses)):
        misses.append(Miss(kind="failed", reason="too_few", fresh=True))
    return Outcome(item=item, drafts=drafts, misses=tuple(misses), calls=calls)


def sorted_out(outcome: Outcome, parts: Sequence[Draft | Miss], calls: int) -> Outcome:
    """`outcome` with what its drafts became."""
    drafts = tuple(part for part in parts if isinstance(part, Draft))
    misses = tuple(part for part in parts if isinstance(part, Miss))
    return replace(outcome, drafts=drafts, misses=outcome.misses + misses, calls=calls)


def sample_name(item: Item, number: int) -> str:
    """A sample's name in its task, such as `日常对话#12`; of further ones `日常对话#12.2`."""
    return f"{item.key}.{number + 1}" if number else item.key


def cause_of(error: CorpusmithError) -> dict[str, Json]:
    """Why a task ended, as it is stored."""
    return {"code": error.reason, **_plain(error.data)}


def _plain(data: Mapping[str, object]) -> dict[str, Json]:
    simple = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, simple) else str(value) for name, value in data.items()
    }
