"""What the engine asks of the database, and what it hands it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from corpusmith.contracts.checks import Earlier
from corpusmith.values import (
    NO_USAGE,
    Draft,
    Json,
    Miss,
    Outcome,
    Reply,
    Spend,
    Status,
    StructuredMode,
    Usage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One completed call, as it is journalled."""

    key: bytes
    """32 bytes: the whole request's digest."""
    task_id: int
    item: str
    """The item's key, for people."""
    role: str
    endpoint: str
    model: str
    request: bytes
    """Canonical JSON of the request; no key in it."""
    reply: Reply
    cost_usd: float | None
    mode: StructuredMode | None = None
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Paid, but no reply to journal: a failed call that used tokens, or just a call made."""

    task_id: int
    calls: int = 1
    usage: Usage = NO_USAGE
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """An item's outcome, to be saved in one transaction with its records and all counters."""

    task_id: int
    fence: int
    outcome: Outcome
    accepted: tuple[Draft, ...]
    misses: tuple[Miss, ...]
    """`len(accepted) + len(misses) == outcome.item.want`"""


Write = JournalEntry | Charge | Save


class Transaction(Protocol):
    """One group commit: `begin`, `apply` once, `commit`."""

    def begin(self) -> None:
        """Take the write lock. May wait; call it off the event loop."""

    def apply(self, writes: Sequence[Write]) -> list[Exception | None]:
        """Write all; for each, None or why it was refused (LeaseLost). Others are kept.

        A journal entry whose key is there already is left as it is (None).
        """

    def commit(self) -> None:
        """Make it last. May wait for the disk; call it off the event loop."""

    def rollback(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A category of a task with its counters, in samples."""

    name: str
    count: int
    labels: Mapping[str, str] = field(default_factory=dict)
    waves: tuple[tuple[int, int], ...] = ()
    """(first ordinal, records) of each planned wave; ordinals between are replacements."""
    attempted: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to run a task. `fence` grows with every lease; an older one is refused."""

    task_id: int
    owner: str
    fence: int
    asked_at: float | None = None
    """When the run was asked for, seconds since 1970; None: nobody waits for it in a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a run learns when it prolongs its lease."""

    wish: str | None
    """What another process asks of it: `pause`, `cancel` or None."""
    revision: int
    """Of the task's spec; another one than before: it was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the store knows of an item of a task."""

    category: str
    ordinal: int
    generation: int
    done: bool
    """False: put back by `retry`; it is to be run again as `generation`."""


class Store(Protocol):
    """What the engine needs of the database. The rest (nouns, lists) is the service's to use."""

    inline_io: bool
    """True when reads and `apply` are quick enough for the event loop (a local file)."""

    def find_calls(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        """The replies that are journalled, by key."""

    def transaction(self) -> Transaction: ...

    def acquire(
        self, task_id: int, owner: str, ttl_s: float, now: float, *, asked: bool = False
    ) -> Lease:
        """Lease a task to `owner` until `now + ttl_s`; status becomes `running`.

        A lease whose owner is surely dead (`same machine, process gone`) is taken over at once.
        `asked`: only if it is still in the queue. Raises LeaseHeld, NotFound, Stopped (it is not).
        """

    def renew(self, lease: Lease, ttl_s: float, now: float, live: Json = None) -> Beat:
        """Prolong, and write down what the run looks like now, beyond its counters (None: as it
        did); returns what others want of it. Raises LeaseLost.
        """

    def release(
        self,
        lease: Lease,
        status: Status,
        cause: Mapping[str, Json] | None,
        *,
        again: bool = False,
    ) -> None:
        """Give the lease back with the task's new status and why.

        It leaves the queue, unless `again`, or it was put there anew meanwhile. Raises LeaseLost.
        """

    def quotas(self, task_id: int) -> list[Quota]:
        """The task's categories in plan order, with their counters."""

    def spend(self, task_id: int) -> Spend:
        """What the task has paid so far."""

    def finished(self, task_id: int) -> Iterator[Finished]:
        """Every item known, by category position and ordinal. Streams."""

    def earlier(self, task_id: int) -> Iterator[Earlier]:
        """Those that others put in the task's dataset, then the task's own. Streams."""

    def mode(self, endpoint: str, model: str) -> StructuredMode | None:
        """The structured-output way that worked there last, or None."""

    def remember_mode(self, endpoint: str, model: str, mode: StructuredMode) -> None: ...
