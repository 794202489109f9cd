"""LLaMA-Factory's `dataset_info.json` beside the files of a feedback run.

Owns: which of these files it can read, and by what entry. Does not own: the entry's form
(`exports/llama_factory.py`), merging (`dataset_info.py`), placing the file (`feedback_files.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from corpusmith.errors import UsageError
from corpusmith.exports.llama_factory import MESSAGE_TAGS, entry
from corpusmith.service import dataset_info as info_file
from corpusmith.service.feedback_file import FeedbackFile
from corpusmith.values import Json

FILE = info_file.USUAL

_ASKED = {"prompt": "instruction", "query": "input"}
_ANSWERS = {"chosen": "chosen", "rejected": "rejected"}
_OWN_WORDS = {
    "export_info_taken": "feedback_info_taken",
    "export_info_broken": "feedback_info_broken",
}
"""Codes whose message names options that a feedback run has not."""


def refuse_unread(file: FeedbackFile) -> None:
    """Raises UsageError for files that LLaMA-Factory would not read, or of which none is there."""
    for name, wanted, form in (
        ("pairs_format", file.pairs, file.pairs_format),
        ("kto_format", file.kto, file.kto_format),
    ):
        if wanted and form == "trl":
            raise UsageError("feedback_info_trl", name=name)
    if not (file.pairs or file.kto or "alpaca" in file.formats):
        raise UsageError("feedback_info_nothing")


def dataset_info(
    file: FeedbackFile, paths: Mapping[str, Path], more: Collection[str], info: Path
) -> bytes:
    """The bytes of `info` with an entry for each file that LLaMA-Factory reads.

    `paths`: what is written, by kind. `more`: columns of the Alpaca file that not every row has.
    Raises UsageError.
    """
    made = {
        "alpaca": lambda name: entry(name, {**_ASKED, "response": "output", **_same(more)}),
        "pairs": lambda name: _pairs(name, file),
        "kto": lambda name: entry(
            name, {"messages": "messages", "kto_tag": "label"}, tags=MESSAGE_TAGS
        ),
    }
    entries: dict[str, Mapping[str, Json]] = {}
    for kind, make in made.items():
        found = make(info_file.relative(paths[kind], info)) if kind in paths else None
        if found is not None:
            entries[info_file.entry_name(paths[kind].stem)] = found
    try:
        return info_file.merged(info, entries)
    except UsageError as error:
        if error.reason not in _OWN_WORDS:
            raise
        raise UsageError(_OWN_WORDS[error.reason], **error.data) from None


def _pairs(name: str, file: FeedbackFile) -> Mapping[str, Json] | None:
    if file.pairs_format == "alpaca":
        return entry(name, {**_ASKED, **_ANSWERS}, ranking=True)
    return entry(name, {"messages": "messages", **_ANSWERS}, tags=MESSAGE_TAGS, ranking=True)


def _same(names: Collection[str]) -> dict[str, str]:
    return {name: name for name in sorted(names)}
