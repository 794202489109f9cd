"""One combination of a category's values, and what its items are asked with.

Owns: names and labels of cells, the values that an item's prompt is filled with, its row and its
writer. Does not own: shares (`template_cells.py`), asking (`template.py`). Pure.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import product

from corpusmith.recipes.template_cells import met, rotation
from corpusmith.recipes.template_spec import CategoryPart
from corpusmith.template_text import variables
from corpusmith.values import Item, Json

BUILT_IN = ("current_date", "current_time", "random_id", "count")
"""Variables that every task has of itself."""
_NAME_CHARS = 40
_LABEL_CHARS = 200
_SHOWN_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A quota of its own: a category, with one value of each of its choices."""

    name: str
    part: CategoryPart
    position: int
    """Which of the category's cells it is."""
    siblings: int
    """How many cells the category has."""
    chosen: Mapping[str, Json]
    ratio: bool

    @cached_property
    def labels(self) -> dict[str, str]:
        """What progress and filters show."""
        values = {name: _cut(text_of(one), _LABEL_CHARS) for name, one in self.chosen.items()}
        return {"category": self.part.name, **values} if self.ratio else values

    @cached_property
    def used(self) -> frozenset[str]:
        """The variables in the prompt and the system message."""
        template = self.part.template
        return frozenset(variables(template.prompt) + variables(template.system))

    # ------------------------------------------------------------ of an item

    def row_at(self, item: Item) -> int | None:
        """The position of the item's row among all rows of the task; None: it has none."""
        if not self.part.rows:
            return None
        return self.part.first_row + met(self._place(item), self.siblings, self.part.rows)

    def role(self, item: Item) -> str:
        """Who writes the item: by weight, and evenly over cells, rows and variety."""
        return self.part.writers[self._turn(item, self._orders[-1])].role

    def given(self, item: Item, row: Mapping[str, Json]) -> dict[str, Json]:
        """The values of the task's own variables, `row` being the item's."""
        varied = {
            one.name: one.values[self._turn(item, order)]
            for one, order in zip(self.part.variety, self._orders, strict=False)
        }
        columns = {name: row[column] for name, column in self.part.columns.items()}
        return {**self.part.values, **varied, **self.chosen, **columns}

    def kept(self, given: Mapping[str, Json], row: Mapping[str, Json]) -> dict[str, Json]:
        """What stands in the record beside the sample's own fields."""
        return {name: given[name] if name in given else row[name] for name in self.part.keep}

    def shown(self, given: Mapping[str, Json]) -> dict[str, Json]:
        """The values that the provenance tells: long ones of a row are named by the row alone."""
        shown: dict[str, Json] = {}
        for name, value in given.items():
            text = text_of(value)
            if len(text) <= _SHOWN_CHARS:
                shown[name] = value
            elif name not in self.part.columns:
                shown[name] = _cut(text, _SHOWN_CHARS)
        return shown

    @cached_property
    def _orders(self) -> list[_Order]:
        """Of each list of variety, and of the writers: what came before it makes the period."""
        weights = [one.weights for one in self.part.variety]
        weights.append(tuple(one.weight for one in self.part.writers))
        period = self.siblings * max(1, self.part.rows)
        orders: list[_Order] = []
        for one in weights:
            turns = rotation(one)
            orders.append(_Order(turns=turns, period=period))
            period *= len(turns)
        return orders

    def _turn(self, item: Item, order: _Order) -> int:
        length = len(order.turns)
        place = met(self._place(item), order.period, length)
        return order.turns[(place + _shift(item.task_seed, order.period, length)) % length]

    def _place(self, item: Item) -> int:
        return item.ordinal * self.siblings + self.position


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A cycle of turns, and how many places are gone through before it."""

    turns: tuple[int, ...]
    period: int


@lru_cache(maxsize=1024)
def _shift(task_seed: int, period: int, length: int) -> int:
    """Where in a cycle a task begins, so that two small tasks do not begin alike."""
    return random.Random(f"{task_seed}\x1f{period}").randrange(length)  # noqa: S311  variety


def cells_of(parts: Sequence[CategoryPart], *, ratio: bool) -> Iterator[Cell]:
    """All cells of a task, those of a category together, in the order of `product`."""
    taken: set[str] = set()
    for part in parts:
        crossed = list(product(*(choice.values for choice in part.choices)))
        names = [choice.name for choice in part.choices]
        for position, values in enumerate(crossed):
            name = _free(_name(part, values, ratio=ratio), taken)
            taken.add(name)
            yield Cell(
                name=name,
                part=part,
                position=position,
                siblings=len(crossed),
                chosen=dict(zip(names, values, strict=True)),
                ratio=ratio,
            )


def built_in(item: Item, started_at: str) -> dict[str, str]:
    """The variables that a task has of itself. `started_at`: the task's own time, ISO 8601."""
    date, _, time = started_at.partition("T")
    return {
        "current_date": date,
        "current_time": time,
        "random_id": _random_id(item),
        "count": str(item.want),
    }


def text_of(value: Json) -> str:
    """A value as it stands in a prompt: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _random_id(item: Item) -> str:
    """12 hex digits, the same for the item whenever and however often it is looked at."""
    # Drawing from item.rng would give another one after a preview of the same item.
    text = f"{item.task_seed}\x1f{item.category}\x1f{item.ordinal}\x1f{item.generation}"
    return blake2b(text.encode(), digest_size=6, person=b"random_id").hexdigest()


def _name(part: CategoryPart, values: Sequence[Json], *, ratio: bool) -> str:
    """A slash inside a value must not make two cells look like one.

    A name is a key in the database, so what no text column takes is left out of it.
    """
    texts = [text_of(one).replace("\0", "").encode("utf-8", "replace").decode() for one in values]
    own = part.name.replace("\0", "")
    parts = [own, *texts] if ratio or not texts else texts
    return "/".join(_cut(" ".join(one.replace("/", "／").split()), _NAME_CHARS) for one in parts)


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}~{number}"
        number += 1
    return free


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
