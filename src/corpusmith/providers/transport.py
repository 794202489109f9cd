"""One HTTP call to an endpoint, on aiohttp. The only file that knows which HTTP library we use.

Owns: sockets, TLS, proxy, timeouts, the size of a reply, and turning every foreign exception into
one of ours. Does not own: what is sent (`openai.py`, …), which addresses are allowed
(`addresses.py`), retries and how many calls are in flight (the engine).
"""

from __future__ import annotations

import math
import ssl
from functools import lru_cache

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver

from corpusmith.errors import (
    AddressNotAllowed,
    ConnectionFailed,
    MalformedReply,
    ProviderError,
    SpecError,
    TimedOut,
    TlsFailed,
)
from corpusmith.providers.addresses import (
    AddressRefused,
    AllowedResolver,
    checked_socket,
    refuse_literal,
)
from corpusmith.providers.wire import WireRequest, WireResponse
from corpusmith.values import Connection

REPLY_BYTES = 64 * 1024 * 1024
"""The largest reply that is read; a million tokens are about 6 MB."""

_KEEPALIVE_S = 60.0
_DNS_S = 300
_CACHED = 256
_ENCODING = aiohttp.hdrs.CONTENT_ENCODING
_AUTO_HEADERS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Transport:
    """Sends requests to one connection. Belongs to the event loop of its first call."""

    def __init__(self, connection: Connection, resolver: AbstractResolver | None = None) -> None:
        """Raises SpecError `bad_ca_file` when the connection's CA file cannot be used."""
        self._connection = connection
        self._resolver = resolver
        self._tls = _tls_context(connection)
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, yarl.URL] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}

    async def send(self, request: WireRequest, timeout_s: float | None = None) -> WireResponse:
        """The reply, whatever its status. `timeout_s` None: the connection's `total_s`.

        Raises ConnectionFailed, TimedOut, TlsFailed, AddressNotAllowed, MalformedReply (cut or too
        long).
        """
        if timeout_s is None:
            timeout_s = self._connection.timeouts.total_s
        try:
            session = self._session or self._open()
            async with session.request(
                request.method,
                self._urls.get(request.url) or self._parsed(request.url),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                timeout=self._timeouts.get(timeout_s) or self._timeout(timeout_s),
            ) as reply:
                length = reply.content_length
                if length is None or length > REPLY_BYTES or _ENCODING in reply.headers:
                    body = await self._counted(reply)
                else:
                    body = await reply.read()
                return WireResponse(reply.status, reply.headers, body)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            # `from None`: aiohttp's exceptions hold the request's headers, and so the key.
            raise self._translated(error, timeout_s) from None

    async def close(self) -> None:
        """Give back the sockets. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Not in `__init__`: aiohttp binds a session to the running loop."""
        # A proxy looks names up itself, and aiohttp has a word of its own on odd numbers.
        refuse_literal(yarl.URL(self._connection.base_url).host or "")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ttl_dns_cache=_DNS_S,
                keepalive_timeout=_KEEPALIVE_S,
                ssl=self._tls,
                resolver=AllowedResolver(self._resolver),
                socket_factory=checked_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AUTO_HEADERS,
            proxy=self._connection.proxy,
            trust_env=False,
        )
        return self._session

    def _parsed(self, url: str) -> yarl.URL:
        """Parsing a URL costs as much as writing the body: each is parsed once."""
        if len(self._urls) >= _CACHED:
            self._urls.clear()
        return self._urls.setdefault(url, yarl.URL(url, encoded=True))

    def _timeout(self, total_s: float) -> aiohttp.ClientTimeout:
        if len(self._timeouts) >= _CACHED:
            self._timeouts.clear()
        # aiohttp rounds deadlines over `ceil_threshold` up to a whole second; we promised not to.
        timeout = aiohttp.ClientTimeout(
            total=total_s,
            connect=min(self._connection.timeouts.connect_s, total_s),
            ceil_threshold=math.inf,
        )
        return self._timeouts.setdefault(total_s, timeout)

    async def _counted(self, reply: aiohttp.ClientResponse) -> bytes:
        """A body that does not say its length, or says it packed: count what really comes."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in reply.content.iter_any():
            size += len(chunk)
            if size > REPLY_BYTES:
                raise self._error(MalformedReply, f"the reply is over {REPLY_BYTES} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    def _translated(self, error: Exception, timeout_s: float) -> ProviderError:
        cause = str(error) or type(error).__name__
        match error:
            case TimeoutError():
                return self._error(TimedOut, cause, seconds=timeout_s)
            case aiohttp.ClientPayloadError():
                return self._error(MalformedReply, f"the reply was cut: {cause}")
            case aiohttp.ClientHttpProxyError():
                return self._error(ConnectionFailed, f"the proxy answered {error.status}")
            case aiohttp.ClientResponseError():
                return self._error(MalformedReply, f"not HTTP: {error.message}")
            case _ if (refused := _refused_address(error)) is not None:
                return self._error(AddressNotAllowed, cause, address=refused)
            case _ if _is_tls_refusal(error):
                return self._error(TlsFailed, cause)
        return self._error(ConnectionFailed, cause)

    def _error(
        self,
        kind: type[ProviderError],
        cause: str,
        *,
        seconds: float | None = None,
        address: str | None = None,
    ) -> ProviderError:
        facts = {"seconds": seconds} if address is None else {"address": address}
        return kind(
            endpoint=self._connection.base_url,
            connection=self._connection.name,
            cause=" ".join(cause.split())[:500],
            **facts,
        )


def _refused_address(error: Exception) -> str | None:
    inner = getattr(error, "os_error", error)
    return inner.address if isinstance(inner, AddressRefused) else None


def _is_tls_refusal(error: Exception) -> bool:
    """True when trying again cannot help: a certificate or a protocol that does not fit.

    A connection that is cut during the handshake is an SSLError too, but only bad luck.
    """
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", error)
    if isinstance(inner, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return False
    return isinstance(inner, ssl.SSLError) or isinstance(error, aiohttp.ClientSSLError)


def _tls_context(connection: Connection) -> ssl.SSLContext:
    """The system's authorities and the connection's own. Always verifies."""
    if connection.ca_file is None:
        return _system_tls()
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=connection.ca_file)
    except OSError as error:
        raise SpecError(
            "bad_ca_file", connection=connection.name, file=connection.ca_file, cause=str(error)
        ) from error
    return context


@lru_cache(maxsize=1)
def _system_tls() -> ssl.SSLContext:
    """The system's authorities, read once: it takes 30 ms, and a task has several endpoints."""
    return ssl.create_default_context()
