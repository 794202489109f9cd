"""Files that leave the server as streams, and what they are called.

Owns: bytes that are made in a thread as fast as the client takes them, and breaking the connection
when they cannot be made to their end, so that nobody takes half a file for a whole one. Does not
own: what is in them.
"""

from __future__ import annotations

import base64
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar, cast
from urllib.parse import quote

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from corpusmith.errors import CorpusmithError, NotFound, TooOften
from corpusmith.exports.streams import Zipped

log = logging.getLogger("corpusmith.api")

Write = Callable[[BinaryIO], object]
"""Makes all bytes."""
T = TypeVar("T")

CHUNK_BYTES = 1 << 16
STALL_S = 60
"""A client that takes nothing for so long is given up."""
MOST_AT_ONCE = 8
"""Streams at a time: each has a thread."""
TICKET_S = 300
MOST_TICKETS = 1000
_BUSY_S = 10
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ")


def disposition(name: str) -> str:
    """The Content-Disposition of a file to be saved under `name`, by RFC 6266 and RFC 5987: the
    name itself, and one in plain ASCII for clients that do not know better."""
    plain = "".join(sign if sign in _PLAIN else "_" for sign in name)
    exact = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


class Streamed(Response):
    """A response whose bytes `write` makes in a thread, without a copy in memory or on the disk."""

    _busy = threading.BoundedSemaphore(MOST_AT_ONCE)

    def __init__(
        self,
        write: Write,
        *,
        name: str,
        media_type: str,
        length: int | None = None,
        sha256: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        own = {
            "Content-Disposition": disposition(name),
            # Said here, so that nothing on its way packs it again: it would lose its length.
            "Content-Encoding": "identity",
        }
        if length is not None:
            own["Content-Length"] = str(length)
        if sha256 is not None:
            digest = base64.b64encode(bytes.fromhex(sha256)).decode()
            own["Repr-Digest"] = f"sha-256=:{digest}:"
        self._write = write
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers({**own, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._busy.acquire(blocking=False):
            raise TooOften("downloads_full", seconds=_BUSY_S, most=MOST_AT_ONCE)
        try:
            await self._sent(receive, send)
        finally:
            self._busy.release()

    async def _sent(self, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        out = _Out(send)
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, receive, out)
            own_thread = anyio.CapacityLimiter(1)  # the others answer requests
            whole = await anyio.to_thread.run_sync(self._fill, out, limiter=own_thread)
            group.cancel_scope.cancel()
        if whole:
            await send({"type": "http.response.body", "body": b""})
        elif not out.left:
            raise BrokenDownload

    def _fill(self, out: _Out) -> bool:
        """Whether all of it is on its way."""
        try:
            self._write(cast(BinaryIO, out))
            out.flush()
        except BrokenPipeError:
            return False
        except CorpusmithError as error:
            log.warning("a download broke off: %s", error.reason)
            return False
        except Exception:
            log.exception("fault %s in a download", secrets.token_hex(4))
            return False
        return True


class BrokenDownload(RuntimeError):
    """Ends the connection before the end of the file; what happened is in the log."""


class _Out:
    """What a stream is written to, from its thread."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._parts: list[bytes] = []
        self._size = 0
        self.gone = threading.Event()
        """Nobody takes any more: the client has left, or the server stops."""
        self.left = False
        """The client has."""

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        if self._size >= CHUNK_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Hands it over. Raises BrokenPipeError when nobody takes it."""
        body, self._parts, self._size = b"".join(self._parts), [], 0
        if self.gone.is_set():
            raise BrokenPipeError
        if body:
            anyio.from_thread.run(self._sent, body)

    async def _sent(self, body: bytes) -> None:
        try:
            with anyio.fail_after(STALL_S):
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        except TimeoutError:
            raise BrokenPipeError from None


async def _watch(receive: Receive, out: _Out) -> None:
    """Until the client leaves."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
        out.left = True
    finally:
        out.gone.set()


# ---------------------------------------------------------------- files that are there


def file_download(path: Path, name: str, media_type: str = "application/octet-stream") -> Streamed:
    """A file of the server's own making."""
    return Streamed(
        partial(_copy, path), name=name, media_type=media_type, length=path.stat().st_size
    )


def zip_download(folder: Path, files: Iterable[Path], name: str) -> Streamed:
    """Files of `folder` as one zip that is made on the way."""
    return Streamed(partial(_zip, folder, list(files)), name=name, media_type="application/zip")


def _copy(path: Path, out: BinaryIO) -> int:
    size = 0
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            size += out.write(data)
    return size


def _zip(folder: Path, files: list[Path], out: BinaryIO) -> None:
    made = Zipped(out, folder)
    for path in files:
        made.stage(path, partial(_copy, path))
    made.close()


# ---------------------------------------------------------------- tickets


class Tickets(Generic[T]):
    """What somebody asked for in a POST, to be fetched by an address once or again, for a while.

    A browser saves a file only from an address; a ticket is one, worth nothing to anybody else.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str, T]] = {}

    def add(self, wish: T, by: str) -> str:
        """A name for it that nobody can guess."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._sweep()
            while len(self._known) >= MOST_TICKETS:
                del self._known[next(iter(self._known))]
            self._known[ticket] = (self._clock() + TICKET_S, by, wish)
        return ticket

    def get(self, ticket: str, by: str) -> T:
        """What was asked for. Raises NotFound: too old, somebody else's, or none."""
        with self._lock:
            self._sweep()
            found = self._known.get(ticket)
        if found is None or found[1] != by:
            raise NotFound("unknown_ticket", kind="ticket", name="")
        return found[2]

    def _sweep(self) -> None:
        now = self._clock()
        for ticket in [one for one, (until, _, _) in self._known.items() if until < now]:
            del self._known[ticket]
