"""What the disk answers to a scratch file in SQLite, as errors of ours.

Owns: this translation. Does not own: such files (`feedback/ranking.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpusmith.errors import DiskFull, UsageError


@contextmanager
def scratch_errors(folder: Path) -> Iterator[None]:
    """Inside, they name `folder`. Raises DiskFull, UsageError."""
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise DiskFull("export_disk_full", path=str(folder), cause=str(error)) from error
        raise UsageError("export_failed", path=str(folder), cause=str(error)) from error
