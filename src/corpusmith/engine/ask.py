"""What a recipe is handed: `ask`, for one item.

Owns: turning a question of a recipe into calls until there is a usable answer (a reply that
breaks its schema is asked again with what was wrong). Does not own: sending (`calls.py`),
parsing (`structured.py`).
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from corpusmith.contracts import Answer
from corpusmith.engine.calls import Caller, Calls, Route
from corpusmith.engine.keys import sample_of
from corpusmith.engine.structured import parse, plain_text, re_ask_message
from corpusmith.errors import CorpusmithError, InvalidReply, Refused, Truncated
from corpusmith.tokens import tokens_of
from corpusmith.values import ChatRequest, Item, Json, Message, Reply, Sampling, Schema

RE_ASKS = 2
"""How often an invalid reply is asked again (DESIGN.md §4)."""
UNUSABLE = (InvalidReply, Refused, Truncated)


class ItemAsk:
    """The Ask of one item; counts its calls."""

    def __init__(
        self,
        *,
        calls: Calls,
        routes: Mapping[str, Route],
        item: Item,
        task_id: int,
        priority: int,
        patience: int = 0,
    ) -> None:
        """`patience` above 0: an unusable text is asked for again too, as it was. Where an item
        cannot be replaced by another, that costs one call, and a new try of the item would cost
        them all. A person who retries the item raises it by one: the replies that were no use come
        from the journal, and as many more are asked for.
        """
        self._calls = calls
        self._routes = routes
        self._item = item
        self._task_id = task_id
        self._priority = priority
        self._patience = patience
        self.made = 0
        self.role = ""
        """Who was asked last: of several steps, the one that failed."""

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
        """See contracts.Ask."""
        self.role = role
        route = self._routes[role]
        request = ChatRequest(
            model=route.model,
            messages=tuple(messages),
            sampling=self._sampling(
                route,
                self._seed_offset(shared),
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
            ),
            schema=schema,
        )
        sample = self._sample(shared)
        caller = Caller(
            task_id=self._task_id, item=self._item.key, role=role, priority=self._priority
        )
        for tried in count(1):
            self.made += 1
            reply, key = await self._calls.call(route, request, sample, caller)
            try:
                return _faultless(_answer(reply, key, request), fault)
            except UNUSABLE as error:
                invalid = schema is not None and isinstance(error, InvalidReply)
                if tried >= self._most_tries(error, invalid=invalid):
                    raise
                if invalid:
                    problem = re_ask_message(str(error.data.get("problem", "")), route.language)
                    request = _again(request, messages, reply, problem)
                else:
                    request = _reseeded(request)
                # The same wrong reply twice makes the same question: it must not answer itself.
                sample = [*(sample or ()), "re-ask", tried]
        raise AssertionError("unreachable: the last try returns or raises")

    async def embed(self, role: str, text: str) -> Sequence[float]:
        """See contracts.Ask."""
        self.role = role
        route = self._routes[role]
        request = ChatRequest(model=route.model, messages=(Message("user", text),), embed=True)
        caller = Caller(
            task_id=self._task_id, item=self._item.key, role=role, priority=self._priority
        )
        self.made += 1
        reply, _ = await self._calls.call(route, request, None, caller)
        packed = b64decode(reply.text)
        return struct.unpack(f"<{len(packed) // 4}f", packed)

    def _most_tries(self, error: CorpusmithError, *, invalid: bool) -> int:
        """How often one question may be asked in all."""
        times = max(1, self._patience)
        if isinstance(error, Truncated):
            return times  # most likely it would be cut again
        return (RE_ASKS + 1) * times if invalid or self._patience else 1

    def _sample(self, shared: bool) -> list[Json] | None:
        """What makes the call this item's own; None: everybody's who asks the same."""
        if not shared:
            return sample_of(self._item)
        # Tried again because the shared reply was no good: another one, for all who try again.
        return ["generation", self._item.generation] if self._item.generation else None

    def _seed_offset(self, shared: bool) -> int:
        """Items may share a prompt: with one seed for all, an endpoint would repeat itself."""
        return self._item.generation + (0 if shared else self._item.ordinal)

    def _sampling(self, route: Route, seed_offset: int, **defaults: float | None) -> Sampling:
        """The task's own parameters; where it is silent, the recipe's."""
        chosen = route.sampling
        silent: dict[str, Any] = {
            name: value
            for name, value in defaults.items()
            if value is not None and getattr(chosen, name) is None
        }
        chosen = replace(chosen, **silent) if silent else chosen
        if chosen.seed is not None:
            chosen = replace(chosen, seed=chosen.seed + seed_offset)
        return chosen


def _again(
    request: ChatRequest, messages: Sequence[Message], reply: Reply, problem: str
) -> ChatRequest:
    """The first question with only the latest invalid reply: context must not pile up."""
    told = (*messages, Message("assistant", reply.text), Message("user", problem))
    return replace(request, messages=told)


def _reseeded(request: ChatRequest) -> ChatRequest:
    """The same question with another seed, if one is sent: with the same, it is answered alike."""
    if request.sampling.seed is None:
        return request
    sampling = replace(request.sampling, seed=request.sampling.seed + 1)
    return replace(request, sampling=sampling)


def _faultless(answer: Answer, fault: Callable[[str], str] | None) -> Answer:
    """Raises InvalidReply for a text of which the recipe has no use."""
    reason = fault(answer.text) if fault is not None else ""
    if reason:
        raise InvalidReply(reason, raw=answer.raw)
    return answer


def _answer(reply: Reply, key: bytes, request: ChatRequest) -> Answer:
    """Raises Truncated, Refused, InvalidReply."""
    if reply.finish == "length":
        raise Truncated(raw=reply.text, max_tokens=request.sampling.max_tokens or _length(reply))
    if reply.finish in ("refusal", "filter"):
        raise Refused(raw=reply.text, finish=reply.finish)
    data = None
    if request.schema is not None:
        data = parse(reply.text, request.schema).data
        text, reasoning = reply.text, None
    else:
        text, reasoning = plain_text(reply.text)
        if not text:
            raise InvalidReply("no_visible_text", raw=reply.text, problem="no visible text")
    return Answer(
        text=text,
        data=data,
        reasoning=reply.reasoning or reasoning,
        raw=reply.text,
        call_key=key.hex(),
        model=reply.model or request.model,
        simulated=reply.simulated,
    )


def _length(reply: Reply) -> int:
    """Tokens of a reply that the endpoint cut at a limit of its own."""
    return reply.usage.completion_tokens if reply.usage else tokens_of(reply.text)
