"""Use-cases of imports: what a file holds, its rows into a dataset, and out again.

Owns: from rows to records, what is there already, counts. Does not own: reading (`readers`),
shapes (`readers/shapes.py`), writing in groups (`bulk.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.contracts import Quota
from corpusmith.digests import Digests, digest
from corpusmith.errors import UsageError
from corpusmith.messages import say
from corpusmith.places import given_path
from corpusmith.readers.shapes import Detected
from corpusmith.service.bulk import RECIPES, Bulk, sweep
from corpusmith.service.cards import has
from corpusmith.service.import_ratings import RowsRated
from corpusmith.service.import_rows import Good, Refusals, Refused, Rows
from corpusmith.store.values import Task
from corpusmith.values import Draft, Json, Language, Miss

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

GROUP = 500
"""Rows of a file that are one item of the task."""

Read = Callable[[int], None]
"""Told now and then how many rows have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """What an import would do. `already_there` None: no dataset was named."""

    file: str
    columns: tuple[str, ...]
    """The file's own fields."""
    detected: Detected
    rows: int
    refused: int
    refusals: tuple[Refused, ...]
    """The first of them."""
    already_there: int | None
    first: tuple[Json, ...]
    """The first contents as they would be stored."""
    ratings: RowsRated


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did. read == imported + refused + skipped."""

    task_id: int
    dataset: str
    detected: Detected
    read: int
    imported: int
    refused: int
    refusals: tuple[Refused, ...]
    """The first of them; `tasks misses` has all."""
    already_there: int
    """Rows that the dataset held before. Without `skip_duplicates` they are in it twice now."""
    skipped: int
    """Rows left out because the dataset or an earlier row says the same."""
    ratings: RowsRated
    """By which field the rows that could be read are rated."""


class NothingFits(UsageError):
    """Data: `file`, `shape`, `n`, and of the first row: `line`, `reason`, `detail`."""

    code = "import_nothing"

    def message(self, language: Language) -> str:
        why = say(f"reason.{self.data['reason']}", language, **self.data["detail"])
        return say("error.import_nothing", language, **{**self.data, "why": why})


class Imports:
    """`studio.imports`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def preview(
        self,
        path: str | Path,
        dataset: str | None = None,
        *,
        format: str = "auto",
        map: Mapping[str, str] | None = None,
        limit: int | None = None,
        first: int = 3,
    ) -> ImportPreview:
        """Reads the whole file and stores nothing. Raises UsageError, SpecError."""
        rows = Rows(given_path(path), format, map or {}, limit)
        there = self._there(dataset)
        shown: list[Json] = []
        refused = Refusals()
        known = 0
        for one in rows:
            if isinstance(one, Refused):
                refused.add(one)
                continue
            known += _is_there(one, there)
            if len(shown) < first:
                shown.append(one.content)
        return ImportPreview(
            file=str(path),
            columns=rows.columns,
            detected=rows.detected,
            rows=rows.count,
            refused=refused.count,
            refusals=tuple(refused.listed),
            already_there=None if dataset is None else known,
            first=tuple(shown),
            ratings=rows.ratings.found,
        )

    def run(
        self,
        path: str | Path,
        dataset: str,
        *,
        format: str = "auto",
        map: Mapping[str, str] | None = None,
        limit: int | None = None,
        skip_duplicates: bool = False,
        name: str | None = None,
        show: Read | None = None,
    ) -> Imported:
        """Every row of a file as a record of `dataset`, made if it is not there. All or nothing.

        `map`: our field → the file's. `show` is told how many rows have been read.
        Raises UsageError, SpecError, StoreError, Stopped; then nothing is imported.
        """
        sweep(self._studio.store)
        rows = Rows(given_path(path), format, map or {}, limit)
        there = self._there(dataset)
        new = not has(self._studio.store.datasets, dataset)
        self._studio.datasets.ensure(dataset, self._studio.language)
        try:
            return self._imported(rows, dataset, there, skip_duplicates, name, show)
        except BaseException:
            if new:
                self._studio.datasets.delete(dataset)
            raise

    def undo(self, task: Task | int) -> int:
        """Takes an import back: its records, also those in the dataset, and its task.

        Returns how many records there were. Raises NotFound, LeaseHeld, UsageError for a task
        that is no import.
        """
        found = self._studio.tasks.get(task if isinstance(task, int) else task.id)
        if found.recipe not in RECIPES:
            raise UsageError("import_not_one", task=found.id, recipe=found.recipe)
        return self._studio.store.imports.undo(found.id)

    def _there(self, dataset: str | None) -> Digests:
        """What the dataset holds already."""
        there = Digests()
        if dataset is not None and has(self._studio.store.datasets, dataset):
            for text in self._studio.store.imports.contents(dataset):
                there.add(digest(text))
        return there

    def _imported(
        self,
        rows: Rows,
        dataset: str,
        there: Digests,
        skip: bool,
        name: str | None,
        show: Read | None,
    ) -> Imported:
        category = rows.path.name
        with Bulk(
            self._studio.store,
            recipe="import",
            name=name or f"import-{category}",
            dataset=dataset,
            language=self._studio.store.datasets.get(dataset).language,
            recipe_spec={
                "file": str(rows.path.absolute()),
                "shape": rows.detected.shape,
                "map": dict(rows.mapping),
                "limit": rows.limit,
                "skip_duplicates": skip,
            },
            quotas=[Quota(name=category, count=0)],
        ) as bulk:
            counts = _Counts(there, skip)
            for ordinal, group in enumerate(_grouped(rows)):
                drafts, misses = _sorted_out(group, counts, rows)
                bulk.put(category, ordinal, drafts, misses)
                if show is not None:
                    show(rows.count)
            _refuse_nothing(rows, counts)
            task = bulk.finish(as_attempted=True)
        return Imported(
            task_id=task.id,
            dataset=dataset,
            detected=rows.detected,
            read=task.requested,
            imported=task.counts.accepted,
            refused=counts.refused.count,
            refusals=tuple(counts.refused.listed),
            already_there=counts.there_before,
            skipped=counts.skipped,
            ratings=rows.ratings.found,
        )


