"""HTTP to a Corpusmith server: one connection, our errors, nothing else.

Owns: sending, receiving, and turning an answer that is no success into the error that it was.
Does not own: any address (each noun's own file).
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import orjson
from pydantic import TypeAdapter

from corpusmith import __version__, errors
from corpusmith.errors import CorpusmithError, StoreUnavailable, UsageError
from corpusmith.values import Json, Language

T = TypeVar("T")

PREFIX = "/api/v1"
TIMEOUT_S = 120.0
"""Without a byte from the server."""
_AT_ONCE = 256 * 1024

_KINDS: Mapping[int, type[CorpusmithError]] = {
    401: errors.LoginNeeded,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    422: errors.UsageError,
    429: errors.TooOften,
    502: errors.ProviderError,
    503: errors.StoreUnavailable,
    507: errors.DiskFull,
}


class _Said:
    """An error in the words of the server, which knows its own names and numbers."""

    said = ""

    def message(self, language: Language) -> str:
        """What the server said, in the language that it was asked in."""
        return self.said


_SAID = {
    status: type(kind.__name__, (_Said, kind), {"__doc__": kind.__doc__})
    for status, kind in _KINDS.items()
}
_OTHER = type("CorpusmithError", (_Said, CorpusmithError), {})


def is_address(db: str | None) -> bool:
    """Whether it names a server rather than a database."""
    return db is not None and db.lower().startswith(("http://", "https://"))


class Wire:
    """One server. One thread at a time; a connection that was closed is opened again."""

    def __init__(self, url: str, token: str | None, language: Language) -> None:
        """`token`: as the server gave it; None: it has no users. Raises UsageError."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise UsageError("server_address", url=f"{parts.scheme}://{parts.hostname or ''}")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.language = language
        self._root = parts.path.rstrip("/") + PREFIX
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._headers = {"Accept-Language": language, "User-Agent": f"corpusmith/{__version__}"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._open: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

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
        sent = None if body is None else orjson.dumps(body)
        more = {"Content-Type": "application/json"} if sent is not None else {}
        with self._answer(method, path, query, sent, {**more, **(headers or {})}) as answer:
            text = answer.read()
        return orjson.loads(text) if text else None

    def value(self, kind: Any, method: str, *path: object, **given: Any) -> Any:
        """`ask`, with the answer read as `kind`."""
        return TypeAdapter(kind).validate_python(self.ask(method, *path, **given))

    def items(self, kind: Any, *path: object, query: Mapping[str, Any] | None = None) -> Any:
        """Every item of a list, page by page. Streams."""
        adapter, after = TypeAdapter(kind), None
        while True:
            page = self.ask("GET", *path, query={"limit": 500, **(query or {}), "after": after})
            yield from map(adapter.validate_python, page["items"])
            after = page["next"]
            if after is None:
                return

    def upload(self, path: str | Path) -> str:
        """Send a file; returns what names it there, `upload:…`. Raises UsageError (unreadable)."""
        file = Path(path)
        edge = f"corpusmith-{os.urandom(12).hex()}"
        name = quote(file.name, safe="")
        head = (
            f"--{edge}\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''{name}"
            "\r\nContent-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{edge}--\r\n".encode()
        try:
            with file.open("rb") as source:
                size = len(head) + os.fstat(source.fileno()).st_size + len(tail)
                headers = {
                    "Content-Type": f"multipart/form-data; boundary={edge}",
                    "Content-Length": str(size),
                }
                parts = _parts(head, source, tail)
                with self._answer("POST", ("uploads",), None, parts, headers) as answer:
                    made = orjson.loads(answer.read())
        except OSError as error:
            raise UsageError("file_unreadable", file=str(file), problem=error.strerror) from None
        return f"upload:{made['id']}"

    @contextmanager
    def stream(self, method: str, *path: object, **given: Any) -> Iterator[Iterator[bytes]]:
        """The answer's bytes as they come: a download. A cut one raises StoreUnavailable."""
        body = given.get("body")
        sent = None if body is None else orjson.dumps(body)
        more = {"Content-Type": "application/json"} if sent is not None else {}
        with self._answer(method, path, given.get("query"), sent, more) as answer:
            yield self._chunks(answer)

    def close(self) -> None:
        """May be called twice."""
        if self._open is not None:
            self._open.close()
            self._open = None

    # ------------------------------------------------------------ sending

    def _chunks(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            while chunk := answer.read1(_AT_ONCE):
                yield chunk
        except (OSError, http.client.HTTPException) as error:
            raise self._away(error) from None

    @contextmanager
    def _answer(
        self,
        method: str,
        path: tuple[object, ...],
        query: Mapping[str, Any] | None,
        body: bytes | Iterator[bytes] | None,
        headers: Mapping[str, str],
    ) -> Iterator[http.client.HTTPResponse]:
        place = "/".join([self._root, *(quote(str(one), safe="") for one in path)])
        wanted = [(name, one) for name, one in (query or {}).items() if one is not None]
        if wanted:
            place += "?" + urlencode(wanted, doseq=True)
        with self._lock:
            answer = self._sent(method, place, body, headers)
            try:
                if answer.status >= 400:
                    raise _error_of(answer.status, answer.read())
                yield answer
            finally:
                if not answer.isclosed():
                    self.close()  # what was not read to its end would stand before the next one

    def _sent(
        self,
        method: str,
        place: str,
        body: bytes | Iterator[bytes] | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        fresh = self._open is None
        try:
            connection = self._connection()
            connection.request(method, place, body, {**self._headers, **headers})
            return connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            # A connection that stood idle may have been closed meanwhile. Only what changes
            # nothing is asked again: the first may have been heard.
            if fresh or method != "GET":
                raise self._away(error) from None
            return self._sent(method, place, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._away(error) from None

    def _connection(self) -> http.client.HTTPConnection:
        # Something to read before anything was asked: the server has closed it.
        if self._open is not None and select.select([self._open.sock], [], [], 0)[0]:
            self.close()
        if self._open is None:
            if self._secure:
                context = ssl.create_default_context()
                self._open = http.client.HTTPSConnection(
                    self._host, self._port, timeout=TIMEOUT_S, context=context
                )
            else:
                self._open = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
            self._open.connect()
            self._open.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._open

    def _away(self, error: Exception) -> CorpusmithError:
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return StoreUnavailable("server_away", url=self.url, cause=cause)


def _parts(head: bytes, source: Any, tail: bytes) -> Iterator[bytes]:
    yield head
    while chunk := source.read(_AT_ONCE):
        yield chunk
    yield tail


def _error_of(status: int, text: bytes) -> CorpusmithError:
    """The error that the server means; one that is not ours (a proxy's page) says its status."""
    try:
        fault = orjson.loads(text)["error"]
        code, message, details = fault["code"], fault["message"], fault["details"]
    except (ValueError, KeyError, TypeError):
        return StoreUnavailable("server_odd", status=status)
    error: Any = _SAID.get(status, _OTHER)(code, **details)
    error.said = message
    found: CorpusmithError = error
    return found
