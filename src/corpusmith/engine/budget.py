"""The hard budget of a task: money, tokens, calls.

Owns: what was spent and what is promised to calls in flight. Does not own: writing it down.
A call is started only while spent + promised + its own estimate stays within every ceiling, so
the spend never passes the budget by more than the estimates of the calls in flight were wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from corpusmith.errors import BudgetReached
from corpusmith.values import Spend, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """None: no ceiling."""

    cost_usd: float | None = None
    tokens: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What one call in flight is expected to use."""

    cost_usd: float
    tokens: int


NOTHING_PROMISED = Promise(cost_usd=0.0, tokens=0)


class Budget:
    """Spend of one task, earlier executions included."""

    def __init__(self, ceilings: Ceilings, spent: Spend) -> None:
        self.ceilings = ceilings
        self.calls = spent.calls
        self.usage = spent.usage
        self.cost_usd = spent.cost_usd or 0.0
        self.cost_known = spent.cost_usd is not None
        self._promised_cost_usd = 0.0
        self._promised_tokens = 0
        self._in_flight = 0
        self._untold_tokens = 0
        self._untold_cost_usd = 0.0

    @property
    def counts_tokens(self) -> bool:
        """Whether a ceiling needs to know what a call will use."""
        return self.ceilings.cost_usd is not None or self.ceilings.tokens is not None

    def change(self, ceilings: Ceilings) -> None:
        """Other ceilings from now on; what was spent and promised stays."""
        self.ceilings = ceilings

    def reserve(self, promise: Promise) -> None:
        """Make room for a call. Raises BudgetReached when there is none."""
        limits = self.ceilings
        self._within("calls", limits.calls, self.calls + self._in_flight + 1)
        self._within(
            "tokens",
            limits.tokens,
            self.usage.total_tokens + self._untold_tokens + self._promised_tokens + promise.tokens,
        )
        self._within(
            "cost_usd",
            limits.cost_usd,
            self.cost_usd + self._untold_cost_usd + self._promised_cost_usd + promise.cost_usd,
        )
        self._in_flight += 1
        self._promised_tokens += promise.tokens
        self._promised_cost_usd += promise.cost_usd

    def release(self, promise: Promise) -> None:
        """The call ended, well or badly."""
        self._in_flight -= 1
        self._promised_tokens -= promise.tokens
        self._promised_cost_usd -= promise.cost_usd

    def spend(self, usage: Usage, cost_usd: float | None) -> None:
        """A call was paid; `cost_usd` None: its price is unknown."""
        self.calls += 1
        self.usage = self.usage + usage
        if cost_usd is None:
            self.cost_known = False
        else:
            self.cost_usd += cost_usd

    def spend_untold(self, expected: Promise) -> None:
        """A call was paid and the endpoint reports no usage.

        It counts against the ceilings as it was expected: a budget must hold there too.
        """
        self.calls += 1
        self.cost_known = False
        self._untold_tokens += expected.tokens
        self._untold_cost_usd += expected.cost_usd

    def spent(self) -> Spend:
        return Spend(
            calls=self.calls,
            usage=self.usage,
            cost_usd=self.cost_usd if self.cost_known else None,
        )

    def _within(self, kind: str, limit: float | None, needed: float) -> None:
        if limit is not None and needed > limit:
            spent = {
                "calls": self.calls,
                "tokens": self.usage.total_tokens,
                "cost_usd": round(self.cost_usd, 6),
            }[kind]
            raise BudgetReached(f"budget_{kind}", kind=kind, limit=limit, spent=spent)
