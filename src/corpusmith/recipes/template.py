"""The template recipe: one call writes one or several samples from a prompt with variables.

Owns: quotas of categories and cells, the call of one item, and rows from its reply. Does not own:
the notation of prompts (`template_text.py`), shapes (`template_schema.py`), whether a row is good
(checks), durability (the engine). Result: SPEC.md, job B.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.recipes.template_cell import Cell, built_in, cells_of, text_of
from corpusmith.recipes.template_cells import spread
from corpusmith.recipes.template_schema import FREE_TEXT, checker, fault, reply_schema
from corpusmith.recipes.template_spec import CategoryPart, TemplateSpec
from corpusmith.shares import largest_remainder
from corpusmith.template_text import fill
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message, Miss, Schema

TOKENS_A_TEXT = 60
"""What a text of a sample comes to, roughly; only for the estimate before any reply."""
TOKENS_A_FREE_TEXT = 400


class TemplateRecipe:
    """Fits contracts.Recipe."""

    name = "template"
    spec_model = TemplateSpec

    def __init__(self, spec: Mapping[str, Json], context: TaskContext) -> None:
        self.spec = TemplateSpec.model_validate(spec)
        self._context = context
        self._shapes = {part.name: _Shape(part) for part in self.spec.categories}

    @property
    def closed(self) -> bool:
        """Rows that are each to have their records are a given set; otherwise a number is."""
        return self.spec.each_row

    @property
    def roles(self) -> tuple[str, ...]:
        """One for each endpoint that writes: `writer`, `writer2`, …"""
        named = (writer.role for part in self.spec.categories for writer in part.writers)
        return tuple(dict.fromkeys(named))

    @property
    def per_item(self) -> int:
        return self.spec.per_request

    def plan(self, count: int) -> Sequence[Category]:
        """One quota for each cell; categories' shares are exact, and values' within them."""
        weights = {part.name: part.weight for part in self.spec.categories}
        shares = largest_remainder(weights, count)
        counts: list[int] = []
        for part in self.spec.categories:
            counts += spread([choice.weights for choice in part.choices], shares[part.name])
        return [
            Category(name=cell.name, count=share, labels=cell.labels)
            for cell, share in zip(self._cells.values(), counts, strict=True)
        ]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        cell = self._cells[item.category]
        return [(cell.role(item), self._messages(cell, item))]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        cell = self._cells[item.category]
        shape = self._shapes[cell.part.name]
        said = sum(tokens_of(message.content) for message in self._messages(cell, item))
        return 1, said + shape.words, item.want * shape.tokens

    def shares(self, item: Item) -> Mapping[str, float]:
        writers = self._cells[item.category].part.writers
        total = math.fsum(writer.weight for writer in writers)
        return {writer.role: writer.weight / total for writer in writers}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        cell = self._cells[item.category]
        part = cell.part
        shape = self._shapes[part.name]
        scaled = part.sample_tokens and part.sample_tokens * item.want
        answer = await ask(
            cell.role(item),
            self._messages(cell, item),
            schema=shape.asked(item.want),
            temperature=part.temperature,
            top_p=part.top_p,
            max_tokens=part.max_tokens or scaled,
        )
        samples = shape.samples(answer)[: item.want]
        made = [self._made(cell, item, sample, answer) for sample in samples]
        # A given row is not replaced by another: what is missing of it is tried again.
        missing = item.want - len(made) if self.closed else 0
        return [*made, *[Miss(kind="rejected", reason="too_few", fresh=True)] * missing]

    # ------------------------------------------------------------ one item

    @cached_property
    def _cells(self) -> dict[str, Cell]:
        cells = cells_of(self.spec.categories, ratio=self.spec.ratio)
        return {cell.name: cell for cell in cells}

    def _row(self, cell: Cell, item: Item) -> Mapping[str, Json]:
        place = cell.row_at(item)
        row: Mapping[str, Json] = {} if place is None else self._context.inputs[place]
        return row

    def _messages(self, cell: Cell, item: Item) -> list[Message]:
        given = cell.given(item, self._row(cell, item))
        values = {name: text_of(value) for name, value in given.items()}
        values |= built_in(item, self._context.started_at)
        template = cell.part.template
        system = fill(template.system, values)
        asked = Message("user", fill(template.prompt, values))
        return [Message("system", system), asked] if system.strip() else [asked]

    def _made(self, cell: Cell, item: Item, sample: Json, answer: Answer) -> Draft | Miss:
        """The row of a sample, or why it is none."""
        raw = orjson.dumps(sample).decode() if item.want > 1 else answer.raw
        if problem := self._shapes[cell.part.name].fault(sample):
            detail = {"problem": problem}
            return Miss(kind="rejected", reason="schema", detail=detail, raw=raw, fresh=True)
        row = self._row(cell, item)
        given = cell.given(item, row)
        kept = cell.kept(given, row)
        head = {"category": cell.part.name} if self.spec.ratio else {}
        own = sample if isinstance(sample, dict) else {"text": sample}
        # The checks judge what a model wrote, not what it was given.
        known = {"given_fields": [*head, *kept]} if head or kept else {}
        return Draft(
            content={**head, **own, **kept},
            raw=raw,
            labels=cell.labels,
            provenance={**self._provenance(cell, item, given, answer), **known},
        )

    def _provenance(
        self, cell: Cell, item: Item, given: Mapping[str, Json], answer: Answer
    ) -> dict[str, Any]:
        template = cell.part.template
        place = cell.row_at(item)
        return {
            "recipe": self.name,
            "template": {"name": template.name, "version": template.version},
            "values": cell.shown(given),
            **({} if place is None else {"row": place}),
            "models": [answer.model],
            "simulated": answer.simulated,
            "calls": [answer.call_key],
            "seed": item.task_seed,
            "item": item.key,
        }


class _Shape:
    """What a category's replies hold. Compiled once: a task has a million of them."""

    def __init__(self, part: CategoryPart) -> None:
        self._part = part
        self._asked: dict[int, Schema | None] = {}

    def asked(self, want: int) -> Schema | None:
        """The schema of a reply of `want` samples, the same object each time; None: free text."""
        if want not in self._asked:
            template = self._part.template
            self._asked[want] = reply_schema(template.sample, want, many=template.many)
        return self._asked[want]

    def samples(self, answer: Answer) -> list[Json]:
        """The samples of a reply, not judged yet."""
        if answer.data is None:
            return [{"text": answer.text}]
        several = isinstance(answer.data, dict) and self._part.template.many
        return list(answer.data["samples"]) if several else [answer.data]

    def fault(self, sample: Json) -> str | None:
        """Where and how a sample breaks its schema; None: it does not."""
        if not isinstance(sample, dict | str):
            return "at $: not an object"
        return fault(self._check, sample)

    @cached_property
    def _check(self) -> Any:
        sample = self._part.template.sample
        return checker(FREE_TEXT if sample is None else sample, self._part.template.name)

    @cached_property
    def words(self) -> int:
        """Tokens of the schema, which is sent with each call."""
        asked = self.asked(1)
        return 0 if asked is None else tokens_of(orjson.dumps(dict(asked.body)).decode())

    @cached_property
    def tokens(self) -> int:
        """Tokens of one sample, roughly."""
        guess = _tokens(self._part.template.sample)
        least = [limit for limit in (self._part.max_tokens, self._part.sample_tokens) if limit]
        return min([guess, *least])


def _tokens(schema: Json) -> int:
    if schema is None:
        return TOKENS_A_FREE_TEXT
    texts = orjson.dumps(schema).count(b'"string"')
    names = schema.get("properties", {}) if isinstance(schema, dict) else {}
    return TOKENS_A_TEXT * max(1, texts) + 6 * len(names)
