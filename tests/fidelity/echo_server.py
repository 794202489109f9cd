"""An endpoint that repeats the caller's headers in every error it makes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    statuses: list[int]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status = self.statuses.pop(0) if self.statuses else 401
        said = f"refused: {dict(self.headers)} {self.headers.as_string()}"
        if status == 200:  # no reply of any protocol, and not even JSON
            body, kind = f"<html><pre>{said}</pre></html>".encode(), "text/html"
        else:
            error = {"message": said, "type": "invalid_request_error", "code": None}
            body, kind = json.dumps({"error": error}).encode(), "application/json"
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def echoing(statuses: list[int]) -> Iterator[str]:
    """The server's address. It answers with these statuses, then 401 for ever."""
    handler = type("Echo", (_Echo,), {"statuses": list(statuses)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
