"""Why a selection holds no records: what each of its filters leaves by itself.

Owns: the counts, and saying them. Does not own: which records are selected (the store).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corpusmith.errors import UsageError
from corpusmith.messages import say
from corpusmith.service.export_manifest import selected
from corpusmith.values import Json, Language, Selection

if TYPE_CHECKING:
    from corpusmith.store.store import SqlStore

_WHOSE = ("task_id", "dataset")
_MOST_NAMES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What there is, and what is left of it by each filter alone."""

    total: int
    """Of the dataset or the task, without any filter."""
    left: Mapping[str, int]
    """`state="approved"` → records."""
    known: Mapping[str, int] = field(default_factory=dict)
    """Of a scenario or character that no record has: those that there are, with their records."""


class NothingSelected(UsageError):
    """A selection without records. Data: `narrowed`, and `path` of a file that was left alone."""

    code = "export_nothing"

    def message(self, language: Language) -> str:
        why = narrowed_text(self.data["narrowed"], language)
        return say(f"error.{self.reason}", language, **{**self.data, "why": why})


def narrowed(store: SqlStore, selection: Selection) -> Narrowed:
    """What each filter of an empty selection leaves. Raises NotFound."""
    given = selected(selection)
    whole = {name: given.pop(name) for name in _WHOSE if name in given}
    left = {
        f"{name}={_literal(value)}": store.records.count(Selection(**{**whole, name: value}))
        for name, value in given.items()
    }
    return Narrowed(
        total=store.records.count(Selection(**whole)), left=left, known=_known(store, selection)
    )


def narrowed_text(found: Narrowed, language: Language) -> str:
    """In words; options as Python has them."""
    if not found.total:
        return say("export.narrowed.empty", language)
    comma = say("export.comma", language)
    each = [
        say("export.narrowed.one", language, filter=name, n=f"{count:,}")
        for name, count in found.left.items()
    ]
    text = say("export.narrowed", language, total=f"{found.total:,}", each=comma.join(each))
    if not found.known:
        return text
    names = [f"{name} {count:,}" for name, count in list(found.known.items())[:_MOST_NAMES]]
    more = "…" if len(found.known) > _MOST_NAMES else ""
    return text + say("export.narrowed.known", language, names=comma.join(names) + more)


def _literal(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if value is not True else "True"


def _known(store: SqlStore, selection: Selection) -> Mapping[str, int]:
    if selection.dataset is None:
        return {}
    found = store.datasets.statistics(selection.dataset)
    for name, there in (
        (selection.scenario, found.by_scenario),
        (selection.character, found.by_character),
    ):
        if name is not None and name not in there:
            return {label: count for label, count in there.items() if label}
    return {}
