"""The frozen values that travel through the house.

Owns: what a prompt, a call, a reply, a draft, a verdict and a record *are*.
Does not own: behaviour. Nothing here reads a file, a clock or a network.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Json = Any
"""Anything that `orjson` can write: None, bool, int, float, str, list, dict."""

Language = Literal["zh", "en"]
Protocol = Literal["openai", "gemini", "anthropic"]
Status = Literal["created", "running", "paused", "finished", "failed", "cancelled"]
"""A task's state; "running" with a dead lease is shown as interrupted."""
Role = Literal["system", "user", "assistant"]

StructuredMode = Literal["schema", "tool", "json", "prompt"]
"""How a schema is asked for: native schema, forced tool call, JSON mode, words in the prompt."""

Action = Literal["pass", "flag", "mask", "reject"]
"""What a check does with a draft: accept it, accept it for a person to look at, accept it with
parts made unreadable, or turn it down."""
ReviewState = Literal["pending", "approved", "rejected"]

Finish = Literal["stop", "length", "refusal", "filter", "other"]
"""Why the model stopped: by itself, at max tokens, it refused, the endpoint's filter, unknown."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Parameters that change the reply. None means: not sent. Zero is a value and is sent."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Non-standard body fields, sent as they are (for example `enable_thinking`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A JSON Schema that the reply must satisfy. `name` matches `[A-Za-z0-9_-]{1,64}`."""

    name: str
    body: Mapping[str, Json]
    """What is asked for."""
    accept: Mapping[str, Json] | None = None
    """What a reply must satisfy to be handed to the recipe, when that is less than `body`: of
    several samples in one reply a bad one must not cost the others. None: `body`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked of a model, before any protocol."""

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    schema: Schema | None = None
    mode: StructuredMode | None = None
    """How `schema` is asked for; None if and only if `schema` is None."""
    embed: bool = False
    """True: not an answer is asked for but the vector of the only message's text. The reply's text
    is then the vector as base64 of little-endian 32-bit floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the endpoint counted them.

    `prompt_tokens` includes `cached_tokens`; `completion_tokens` includes `reasoning_tokens`.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A completed answer of a model, whatever protocol it came by."""

    text: str
    """The visible answer; for a forced tool call, the call's arguments as JSON text."""
    reasoning: str | None = None
    """Reasoning that came in a field of its own; `<think>` inside `text` is the parser's job."""
    finish: Finish = "stop"
    usage: Usage | None = None
    """None when the endpoint reported none."""
    model: str = ""
    """The model that the endpoint says it used."""
    request_id: str | None = None
    simulated: bool = False
    """True when Corpusmith's own simulator wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens. `cached_usd` None means: cached tokens cost like input."""

    input_usd: float
    output_usd: float
    cached_usd: float | None = None

    def cost_usd(self, usage: Usage) -> float:
        """US dollars for `usage`."""
        cached_usd = self.input_usd if self.cached_usd is None else self.cached_usd
        fresh = usage.prompt_tokens - usage.cached_tokens
        return (
            fresh * self.input_usd
            + usage.cached_tokens * cached_usd
            + usage.completion_tokens * self.output_usd
        ) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A user's ceilings for one endpoint and model. None means: find it by itself."""

    requests_per_min: int | None = None
    tokens_per_min: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `total_s` bounds one call from send to last byte."""

    connect_s: float = 10.0
    total_s: float = 300.0


HIDDEN = "•••"
"""In place of what is secret, wherever it is shown. No request header may hold it."""


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A secret value of a connection as it is kept: only the studio's own key opens it."""

    corpusmith_sealed: str
    """Nonce and ciphertext in base64. No field of a user's is called so: JSON knows it by that."""

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A model endpoint. Holds where the key is, never the key."""

    name: str
    provider: str
    """A preset's name, such as `openai`, `deepseek`, `ollama`."""
    protocol: Protocol
    base_url: str
    """Normalised: no trailing slash, no user, no query."""
    model: str | None = None
    key_env: str | None = None
    """Environment variable that holds the key; None with `key_stored` False: no key is sent."""
    key_stored: bool = False
    """True when the key is in the store, encrypted."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    price: Price | None = None
    proxy: str | None = None
    """`http://host:port` for this endpoint; None: a direct connection."""
    ca_file: str | None = None
    """A PEM file to trust besides the system's authorities."""
    headers: Mapping[str, str | Sealed] = field(default_factory=dict, repr=False)
    """Extra request headers; whatever is kept or shown has them sealed."""
    extra: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """Extra body fields for every call; those that look secret are sealed in the same way."""
    modes: tuple[StructuredMode, ...] = ()
    """Structured-output ways that this endpoint is known to have; empty: try them in turn."""
    chosen_by: str | None = None
    """Why a task took it where nobody named one: `only` (no other is stored), or the environment
    variable that names it; None: it was named."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One planned unit of work of a task: `want` records of one category."""

    task_seed: int
    category: str
    """The quota group that it counts in, such as one scenario with one character."""
    ordinal: int
    """0, 1, 2, … within the category, replacements included."""
    want: int = 1
    """How many records it should bring (>= 1)."""
    generation: int = 0
    """How often it was retried from scratch; a new generation draws fresh samples."""

    @property
    def key(self) -> str:
        """Stable name within the task, such as `日常对话#12`."""
        return f"{self.category}#{self.ordinal}"

    @cached_property
    def rng(self) -> random.Random:
        """The item's own randomness: the same on every replay."""
        seed = f"{self.task_seed}\x1f{self.category}\x1f{self.ordinal}\x1f{self.generation}"
        return random.Random(seed)  # noqa: S311  variety, not secrecy


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One quota group of a plan. `labels` are what progress and filters show."""

    name: str
    count: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A parsed result before the checks."""

    content: Json
    """The record to be, in its job's native shape."""
    raw: str = ""
    """The model's own text, kept for people to read."""
    provenance: Mapping[str, Json] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Of every check that looked at it, by the check's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check says of a draft. `reason` is a stable code, such as `turns`."""

    passed: bool
    reason: str = ""
    """Why it failed; of one that passed: what is worth a person's look (a flag)."""
    detail: Mapping[str, Json] = field(default_factory=dict)
    content: Json = None
    """What is to stand in place of the draft's content (a mask); None: nothing."""
    score: float | None = None
    """What a judge gave the draft, 1 to 5; None: it was not judged."""

    @property
    def action(self) -> Action:
        """What becomes of the draft."""
        if not self.passed:
            return "reject"
        if self.content is not None:
            return "mask"
        return "flag" if self.reason else "pass"


