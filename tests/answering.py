"""An HTTP server of a test's own: to every request it gives the answer that a function says.

For what the simulator does not do: replies that a test writes, broken or hostile servers.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from corpusmith.values import Json


class Answer(NamedTuple):
    """Status, content type, body."""

    status: int
    kind: str
    body: bytes


Say = Callable[[Message, bytes], Answer]
"""From a request's headers and body to the answer. Called on the server's threads."""


def as_json(value: Json, status: int = 200) -> Answer:
    """`value` as the body."""
    return Answer(status, "application/json", json.dumps(value).encode())


def chat(text: str, *, finish: str = "stop", model: str = "m") -> Answer:
    """A reply of OpenAI's protocol that says `text`."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return as_json({"model": model, "choices": [choice], "usage": usage})


@contextmanager
def answering(say: Say, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address, `http://host:port` (with `tls`: `https`), for the length of a `with`."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"say": staticmethod(say)}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    say: Say

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = type(self).say(self.headers, body)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass
