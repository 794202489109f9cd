"""A file as a stream of UTF-8, whatever it is written in.

Owns: opening, gzip, byte order marks, the guess of the encoding, how far it has been read, and the
disk's errors as ours. Does not own: what the text means.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

from corpusmith.errors import SpecError

HEAD_BYTES = 1 << 16
BUFFER_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Source:
    """An open file. `head` is its first part, for a look; reading begins at the start all the same.

    `seen` is told how many bytes of the file (compressed ones, of a gzip file) have been read.
    Raises SpecError: `file_unreadable`, `file_is_folder`, `rows_empty`, `rows_gzip`.
    """

    def __init__(self, path: str | Path, seen: Callable[[int], None] | None = None) -> None:
        self.path = Path(path)
        self._seen = seen
        with self.named_errors():
            self._file = io.BufferedReader(self.path.open("rb", buffering=0), BUFFER_BYTES)
        try:
            with self.named_errors():
                self._stream, self.head = self._start()
        except BaseException:
            self._file.close()
            raise
        if not self.head.strip(b"\0 \t\r\n"):
            self._file.close()
            raise SpecError("rows_empty", file=str(self.path))

    def read(self, size: int) -> bytes:
        """`size` bytes of UTF-8; fewer at the end of the file only."""
        with self.named_errors():
            data = self._stream.read(size)
        self.tick()
        return data

    def lines(self, limit: int) -> Iterator[bytes]:
        """Lines with their ends, those that are longer in pieces of `limit` bytes.

        Raises what the file raises: use it inside `named_errors`.
        """
        return iter(partial(self._stream.readline, limit), b"")

    def tick(self) -> None:
        """Tell how far it is."""
        if self._seen is not None:
            self._seen(self._file.tell())

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Inside, the file's errors are ours and name it."""
        try:
            yield
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SpecError("rows_gzip", file=str(self.path), problem=str(error)) from error
        except OSError as error:
            code = "file_is_folder" if os.path.isdir(self.path) else "file_unreadable"
            raise SpecError(code, file=str(self.path), problem=error.strerror) from error

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _start(self) -> tuple[BinaryIO, bytes]:
        """The stream at the text's start, and the text's first part."""
        stream: BinaryIO = self._file
        if self._file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._file, mode="rb"))
        head = stream.read(HEAD_BYTES)
        mark, encoding = next(
            ((mark, name) for mark, name in _MARKS if head.startswith(mark)),
            (b"", encoding_of(head)),
        )
        if encoding != "utf-8":
            head = _Decoded(io.BytesIO(head), encoding).read(HEAD_BYTES) or b""
            stream.seek(len(mark))
            stream = io.BufferedReader(_Decoded(stream, encoding), BUFFER_BYTES)
        else:
            stream.seek(len(mark))
        return stream, head.removeprefix(codecs.BOM_UTF8)


class _Decoded(io.RawIOBase):
    """A stream of another encoding, as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        # What cannot be decoded becomes surrogates, which no reader takes for text: such a row is
        # reported, and the rows around it are read.
        errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._stream = stream
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._waiting:
            data = self._stream.read(BUFFER_BYTES)
            text = self._decoder.decode(data, not data)
            self._waiting = text.encode("utf-8", "surrogatepass")
            if not data:
                break
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size


def encoding_of(head: bytes) -> str:
    """`utf-8`, `utf-16-le`, `utf-16-be` or `gb18030`, by a file's first part without a mark.

    GB18030 (Excel's in China) only when most lines with other than ASCII are that and not UTF-8:
    one broken sign in a UTF-8 file must not turn all of it into other signs.
    """
    sample = head[:HEAD_BYTES]
    if len(sample) >= 4 and b"\0" in sample[:4]:
        return "utf-16-le" if sample[1] == 0 else "utf-16-be"
    lines = [line for line in sample.splitlines() if not line.isascii()]
    if len(head) >= HEAD_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut inside a sign
    foreign = [line for line in lines if not _is(line, "utf-8", cut=line is lines[-1])]
    if len(foreign) * 2 > len(lines) and all(
        _is(line, "gb18030", cut=line is lines[-1]) for line in foreign
    ):
        return "gb18030"
    return "utf-8"


def _is(line: bytes, encoding: str, *, cut: bool) -> bool:
    """Whether the line decodes; `cut`: its last sign may be torn."""
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(line, not cut)
    except UnicodeDecodeError:
        return False
    return True