# ---------------------------------------------------------------- from rows to records


class _Counts:
    """What became of the rows so far, and what is known of the dataset."""

    def __init__(self, there: Digests, skip: bool) -> None:
        self._there = there
        self._new = Digests()
        self._skip = skip
        self.refused = Refusals()
        self.there_before = 0
        self.skipped = 0

    def wanted(self, row: Good) -> bool:
        """False: it is left out, because its like is there and duplicates are to be skipped."""
        before = _is_there(row, self._there)
        self.there_before += before
        if not self._skip:
            return True
        keep = not before and self._new.add(digest(row.text))
        self.skipped += not keep
        return keep


def _is_there(row: Good, there: Digests) -> bool:
    # An empty dataset is the usual case, and a digest is a tenth of a row's time.
    return len(there) > 0 and digest(row.text) in there


def _grouped(rows: Rows) -> Iterator[list[Good | Refused]]:
    walk = iter(rows)
    while group := list(islice(walk, GROUP)):
        yield group


def _sorted_out(
    group: list[Good | Refused], counts: _Counts, rows: Rows
) -> tuple[list[Draft], list[Miss]]:
    drafts: list[Draft] = []
    misses: list[Miss] = []
    for one in group:
        if isinstance(one, Refused):
            counts.refused.add(one)
            detail = {"line": one.line, **one.detail}
            misses.append(Miss(kind="rejected", reason=one.reason, detail=detail))
        elif counts.wanted(one):
            drafts.append(_draft(one, rows))
        else:
            misses.append(Miss(kind="rejected", reason="row_there", detail={"line": one.line}))
    return drafts, misses


def _draft(row: Good, rows: Rows) -> Draft:
    shape = rows.detected.shape
    scenarios = row.content["scenario_labels"][:1] if shape == "dialogue" else ()
    provenance: dict[str, Any] = {
        "recipe": "import",
        "file": rows.path.name,
        "line": row.line,
        "format": shape,
    }
    if row.rest:
        provenance["rest"] = row.rest
    if row.rating is not None:
        provenance["rating"] = row.rating  # the store keeps it in a column too
    labels = {} if not scenarios else {"scenario": str(scenarios[0])}
    return Draft(content=row.content, provenance=provenance, labels=labels)


def _refuse_nothing(rows: Rows, counts: _Counts) -> None:
    """A file of which no row fits is the wrong file or the wrong format. Raises UsageError."""
    if rows.count == 0:
        raise UsageError("import_empty", file=str(rows.path))
    if counts.refused.count < rows.count:
        return
    first = counts.refused.listed[0]
    raise NothingFits(
        file=str(rows.path),
        shape=rows.detected.shape,
        n=rows.count,
        line=first.line,
        reason=first.reason,
        detail=first.detail,
    )
