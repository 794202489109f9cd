"""A judge over HTTP, in OpenAI's protocol, whose verdicts a test writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Verdict = Callable[[str], "dict[str, Any] | str"]
"""From what the judge reads of a row to what it says: an object, or any text."""


@dataclass(slots=True)
class JudgeServer:
    """Where it listens, and what it was asked."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        """What it was shown, call by call."""
        return [body["messages"][-1]["content"] for body in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    verdict: Verdict
    server_of: JudgeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server_of.asked.append(body)
        said = type(self).verdict(body["messages"][-1]["content"])
        reply = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": said if isinstance(said, str) else json.dumps(said),
                    },
                    "finish_reason": "length" if said == "cut" else "stop",
                }
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }
        sent = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def judging(verdict: Verdict) -> Iterator[JudgeServer]:
    """A server that says `verdict` of each row; the text `cut` stands for a reply cut short."""
    handler = type("Handler", (_Handler,), {"verdict": staticmethod(verdict)})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made = JudgeServer(url=f"http://127.0.0.1:{http.server_port}/v1")
    handler.server_of = made  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
