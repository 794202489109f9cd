"""The transport on real sockets: every way a server can fail, and what it must never do."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import logging
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from raw_server import RawServer, Say, greeting, raw_server, response, saying

from corpusmith.errors import (
    ConnectionFailed,
    MalformedReply,
    ProviderError,
    SpecError,
    TimedOut,
    TlsFailed,
)
from corpusmith.providers import transport as transport_module
from corpusmith.providers.transport import Transport
from corpusmith.providers.wire import WireRequest, WireResponse
from corpusmith.values import Connection, Timeouts

KEY = "sk-canary-1234567890"


def connection_at(url: str) -> Connection:
    return Connection(
        name="test",
        provider="openai",
        protocol="openai",
        base_url=url,
        timeouts=Timeouts(connect_s=5.0, total_s=20.0),
    )


def request_to(url: str, body: bytes | None = b"{}") -> WireRequest:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    return WireRequest("POST" if body else "GET", f"{url}/chat", headers, body)


async def send(connection: Connection, timeout_s: float | None = None) -> WireResponse:
    transport = Transport(connection)
    try:
        return await transport.send(request_to(connection.base_url), timeout_s)
    finally:
        await transport.close()


async def failure(connection: Connection, timeout_s: float | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await send(connection, timeout_s)
    error = caught.value
    assert KEY not in repr(error) + str(error) + repr(error.__cause__)
    assert error.data["endpoint"] == connection.base_url
    return error


async def test_a_reply_comes_back_whole_with_its_status_and_headers() -> None:
    async with raw_server(saying(response(b"hello", status=429, headers={"X-A": "b"}))) as server:
        reply = await send(connection_at(server.url))
    assert (reply.status, reply.headers.get("x-a"), reply.body) == (429, "b", b"hello")


async def test_the_request_has_our_headers_and_nothing_else() -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        await send(connection_at(server.url))
    head = server.requests[0].decode().split("\r\n")
    assert [line for line in head if line] == [
        "POST /chat HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        "Content-Length: 2",
        "{}",
    ]


async def test_one_connection_serves_many_calls() -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        transport = Transport(connection_at(server.url))
        for _ in range(3):
            await transport.send(request_to(server.url))
        ports = len(server.requests)
        await transport.close()
        await transport.close()
    assert ports == 3


async def test_a_refused_connection_is_a_failed_connection() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert type(await failure(connection_at(url))) is ConnectionFailed


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 70}.example", "a..b"])
async def test_a_host_that_does_not_exist_is_a_failed_connection(host: str) -> None:
    assert type(await failure(connection_at(f"http://{host}"))) is ConnectionFailed


@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_connection_lost_before_the_reply_is_a_failed_connection(then: str) -> None:
    async with raw_server(saying(then=then)) as server:
        assert type(await failure(connection_at(server.url))) is ConnectionFailed


CUT = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", id="length"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", id="chunked"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!",
        id="gzip",
    ),
    pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="not HTTP"),
]


@pytest.mark.parametrize("said", CUT)
async def test_a_reply_that_breaks_off_is_malformed(said: bytes) -> None:
    async with raw_server(saying(said, then="close")) as server:
        assert type(await failure(connection_at(server.url))) is MalformedReply


async def test_a_compressed_reply_is_unpacked() -> None:
    packed = response(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    async with raw_server(saying(packed)) as server:
        assert (await send(connection_at(server.url))).body == b'{"a": 1}'


@pytest.mark.parametrize("packed", [False, True])
async def test_a_reply_without_end_is_cut_at_the_limit(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(transport_module, "REPLY_BYTES", 100_000)
    body = b"x" * 200_000
    headers = {}
    if packed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    async with raw_server(saying(response(body, headers=headers))) as server:
        assert type(await failure(connection_at(server.url))) is MalformedReply


SLOW = [
    pytest.param(saying(then="hang"), id="hang"),
    pytest.param(saying(response(b"x" * 999)[:-9], then="hang"), id="hang in the body"),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", *[b"x"] * 200, pause_s=0.1),
        id="slow drip",
    ),
    pytest.param(saying(*[b"H", b"T", b"T", b"P", b"/"] * 40, pause_s=0.1), id="slow head"),
]


@pytest.mark.parametrize("say", SLOW)
async def test_a_slow_reply_ends_at_the_total_timeout(say: Say) -> None:
    async with raw_server(say) as server:
        started = time.monotonic()
        error = await failure(connection_at(server.url), timeout_s=0.5)
        took_s = time.monotonic() - started
    assert (type(error), error.data["seconds"]) == (TimedOut, 0.5)
    assert 0.4 < took_s < 1.5


async def test_without_a_timeout_of_its_own_a_call_takes_the_connections() -> None:
    async with raw_server(saying(then="hang")) as server:
        connection = replace(connection_at(server.url), timeouts=Timeouts(total_s=0.3))
        error = await failure(connection)
    assert (type(error), error.data["seconds"]) == (TimedOut, 0.3)


async def test_a_connection_that_is_never_made_ends_at_the_connect_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        await asyncio.sleep(0.1)
        connection = replace(connection_at(url), timeouts=Timeouts(connect_s=0.4, total_s=20.0))
        started = time.monotonic()
        error = await failure(connection)
        took_s = time.monotonic() - started
        for one in waiting:
            one.close()
    assert type(error) is TimedOut
    assert took_s < 5


async def test_a_redirect_is_not_followed() -> None:
    async with raw_server(
        saying(response(b"", status=307, headers={"Location": "/elsewhere"}))
    ) as server:
        reply = await send(connection_at(server.url))
    assert (reply.status, reply.headers.get("location")) == (307, "/elsewhere")
    assert len(server.requests) == 1


async def test_cookies_are_not_kept() -> None:
    async with raw_server(saying(response(b"{}", headers={"Set-Cookie": "a=b"}))) as server:
        transport = Transport(connection_at(server.url))
        await transport.send(request_to(server.url))
        await transport.send(request_to(server.url))
        await transport.close()
    assert b"ookie" not in server.requests[1]


async def test_a_call_can_be_cancelled() -> None:
    async with raw_server(saying(then="hang")) as server:
        transport = Transport(connection_at(server.url))
        task = asyncio.create_task(transport.send(request_to(server.url)))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await transport.close()


# ------------------------------------------------------------------ proxy


async def test_the_connections_proxy_is_used() -> None:
    async with raw_server(saying(response(b"from the proxy"))) as proxy:
        connection = replace(connection_at("http://model.example:81"), proxy=proxy.url)
        reply = await send(connection)
    assert reply.body == b"from the proxy"
    assert proxy.requests[0].startswith(b"POST http://model.example:81/chat HTTP/1.1\r\n")


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with raw_server(saying(response(b"direct"))) as server:
        assert (await send(connection_at(server.url))).body == b"direct"


async def test_a_proxy_that_refuses_the_tunnel_is_a_failed_connection() -> None:
    async with raw_server(saying(response(b"", status=407), then="close")) as proxy:
        connection = replace(connection_at("https://model.example"), proxy=proxy.url)
        error = await failure(connection)
    assert (type(error), error.data["cause"]) == (ConnectionFailed, "the proxy answered 407")
    assert proxy.requests[0].startswith(b"CONNECT model.example:443 HTTP/1.1\r\n")
    assert KEY.encode() not in proxy.requests[0]


async def test_through_a_proxy_the_tunnel_verifies_the_endpoint(authority: Authority) -> None:
    async with raw_server(saying(response(b"secret")), tls=authority.server) as server:

        async def tunnel(writer: asyncio.StreamWriter) -> None:
            # asyncio has no public way from a connection's writer to its reader.
            reader = writer.transport.get_protocol()._stream_reader  # type: ignore[attr-defined]
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

        async with raw_server(tunnel) as proxy:
            connection = replace(
                connection_at(f"https://localhost:{server.port}"),
                proxy=proxy.url,
                ca_file=str(authority.file),
            )
            reply = await send(connection)
    assert reply.body == b"secret"
    assert KEY.encode() not in b"".join(proxy.requests)
    assert KEY.encode() in b"".join(server.requests)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


# ------------------------------------------------------------------ TLS


class Authority:
    """A certificate authority that nobody knows, and a server context with its certificate."""

    def __init__(self, folder: Path, host: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
        now = datetime.datetime.now(datetime.UTC)
        address = ipaddress.ip_address("127.0.0.1")
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(address))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / f"{host}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = folder / f"{host}.key"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(self.file, secret)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    # The handshake that our client refuses is an error in the server's eyes.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    return Authority(tmp_path, "localhost")


def https(server: RawServer) -> Connection:
    return connection_at(f"https://localhost:{server.port}")


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    async with raw_server(saying(response(b"{}")), tls=authority.server) as server:
        assert type(await failure(https(server))) is TlsFailed
    assert server.requests == []


async def test_a_certificate_of_the_connections_own_authority_is_accepted(
    authority: Authority,
) -> None:
    async with raw_server(saying(response(b"ok")), tls=authority.server) as server:
        reply = await send(replace(https(server), ca_file=str(authority.file)))
    assert reply.body == b"ok"


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    other = Authority(tmp_path, "other.example")
    async with raw_server(saying(response(b"{}")), tls=other.server) as server:
        error = await failure(replace(https(server), ca_file=str(other.file)))
    assert type(error) is TlsFailed


async def test_a_server_that_speaks_no_tls_is_refused() -> None:
    async with greeting(response(b"This is plain HTTP.", status=400)) as port:
        error = await failure(connection_at(f"https://localhost:{port}"))
    assert type(error) is TlsFailed


async def test_a_handshake_that_is_cut_may_be_tried_again() -> None:
    async with greeting(b"") as port:
        error = await failure(connection_at(f"https://localhost:{port}"))
    assert type(error) is ConnectionFailed


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SpecError) as caught:
        Transport(replace(connection_at("https://x"), ca_file=str(file)))
    assert caught.value.reason == "bad_ca_file"
    assert caught.value.data["file"] == str(file)


def test_a_requests_repr_shows_no_key() -> None:
    assert repr(request_to("https://x.example")) == "WireRequest(POST https://x.example/chat)"
