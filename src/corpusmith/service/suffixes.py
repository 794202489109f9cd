"""Which format a file's name asks for.

Light: the command line imports it before anything is known.
"""

from __future__ import annotations

from pathlib import PurePath

FORMAT_OF_SUFFIX = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}


def format_of(path: str) -> str | None:
    """The exporter that the name's suffix stands for; None: it says nothing."""
    return FORMAT_OF_SUFFIX.get(PurePath(path).suffix.lower())
