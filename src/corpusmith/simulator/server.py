"""The simulator: a server that decides what each request gets.

Owns: routes, admission (key, limits), latency, and delivery of a reply or a fault.
Does not own: HTTP itself (`http.py`), whose request it is (`routes.py`), responses (`sending.py`),
vendors' shapes (`wire_*.py`), words (`author.py`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b
from urllib.parse import parse_qsl

import orjson

from corpusmith.simulator import faults, wire_openai
from corpusmith.simulator.admission import Admission
from corpusmith.simulator.asks import Ask, BadBody, Problem
from corpusmith.simulator.author import Author
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.http import Connection, Exchange
from corpusmith.simulator.routes import Chat, digest_of, find_chat, parse, temperature_of, wire_of
from corpusmith.simulator.sending import Sending, failure, written
from corpusmith.simulator.stats import Stats
from corpusmith.values import Json

MOST_ASKED = 200_000
"""Requests remembered to tell repeats by; then all are forgotten."""
_UNKNOWN = Problem(status=404, message="The simulator has no such route.")


class Simulator:
    """An endpoint that speaks the three protocols. One event loop, one port."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self._config = config = config or SimulatorConfig()
        self._rates = config.fault_rates()
        self._author = Author(config.seed)
        self._dice = faults.Dice(config.fault_seed)
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._stats = Stats(config.record)
        self._asked: Counter[bytes] = Counter()
        self.url = ""
        """`http://host:port` once started."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; returns the port (`port` 0: a free one). Raises OSError if it is taken."""
        self._loop = asyncio.get_running_loop()
        self._clear()
        bound = self._config.max_body_bytes
        self._server = await self._loop.create_server(
            lambda: Connection(self._handle, self._connections, bound),
            host,
            port,
            backlog=4096,
        )
        found: int = self._server.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{found}"
        return found

    async def stop(self) -> None:
        """Stop listening and close every connection; what hangs is let go."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()
        await self._server.wait_closed()
        self._server = None

    def stats(self) -> dict[str, Json]:
        """What `GET /__stats` shows. Call it from the server's own loop."""
        return self._stats.show()

    def reset(self) -> None:
        """Clear the counters and refill the hidden limits. Call it from the server's own loop."""
        self._clear()

    def requests(self, last: int) -> list[Json]:
        """The last kept requests, oldest first. Call it from the server's own loop."""
        return self._stats.kept(last)

    def _clear(self) -> None:
        self._stats.clear()
        self._admission = Admission(self._config, self._dice, self._loop.time())

    # ------------------------------------------------------------ routes

    def _handle(self, exchange: Exchange) -> None:
        path, _, text = exchange.target.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True)) if text else {}
        if exchange.method == "POST" and (chat := self._arrived(exchange, path, query)):
            self._serve(chat)
        elif exchange.method == "GET" and path.endswith("/models"):
            self._list_models(exchange, path, query)
        elif path.startswith("/__"):
            self._serve_own(exchange, path, query)
        else:
            self._stats.by_route["unknown"] += 1
            self._send(exchange, failure(wire_of(exchange, path, query), _UNKNOWN, 0))

    def _arrived(self, exchange: Exchange, path: str, query: Mapping[str, str]) -> Chat | None:
        chat = find_chat(exchange, path, query, self._stats.requests + 1)
        if chat is not None:
            self._stats.arrive()
        return chat

    def _list_models(self, exchange: Exchange, path: str, query: Mapping[str, str]) -> None:
        wire = wire_of(exchange, path, query)
        self._stats.by_route[f"{wire.NAME}.models"] += 1
        if problem := self._admission.check_key(wire, exchange, query):
            self._send(exchange, failure(wire, problem, 0))
            return
        body = orjson.dumps(wire.models(self._config.models))
        self._send(exchange, Sending(status=200, body=body, headers=[]))

    def _serve_own(self, exchange: Exchange, path: str, query: Mapping[str, str]) -> None:
        match exchange.method, path:
            case "GET", "/__stats":
                shown: Json = self._stats.show()
            case "POST", "/__reset":
                self._clear()
                shown = {"reset": True}
            case "GET", "/__requests":
                last = query.get("last", "")
                shown = self._stats.kept(int(last) if last.isdecimal() else 1_000_000)
            case _:
                self._send(exchange, failure(wire_openai, _UNKNOWN, 0))
                return
        exchange.send(
            Sending(status=200, body=orjson.dumps(shown), headers=[]).bytes(exchange.keep_alive)
        )

    # ------------------------------------------------------------ a chat

    def _serve(self, chat: Chat) -> None:
        """Decide now, deliver later."""
        self._stats.by_route[f"{chat.wire.NAME}.chat"] += 1
        exchange = chat.exchange
        exchange.gone = self._abort
        problem = self._check_door(chat)
        if problem is not None:
            self._deliver(chat, failure(chat.wire, problem, chat.number))
            return
        try:
            body = parse(exchange.body)
            self._stats.keep(chat.path, exchange.headers, body)
            ask = chat.wire.read(body, chat.model, exchange.headers)
            sending = self._decide(chat, ask, body)
        except BadBody as error:
            problem = Problem(status=error.status, message=error.message, parameter=error.parameter)
            self._deliver(chat, failure(chat.wire, problem, chat.number))
            return
        if sending.status == 429 and sending.fault is None:
            self._deliver(chat, sending)
        else:
            self._delay(chat, sending)

    def _check_door(self, chat: Chat) -> Problem | None:
        door = self._admission
        return door.check_key(chat.wire, chat.exchange, chat.query) or door.check_room(
            chat.wire, self._stats.in_flight, self._loop.time()
        )

    def _decide(self, chat: Chat, ask: Ask, body: Mapping[str, Json]) -> Sending:
        """What this chat gets. Raises BadBody for a schema that cannot be."""
        if standing := self._admission.check_features(ask, chat.number):
            return failure(chat.wire, standing[1], chat.number, fault=standing[0])
        fault = faults.choose(self._rates, self._dice.draw(b"fault", chat.number))
        if fault in faults.ERRORS:
            return failure(chat.wire, faults.ERRORS[fault], chat.number, fault=fault)
        if fault == "html":
            return Sending(
                status=200, body=faults.HTML, content_type="text/html", headers=[], fault=fault
            )
        digest = self._varied(digest_of(chat, body), body)
        answer = self._author.write(ask, digest)
        if problem := self._admission.check_tokens(answer, self._loop.time()):
            return failure(chat.wire, problem, chat.number)
        if fault is not None:
            spoiled = faults.spoil(fault, ask, answer, self._author, chat.number)
            fault = None if spoiled is None else fault
            answer = spoiled or answer
        return written(chat, ask, answer, fault, digest)

    def _varied(self, digest: bytes, body: Mapping[str, Json]) -> bytes:
        """The identity of this request, told from earlier ones that asked the same."""
        if self._config.repeats == "same" or temperature_of(body) == 0:
            return digest
        if len(self._asked) >= MOST_ASKED:
            self._asked.clear()
        before, self._asked[digest] = self._asked[digest], self._asked[digest] + 1
        return blake2b(digest + before.to_bytes(8), digest_size=16).digest() if before else digest

    def _deliver(self, chat: Chat, sending: Sending) -> None:
        """Send it all, or as its fault wants."""
        if sending.fault is not None:
            self._stats.by_fault[sending.fault] += 1
        if sending.fault in faults.DELIVERY:
            _DELIVER[sending.fault](self, chat, sending)
            return
        self._stats.leave()
        self._send(chat.exchange, sending)
        if sending.digest and sending.fault is None:
            self._stats.serve(sending.digest, sending.prompt_tokens, sending.completion_tokens)

    def _send(self, exchange: Exchange, sending: Sending) -> None:
        exchange.gone = None
        self._stats.by_status[sending.status] += 1
        if sending.status == 429:
            self._stats.rejected_429 += 1
        exchange.send(sending.bytes(exchange.keep_alive))

    def _delay(self, chat: Chat, sending: Sending) -> None:
        seconds = self._latency_s(chat.number)
        if seconds <= 0:
            self._deliver(chat, sending)
            return
        timer = self._loop.call_later(seconds, self._deliver, chat, sending)
        chat.exchange.gone = partial(self._abort, timer)

    def _abort(self, timer: asyncio.TimerHandle | None = None) -> None:
        if timer is not None:
            timer.cancel()
        self._stats.leave()
        self._stats.aborted += 1

    def _latency_s(self, number: int) -> float:
        config = self._config
        seconds = config.latency_ms / 1000
        if config.jitter:
            seconds *= 1 + config.jitter * (2 * self._dice.draw(b"jitter", number) - 1)
        if config.tail_rate and self._dice.draw(b"tail", number) < config.tail_rate:
            seconds *= config.tail_factor
        return seconds

    # ------------------------------------------------------------ faults of the socket

    def _hang(self, chat: Chat, sending: Sending) -> None:
        chat.exchange.gone = self._abort

    def _drip(self, chat: Chat, sending: Sending) -> None:
        data = sending.bytes(keep_alive=False)
        place = data.index(b"\r\n\r\n") + 4
        chat.exchange.write(data[:place])
        self._drip_on(chat, sending.status, data, place)

    def _drip_on(self, chat: Chat, status: int, data: bytes, place: int) -> None:
        if place + 1 >= len(data):
            self._stats.leave()
            chat.exchange.gone = None
            chat.exchange.keep_alive = False
            self._stats.by_status[status] += 1
            chat.exchange.send(data[place:])
            return
        chat.exchange.write(data[place : place + 1])
        timer = self._loop.call_later(faults.DRIP_S, self._drip_on, chat, status, data, place + 1)
        chat.exchange.gone = partial(self._abort, timer)

    def _break_off(self, chat: Chat, sending: Sending) -> None:
        """Half of the reply, then a reset."""
        chat.exchange.gone = None
        data = sending.bytes(chat.exchange.keep_alive)
        chat.exchange.write(data[: max(1, len(data) // 2)])
        self._stats.leave()
        # The loop must get to write the half before the socket is torn down.
        self._loop.call_later(0.01, chat.exchange.reset)


_DELIVER: dict[str, Callable[[Simulator, Chat, Sending], None]] = {
    "hang": Simulator._hang,
    "drip": Simulator._drip,
    "reset": Simulator._break_off,
}
