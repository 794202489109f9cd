"""Pairs over several records: of rated answers to one prompt the better over the worse.

Owns: what rates a record, the two walks (all are ranked on the disk; those of a pair are read
again), why a record is in no pair. Does not own: which two are one (`feedback/ranking.py`), prompts
and rows (exports).

Memory is flat: eight bytes are kept of each rated record.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast, get_args

from corpusmith import registry
from corpusmith.contracts import ComparingExporter, Exporter
from corpusmith.errors import UsageError
from corpusmith.exports.reading import rating_of
from corpusmith.feedback.ranking import Choice, Chosen, Ranking, Rated
from corpusmith.service.export_rows import OnRefused, Personas, Refusals, Taken
from corpusmith.service.scratch import scratch_errors
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Record

PairsBy = Literal["rating", "score"]

_AT_ONCE = 250
_RATINGS: Mapping[PairsBy, Callable[[Record], float | None]] = {
    "rating": rating_of,
    "score": lambda record: record.score,
}
_UNRATED: Mapping[PairsBy, str] = {"rating": "export_pair_unrated", "score": "export_pair_unscored"}
_MOST_MARGIN = 4.0
"""Between 1 and 5."""

# ---------------------------------------------------------------- what is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """Which two records are a pair."""

    by: PairsBy
    choose: Choice = "best-worst"
    margin: float = 1.0

    def told(self) -> dict[str, Json]:
        """For a manifest."""
        return {"by": self.by, "choose": self.choose, "margin": self.margin}


def pair_rule(
    by: str | None, choose: str | None, margin: float | None, *, beside: Mapping[str, Any]
) -> PairRule | None:
    """The rule; None: records give their own pairs. `beside`: other wishes of the export.

    Raises UsageError.
    """
    if by is None:
        if choose is not None or margin is not None:
            raise UsageError("export_pairs_by")
        return None
    given = {"by": by, "choose": "best-worst" if choose is None else choose}
    for name, known in {"by": get_args(PairsBy), "choose": get_args(Choice)}.items():
        if given[name] not in known:
            option = "pairs" if name == "by" else "pairs_choose"
            shown = str(given[name])[:60]
            raise UsageError("export_option", name=option, value=shown, known=", ".join(known))
    for name in ("balance", "refinement"):
        if beside.get(name) is not None:
            raise UsageError("export_pairs_beside", name=name)
    return PairRule(
        by=cast(PairsBy, by),
        choose=cast(Choice, given["choose"]),
        margin=_margin(1.0 if margin is None else margin),
    )


def _margin(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise UsageError("export_pairs_margin", value=str(value)[:60])
    if not 0 < value <= _MOST_MARGIN:
        raise UsageError("export_pairs_margin", value=f"{value:g}")
    return float(value)


def comparing(exporter: Exporter, form: str) -> ComparingExporter:
    """The exporter, if it can. Raises UsageError that names those that can."""
    if isinstance(exporter, ComparingExporter):
        return exporter
    able = [name for name in registry.names("exporter") if _compares(name)]
    raise UsageError("export_pairs_format", format=form, known=", ".join(able))


def _compares(name: str) -> bool:
    return hasattr(registry.load("exporter", name), "compared")


# ---------------------------------------------------------------- the walks


class Compared:
    """Pairs of records with their rows, as `Made` gives single ones. Walks once."""

    def __init__(
        self,
        store: SqlStore,
        records: Iterable[Record],
        exporter: ComparingExporter,
        rule: PairRule,
        on_refused: OnRefused,
    ) -> None:
        self._store = store
        self._records = records
        self._exporter = exporter
        self._rule = rule
        self._stop = on_refused == "stop"
        self._ids = array("Q")
        """The records that were ranked, by their places."""
        self.refusals = Refusals()
        self.passed_over = Refusals()
        self.seen = 0

    def __iter__(self) -> Iterator[Taken]:
        """Raises UsageError for refused records when one is too many; DiskFull."""
        with (
            TemporaryDirectory(prefix="corpusmith-") as folder,
            scratch_errors(Path(folder)),
            closing(Ranking(Path(folder) / "pairs")) as ranking,
        ):
            self._rank(ranking)
            if self._stop and self.refusals.count:
                raise self.refusals.error(self.seen)
            ranking.settle(self._rule.choose, self._rule.margin)
            for place, why in ranking.left_out():
                self._pass_over(self._ids[place - 1], f"export_pair_{why}")
            yield from self._pairs(ranking)

    def _rank(self, ranking: Ranking) -> None:
        waiting = self._rated()
        while some := list(islice(waiting, _AT_ONCE)):
            self._ids.extend(number for number, _ in some)
            ranking.add(one for _, one in some)

    def _rated(self) -> Iterator[tuple[int, Rated]]:
        """Records that can be compared, by their numbers; the others are counted."""
        for record in self._records:
            self.seen += 1
            rating = _RATINGS[self._rule.by](record)
            if rating is None:
                self._pass_over(record.id, _UNRATED[self._rule.by])
                continue
            try:
                told = self._exporter.answered(record)
            except UsageError as error:
                self.refusals.add(record.id, error)
                continue
            yield record.id, Rated(told.prompt, told.answer, rating)

    def _pass_over(self, number: int, code: str) -> None:
        margin = f"{self._rule.margin:g}"
        self.passed_over.add(number, UsageError(code, record=number, margin=margin))

    def _pairs(self, ranking: Ranking) -> Iterator[Taken]:
        waiting, prompt, counted = ranking.pairs(), 0, set[int]()
        while some := list(islice(waiting, _AT_ONCE)):
            found = self._read(some)
            for one in some:
                better, worse, first = (found[self._ids[place - 1]] for place in one)
                if one.first != prompt:  # the pairs of one prompt come together
                    prompt, counted = one.first, set()
                new = [record for record in (better, worse) if record.id not in counted]
                counted.update(record.id for record in new)
                rows = self._exporter.compared(better, worse)
                yield Taken(records=new, rows=rows, first=first)

    def _read(self, pairs: Iterable[Chosen]) -> Mapping[int, Record]:
        """Their records by number. Raises UsageError for one that is gone."""
        numbers = sorted({self._ids[place - 1] for one in pairs for place in one})
        records = self._store.records.some(numbers)
        if len(records) < len(numbers):
            raise UsageError("export_pairs_changed")
        return {record.id: record for record in Personas(self._store).given(records)}
