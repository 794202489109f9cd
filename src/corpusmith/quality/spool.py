"""Texts out of memory: a file without a name, read back one by one.

Owns: the file, which is gone when the process ends, however it ends. Does not own: what the texts
are for (`near_index.py`).
"""

from __future__ import annotations

import tempfile
import weakref
from array import array
from collections.abc import Iterable
from typing import BinaryIO

from corpusmith.errors import DiskFull

_HELD_BYTES = 1 << 16  # until so much has come, it is not worth a write


class Spool:
    """Texts by numbers 0, 1, 2 …; eight bytes of memory each.

    `close()` gives the file back; so does it that nobody holds the spool any longer.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        """In `file`, or in one of its own in the temporary folder."""
        # Buffered: an unbuffered one may write only a part of what it is given.
        self._file = file or tempfile.TemporaryFile(prefix="corpusmith-")  # noqa: SIM115  lives on
        self.close = weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        self._held = bytearray()
        self._written = 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        if start >= self._written:
            data = bytes(self._held[start - self._written : end - self._written])
        else:
            self._file.seek(start)
            data = self._file.read(end - start)
        return data.decode("utf-8", "surrogatepass")

    def extend(self, texts: Iterable[str]) -> None:
        """Raises DiskFull when the temporary folder takes no more."""
        for text in texts:
            # A reply may hold half a surrogate pair.
            self._held += text.encode("utf-8", "surrogatepass")
            self._ends.append(self._written + len(self._held))
        if len(self._held) >= _HELD_BYTES:
            self._write()

    def _write(self) -> None:
        try:
            self._file.seek(self._written)
            self._file.write(self._held)
            self._file.flush()
        except OSError as error:
            folder = tempfile.gettempdir()
            raise DiskFull("near_disk_full", folder=folder, cause=error.strerror) from error
        self._written += len(self._held)
        self._held.clear()
