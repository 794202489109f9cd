"""The few Protocols that hold the house together. A plug-in is a class that fits one of them.

Owns: what the parts promise each other. Does not own: any implementation.
"""

from __future__ import annotations

from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, NamedTuple, runtime_checkable
from typing import Protocol as _Protocol

from corpusmith.values import (
    NO_USAGE,
    Category,
    ChatRequest,
    Connection,
    Draft,
    Item,
    Json,
    Language,
    Message,
    Miss,
    Outcome,
    Record,
    Reply,
    Schema,
    Spend,
    Status,
    StructuredMode,
    Usage,
    Verdict,
)

# ---------------------------------------------------------------- time


class Clock(_Protocol):
    """Time, passed in so that tests can turn the hands."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def time(self) -> float:
        """Seconds since 1970 (UTC)."""

    async def sleep(self, delay_s: float) -> None: ...


# ---------------------------------------------------------------- providers


class Secret:
    """A key in memory. Shows itself to nobody: `reveal()` is the only way in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a Secret cannot be pickled")


class Provider(_Protocol):
    """A model endpoint that speaks one protocol. Constructed as `cls(connection, key)`."""

    modes: tuple[StructuredMode, ...]
    """The ways to ask for a schema that this protocol has, best first, ending in `prompt`."""

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. `timeout_s` None: the connection's `total_s`.

        Raises ProviderError (its tree in `errors.py`). A reply with finish `length` or `refusal`
        is returned, not raised: it was completed and paid.
        """

    async def models(self) -> list[str]:
        """Names of the models that the endpoint offers, in its order. Raises ProviderError."""

    async def close(self) -> None:
        """Give back sockets. May be called twice."""


ProviderFactory = Callable[[Connection, Secret | None], Provider]


# ---------------------------------------------------------------- recipes


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a recipe may know of its task."""

    seed: int
    language: Language
    batch_id: str
    """`batch_YYYYmmdd_HHMMSS`"""
    started_at: str
    """The task's own time, ISO 8601 to the second: recipes never read a clock."""
    inputs: Sequence[Json] = ()
    """The rows that the task was given, copied when it was made: they never change. Read lazily,
    so index it or walk it, and do not make a list of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What `ask` gives back to a recipe."""

    text: str
    """The visible text, without fences or `<think>`."""
    data: Json = None
    """The parsed and validated value when a schema was asked for."""
    reasoning: str | None = None
    raw: str = ""
    """The text as the model gave it."""
    call_key: str = ""
    """Hex key of the journalled call."""
    model: str = ""
    simulated: bool = False


class Ask(_Protocol):
    """A durable call to a model: from the journal if it is there, else from the endpoint."""

    async def __call__(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        shared: bool = False,
        fault: Callable[[str], str] | None = None,
    ) -> Answer:
        """Ask `role`'s model. `max_tokens`, `temperature`, `top_p`: defaults that the task's own
        override.

        `fault` says what is wrong with a reply's text, as a code (empty: nothing). Such a reply is
        as good as none: it is asked for again where an empty one is, else InvalidReply.
        `shared` leaves the sample's identity out of the key: identical requests of any item or
        task share one paid reply (for a judge at temperature 0).
        Raises ProviderError, ReplyError, BudgetReached, Stopped; a recipe lets them pass.
        """

    async def embed(self, role: str, text: str) -> Sequence[float]:
        """The vector of `text` by `role`'s model; equal texts share one paid reply.

        Raises ProviderError, BudgetReached, Stopped.
        """


class Recipe(_Protocol):
    """A way to produce records. Constructed as `cls(spec, context)` from a validated spec."""

    name: ClassVar[str]

    @property
    def closed(self) -> bool:
        """True: the items are a given set, such as conversations to go on with. A missed one is
        tried again itself and never replaced by another. False: accept until N, by further
        ordinals."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that ask models, such as `("user", "character")`."""

    def plan(self, count: int) -> Sequence[Category]:
        """Quotas that sum exactly to `count`. Pure."""

    @property
    def per_item(self) -> int:
        """How many records one item asks for (>= 1); the last one of a plan may ask for fewer."""

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        """(role, messages) of the calls of an item, as far as they are known before any reply."""

    def estimate(self, item: Item) -> tuple[int, int, int]:
        """(calls, prompt tokens, completion tokens) of one item, roughly. Pure."""

    def shares(self, item: Item) -> Mapping[str, float]:
        """Which part of the item's tokens each role uses, roughly; they sum to 1. Pure."""

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        """One item's drafts, at most `item.want`. Plain code: replay makes it durable.

        Randomness only from `item.rng`, time only from the context.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What a check may know of its task, or of the dataset that it looks at."""

    language: Language
    boilerplate: tuple[str, ...] = ()
    """Texts that stand in every record because they were given, such as a template's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A record that is there already, for those checks that compare with it."""

    place: str
    """Its name for people, such as `日常对话#12` or `#4711`."""
    draft: Draft
    own: bool
    """Made by the same task; False: it stands in the task's dataset."""


class Check(_Protocol):
    """A test of a draft. Pure: it never changes the draft.

    Constructed with its options as keyword arguments; one that has a parameter `context` is
    handed its CheckContext there. Raises SpecError for options that make no sense.
    """

    name: ClassVar[str]

    def __call__(self, draft: Draft) -> Verdict: ...


@runtime_checkable
class AskingCheck(_Protocol):
    """A check that asks a model. Runs after those that do not, with the item's own `ask`."""

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]
    """Whom it asks; the task's routes have them."""

    def calls(self, record_tokens: int) -> Sequence[tuple[str, int, int]]:
        """(role, prompt tokens, completion tokens) of each call for a draft of so many tokens,
        roughly. Pure."""

    async def ask_about(self, draft: Draft, ask: Ask) -> Verdict: ...


