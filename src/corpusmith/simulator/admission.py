"""Who is let in: keys, room, hidden limits, and what the endpoint refuses on principle.

Owns: the decision, as a `Problem` or None. Does not own: its wire shape or its sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Literal

from corpusmith.simulator import wire_anthropic
from corpusmith.simulator.asks import Answer, Ask, Problem
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.faults import Dice
from corpusmith.simulator.http import Exchange
from corpusmith.simulator.limits import Bucket

_BAD_KEY = Problem(status=401, message="Incorrect API key provided.")


class Admission:
    """The doorkeeper. `now` is the clock's time at the start, in seconds."""

    def __init__(self, config: SimulatorConfig, dice: Dice, now: float) -> None:
        self._config = config
        self._dice = dice
        self._rpm = Bucket(config.rpm, config.burst_s, now) if config.rpm else None
        self._tpm = Bucket(config.tpm, config.burst_s, now) if config.tpm else None

    def check_key(
        self, wire: ModuleType, exchange: Exchange, query: Mapping[str, str]
    ) -> Problem | None:
        """Whether the caller has the right key."""
        wanted = self._config.require_key
        if wanted is None or wire.key(exchange.headers, query) == wanted:
            return None
        return _BAD_KEY

    def check_room(self, wire: ModuleType, in_flight: int, now: float) -> Problem | None:
        """Whether one more chat may come in; takes it from the requests a minute."""
        ceiling = self._config.max_in_flight
        if ceiling is not None and in_flight > ceiling:
            status = 529 if wire is wire_anthropic else 503
            return Problem(status=status, message="The server is overloaded. Try again later.")
        return self._take(self._rpm, "requests", 1, now)

    def check_tokens(self, answer: Answer, now: float) -> Problem | None:
        """Whether there are tokens for this answer; takes them."""
        tokens = answer.prompt_tokens + answer.completion_tokens
        return self._take(self._tpm, "tokens", tokens, now)

    def check_features(self, ask: Ask, number: int) -> tuple[str, Problem] | None:
        """(fault, problem) when the endpoint is set not to have what is asked."""
        rates = self._config.faults
        if not rates:
            return None
        native = ask.mode == "schema"
        for name, applies in (
            ("bad_key", True),
            ("reject_response_format", native or ask.mode == "json"),
            ("reject_json_schema", native),
        ):
            rate = rates.get(name, 0.0)
            if applies and rate and self._dice.draw(name.encode(), number) < rate:
                return name, _BAD_KEY if name == "bad_key" else _unsupported(ask.schema_place)
        return None

    def _take(
        self, bucket: Bucket | None, limit: Literal["requests", "tokens"], amount: int, now: float
    ) -> Problem | None:
        if bucket is None:
            return None
        wait_s = bucket.wait_s(amount, now)
        if wait_s <= 0:
            bucket.take(amount)
            return None
        return Problem(
            status=429,
            message=f"Rate limit reached for {limit} per min. Please try again later.",
            retry_after_s=wait_s if self._config.retry_after else None,
            limit=limit,
        )


def _unsupported(place: str) -> Problem:
    message = f"Unsupported parameter: '{place}' is not supported with this model."
    return Problem(status=400, message=message, parameter=place)
