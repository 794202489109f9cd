"""What a recipe promises, and what it is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from corpusmith.values import Category, Draft, Item, Json, Language, Message, Miss, Schema


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


class Ask(Protocol):
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


class Recipe(Protocol):
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
