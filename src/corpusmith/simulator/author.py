"""Writes the replies: a pure function of the seed and of what is asked.

Owns: which text or value answers an ask, its cut at max tokens and stops, its token counts.
Does not own: sentences (`prose.py`), values of schemas (`instances.py`), the wire.
"""

from __future__ import annotations

import random

import orjson

from corpusmith.simulator import prompts
from corpusmith.simulator.asks import Answer, Ask, BadBody, Finish, count_tokens, cut_tokens
from corpusmith.simulator.instances import Instances, instances_of
from corpusmith.simulator.prose import Prose, pack
from corpusmith.simulator.schema import BadSchema
from corpusmith.simulator.scribe import Scribe, Wishes
from corpusmith.values import Json, Language

_FREE_JSON = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "content": {"type": "string"}},
    "required": ["title", "content"],
}
_CACHE_STEP = 128
_CACHE_FROM = 1024


class Author:
    """One seed's author."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def write(self, ask: Ask, digest: bytes) -> Answer:
        """The answer to `ask`, whose identity is `digest`. Raises BadBody for a bad schema."""
        number = int.from_bytes(digest)
        rng = random.Random(number ^ (self._seed << 128))  # noqa: S311  variety, not secrecy
        prompt = "\n".join((ask.system, *[text for _, text in ask.messages]))
        language = prompts.language_of(prompt)
        wishes = prompts.wishes_of(ask, language)
        prose = self._prose(ask, language, rng)
        instances = self._instances(ask)
        value: Json = None
        if instances is None:
            text = self._plain(ask, prose, wishes)
        else:
            value = _draw(ask, instances, rng, Scribe(prose, language, wishes))
            text = orjson.dumps(value).decode()
        reasoning = prose.write("thought", 60, 400) if ask.thinking else None
        text, finish, stop = _cut(ask, text)
        prompt_tokens = _prompt_tokens(ask, prompt, instances)
        reasoning_tokens = count_tokens(reasoning) if reasoning else 0
        return Answer(
            id=digest.hex()[:24],
            text=text,
            finish=finish,
            stop_sequence=stop,
            tool=ask.tool,
            language=language,
            value=value,
            structured=instances is not None,
            reasoning=reasoning,
            prompt_tokens=prompt_tokens,
            completion_tokens=count_tokens(text) + reasoning_tokens,
            cached_tokens=prompt_tokens // 2 // _CACHE_STEP * _CACHE_STEP
            if prompt_tokens >= _CACHE_FROM
            else 0,
            reasoning_tokens=reasoning_tokens,
        )

    def refusal(self, answer: Answer) -> str:
        """A stock refusal in the answer's language."""
        frames, size, _ = pack(answer.language).frames["refusal"]
        return frames[int(answer.id, 16) % size][0]

    def thought(self, ask: Ask, answer: Answer) -> str:
        """What a reasoning model mutters before it answers."""
        rng = random.Random(answer.id)  # noqa: S311  variety, not secrecy
        return Prose(pack(answer.language), rng, None).write("thought", 60, 200)

    def rewrite(self, ask: Ask, answer: Answer, stock: str) -> Json:
        """A fitting value whose free texts all say `stock`."""
        instances = self._instances(ask)
        if instances is None:
            return answer.value
        rng = random.Random(answer.id)  # noqa: S311  variety, not secrecy
        prose = Prose(pack(answer.language), rng, None)
        return _draw(ask, instances, rng, Scribe(prose, answer.language, Wishes(), stock))

    def misfit(self, ask: Ask, answer: Answer, number: int) -> tuple[Json] | None:
        """A value near the answer's that breaks the schema; None when nothing breaks it."""
        instances = self._instances(ask)
        if instances is None:
            return None
        tries = _broken(answer.value)
        for place in range(len(tries)):
            value = tries[(place + number) % len(tries)]
            if not instances.fits(value):
                return (value,)
        return None

    # ------------------------------------------------------------ parts

    def _prose(self, ask: Ask, language: Language, rng: random.Random) -> Prose:
        words = pack(language)
        topic = prompts.topic_of(ask, words, rng.random())
        said = "\n".join([text for _, text in ask.messages]) if len(ask.messages) > 1 else ""
        return Prose(words, rng, topic, who=prompts.who_of(ask), said=said)

    def _instances(self, ask: Ask) -> Instances | None:
        try:
            if ask.mode in ("schema", "tool"):
                return instances_of(ask.schema, gemini=ask.gemini_schema)
        except BadSchema as error:
            raise BadBody(f"Invalid schema: {error}", ask.schema_place) from error
        try:
            shown = prompts.schema_in(ask)
            if shown is None:
                return instances_of(_FREE_JSON) if ask.mode == "json" else None
            return instances_of(shown)
        except BadSchema:
            return None  # what looked like a schema in a prompt is just text

    def _plain(self, ask: Ask, prose: Prose, wishes: Wishes) -> str:
        kind = prompts.kind_of(ask)
        low, high = wishes.length or prose.length(kind)
        return prose.write(kind, low, high)


def _draw(ask: Ask, instances: Instances, rng: random.Random, scribe: Scribe) -> Json:
    try:
        return instances.draw(rng, scribe)
    except BadSchema as error:
        raise BadBody(f"Invalid schema: {error}", ask.schema_place or None) from error


def _cut(ask: Ask, text: str) -> tuple[str, Finish, str | None]:
    """(text, finish, stop sequence): stops and max tokens, as an endpoint obeys them."""
    finish: Finish = "stop"
    found = None
    ends = [(text.find(stop), stop) for stop in ask.stop if stop in text]
    if ends:
        place, found = min(ends)
        text, finish = text[:place], "stop_sequence"
    if ask.max_tokens is not None and count_tokens(text) > ask.max_tokens:
        return cut_tokens(text, ask.max_tokens), "length", None
    return text, finish, found


def _prompt_tokens(ask: Ask, prompt: str, instances: Instances | None) -> int:
    found = count_tokens(prompt) + 4 * len(ask.messages) + 3
    if ask.schema is not None and instances is not None:
        found += instances.size // 4
    return found


def _broken(value: Json) -> list[Json]:
    """Values near `value` that a schema may not like."""
    found: list[Json] = []
    if isinstance(value, dict):
        names = list(value)
        found += [{n: value[n] for n in names if n != name} for name in names]
        found += [value | {name: {"value": value[name]}} for name in names]
        found += [value | {name: None} for name in names]
    elif isinstance(value, list):
        found += [value[:-1], [*value, None], {"items": value}]
    return [*found, {"result": value}, [], None, "text", -1, {}]