@runtime_checkable
class ComparingCheck(_Protocol):
    """A check that compares with what was accepted before. Runs last, one draft at a time and in
    the order of the plan, so that its verdicts depend neither on who was quickest nor on kills.

    To be safe against those it must be symmetric: if `a` fails beside `b`, `b` fails beside `a`.
    """

    name: ClassVar[str]

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """Remember what is there already. Once, before anything is compared; on any thread."""

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        """The verdict beside all that is remembered. Remembers nothing."""

    def remember(self, place: str, draft: Draft) -> None:
        """`draft`, compared last, is accepted."""


class Checks(_Protocol):
    """All checks of a task, as the engine runs them."""

    @property
    def asking(self) -> bool:
        """Whether any of them asks a model."""

    @property
    def comparing(self) -> bool:
        """Whether any of them compares with other records."""

    def own(self, draft: Draft) -> Draft | Miss:
        """By itself: the draft with its verdicts (and masks), or why it is rejected."""

    async def asked(self, draft: Draft, ask: Ask) -> Draft | Miss:
        """Of a draft that passed `own`: by those that ask a model. Raises what `ask` raises."""

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """What is there already. Once, before the first `compared`."""

    async def compared(self, draft: Draft, place: str, ask: Ask) -> Draft | Miss:
        """Of a draft that passed all else, in turn: beside what was accepted before; it is
        remembered if it passes."""


# ---------------------------------------------------------------- exports


Kind = type[str] | type[bool] | list[Any] | dict[str, Any]
"""What a column holds: `str`, `bool`, `[kind]` for a list, `{name: kind}` for an object."""


class Exporter(_Protocol):
    """Turns records into the rows of one format. Pure; where they stand is a Container's job.

    Constructed with its options as keyword arguments; one that has a parameter `nested` is told
    there whether its container is. Raises UsageError for options that make no sense.
    """

    name: ClassVar[str]
    container: ClassVar[str]
    """Its usual container, such as `jsonl`."""

    @property
    def columns(self) -> Mapping[str, Kind] | None:
        """The fields of every row, in order; None: as the records have them."""

    def rows(self, record: Record) -> Sequence[Json]:
        """The rows of a record: one, or several where it holds several.

        Raises UsageError (a code `export_…`, with `record`) for a record that makes no such row, or
        one that a trainer would drop in silence.
        """

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """LLaMA-Factory's entry for such a file; None: it cannot read it."""


class Answered(NamedTuple):
    """Two records with the same `prompt` and different `answer`s can be compared."""

    prompt: str
    """Any text that tells it from other prompts."""
    answer: str


@runtime_checkable
class ComparingExporter(Exporter, _Protocol):
    """An exporter that also makes rows of two records: a better and a worse answer to the same."""

    def answered(self, record: Record) -> Answered:
        """What it answers and how. Raises UsageError as `rows` does, but needs no pair in it."""

    def compared(self, better: Record, worse: Record) -> Sequence[Json]:
        """The rows of two records that `answered` takes, with the same prompt."""


class Container(_Protocol):
    """Writes rows as the bytes of a file. Streams: memory does not grow with their number.

    Constructed as `cls(columns=…, **options)` with the exporter's `columns`.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    nested: ClassVar[bool]
    """Lists and objects stay what they are; False: they are JSON text in their cell (CSV)."""

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a row that it cannot hold."""


# ---------------------------------------------------------------- store


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


class Transaction(_Protocol):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the store knows of an item of a task."""

    category: str
    ordinal: int
    generation: int
    done: bool
    """False: put back by `retry`; it is to be run again as `generation`."""


class Store(_Protocol):
    """What the engine needs of the database. The rest (nouns, lists) is the service's to use."""

    inline_io: bool
    """True when reads and `apply` are quick enough for the event loop (a local file)."""

    def find_calls(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        """The replies that are journalled, by key."""

    def transaction(self) -> Transaction: ...

    def acquire(self, task_id: int, owner: str, ttl_s: float, now: float) -> Lease:
        """Lease a task to `owner` until `now + ttl_s`; status becomes `running`.

        A lease whose owner is surely dead (`same machine, process gone`) is taken over at once.
        Raises LeaseHeld, NotFound.
        """

    def renew(self, lease: Lease, ttl_s: float, now: float) -> str | None:
        """Prolong; returns what another process asks (`pause`, `cancel`) or None.

        Raises LeaseLost.
        """

    def release(self, lease: Lease, status: Status, cause: Mapping[str, Json] | None) -> None:
        """Give the lease back with the task's new status and why. Raises LeaseLost."""

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


# ---------------------------------------------------------------- engine


class Source(_Protocol):
    """Hands out a task's items, as many as may be in progress."""

    def take(self) -> Item | None:
        """The next item to start now; None: there is none now."""

    async def more(self) -> bool:
        """Wait until `take` has an item again. False: it never will."""


class Executor(_Protocol):
    """Runs items somewhere: here, or on a cluster. It never decides and never saves."""

    async def run(
        self,
        items: Source,
        work: Callable[[Item], Awaitable[Outcome | None]],
        done: Callable[[Item, Outcome | None], Awaitable[None]],
    ) -> None:
        """Take items while there are any, do `work`, hand each outcome to `done`.

        None for an outcome: the item was given up by a stop and counts as never started.
        Returns when `items` ends and all outcomes are handed over. An exception of `work` or
        `done` stops all and is raised.
        """
