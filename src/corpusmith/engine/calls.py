"""One durable call: from the journal if it is there, else through limits and retries to the
endpoint, and into the journal before anyone sees the reply.

Owns: that order, joining identical calls, and stopping between two calls. Does not own: whether
to retry (`retry.py`), when to send (`limits.py`), what is asked (`ask.py`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import TypeVar

from corpusmith.contracts import Charge, Clock, JournalEntry, Provider
from corpusmith.engine.budget import NOTHING_PROMISED, Budget, Promise
from corpusmith.engine.journal import Journal
from corpusmith.engine.keys import canonical
from corpusmith.engine.ladder import Ladder, dressed
from corpusmith.engine.limits import Limiter, Permit
from corpusmith.engine.retry import delay_s, uses_attempt
from corpusmith.engine.writer import Writer
from corpusmith.errors import BadRequest, ProviderError, Stopped
from corpusmith.tokens import tokens_of
from corpusmith.values import (
    NO_USAGE,
    ChatRequest,
    Connection,
    Json,
    Language,
    Price,
    Reply,
    Sampling,
    StructuredMode,
    Usage,
)

T = TypeVar("T")
_LOG = logging.getLogger("corpusmith.calls")
GUESS_COMPLETION_TOKENS = 600
"""Expected length of a reply until the first ones have told better."""


@dataclass(slots=True, kw_only=True)
class Route:
    """Where a role's calls go. `mean_tokens` learns from the replies."""

    connection: Connection
    model: str
    provider: Provider
    limiter: Limiter
    ladder: Ladder
    sampling: Sampling
    price: Price | None
    language: Language
    mean_completion: float = 0.0

    @property
    def endpoint(self) -> str:
        return self.connection.base_url

    def promise(self, request: ChatRequest) -> Promise:
        """What a call is expected to use."""
        prompt = sum(tokens_of(message.content) for message in request.messages)
        completion = int(self.mean_completion) or min(
            request.sampling.max_tokens or GUESS_COMPLETION_TOKENS, GUESS_COMPLETION_TOKENS
        )
        usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
        cost_usd = self.price.cost_usd(usage) if self.price else 0.0
        return Promise(cost_usd=cost_usd, tokens=usage.total_tokens)

    def cost_usd(self, usage: Usage | None) -> float | None:
        """US dollars, or None when the price or the usage is unknown."""
        if self.price is None or usage is None:
            return None
        return self.price.cost_usd(usage)

    def learn(self, usage: Usage) -> None:
        rate = 0.05 if self.mean_completion else 1.0
        self.mean_completion += rate * (usage.completion_tokens - self.mean_completion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: for the journal and for the order of waiting."""

    task_id: int
    item: str
    role: str
    priority: int


class Calls:
    """All calls of one task."""

    def __init__(
        self,
        *,
        journal: Journal,
        writer: Writer,
        budget: Budget,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._budget = budget
        self._clock = clock
        self._rng = rng
        self._flying: dict[bytes, asyncio.Future[Reply]] = {}
        self._waiting: set[asyncio.Task[object]] = set()
        self._queueing: set[asyncio.Task[object]] = set()
        """Those that wait for a limiter's permit."""
        self._moved: set[asyncio.Task[object]] = set()
        self._stopping = False
        self.replayed = 0
        self.retries: Counter[str] = Counter()
        """Failed attempts by the error's code, those that were tried again included."""

    def stop(self) -> None:
        """Start no further call: those in flight end and are journalled, all else is Stopped."""
        self._stopping = True
        for task in list(self._waiting):
            task.cancel()

    def move(self) -> None:
        """Routes may have other limiters now: who waits at an old one goes to the new one."""
        for task in self._queueing - self._moved:
            self._moved.add(task)
            task.cancel()

    async def call(
        self, route: Route, request: ChatRequest, sample: list[Json] | None, caller: Caller
    ) -> tuple[Reply, bytes]:
        """The reply and its journal key. Raises ProviderError, BudgetReached, Stopped."""
        key, text = canonical(route.connection, request, sample)
        while (flying := self._flying.get(key)) is not None:
            try:
                return await asyncio.shield(flying), key
            except asyncio.CancelledError:
                if not flying.cancelled():
                    raise  # we were cancelled; else the one we waited for: try ourselves
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        began_s = self._clock.monotonic()
        try:
            reply = await self._fetch(route, request, key, text, caller)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # seen: often nobody else waits
            raise
        else:
            future.set_result(reply)
            if _LOG.isEnabledFor(logging.INFO):
                _tell(caller, request, reply, self._clock.monotonic() - began_s)
            return reply, key
        finally:
            del self._flying[key]

    async def _fetch(
        self, route: Route, request: ChatRequest, key: bytes, text: bytes, caller: Caller
    ) -> Reply:
        known = await self._journal.find(key)
        if known is not None:
            self.replayed += 1
            return known
        reply, mode, latency_s = await self._send(route, request, caller)
        cost_usd = route.cost_usd(reply.usage)
        if reply.usage is None:
            self._budget.spend_untold(route.promise(request))
        else:
            self._budget.spend(reply.usage, cost_usd)
            route.learn(reply.usage)
        await self._writer.save(
            JournalEntry(
                key=key,
                task_id=caller.task_id,
                item=caller.item,
                role=caller.role,
                endpoint=route.endpoint,
                model=request.model,
                request=text,
                reply=reply,
                cost_usd=cost_usd,
                mode=mode,
                latency_s=latency_s,
            )
        )
        return reply

    async def _send(
        self, route: Route, request: ChatRequest, caller: Caller
    ) -> tuple[Reply, StructuredMode | None, float]:
        """Until it is answered or given up: (reply, way of asking, seconds)."""
        attempt, waited_s = 1, 0.0
        while True:
            mode = route.ladder.mode if request.schema is not None else None
            try:
                answered = await self._attempt(route, request, mode, caller)
            except ProviderError as error:
                self.retries[error.reason] += 1
                await self._charge(route, error, caller)
                if mode and isinstance(error, BadRequest) and route.ladder.refused(mode, error):
                    continue
                wait_s = delay_s(error, attempt, waited_s, self._rng)
                if wait_s is None:
                    raise
                attempt += uses_attempt(error)
                waited_s += wait_s
                await self._sleep(wait_s)
            else:
                if answered is None:
                    continue
                if mode:
                    route.ladder.worked(mode)
                return answered[0], mode, answered[1]

    async def _attempt(
        self, route: Route, request: ChatRequest, mode: StructuredMode | None, caller: Caller
    ) -> tuple[Reply, float] | None:
        """(reply, seconds); None: while it waited, others found that `mode` is not understood."""
        sent = dressed(request, mode, route.language) if mode else request
        promise = route.promise(sent) if self._metered(route) else NOTHING_PROMISED
        permit = None if self._stopping else route.limiter.acquire_now(promise.tokens)
        if permit is None:
            permit = await self._turn(route, promise.tokens, caller.priority)
            if mode and mode != route.ladder.mode:
                permit.abandoned()
                return None
        try:
            self._budget.reserve(promise)
        except BaseException:
            permit.abandoned()
            raise
        started_s = self._clock.monotonic()
        try:
            reply = await route.provider.chat(sent)
        except ProviderError as error:
            permit.failed(error)
            raise
        except BaseException:
            permit.abandoned()
            raise
        finally:
            self._budget.release(promise)
        permit.succeeded(reply.usage.total_tokens if reply.usage else None)
        return reply, self._clock.monotonic() - started_s

    async def _turn(self, route: Route, tokens: int, priority: int) -> Permit:
        """Wait for a permit, at whatever limiter the route has meanwhile."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for the type checker: we are in a coroutine
        while True:
            self._queueing.add(task)
            try:
                return await self._wait_for(route.limiter.acquire(tokens, priority=priority))
            except asyncio.CancelledError:
                if task not in self._moved or task.uncancel() > 0:
                    raise
            finally:
                self._queueing.discard(task)
                self._moved.discard(task)

    def _metered(self, route: Route) -> bool:
        """Whether anybody counts tokens: guessing them costs a twentieth of a free call."""
        limited = route.connection.limits.tokens_per_min is not None
        return limited or self._budget.counts_tokens

    async def _charge(self, route: Route, error: ProviderError, caller: Caller) -> None:
        if error.usage is None:
            return
        cost_usd = route.cost_usd(error.usage)
        self._budget.spend(error.usage, cost_usd)
        await self._writer.save(
            Charge(task_id=caller.task_id, usage=error.usage or NO_USAGE, cost_usd=cost_usd)
        )

    async def _sleep(self, wait_s: float) -> None:
        await self._wait_for(self._clock.sleep(wait_s))

    async def _wait_for(self, waiting: Awaitable[T]) -> T:
        """Await something that a stop may end: nothing is in flight meanwhile."""
        if self._stopping:
            _close(waiting)
            raise Stopped
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for the type checker: we are in a coroutine
        self._waiting.add(task)
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._stopping and task.uncancel() == 0:
                raise Stopped from None
            raise
        finally:
            self._waiting.discard(task)


def _tell(caller: Caller, request: ChatRequest, reply: Reply, took_s: float) -> None:
    """One line a call; who shows it may say it in better words from the record's `extra`."""
    _LOG.info(
        "%s: %s, %d characters, %.1f s",
        *(caller.item, caller.role, len(reply.text), took_s),
        extra={"caller": caller, "request": request, "reply": reply, "took_s": took_s},
    )


def _close(waiting: Awaitable[object]) -> None:
    if isinstance(waiting, Coroutine):
        waiting.close()
