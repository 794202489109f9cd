"""A crowd that asks a server at its own pace, as cheaply as Python can: what asks shares the cores
with what answers.

HTTP/1.1 over connections that stay open, as browsers' do; packed answers stay packed. Each request
has its time, whether or not those before it were answered, and is late from that time on: one that
had to wait for a free connection waited.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

CONNECTIONS = 64
_HEADERS = (
    "Accept: text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n"
    "User-Agent: bench\r\n\r\n"
)


class Crowd:
    """What was asked, and what came of it."""

    def __init__(self, base: str) -> None:
        place = urlsplit(base)
        self._host, self._port = place.hostname or "", place.port or 80
        self.took_ms: list[float] = []
        self.wrong: list[tuple[str, int]] = []

    async def ask(self, per_s: float, seconds: float, choose: Callable[[], str]) -> float:
        """Ask, and wait for the last answer. Returns seconds from the first request to then."""
        due: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
        askers = [asyncio.create_task(self._asker(due)) for _ in range(CONNECTIONS)]
        began_s = time.perf_counter()
        for number in range(int(per_s * seconds)):
            due_s = began_s + number / per_s
            if (early_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            due.put_nowait((due_s, choose()))
        for _ in askers:
            due.put_nowait(None)
        await asyncio.gather(*askers)
        return time.perf_counter() - began_s

    async def _asker(self, due: asyncio.Queue[tuple[float, str] | None]) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        while (one := await due.get()) is not None:
            due_s, address = one
            writer.write(
                f"GET {address} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{_HEADERS}".encode()
            )
            status = await _answered(reader)
            self.took_ms.append(1000 * (time.perf_counter() - due_s))
            if status != 200:
                self.wrong.append((address, status))
        writer.close()


async def _answered(reader: asyncio.StreamReader) -> int:
    """The status of an answer that was read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, found, length = head.partition(b"content-length:")
    if found:
        await reader.readexactly(int(length.partition(b"\r\n")[0]))
    else:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    return int(head.split(b" ", 2)[1])
