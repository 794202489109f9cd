"""From the records of a selection to the rows of an export, one walk at a time.

Owns: what a record needs besides its row (its character's system prompt), and what becomes of a
record that the format refuses. Does not own: formats (exports), files, which part a row goes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from corpusmith.contracts import Exporter
from corpusmith.errors import NotFound, UsageError
from corpusmith.exports.reading import LEFT_OUT
from corpusmith.messages import catalog, say
from corpusmith.values import Json, Language, Record

if TYPE_CHECKING:
    from corpusmith.store.store import SqlStore

SHOWN = 5
"""Names of characters that are told."""

OnRefused = Literal["stop", "skip"]

LISTED = 1000
"""Refused records that are told by their numbers, for each reason; all of them are counted."""


class RowsRefused(UsageError):
    """Several records make no row. Data: `refused`, `records`, `counts` by reason, `first`."""

    code = "export_refused"

    def message(self, language: Language) -> str:
        first: UsageError = self.data["first"]
        comma = say("export.comma", language)
        reasons = comma.join(
            say("export.reason_count", language, reason=reason_text(reason, language), n=count)
            for reason, count in self.data["counts"].items()
        )
        told = {**self.data, "reasons": reasons, "first": first.message(language)}
        return say(f"error.{self.reason}", language, **told)


class NoCharacter(UsageError):
    """No record has a character that is known. Data: `records`, `names` (name → records)."""

    code = "export_no_character"

    def message(self, language: Language) -> str:
        names = character_names(self.data["names"], language)
        return say(f"error.{self.reason}", language, **{**self.data, "names": names})


def character_names(counts: Mapping[str, int], language: Language) -> str:
    """The most frequent names with their records; the empty one: they name no character."""
    nobody = say("export.nobody", language)
    listed = sorted(counts.items(), key=lambda one: -one[1])
    told = [
        say("export.reason_count", language, reason=name or nobody, n=f"{count:,}")
        for name, count in listed[:SHOWN]
    ]
    return say("export.comma", language).join([*told, *(["…"] if len(listed) > SHOWN else [])])


def reason_text(reason: str, language: Language) -> str:
    """Why records are refused, in a few words; a reason that nobody named is its code."""
    key = f"export.reason.{reason}"
    return catalog(language).get(key, reason.removeprefix("export_").replace("_", " "))


@dataclass(slots=True)
class Refusals:
    """Records that make no row, by reason."""

    counts: dict[str, int] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    first: UsageError | None = None

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, number: int, error: UsageError) -> None:
        """One more, by the record's number."""
        reason = error.reason
        self.first = self.first or error
        self.counts[reason] = self.counts.get(reason, 0) + 1
        listed = self.ids.setdefault(reason, [])
        if len(listed) < LISTED:
            listed.append(number)

    def error(self, records: int) -> UsageError:
        """What is said when a single one is too many."""
        if self.first is None:
            raise RuntimeError("nothing was refused")
        if self.count == 1:
            return self.first
        data: dict[str, Any] = {"refused": self.count, "records": records, "counts": self.counts}
        if self.count == records:
            return RowsRefused("export_refused_all", first=self.first, **data)
        return RowsRefused(first=self.first, **data)


class Taken(NamedTuple):
    """What rows are made of."""

    records: Sequence[Record]
    """Those that no other rows were made of before."""
    rows: Sequence[Json]
    first: Record
    """By whose group it goes to a part."""


class Made:
    """Records with their rows. Those that make none are in `refusals`; those that are in order, but
    that the format has no row for (a middling rating is no KTO row), in `passed_over`.

    With `stop`, rows end at the first refusal; the rest is looked at all the same, so that the
    error at the end can tell how many there are. Raises that error, when it has been walked.
    """

    def __init__(self, records: Iterable[Record], exporter: Exporter, on_refused: OnRefused):
        self._records = records
        self._exporter = exporter
        self._stop = on_refused == "stop"
        self.refusals = Refusals()
        self.passed_over = Refusals()
        self.seen = 0

    def __iter__(self) -> Iterator[Taken]:
        for record in self._records:
            self.seen += 1
            try:
                rows = self._exporter.rows(record)
            except UsageError as error:
                kind = self.passed_over if error.reason in LEFT_OUT else self.refusals
                kind.add(record.id, error)
                continue
            if not (self._stop and self.refusals.count):
                yield Taken((record,), rows, record)
        if self._stop and self.refusals.count:
            raise self.refusals.error(self.seen)


class Personas:
    """Puts the system prompt of a record's character into it, as the task that made it knew it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._known: dict[int, dict[str, str]] = {}

    def given(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, each with `provenance["system"]`; empty: its character is not known."""
        for record in records:
            yield replace(record, provenance={**record.provenance, "system": self.of(record)})

    def of(self, record: Record) -> str:
        # A sample's record is a copy: the task that made it is the one it was drawn from.
        task_id = record.provenance.get("from", {}).get("task", record.task_id)
        if task_id not in self._known:
            self._known[task_id] = self._load(task_id)
        return self._known[task_id].get(record.labels.get("character", ""), "")

    def _load(self, task_id: int) -> dict[str, str]:
        from corpusmith.nouns import Character
        from corpusmith.recipes.dialogue_prompts import system_prompt

        try:
            task = self._store.tasks.get(task_id)
        except NotFound:
            return {}  # its records outlive a deleted task
        spec: Mapping[str, Any] = task.spec.get("recipe_spec", {})
        return {
            part["name"]: system_prompt(Character(**part), task.spec["language"])
            for part in spec.get("characters", [])
        }