PASS = Verdict(passed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A sample that did not become a record, and why."""

    kind: Literal["rejected", "failed"]
    reason: str
    """A stable code: a check's reason or an error's code."""
    detail: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    """The model's own text, if there was any."""
    fresh: bool = False
    """True when another try needs fresh samples (the paid replies are what was wrong)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one item: `len(drafts) + len(misses) == item.want`."""

    item: Item
    drafts: tuple[Draft, ...] = ()
    misses: tuple[Miss, ...] = ()
    calls: int = 0
    """Calls that this item made or replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An accepted draft with its provenance. `id` is the store's."""

    id: int
    task_id: int
    dataset_id: int | None
    category: str
    ordinal: int
    sample: int
    content: Json
    provenance: Mapping[str, Json]
    labels: Mapping[str, str]
    state: ReviewState
    committed: bool
    created_at: str
    verdicts: Mapping[str, Json] = field(default_factory=dict)
    """check → `"pass"`, or `{"action", "reason", "detail"}`."""
    flags: tuple[str, ...] = ()
    """The checks that flagged it, sorted."""
    score: float | None = None
    """What a judge gave it, 1 to 5; None: not judged."""
    rating: float | None = None
    """What people gave it, 1 to 5, the mean of several; None: not rated."""
    tags: tuple[str, ...] = ()
    version: int = 1
    """How often its content was edited, and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records: those that fit all of what is given. None: whatever it is."""

    task_id: int | None = None
    dataset: str | None = None
    """Its name; a record is in at most one."""
    committed: bool | None = None
    """Whether it is in any dataset."""
    category: str | None = None
    scenario: str | None = None
    character: str | None = None
    state: ReviewState | None = None
    min_rating: float | None = None
    max_rating: float | None = None
    min_score: float | None = None
    max_score: float | None = None
    tag: str | None = None
    flag: str | None = None
    """A check that flagged it; `any`: at least one did."""
    unflagged: bool = False
    """True: no check flagged it."""
    model: str | None = None
    """One of the models that wrote it, as its endpoint calls it."""
    min_length: int | None = None
    """Characters of all texts of its content together."""
    max_length: int | None = None
    text: str | None = None
    """Words that its texts hold, all of them: see `store/text_words.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of samples. accepted + rejected + failed + pending == attempted, always."""

    requested: int = 0
    attempted: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        return self.attempted - self.accepted - self.rejected - self.failed

    @property
    def shortfall(self) -> int:
        return max(0, self.requested - self.accepted)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            requested=self.requested + other.requested,
            attempted=self.attempted + other.attempted,
            accepted=self.accepted + other.accepted,
            rejected=self.rejected + other.rejected,
            failed=self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What was paid. `cost_usd` None: a price is unknown, so the sum is."""

    calls: int = 0
    usage: Usage = NO_USAGE
    cost_usd: float | None = 0.0
