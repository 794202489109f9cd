"""HTTP/1.1 on one socket: requests in, bytes out.

Owns: parsing, keep-alive, order of pipelined requests, bounds, bad HTTP.
Does not own: what is answered (`server.py`), nor what a body means.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import cast

import httptools

MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 16
MARK = b"x-simulated-by: corpusmith\r\n"
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {529: "Overloaded"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head(
    status: int,
    *,
    content_type: str = "application/json",
    length: int | None,
    headers: Iterable[tuple[str, str]] = (),
    keep_alive: bool = True,
) -> bytes:
    """A response's head. `length` None: the body comes in chunks."""
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers)
    close = "" if keep_alive else "connection: close\r\n"
    reason = _REASONS.get(status, "Unknown")
    text = f"HTTP/1.1 {status} {reason}\r\ncontent-type: {content_type}\r\n{size}\r\n{extra}{close}"
    return text.encode("latin-1") + MARK + _date(int(time.time())) + b"\r\n"


@lru_cache(maxsize=2)
def _date(now_s: int) -> bytes:
    """The Date header, written once a second."""
    return f"date: {formatdate(now_s, usegmt=True)}\r\n".encode("ascii")


class Exchange:
    """One request and the way to answer it. Exactly one `send`, or none at all (a hang)."""

    __slots__ = ("body", "connection", "gone", "headers", "keep_alive", "method", "target")

    def __init__(
        self,
        connection: Connection,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        keep_alive: bool,
    ) -> None:
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = headers
        """Names in lower case."""
        self.body = body
        self.keep_alive = keep_alive
        self.gone: Callable[[], None] | None = None
        """Called when the client leaves before the answer was sent."""

    def send(self, data: bytes) -> None:
        """Write a whole response and go on to the connection's next request."""
        self.connection.finish(self, data)

    def write(self, data: bytes) -> None:
        """Write a piece of the response; the exchange stays open."""
        self.connection.transport.write(data)

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self.connection.reset()


class Connection(asyncio.Protocol):
    """One client's socket."""

    def __init__(
        self,
        handle: Callable[[Exchange], None],
        open_connections: set[Connection],
        max_body_bytes: int,
    ) -> None:
        self._handle = handle
        self._open = open_connections
        self._max_body_bytes = max_body_bytes
        self._queue: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._write_paused = False
        self._refused = False
        self._in_head = True
        self._head_bytes = 0
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._pieces: list[bytes] = []
        self._body_bytes = 0

    # ------------------------------------------------------------ asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        current, self._current = self._current, None
        self._queue.clear()
        self._refused = True
        if current is not None and current.gone is not None:
            current.gone()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "protocol upgrades are not served")
        except httptools.HttpParserCallbackError as error:
            # Not the client's fault but ours: say so, here and there.
            context = {"message": "the simulator failed", "exception": error.__context__ or error}
            asyncio.get_running_loop().call_exception_handler(context)
            self._refuse(500, "the simulator failed; its output says how")
        except httptools.HttpParserError:
            self._refuse(400, "malformed HTTP request")
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, "request head too large")

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._next()

    # ------------------------------------------------------------ httptools

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_head = False
        length = self._headers.get("content-length", "")
        if self._header_bytes > MAX_HEAD_BYTES:
            self._refuse(431, "request head too large")
        elif length.isdigit() and int(length) > self._max_body_bytes:
            self._refuse(413, "request body too large")
        elif self._headers.get("expect", "").lower() == "100-continue":
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        self._pieces.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._max_body_bytes:
            self._refuse(413, "request body too large")

    def on_message_complete(self) -> None:
        if self._refused:
            return
        pieces = self._pieces
        exchange = Exchange(
            self,
            self._parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            self._headers,
            pieces[0] if len(pieces) == 1 else b"".join(pieces),
            self._parser.should_keep_alive(),
        )
        self._queue.append(exchange)
        if len(self._queue) >= MAX_PIPELINED:
            self.transport.pause_reading()
        self._next()

    # ------------------------------------------------------------ answers

    def finish(self, exchange: Exchange, data: bytes) -> None:
        """Send the response of the current exchange; nothing if the client is gone."""
        if self._current is not exchange:
            return
        self._current = None
        self.transport.write(data)
        if not exchange.keep_alive:
            self._refused = True
            self.transport.close()
            return
        if self._queue:
            self._next()

    def reset(self) -> None:
        """Close so that the peer sees a reset (linger of zero seconds)."""
        self._current = None
        self._refused = True
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _next(self) -> None:
        while self._queue and self._current is None and not self._write_paused:
            exchange = self._current = self._queue.popleft()
            if len(self._queue) < MAX_PIPELINED and not self.transport.is_closing():
                self.transport.resume_reading()
            self._handle(exchange)

    def _refuse(self, status: int, message: str) -> None:
        """Answer what could not be read, and close."""
        if self._refused:
            return
        self._refused = True
        body = f'{{"error":{{"message":"{message}","type":"invalid_request_error"}}}}'.encode()
        self.transport.write(head(status, length=len(body), keep_alive=False) + body)
        self.transport.close()
