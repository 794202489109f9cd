"""Zip files from strangers: what is in one, without ever being more than it may.

Owns: limits before and while reading, and what is refused. Does not own: what the members are.
Paths in an archive are labels: nothing is ever written where one says. Every problem is a
UsageError that names the archive.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from corpusmith.errors import UsageError

MOST_MEMBERS = 2_000
MOST_BYTES = 500 << 20
"""Of all members, unpacked."""
MOST_RATIO = 100
_SMALL = 1 << 20
"""A member of so few bytes does no harm, however well it was packed."""
_MOST_DIRECTORY = 4 << 20
MAGIC = b"PK\x03\x04"
_NESTED = (MAGIC, b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"(\xb5/\xfd")
_TAR = slice(257, 262)
_PARTS_OF_WORD = (".docx",)
"""Zip files themselves, but documents to everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    """Its whole path as the archive writes it, for people; `/` between its parts."""
    size: int


class Archive:
    """An open archive that was looked through: nothing in it is too much or of a refused kind."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Raises UsageError."""
        self._name = name
        with self._named():
            _refuse_directory(file, name)
            self._zip = zipfile.ZipFile(file)
        self._left = MOST_BYTES
        self._found = {one.filename: one for one in self._zip.infolist() if not one.is_dir()}
        self._refuse_limits()

    def members(self) -> list[Member]:
        """Its files, in its own order; folders, hidden files and a Mac's notes are none."""
        return [
            Member(name=name, size=one.file_size)
            for name, one in self._found.items()
            if not _hidden(name)
        ]

    def read(self, name: str, most: int) -> bytes:
        """A member's bytes, at most `most`. Raises UsageError for more, and for another archive."""
        one = self._found[name]
        most = min(most, self._left)
        if one.file_size > most:
            raise UsageError("archive_member_large", file=self._name, member=name[:200])
        with self._named(), self._zip.open(one) as opened:
            data = opened.read(most + 1)
        self._left -= len(data)
        if len(data) > most:
            raise UsageError("archive_member_large", file=self._name, member=name[:200])
        nested = data.startswith(_NESTED) or data[_TAR] == b"ustar"
        if nested and not name.lower().endswith(_PARTS_OF_WORD):
            raise UsageError("archive_nested", file=self._name, member=name[:200])
        return data

    def _refuse_limits(self) -> None:
        members = self._zip.infolist()
        if len(members) > MOST_MEMBERS:
            raise UsageError("archive_many", file=self._name, most=MOST_MEMBERS)
        if sum(one.file_size for one in members) > MOST_BYTES:
            raise UsageError("archive_large", file=self._name, most=f"{MOST_BYTES >> 20} MB")
        for one in members:
            if one.flag_bits & 1:
                raise UsageError("archive_locked", file=self._name, member=one.filename[:200])
            if stat.S_ISLNK(one.external_attr >> 16):
                raise UsageError("archive_link", file=self._name, member=one.filename[:200])
            if one.file_size > _SMALL and one.file_size > MOST_RATIO * max(one.compress_size, 1):
                raise UsageError("archive_ratio", file=self._name, member=one.filename[:200])

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Inside, whatever a broken archive brings about is an error of ours that names it."""
        try:
            yield
        except UsageError:
            raise
        except (
            *(zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError),
            *(zlib.error, OSError, struct.error, IndexError, KeyError, OverflowError),
        ) as error:
            raise UsageError("archive_broken", file=self._name) from error

    def close(self) -> None:
        """The file itself stays open."""
        self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_archive(head: bytes) -> bool:
    """Whether bytes begin as a zip file does."""
    return head.startswith((MAGIC, b"PK\x05\x06"))


def _refuse_directory(file: BinaryIO, name: str) -> None:
    """A list of millions of members would fill the memory before anything is looked at.

    It is at most 4 MB for as many as we take; the form for more (zip64) is refused.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - 22 - 20))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise zipfile.BadZipFile
    directory = struct.unpack_from("<I", tail, at + 12)[0]
    if directory > _MOST_DIRECTORY or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
        raise UsageError("archive_many", file=name, most=MOST_MEMBERS)


def _hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return "__MACOSX" in parts or parts[-1].startswith((".", "~$"))
