"""A real server on a real port, and a client that speaks to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from corpusmith.api.app import create_app, furnish
from corpusmith.api.serving import Serving

_free: list[FastAPI] = []


@contextmanager
def furnished(serving: Serving) -> Iterator[FastAPI]:
    """An application with this store and these rules. To make one takes half a second of CPU: one
    that no other test is using is furnished anew."""
    app = _free.pop() if _free else create_app(serving)
    furnish(app, serving)
    yield app
    _free.append(app)


@contextmanager
def served(app: FastAPI) -> Iterator[httpx2.Client]:
    """The app under uvicorn in a thread of its own; a client whose addresses begin there."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        port = listening.getsockname()[1]
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            until = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive() and time.monotonic() < until
                time.sleep(0.01)
            base = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=base, timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(20)


def code_of(response: Any, status: int) -> str:
    """The error's code of an answer that has this status, and our one shape."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    found: str = body["error"]["code"]
    return found
