"""What a task will probably use, and what it will say: before anything is sent.

Owns: adding up a recipe's own guesses, and prices. Does not own: the guesses (recipes), the price
table (providers).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corpusmith.contracts import AskingCheck, Recipe
from corpusmith.errors import UsageError
from corpusmith.providers.presets import price_of
from corpusmith.service.forms.form import Remark
from corpusmith.values import Category, Connection, Item, Message, Price, Usage

_LOOKS = 400
"""Items that an estimate looks at, over all categories; at least one of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a task will probably use. `cost_usd` None: a price is unknown."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What will be sent, before it is: the calls of the first items, and the estimate."""

    calls: Sequence[tuple[str, str, Sequence[Message]]]
    """(item key, role, messages)"""
    quotas: Mapping[str, int]
    """Records wanted by category."""
    estimate: Estimate
    remarks: Sequence[Remark] = ()
    """What was guessed, for a person to agree to."""


def known_price(connection: Connection) -> Price | None:
    """The connection's own price, else the price table's, else None: unknown."""
    return connection.price or price_of(
        connection.provider, connection.base_url, connection.model or ""
    )


def refuse_unknown_price(max_cost: float | None, endpoints: Mapping[str, Connection]) -> None:
    """A budget in money needs prices: refuse before anything is spent. Raises UsageError."""
    if max_cost is None:
        return
    for connection in endpoints.values():
        if known_price(connection) is None:
            raise UsageError("price_unknown", model=connection.model, connection=connection.name)


def estimate(
    recipe: Recipe,
    plan: Sequence[Category],
    endpoints: Mapping[str, Connection],
    seed: int,
    askers: Sequence[AskingCheck] = (),
) -> Estimate:
    """For a plan, from some items of each category, spread over it; `askers`: checks that ask."""
    made = _of_recipe(recipe, plan, endpoints, seed)
    records = sum(category.count for category in plan)
    judged = [
        _of_calls(records, call, endpoints)
        for check in askers
        for call in check.calls(made.completion_tokens // max(1, records))
    ]
    costs = [one.cost_usd for one in (made, *judged)]
    return Estimate(
        calls=made.calls + records * len(judged),
        prompt_tokens=made.prompt_tokens + sum(one.prompt_tokens for one in judged),
        completion_tokens=made.completion_tokens + sum(one.completion_tokens for one in judged),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _of_calls(
    records: int, call: tuple[str, int, int], endpoints: Mapping[str, Connection]
) -> Estimate:
    role, prompt, completion = call
    usage = Usage(prompt_tokens=records * prompt, completion_tokens=records * completion)
    price = known_price(endpoints[role])
    return Estimate(
        calls=records,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=None if price is None else price.cost_usd(usage),
    )


def _of_recipe(
    recipe: Recipe, plan: Sequence[Category], endpoints: Mapping[str, Connection], seed: int
) -> Estimate:
    prices = {role: known_price(connection) for role, connection in endpoints.items()}
    calls = prompt = completion = 0
    cost_usd: float | None = 0.0
    for category in plan:
        for item, times in _looked_at(category, recipe.per_item, seed, _LOOKS // len(plan)):
            per_item = recipe.estimate(item)
            usage = Usage(prompt_tokens=times * per_item[1], completion_tokens=times * per_item[2])
            calls += times * per_item[0]
            prompt += usage.prompt_tokens
            completion += usage.completion_tokens
            for role, share in recipe.shares(item).items():
                price = prices[role]
                if cost_usd is not None:
                    cost_usd = None if price is None else cost_usd + share * price.cost_usd(usage)
    return Estimate(
        calls=calls, prompt_tokens=prompt, completion_tokens=completion, cost_usd=cost_usd
    )


def _looked_at(
    category: Category, per_item: int, seed: int, most: int
) -> Iterator[tuple[Item, int]]:
    """Items of a category, each with how many it stands for: the rows of a file differ."""
    whole, rest = divmod(category.count, per_item)
    looks = min(whole, max(1, most))
    for look in range(looks):
        start, end = look * whole // looks, (look + 1) * whole // looks
        yield item_of(category, start, per_item, seed), end - start
    if rest:
        yield item_of(category, whole, rest, seed), 1


def item_of(category: Category, ordinal: int, want: int, seed: int) -> Item:
    """An item as the task will have it."""
    return Item(task_seed=seed, category=category.name, ordinal=ordinal, want=want)
