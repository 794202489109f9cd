"""Use-case: training data from what people said of a model's answers.

Owns: the run: which rows come in, and in what order mapping, filters and files take them.
Does not own: options (`feedback_file.py`), what is written where (`feedback_run.py`), rows
(`readers`), a dataset's records (`feedback_records.py`), fields and shapes (`feedback`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith.errors import UsageError
from corpusmith.places import given_output, given_path

if TYPE_CHECKING:
    from corpusmith.feedback.fields import Feedback as OneRating
    from corpusmith.feedback.tally import FeedbackResult
    from corpusmith.readers.bad import Bad
    from corpusmith.service.feedback_file import FeedbackFile
    from corpusmith.service.feedback_run import FeedbackRun
    from corpusmith.service.studio import Studio
    from corpusmith.values import Json

_SHOWN_EVERY = 1000
Rows = Iterator[tuple[int, "dict[str, Any] | OneRating | None"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far a run is."""

    read: int
    """Rows."""
    kept: int
    bytes: int
    total_bytes: int | None
    """None: not known, as for a dataset."""
    took_s: float


ShowReading = Callable[[Reading], None]


class Feedback:
    """`studio.feedback`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def run(
        self, *, show: ShowReading | None = None, folder: Path | None = None, **fields: Json
    ) -> FeedbackResult:
        """Writes training files from feedback, all of them or none. Fields are `FeedbackFile`'s.

        >>> studio.feedback.run(feedback_file="fb.jsonl", min_rating=5)  # doctest: +SKIP

        `show` is told now and then how far it is. `folder`: in place of `output_dir`, for a server,
        where a request names no place.
        Raises UsageError and its kinds; DiskFull.
        """
        from corpusmith.service.feedback_file import feedback_file

        return self.run_file(feedback_file(fields, source="feedback"), show=show, folder=folder)

    def run_file(
        self, file: FeedbackFile, *, show: ShowReading | None = None, folder: Path | None = None
    ) -> FeedbackResult:
        """`run`, with checked options."""
        from corpusmith.service.feedback_run import FeedbackRun

        began_s = time.monotonic()
        source = self._source(file)
        if folder is None or "output_dir" in file.model_fields_set:
            folder = given_output(file.output_dir).expanduser()
        with _named_errors(folder):
            run = FeedbackRun(file, self._studio.language, folder)
            total = None if source is None else source.stat().st_size

            def seen(size: int) -> None:
                if show is not None:
                    read, kept = run.tally.read, run.tally.kept
                    took_s = time.monotonic() - began_s
                    show(
                        Reading(read=read, kept=kept, bytes=size, total_bytes=total, took_s=took_s)
                    )

            return run.run(lambda bad: self._rows(run, file, source, bad, seen))

    def _source(self, file: FeedbackFile) -> Path | None:
        """The file with the feedback; None: it is a dataset. Raises UsageError."""
        if file.feedback_file is not None and file.dataset is not None:
            raise UsageError("feedback_two_sources")
        if file.dataset is not None:
            self._studio.store.datasets.get(file.dataset)
            return None
        if file.feedback_file is None:
            raise UsageError("feedback_no_source")
        from corpusmith.readers.source import Source

        with Source(
            given_path(file.feedback_file)
        ) as source:  # it says what is wrong with the file
            return source.path

    def _rows(
        self,
        run: FeedbackRun,
        file: FeedbackFile,
        source: Path | None,
        bad: Bad,
        seen: Callable[[int], None],
    ) -> Rows:
        if source is not None:
            from corpusmith.readers.rows import read_rows

            return read_rows(source, bad=bad, seen=seen)
        from corpusmith.service.feedback_records import rated_rows

        rows = rated_rows(self._studio, str(file.dataset), run.reader, bad)
        return _watched(rows, seen)


def _watched(rows: Rows, seen: Callable[[int], None]) -> Rows:
    """The rows of a dataset have no bytes to tell how far it is."""
    for number, row in enumerate(rows, 1):
        if number % _SHOWN_EVERY == 0:
            seen(0)
        yield row


@contextmanager
def _named_errors(folder: Path) -> Iterator[None]:
    """The disk's errors as ours, naming the output folder."""
    from corpusmith.exports.files import translated
    from corpusmith.service.scratch import scratch_errors

    try:
        with scratch_errors(folder):  # the file of the pairs: it lies in the output folder
            yield
    except OSError as error:
        raise translated(error, Path(error.filename or folder)) from error
