"""A file out of a multipart body, straight to the disk.

Owns: reading the body in pieces. Does not own: where a file lies and how large it may be
(`service/uploads.py`). Starlette's own forms go through a temporary file of which nobody knows how
large it grows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from corpusmith.errors import SpecError
from corpusmith.service.uploads import Arriving, Upload, Uploads

FIELD = "file"
PIECE_BYTES = 1 << 20
MOST_HEADER_BYTES = 16_384


async def received(request: Request, uploads: Uploads) -> Upload:
    """The first file of the field `file`; nothing stays of one that does not come whole.

    Raises SpecError, UsageError, DiskFull.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise SpecError("upload_none")
    reading = _Reading(uploads.begin)
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        async for piece in request.stream():
            parser.write(piece)
            if len(reading.waiting) >= PIECE_BYTES:
                await run_in_threadpool(reading.write)
        parser.finalize()
        await run_in_threadpool(reading.write)
        if reading.arriving is None:
            raise SpecError("upload_none")
        if not reading.whole:
            raise SpecError("upload_broken")
        return await run_in_threadpool(reading.arriving.finish)
    except BaseException as error:
        if reading.arriving is not None:
            reading.arriving.drop()
        if isinstance(error, FormParserError):
            raise SpecError("upload_broken") from error
        raise


class _Reading:
    """What the parser tells: which part is the file, and its bytes."""

    def __init__(self, begin: Callable[[str], Arriving]) -> None:
        self.arriving: Arriving | None = None
        self.waiting = bytearray()
        self.whole = False
        self._begin = begin
        self._ours = False
        self._name = b""
        self._header = b""
        self._value = b""

    def callbacks(self) -> Any:
        """As the parser wants them."""
        return {
            "on_part_begin": self._part,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def write(self) -> None:
        """What has come so far, to the disk."""
        if self.arriving is not None and self.waiting:
            self.arriving.write(bytes(self.waiting))
            self.waiting.clear()

    def _part(self) -> None:
        self._ours, self._name, self._header, self._value = False, b"", b"", b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        _refuse_long(self._header)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        _refuse_long(self._value)

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = self._value
        self._header = self._value = b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._name)
        if options.get(b"name") != FIELD.encode() or b"filename" not in options:
            return
        if self.arriving is not None:
            raise SpecError("upload_one")
        self._ours = True
        self.arriving = self._begin(options[b"filename"].decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._ours:
            self.waiting += data[start:end]

    def _end(self) -> None:
        self.whole = self.whole or self._ours


def _refuse_long(header: bytes) -> None:
    if len(header) > MOST_HEADER_BYTES:
        raise SpecError("upload_broken")
