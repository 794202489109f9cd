"""What writing a file whole or not at all needs of the disk, in every room that does it.

Owns: making names last, and what stands at a place. Does not own: which files, what is in them.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` last, where a folder can be opened (not on Windows)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mode_of(path: Path) -> int | None:
    """The mode of what stands there; None: nothing. Raises OSError."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
