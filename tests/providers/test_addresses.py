"""Where a call may go: every way of writing an address, names that lead elsewhere, real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from raw_server import raw_server, response, saying

from corpusmith import config
from corpusmith.engine.retry import delay_s, stops_task
from corpusmith.errors import AddressNotAllowed
from corpusmith.providers.addresses import kind_of
from corpusmith.providers.transport import Transport
from corpusmith.providers.wire import WireRequest
from corpusmith.values import Connection, Timeouts

KINDS = {
    "never": (
        *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254"),
        *("100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255"),
        *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
        *("2002:a9fe:a9fe::1", "::169.254.169.254", "ff02::1", "fd20:ce::254"),
    ),
    "private": (
        *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("0.0.0.0", "::", "::1", "fc00::1", "fd12::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "240.0.0.1"),
    ),
    "public": ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"),
}


@pytest.mark.parametrize(
    ("address", "kind"), [(one, kind) for kind, many in KINDS.items() for one in many]
)
def test_an_address_is_of_one_kind_however_it_is_wrapped(address: str, kind: str) -> None:
    assert kind_of(address) == kind


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CORPUSMITH_PRIVATE_ENDPOINTS", raising=False)
    config.adopt({})
    yield
    config.adopt({})


class Leading(AbstractResolver):
    """A name server that gives another answer at each question; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for one in found
        ]

    async def close(self) -> None:
        pass


def connection_at(url: str, proxy: str | None = None) -> Connection:
    return Connection(
        name="test",
        provider="openai",
        protocol="openai",
        base_url=url,
        proxy=proxy,
        timeouts=Timeouts(connect_s=5.0, total_s=5.0),
    )


async def status_at(
    url: str, *, proxy: str | None = None, resolver: AbstractResolver | None = None
) -> int:
    transport = Transport(connection_at(url, proxy), resolver)
    try:
        return (await transport.send(WireRequest("GET", f"{url}/models", {}))).status
    finally:
        await transport.close()


METADATA = (
    *("http://169.254.169.254", "http://2852039166", "http://0xa9fea9fe"),
    *("http://0251.0376.0251.0376", "http://169.254.43518"),
    *("http://[::ffff:169.254.169.254]", "http://[fe80::1]", "http://[64:ff9b::a9fe:a9fe]"),
)


@pytest.mark.parametrize("url", METADATA)
@pytest.mark.parametrize("by_proxy", [False, True])
async def test_a_metadata_address_is_never_called(url: str, by_proxy: bool) -> None:
    async with raw_server(saying(response(b"{}"))) as proxy:
        with pytest.raises(AddressNotAllowed) as caught:
            await status_at(url, proxy=proxy.url if by_proxy else None)
        assert proxy.requests == []
    error = caught.value
    assert (error.reason, error.data["endpoint"]) == ("endpoint_address", url)
    assert error.data["address"] in error.message("zh") and url in error.message("en")
    assert stops_task(error) and delay_s(error, 1, 0.0, None) is None  # type: ignore[arg-type]


PRIVATE = ("http://127.0.0.1:{}", "http://localhost:{}", "http://0.0.0.0:{}")


@pytest.mark.parametrize("form", PRIVATE)
async def test_this_machine_is_called_unless_a_setting_forbids_it(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        assert await status_at(form.format(server.port)) == 200
        monkeypatch.setenv("CORPUSMITH_PRIVATE_ENDPOINTS", "0")
        with pytest.raises(AddressNotAllowed):
            await status_at(form.format(server.port))
        assert len(server.requests) == 1


async def test_what_the_database_says_counts_until_the_environment_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        config.adopt({"private_endpoints": "0"})
        with pytest.raises(AddressNotAllowed):
            await status_at(server.url)
        monkeypatch.setenv("CORPUSMITH_PRIVATE_ENDPOINTS", "1")
        assert await status_at(server.url) == 200


async def test_a_proxy_is_an_address_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMITH_PRIVATE_ENDPOINTS", "0")
    async with raw_server(saying(response(b"{}"))) as proxy:
        with pytest.raises(AddressNotAllowed):
            await status_at("http://api.example", proxy=proxy.url)
        assert proxy.requests == []


async def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then() -> None:
    async with raw_server(saying(response(b"{}"), then="close")) as server:
        url = f"http://rebinding.example:{server.port}"
        resolver = Leading(["127.0.0.1"], ["169.254.169.254"])
        assert await status_at(url, resolver=resolver) == 200
        with pytest.raises(AddressNotAllowed):
            await status_at(url, resolver=resolver)
        assert (resolver.asked, len(server.requests)) == (2, 1)


async def test_of_several_addresses_only_those_allowed_are_tried() -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        url = f"http://mixed.example:{server.port}"
        resolver = Leading(["169.254.169.254", "127.0.0.1", "100.100.100.200"])
        assert await status_at(url, resolver=resolver) == 200


async def test_a_redirect_to_metadata_is_not_followed() -> None:
    target = {"Location": "http://169.254.169.254/latest"}
    async with raw_server(saying(response(b"", status=302, headers=target))) as server:
        assert await status_at(server.url) == 302


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert await status_at(server.url) == 200


async def test_a_connection_that_is_kept_alive_is_looked_up_once() -> None:
    async with raw_server(saying(response(b"{}"))) as server:
        url = f"http://kept.example:{server.port}"
        resolver = Leading(["127.0.0.1"])
        transport = Transport(connection_at(url), resolver)
        for _ in range(5):
            await transport.send(WireRequest("GET", f"{url}/models", {}))
        await transport.close()
        assert (resolver.asked, len(server.requests)) == (1, 5)
