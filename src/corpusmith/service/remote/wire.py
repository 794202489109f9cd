"""HTTP to a Corpusmith server: connections, our errors, nothing else.

Owns: sending, receiving, asking again where that is safe. Does not own: any address (each noun's
own file), what an error means (`faults.py`).
"""

from __future__ import annotations

import http.client
import os
import re
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

import orjson
from pydantic import TypeAdapter

from corpusmith import __version__
from corpusmith.errors import CorpusmithError, StoreUnavailable, UsageError
from corpusmith.service.remote.faults import KIND, refusal
from corpusmith.service.users import is_loopback
from corpusmith.values import Json, Language

PREFIX = "/api/v1"
TIMEOUT_S = 300.0
"""Without a byte from the server: a trial of a slow model takes that long."""
AGAIN_S = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Waits before what may be asked again is asked again."""
REQUEST_KEY = "Idempotency-Key"
_AT_ONCE = 256 * 1024
_LOST = (http.client.RemoteDisconnected, ConnectionError)

Body = bytes | Iterable[bytes] | None


@lru_cache(maxsize=256)
def adapter(kind: Any) -> TypeAdapter[Any]:
    """What reads a value of that type."""
    return TypeAdapter(kind)


class Wire:
    """One server. Usable from several threads: each answer has a connection of its own, and those
    that have been read to their end are used again."""

    def __init__(self, url: str, token: str | None, language: Language) -> None:
        """`token`: as the server gave it; None: it has no users. Raises UsageError."""
        parts = _parts_of(url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.language = language
        self._root = parts.path.rstrip("/") + PREFIX
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._headers = {"Accept-Language": language, "User-Agent": f"corpusmith/{__version__}"}
        if token:
            if not self._secure and not is_loopback(parts.hostname):
                raise UsageError("server_in_clear", host=parts.hostname)
            if not token.isascii() or not token.isprintable() or " " in token:
                raise UsageError("server_token")
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: deque[http.client.HTTPConnection] = deque()
        self.closed = False

    def __repr__(self) -> str:
        return f"Wire({self.url!r})"  # the token is not in it

    # ------------------------------------------------------------ asking

    def ask(
        self,
        method: str,
        *path: object,
        query: Mapping[str, Any] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The answer's JSON; None for an empty one. Raises what the server refused with,
        StoreUnavailable when it cannot be reached."""
        text = b"".join(self.read(method, *path, query=query, body=body, headers=headers))
        if not text:
            return None
        try:
            return orjson.loads(text)
        except ValueError:
            raise StoreUnavailable("server_odd", status=200) from None

    def value(self, kind: Any, method: str, *path: object, **given: Any) -> Any:
        """`ask`, with the answer read as `kind`."""
        return adapter(kind).validate_python(self.ask(method, *path, **given))

    def whole(self, method: str, *path: object, **given: Any) -> bytes:
        """The whole answer."""
        return b"".join(self.read(method, *path, **given))

    def read(
        self,
        method: str,
        *path: object,
        query: Mapping[str, Any] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[bytes]:
        """The answer's bytes as they come. One that is cut raises StoreUnavailable."""
        sent = None if body is None else orjson.dumps(body, default=_plain)
        kind = {} if sent is None else {"Content-Type": "application/json"}
        with self.answer(method, path, query, sent, {**kind, **(headers or {})}) as answer:
            yield from self.chunks(answer)

    def send(
        self, method: str, *path: object, name: str, file: BinaryIO, field: str = "file", **way: Any
    ) -> Json:
        """The JSON answer to a file, sent as multipart/form-data while it is read."""
        edge = f"corpusmith-{os.urandom(12).hex()}"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; '
            f'filename="{_file_name(name)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        tail = f"\r\n--{edge}--\r\n".encode()
        size = len(head) + file.seek(0, os.SEEK_END) + len(tail)
        file.seek(0)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={edge}",
            "Content-Length": str(size),
        }
        parts = _multipart(head, file, tail)
        with self.answer(method, path, way.get("query"), parts, headers) as answer:
            text = b"".join(self.chunks(answer))
        return orjson.loads(text) if text else None

    def upload(self, path: str | Path) -> str:
        """Send a file; returns what names it there, `upload:…`. Raises UsageError (unreadable)."""
        place = Path(path).expanduser()
        try:
            file = place.open("rb")
        except OSError as error:
            raise UsageError(
                "local_file_unreadable", file=str(place), problem=error.strerror
            ) from None
        with file:
            made = self.send("POST", "uploads", name=place.name, file=file)
        return f"upload:{made['id']}"

    def close(self) -> None:
        """May be called twice."""
        self.closed = True
        while self._idle:
            self._idle.pop().close()

    # ------------------------------------------------------------ sending

    @contextmanager
    def answer(
        self,
        method: str,
        path: tuple[object, ...],
        query: Mapping[str, Any] | None,
        body: Body,
        headers: Mapping[str, str],
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer that is a success, still to be read."""
        place = "/".join([self._root, *(quote(str(one), safe="") for one in path)])
        wanted = [(name, _text(one)) for name, one in (query or {}).items() if one is not None]
        if wanted:
            place += "?" + urlencode(wanted)
        connection, answer = self._asked(method, place, body, headers)
        try:
            if answer.status >= 300:
                text = b"".join(self.chunks(answer))
                raise refusal(answer.status, answer.headers.get(KIND), text, self.language)
            yield answer
        finally:
            # What was not read to its end would stand before the next answer.
            if answer.isclosed() and not self.closed and not answer.will_close:
                self._idle.append(connection)
            else:
                connection.close()

    def chunks(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """Its bytes. Raises StoreUnavailable when it breaks off."""
        awaited = answer.length
        try:
            while chunk := answer.read1(_AT_ONCE):
                awaited = None if awaited is None else awaited - len(chunk)
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            raise self.away(error) from None
        if awaited:
            raise StoreUnavailable("server_away", url=self.url, cause="IncompleteRead")

    def _asked(
        self, method: str, place: str, body: Body, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Asked again when the answer got lost, where a second time does no more than one: what
        changes nothing, and what has a key of its own."""
        if self.closed:
            raise UsageError("server_closed")
        keyed = REQUEST_KEY in headers
        waits = AGAIN_S if keyed else AGAIN_S[:2] if method == "GET" else AGAIN_S[:1]
        for left, wait_s in zip(range(len(waits) - 1, -1, -1), waits, strict=True):
            time.sleep(wait_s)
            try:
                return self._sent(method, place, body, headers)
            except _LOST as error:
                # A key was never heard where nobody listens: the first time that is an answer.
                if not left or (
                    isinstance(error, ConnectionRefusedError) and left == len(waits) - 1
                ):
                    raise self.away(error) from None
            except (OSError, http.client.HTTPException) as error:
                raise self.away(error) from None
        raise AssertionError("unreachable")

    def _sent(
        self, method: str, place: str, body: Body, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = self._connection()
        try:
            connection.request(method, place, body, {**self._headers, **headers})
        except (BrokenPipeError, ConnectionResetError):
            # A server may say no before it has heard all: then its answer is there to be read.
            with suppress(OSError, http.client.HTTPException):
                return connection, connection.getresponse()
            connection.close()
            raise
        except BaseException:
            connection.close()
            raise
        try:
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _connection(self) -> http.client.HTTPConnection:
        while self._idle:
            with suppress(IndexError):
                known = self._idle.pop()
                # Something to read before anything was asked: the server has closed it.
                if not select.select([known.sock], [], [], 0)[0]:
                    return known
                known.close()
        host = self._host or ""
        fresh = (
            http.client.HTTPSConnection(
                host, self._port, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
            if self._secure
            else http.client.HTTPConnection(host, self._port, timeout=TIMEOUT_S)
        )
        fresh.connect()
        fresh.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return fresh

    def away(self, error: Exception) -> CorpusmithError:
        """What it means that the server does not answer."""
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return StoreUnavailable("server_away", url=self.url, cause=cause)


def _parts_of(url: str) -> Any:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError("server_address", url=_harmless(url)) from None
    odd = _AT.search(url) or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or odd:
        raise UsageError("server_address", url=_harmless(url))
    return parts


_AT = re.compile("@|%40|[＠﹫]")
_PLACE = re.compile(r"(\[[0-9a-f:.]*\]?|[^\[/?#:\s]*)(:\d+(?![^/?#]))?", re.IGNORECASE)


def _harmless(url: str) -> str:
    """What may be said of an address that is refused: its host, and a port that is a number. What
    stands before an `@`, in the place of a port or in a query may be a password."""
    scheme = "https" if url.lower().startswith("https:") else "http"
    found = _PLACE.match(_AT.split(url.partition("://")[2])[-1])
    return f"{scheme}://" + ("" if found is None else found[1][:80] + (found[2] or ""))


def _file_name(name: str) -> str:
    """As browsers write it into a form: no quote and no line ends it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _multipart(head: bytes, source: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    while chunk := source.read(_AT_ONCE):
        yield chunk
    yield tail


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """What orjson does not know by itself."""
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)
