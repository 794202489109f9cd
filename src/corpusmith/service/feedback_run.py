"""One feedback run: batches of rows through the filters into the files.

Owns: the order of the filters, and which file gets what. Does not own: where rows come from
(`feedback.py`), files (`feedback_files.py`), shapes and digests (`feedback`).

A batch goes: counted → of the wanted model → not seen in an earlier run → KTO → rated well enough
→ no duplicate → samples. Pairs take every valid row of the wanted model: a pair needs a worse one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from corpusmith.digests import Digests, digest
from corpusmith.errors import SpecError, UsageError
from corpusmith.feedback.fields import BadField, Feedback, Reader, field_map
from corpusmith.feedback.files import Drafts
from corpusmith.feedback.pairs import Pairing
from corpusmith.feedback.samples import ALPACA_MORE, KTO, PAIRS, Row, sample
from corpusmith.feedback.seen import State
from corpusmith.feedback.tally import FeedbackResult, Tally
from corpusmith.messages import say
from corpusmith.places import given_path
from corpusmith.readers.bad import Bad, BadRow, shown
from corpusmith.readers.rows import read_rows
from corpusmith.service.feedback_file import FeedbackFile
from corpusmith.service.feedback_files import TrainingFiles
from corpusmith.service.feedback_info import refuse_unread
from corpusmith.values import Language

BATCH_ROWS = 500
MOST_NAMES = 20
"""Field names of a row that an error shows."""

Rows = Iterator[tuple[int, dict[str, Any] | Feedback | None]]
"""Number and row; a record rated in review comes as Feedback, None is one that nobody rated."""


class FeedbackRun:
    """Made once, run once. `tally` may be looked at while it runs."""

    def __init__(self, file: FeedbackFile, language: Language, folder: Path) -> None:
        """`folder`: where the files go. Raises UsageError for options that do not go together."""
        if file.merge_with is not None and file.since_last:
            raise UsageError("feedback_merge_since")
        if not (file.formats or file.pairs or file.kto):
            raise UsageError("feedback_nothing")
        if file.dataset_info:
            refuse_unread(file)
        self.tally = Tally()
        self.reader = Reader(field_map(file.map, file.map_values))
        self._file = file
        self._language = language
        self._folder = folder
        self._known = Digests() if file.merge_with is not None or file.since_last else None
        """What is in the training set, or was seen; None: duplicates do not matter."""
        self._pairing: Pairing | None = None
        self._pairs = 0
        self._kto = {"true": 0, "false": 0}
        self._merged = 0
        self._first_bad: tuple[BadRow, tuple[str, ...]] | None = None

    def run(self, rows: Callable[[Bad], Rows]) -> FeedbackResult:
        """Everything. `rows` gets the one who is told of bad rows."""
        began_s = time.monotonic()
        with Drafts(self._folder) as drafts:
            self._files = TrainingFiles(self._file, drafts, self._language)
            if self._file.pairs:
                self._pairing = Pairing(drafts.scratch())
            try:
                self._merge()
                self._take_all(rows(self._bad))
                self._check_usable()
                self._write_pairs()
            finally:
                if self._pairing is not None:
                    self._pairing.close()
            self._files.finish(self._state())
        return self._result(time.monotonic() - began_s)

    # ------------------------------------------------------------ rows

    def _take_all(self, rows: Rows) -> None:
        read, batch = self.reader.read, list[Feedback]()
        for number, row in rows:
            if row is None:
                self.tally.pass_over()
                continue
            if isinstance(row, Feedback):
                batch.append(row)
            else:
                try:
                    batch.append(read(row))
                except BadField as problem:
                    raw = shown(orjson.dumps(row, default=str))
                    self._bad(BadRow(number, problem.reason, problem.detail, raw), tuple(row))
                    continue
            if len(batch) >= BATCH_ROWS:
                self._take(batch)
                batch = []
        self._take(batch)

    def _take(self, batch: Sequence[Feedback]) -> None:
        """A batch of valid rows, in the file's order."""
        file, tally = self._file, self.tally
        tally.take(batch)
        if file.model_name is not None:
            batch = self._without(
                "other_model", batch, lambda one: one.model_name == file.model_name
            )
        if self._pairing is not None:
            self._pairing.add(batch)
        if file.since_last:
            batch = self._without("seen_before", batch, self._is_new)
        self._write_kto(batch)
        batch = self._without("rating_below", batch, lambda one: one.rating >= file.min_rating)
        if self._known is not None:
            batch = self._without("duplicate", batch, self._is_unknown)
        tally.keep(batch)
        rows = [sample(one) for one in batch]
        for writer in self._files.samples:
            writer.write(rows)

    def _without(
        self, reason: str, batch: Sequence[Feedback], keeps: Callable[[Feedback], bool]
    ) -> list[Feedback]:
        """Those that stay; the others are counted."""
        kept = [one for one in batch if keeps(one)]
        if len(kept) < len(batch):
            self.tally.dropped[reason] += len(batch) - len(kept)
        return kept

    def _bad(self, row: BadRow, fields: tuple[str, ...] = ()) -> None:
        self.tally.bad[row.reason] += 1
        if self._first_bad is None:
            self._first_bad = (row, fields)
        self._files.bad(row)

    def _check_usable(self) -> None:
        """Raises SpecError when no row is feedback: then most likely the names differ.

        A file without rows replaces nothing; `--since-last` and `--merge-with` keep what is there.
        """
        if not self.tally.read and self._known is None:
            raise SpecError("rows_empty", file=self._file.feedback_file or self._file.dataset)
        if self.tally.valid or self._first_bad is None:
            if self.tally.not_rated and not self.tally.valid and self._known is None:
                raise UsageError(
                    "feedback_not_rated", dataset=self._file.dataset, count=self.tally.not_rated
                )
            return
        row, fields = self._first_bad
        shown_names = ", ".join(name[:50] for name in fields[:MOST_NAMES])
        raise SpecError(
            "feedback_unusable_names" if fields else "feedback_unusable",
            source=self._file.feedback_file or self._file.dataset,
            count=self.tally.read,
            line=row.line,
            problem=say(f"reason.{row.reason}", self._language, **row.detail),
            fields=shown_names,
        )

    # ------------------------------------------------------------ duplicates

    def _is_new(self, one: Feedback) -> bool:
        """Whether no earlier run saw this row. A rating that was changed makes a row new."""
        before = self._files.before
        mark = digest(*one)
        if before is not None and mark in before.seen:
            return False
        self._seen(mark)
        return True

    def _is_unknown(self, one: Feedback) -> bool:
        """Whether the training set lacks this sample; it has it from now on."""
        mark = digest(one.user_input, "", one.model_response)
        before = self._files.before
        return (before is None or mark not in before.seen) and self._seen(mark)

    def _seen(self, mark: int) -> bool:
        """Remember; False: it was there."""
        return self._known is None or self._known.add(mark)

    def _state(self) -> State | None:
        if not self._file.since_last or self._known is None:
            return None
        before = self._files.before
        if before is not None:
            self._known.load(before.seen.dump())
        return State(options=self._file.deciding(), seen=self._known)

    # ------------------------------------------------------------ other rows

    def _merge(self) -> None:
        """The rows of `--merge-with` come first, as they are."""
        if self._file.merge_with is None:
            return
        rows = read_rows(given_path(self._file.merge_with), bad=self._refuse)
        while some := [self._existing(number, row) for number, row in islice(rows, BATCH_ROWS)]:
            self._merged += len(some)
            for writer in self._files.samples:
                writer.write(some)

    def _refuse(self, row: BadRow) -> None:
        """A training set loses no row in silence: better no merge."""
        problem = say(f"reason.{row.reason}", self._language, **row.detail)
        raise SpecError(
            "feedback_merge_row", file=self._file.merge_with, line=row.line, problem=problem
        )

    def _existing(self, number: int, row: Row) -> Row:
        texts = [row.get("instruction"), row.get("input") or "", row.get("output")]
        if not all(isinstance(text, str) for text in texts):
            raise SpecError("feedback_merge_shape", file=self._file.merge_with, line=number)
        self._seen(digest(*texts))
        self._files.more.update(name for name in ALPACA_MORE if name in row)
        return row

    def _write_kto(self, batch: Iterable[Feedback]) -> None:
        if self._files.kto is None:
            return
        file, shape = self._file, KTO[self._file.kto_format]
        rows = []
        for one in batch:
            liked = one.rating >= file.min_rating
            if liked or one.rating <= file.kto_max:
                rows.append(shape(one.user_input, one.model_response, liked))
                self._kto["true" if liked else "false"] += 1
        self._files.kto.write(rows)

    def _write_pairs(self) -> None:
        if self._pairing is None or self._files.pairs is None:
            return
        file, shape = self._file, PAIRS[self._file.pairs_format]
        pairs = self._pairing.pairs(file.pairs_choose, file.pairs_margin)
        before = self._files.before
        while some := list(islice(pairs, BATCH_ROWS)):
            if file.since_last:
                marks = {pair: digest("pair", *pair) for pair in some}
                some = [pair for pair in some if before is None or marks[pair] not in before.seen]
                for pair in some:
                    self._seen(marks[pair])
            self._files.pairs.write([shape(*pair) for pair in some])
            self._pairs += len(some)

    def _result(self, took_s: float) -> FeedbackResult:
        tally, paths = self.tally, dict(self._files.paths)
        return FeedbackResult(
            read=tally.read,
            kept=tally.kept,
            dropped=dict(tally.dropped),
            bad=dict(tally.bad),
            mean_rating=tally.mean_rating(),
            mean_rating_read=tally.mean_rating_read(),
            models=tally.counts(),
            words=dict(self.reader.words),
            existing=self._merged,
            pairs=self._pairs if self._file.pairs else None,
            kto=dict(self._kto) if self._file.kto else None,
            bad_rows=paths.pop("bad_rows", None),
            files=paths,
            took_s=took_s,
        )
