"""A server of our own: REST under uvicorn, and a worker, over one database."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn

from corpusmith import Studio
from corpusmith.api.app import create_app, furnish
from corpusmith.api.serving import Serving
from corpusmith.store.open import open_store
from running_kit import working

_free: list[Any] = []


class Site:
    """A server that can be stopped and started again at its address."""

    def __init__(self, url: str, *, login: bool = False, port: int = 0) -> None:
        self.url, self._login, self.port = url, login, port
        self._opened = ExitStack()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def studio(self, **more: Any) -> Studio:
        return Studio(self.address, **{"language": "en", **more})

    def start(self) -> None:
        self._opened = ExitStack()
        store = open_store(self.url)
        self._opened.callback(store.close)
        serving = Serving(store=store, language="en", login=self._login)
        app = _free.pop() if _free else create_app(serving)
        furnish(app, serving)
        self._opened.callback(_free.append, app)
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(128)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=0)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive() and time.monotonic() < until
            time.sleep(0.01)

        def stop() -> None:
            app.state.hub.close()
            server.should_exit = True
            thread.join(20)
            listening.close()
            assert not thread.is_alive()

        self._opened.callback(stop)

    def stop(self) -> None:
        self._opened.close()


@contextmanager
def site(url: str, *, login: bool = False, worker: bool = True) -> Iterator[Site]:
    """A running one."""
    found = Site(url, login=login)
    found.start()
    try:
        if worker:
            with working(url):
                yield found
        else:
            yield found
    finally:
        found.stop()
