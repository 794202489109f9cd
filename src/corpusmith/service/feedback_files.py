"""The files of a feedback run: new ones, or old ones that are gone on with.

Owns: which files there are, the list of bad rows, the state of `--since-last`.
Does not own: what goes into them (`feedback_run.py`, `feedback_info.py`), how they are moved
(`feedback/files.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import orjson

from corpusmith.errors import SpecError, UsageError
from corpusmith.feedback import names
from corpusmith.feedback.files import Drafts, NotAnArray, copy_array, copy_lines
from corpusmith.feedback.samples import WRITERS, JsonLines, Writer
from corpusmith.feedback.seen import State, dump_state, load_state
from corpusmith.messages import say
from corpusmith.readers.bad import BadRow
from corpusmith.service import feedback_info
from corpusmith.service.feedback_file import FeedbackFile
from corpusmith.values import Json, Language


class TrainingFiles:
    """Open drafts of all that the options ask for."""

    def __init__(self, file: FeedbackFile, drafts: Drafts, language: Language) -> None:
        """Raises UsageError when `--since-last` cannot go on; SpecError for a damaged file."""
        self._file = file
        self._drafts = drafts
        self._language = language
        self._bad: BinaryIO | None = None
        self.paths: dict[str, Path] = {}
        self.before = self._state()
        self.samples: list[Writer] = [
            self._opened(form, names.sample_file(form, file.model_name), WRITERS[form])
            for form in file.formats
        ]
        model = file.model_name
        self.pairs: Writer | None = None
        self.kto: Writer | None = None
        if file.pairs:
            self.pairs = self._opened("pairs", names.pairs_file(model), JsonLines)
        if file.kto:
            self.kto = self._opened("kto", names.kto_file(model), JsonLines)
        self.more = set[str]()
        """Columns of the Alpaca file that not every row has."""
        if file.dataset_info:
            self._dataset_info()  # told now if it cannot be merged, and not after a million rows

    def bad(self, row: BadRow) -> None:
        """Adds a row to the list of bad ones."""
        if self._bad is None:
            self._bad = self._drafts.file(names.BAD_ROWS)
            self.paths["bad_rows"] = self._drafts.folder / names.BAD_ROWS
        detail = dict(row.detail)
        entry: dict[str, Json] = {
            "line": row.line,
            "reason": row.reason,
            "problem": say(f"reason.{row.reason}", self._language, **detail),
            "detail": detail,
            "raw": row.raw,
        }
        self._bad.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def finish(self, state: State | None) -> None:
        """Ends all files and puts them in place; `state`: what the next run is to know."""
        for writer in (*self.samples, self.pairs, self.kto):
            if writer is not None:
                writer.end()
        name = names.state_file(self._file.model_name)
        if state is not None:
            self._drafts.file(name).write(dump_state(state))
        else:
            # It speaks of files that are no more: the next `--since-last` begins anew.
            self._drafts.remove(name)
        if self._file.dataset_info:
            merged = self._dataset_info()
            self.paths["dataset_info"] = self._drafts.folder / feedback_info.FILE
            self._drafts.file(feedback_info.FILE).write(merged)
        if self._bad is None and _is_ours(self._drafts.folder / names.BAD_ROWS):
            self._drafts.remove(names.BAD_ROWS)
        self._drafts.commit()

    def _state(self) -> State | None:
        """What the runs before knew; None: this is the first, or it stands for itself."""
        if not self._file.since_last:
            return None
        path = self._drafts.folder / names.state_file(self._file.model_name)
        state = load_state(path)
        now = self._file.deciding()
        if state is not None and state.options != now:
            changed = [name for name in now if state.options.get(name) != now[name]]
            raise UsageError("feedback_options", file=str(path), fields=", ".join(changed))
        return state

    def _dataset_info(self) -> bytes:
        place = self._drafts.folder / feedback_info.FILE
        return feedback_info.dataset_info(self._file, self.paths, self.more, place)

    def _opened(self, kind: str, name: str, writer: type[Writer]) -> Writer:
        out = self._drafts.file(name)
        path = self._drafts.folder / name
        self.paths[kind] = path
        if self.before is None:
            return writer(out)
        if writer is JsonLines:
            copy_lines(path, out)
            return writer(out)
        try:
            return writer(out, going_on=copy_array(path, out))
        except NotAnArray:
            raise SpecError("feedback_append", file=str(path)) from None


def _is_ours(path: Path) -> bool:
    """Whether the file is a list of bad rows of an earlier run."""
    try:
        with path.open("rb") as file:
            first = orjson.loads(file.readline(1 << 20))
    except (OSError, orjson.JSONDecodeError):
        return False
    return isinstance(first, dict) and {"line", "reason", "problem", "raw"} <= set(first)
