"""What comes of one item: its drafts after all checks, or why there are none.

Owns: tries of what cannot be replaced, the checks around a recipe, errors as outcomes. Does not
own: which item is next (`quota.py`), whose turn it is (`turns.py`), saving and stopping
(`runner.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from corpusmith.contracts import Checks, Recipe
from corpusmith.engine.ask import ItemAsk
from corpusmith.engine.calls import Calls, Route
from corpusmith.engine.outcomes import (
    all_missed,
    cause_of,
    internal_miss,
    miss_of,
    outcome_of,
    sample_name,
    sorted_out,
)
from corpusmith.engine.retry import StopRule, stops_task
from corpusmith.engine.turns import Turn, Turns
from corpusmith.errors import BudgetReached, CorpusmithError, LeaseLost, Stopped, StoreError
from corpusmith.values import Draft, Item, Json, Miss, Outcome, Status

Stop = Callable[[Status, Mapping[str, Json]], None]


class Work:
    """`await work(item)`; None: a stop ended it, and it counts as never started."""

    def __init__(
        self,
        *,
        task_id: int,
        recipe: Recipe,
        checks: Checks,
        routes: Mapping[str, Route],
        max_attempts_multiplier: float,
        calls: Calls,
        turns: Turns,
        stop: Stop,
        waits: Callable[[], None],
        decided: Callable[[Outcome], None],
    ) -> None:
        """`stop` is told why the task must end; `waits`, that an item needs no slot for now;
        `decided`, what came of an item that was compared, while it still has its turn."""
        self._task_id = task_id
        self._recipe = recipe
        self._checks = checks
        self._routes = routes
        self._multiplier = max_attempts_multiplier
        self._calls = calls
        self._turns = turns
        self._stop = stop
        self._waits = waits
        self._decided = decided
        self._rule = StopRule()
        self._started = 0

    def allow(self, max_attempts_multiplier: float) -> None:
        """Other tries of what cannot be replaced, for items that start from now on."""
        self._multiplier = max_attempts_multiplier

    async def __call__(self, item: Item) -> Outcome | None:
        """One item of a plan that may be replaced by another, or of a given set, which may not.

        What cannot be replaced is tried again itself: the samples of it that were rejected, and no
        others. Nothing is saved between two tries, and nothing need be: after a kill, and when a
        person retries it, the earlier ones replay and miss in the same way.
        """
        turn = self._turns.enter(item)
        outcome = await self._tries(item, turn)
        if outcome is None:
            turn.dropped()
            return None
        if self._checks.comparing:
            # Before the next one is compared: it may have to wait for this one's replacement.
            self._decided(outcome)
        turn.over()
        return outcome

    async def _tries(self, item: Item, turn: Turn) -> Outcome | None:
        self._started += 1
        priority, given = self._started, self._recipe.closed
        patience = 1 + item.generation if given else 0
        tries = max(1, int(self._multiplier)) * patience if given else 1
        part = replace(item, generation=0) if given else item
        kept: tuple[Draft, ...] = ()
        misses: tuple[Miss, ...] = ()
        calls = 0
        for number in range(tries):
            if number:
                turn.again()
                part = replace(part, generation=number, want=len(misses))
            outcome = await self._try(part, turn, priority, patience=patience, have=len(kept))
            if outcome is None:
                return None
            calls += outcome.calls
            kept, misses = kept + outcome.drafts, outcome.misses
            if not any(miss.kind == "rejected" for miss in misses):
                break
        return Outcome(item=item, drafts=kept, misses=misses, calls=calls)

    async def _try(
        self, item: Item, turn: Turn, priority: int, *, patience: int, have: int
    ) -> Outcome | None:
        """What passes all checks, and why the rest does not. `have`: samples of earlier tries."""
        ask = ItemAsk(
            calls=self._calls,
            routes=self._routes,
            item=item,
            task_id=self._task_id,
            priority=priority,
            patience=patience,
        )
        outcome = await self._guarded(item, ask, self._made(item, ask))
        if outcome is None or not outcome.drafts or not self._checks.comparing:
            return outcome
        self._waits()  # it needs no slot meanwhile
        if not await turn.comes():
            return None
        return await self._guarded(item, ask, self._compared(outcome, ask, have))

    async def _guarded(self, item: Item, ask: ItemAsk, work: Awaitable[Outcome]) -> Outcome | None:
        """What `work` makes; an error of the item is its outcome; None: a stop ended it."""
        try:
            return await work
        except Stopped:
            return None
        except BudgetReached as error:
            self._stop("paused", cause_of(error))
            return None
        except (StoreError, LeaseLost):
            raise
        except CorpusmithError as error:
            return self._failed(item, error, ask)
        except Exception as error:  # noqa: BLE001  a poison item must not stop the others
            return all_missed(item, internal_miss(error), ask.made)

    async def _made(self, item: Item, ask: ItemAsk) -> Outcome:
        """What the recipe made, after the checks that need nothing but the draft and a model."""
        made = await self._recipe.produce(item, ask)
        self._rule.note(None)
        outcome = outcome_of(item, made, ask.made)
        checks = self._checks
        parts = [checks.own(draft) for draft in outcome.drafts]
        if checks.asking:
            parts = [
                await checks.asked(part, ask) if isinstance(part, Draft) else part for part in parts
            ]
        return sorted_out(outcome, parts, ask.made)

    async def _compared(self, outcome: Outcome, ask: ItemAsk, have: int) -> Outcome:
        """After the checks that compare; what passes is remembered."""
        parts: list[Draft | Miss] = []
        for draft in outcome.drafts:
            place = sample_name(outcome.item, have)
            part = await self._checks.compared(draft, place, ask)
            have += isinstance(part, Draft)
            parts.append(part)
        return sorted_out(outcome, parts, ask.made)

    def _failed(self, item: Item, error: CorpusmithError, ask: ItemAsk) -> Outcome | None:
        if stops_task(error):
            self._stop("failed", cause_of(error))
            return None
        if self._rule.note(error):
            self._stop("failed", cause_of(error))
        return all_missed(item, miss_of(error, ask.role), ask.made)
