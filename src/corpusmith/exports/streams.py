"""Files that are made for a stream: nowhere (to be counted), as the only one, or in one zip.

Owns: where their bytes go, sizes and digests. Does not own: what is in them (containers), files on
the disk (`file_set.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from corpusmith.exports.file_set import Fill, WrittenFile
from corpusmith.exports.files import Tally

_PACKED = (".parquet", ".png")
"""Nothing is won by packing these again."""
_LEVEL = 3
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of all members: the same records give the same zip."""


class Stage(Protocol):
    """Takes complete files, one after the other, by the places that they would have on a disk."""

    def stage(self, path: Path, fill: Fill) -> WrittenFile: ...

    def stage_bytes(self, path: Path, data: bytes) -> WrittenFile: ...


class _Staged:
    """What all of them have in common."""

    def stage(self, path: Path, fill: Fill) -> WrittenFile:
        raise NotImplementedError

    def stage_bytes(self, path: Path, data: bytes) -> WrittenFile:
        """A small file of no rows."""

        def fill(out: BinaryIO) -> int:
            out.write(data)
            return 0

        return self.stage(path, fill)


class Nowhere(_Staged):
    """Only counts and digests."""

    def stage(self, path: Path, fill: Fill) -> WrittenFile:
        return _filled(path, fill, cast(BinaryIO, _Nothing()))


class OnlyFile(_Staged):
    """The stream is the file."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def stage(self, path: Path, fill: Fill) -> WrittenFile:
        return _filled(path, fill, self._out)


class Zipped(_Staged):
    """Members of one zip, named as seen from `folder`. Close it at the end."""

    def __init__(self, out: BinaryIO, folder: Path) -> None:
        self._zip = ZipFile(cast(BinaryIO, _Forward(out)), "w")
        self._folder = folder

    def stage(self, path: Path, fill: Fill) -> WrittenFile:
        member = ZipInfo(path.relative_to(self._folder).as_posix(), _TIME)
        member.compress_type = ZIP_STORED if path.suffix in _PACKED else ZIP_DEFLATED
        member._compresslevel = _LEVEL  # type: ignore[attr-defined]
        member.external_attr = 0o644 << 16
        with self._zip.open(member, "w", force_zip64=True) as out:
            return _filled(path, fill, cast(BinaryIO, out))

    def close(self) -> None:
        """Writes the list of members; without it a zip cannot be opened."""
        self._zip.close()


def _filled(path: Path, fill: Fill, out: BinaryIO) -> WrittenFile:
    tally = Tally(out)
    rows = fill(cast(BinaryIO, tally))
    return WrittenFile(path=path, rows=rows, bytes=tally.size, sha256=tally.digest.hexdigest())


class _Nothing:
    def write(self, data: bytes) -> int:
        return len(data)


class _Forward:
    """A stream that has no places to go back to, as `zipfile` is to see it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        return self._out.write(data)

    def flush(self) -> None: ...
