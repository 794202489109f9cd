"""What a recipe is handed: `ask`, for one item.

Owns: turning a question of a recipe into calls until there is a usable answer (a reply that
breaks its schema is asked again with what was wrong). Does not own: sending (`calls.py`),
parsing (`structured.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from corpusmith.contracts import Answer
from corpusmith.engine.calls import Caller, Calls, Route
from corpusmith.engine.keys import sample_of
from corpusmith.engine.structured import parse, plain_text, re_ask_message
from corpusmith.errors import InvalidReply, Refused, Truncated
from corpusmith.values import ChatRequest, Item, Json, Message, Reply, Sampling, Schema

RE_ASKS = 2
"""How often an invalid reply is asked again (DESIGN.md §4)."""


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
    ) -> None:
        self._calls = calls
        self._routes = routes
        self._item = item
        self._task_id = task_id
        self._priority = priority
        self.made = 0

    async def __call__(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        shared: bool = False,
    ) -> Answer:
        """See contracts.Ask."""
        route = self._routes[role]
        request = ChatRequest(
            model=route.model,
            messages=tuple(messages),
            sampling=self._sampling(route, max_tokens, temperature),
            schema=schema,
        )
        sample: list[Json] | None = None if shared else sample_of(self._item)
        caller = Caller(
            task_id=self._task_id, item=self._item.key, role=role, priority=self._priority
        )
        for re_asked in range(RE_ASKS + 1):
            self.made += 1
            reply, key = await self._calls.call(route, request, sample, caller)
            try:
                return _answer(reply, key, request)
            except InvalidReply as error:
                if schema is None or re_asked == RE_ASKS:
                    raise
                problem = re_ask_message(str(error.data.get("problem", "")), route.language)
                request = _again(request, messages, reply, problem)
                # The same wrong reply twice makes the same question: it must not answer itself.
                sample = [*(sample or ()), "re-ask", re_asked + 1]
        raise AssertionError("unreachable: the last try returns or raises")

    def _sampling(
        self, route: Route, max_tokens: int | None, temperature: float | None
    ) -> Sampling:
        chosen = route.sampling
        if chosen.max_tokens is None and max_tokens is not None:
            chosen = replace(chosen, max_tokens=max_tokens)
        if chosen.temperature is None and temperature is not None:
            chosen = replace(chosen, temperature=temperature)
        if chosen.seed is not None and self._item.generation:
            chosen = replace(chosen, seed=chosen.seed + self._item.generation)
        return chosen


def _again(
    request: ChatRequest, messages: Sequence[Message], reply: Reply, problem: str
) -> ChatRequest:
    """The first question with only the latest invalid reply: context must not pile up."""
    told = (*messages, Message("assistant", reply.text), Message("user", problem))
    return replace(request, messages=told)


def _answer(reply: Reply, key: bytes, request: ChatRequest) -> Answer:
    """Raises Truncated, Refused, InvalidReply."""
    if reply.finish == "length":
        raise Truncated(raw=reply.text, max_tokens=request.sampling.max_tokens)
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
