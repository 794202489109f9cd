"""LLaMA-Factory's `dataset_info.json` beside the files of a feedback run.

Owns: which of these files it can read, and by what entry. Does not own: the entry's form
(`exports/llama_factory.py`), merging (`dataset_info.py`), placing the file (`feedback_files.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from corpusmith.errors import UsageError
from corpusmith.exports.llama_factory import MESSAGE_TAGS, entry
from corpusmith.service import dataset_info as info_file
from corpusmith.service.feedback_file import FeedbackFile

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
    entries = {}
    for kind, told in _entries(file, more).items():
        if kind in paths:
            found = entry(info_file.relative(paths[kind], info), **told)
            entries[info_file.entry_name(paths[kind].stem)] = found or {}
    try:
        return info_file.merged(info, entries)
    except UsageError as error:
        if error.reason not in _OWN_WORDS:
            raise
        raise UsageError(_OWN_WORDS[error.reason], **error.data) from None


def _entries(file: FeedbackFile, more: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """Kind of file → what `entry` is told of it."""
    chats = {"tags": MESSAGE_TAGS}
    pairs: Mapping[str, Any] = {"columns": {"messages": "messages", **_ANSWERS}, **chats}
    if file.pairs_format == "alpaca":
        pairs = {"columns": {**_ASKED, **_ANSWERS}}
    samples = {**_ASKED, "response": "output", **{name: name for name in sorted(more)}}
    return {
        "alpaca": {"columns": samples},
        "pairs": {"ranking": True, **pairs},
        "kto": {"columns": {"messages": "messages", "kto_tag": "label"}, **chats},
    }
