"""The simulator as a child of a server: one click, and there is an endpoint to try things on.

Owns: the child process, and the stored connection that leads to it. Does not own: the simulator.
It keeps its port over restarts, so that the connection and unfinished tasks still find it. A server
that was killed leaves its child behind; the next one finds it answering at that port and takes it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from corpusmith.errors import NotFound, UsageError
from corpusmith.service.task_file import PricePart

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

CONNECTION = "simulator"
SETTING = "simulator"
MODEL = "sim-chat"
LATENCY_MS = 120
"""Slow enough to see progress, quick enough to try things."""
STARTS_WITHIN_S = 20.0


class SimulatorProcess:
    """At most one child. Usable from any thread."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self, studio: Studio) -> str:
        """Its address; a connection of the name CONNECTION leads there. Does nothing when it
        runs. Raises UsageError when it does not start."""
        with self._lock:
            port = _port(studio)
            url = f"http://127.0.0.1:{port}" if port and _answers(port) else None
            if url is None:
                url = self._spawn(port)
            studio.store.settings.set(SETTING, {"port": int(url.rsplit(":", 1)[1]), "on": True})
            _connect(studio, url)
            return url

    def start_again(self, studio: Studio) -> None:
        """At the start of a server: start it if it ran when the server ended."""
        if (studio.store.settings.get(SETTING) or {}).get("on"):
            self.start(studio)

    def stop(self, studio: Studio) -> None:
        """Stop it for good; the connection stays, and leads nowhere."""
        with self._lock:
            studio.store.settings.set(SETTING, {"port": _port(studio), "on": False})
        self.close()

    def running(self, studio: Studio) -> bool:
        """Whether it answers."""
        port = _port(studio)
        return port is not None and _answers(port)

    def close(self) -> None:
        """End the child with the server. May be called twice."""
        with self._lock:
            child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        with child:  # waits, and closes the pipe
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()

    def _spawn(self, port: int | None) -> str:
        for wish in (port, 0) if port else (0,):
            child = _child(wish or 0)
            url = _first_address(child)
            if url is not None:
                self._child = child
                return url
        raise UsageError("simulator_not_started")


def _child(port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "corpusmith.simulator", "--port", str(port)]
    command += ["--latency-ms", str(LATENCY_MS), "--jitter", "0.5"]
    # Nothing of the request goes into the command; its own group, so that Ctrl-C is the server's.
    return subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def _first_address(child: subprocess.Popen[str]) -> str | None:
    """The address in the child's announcement; None: it ended instead, or said nothing."""
    watch = threading.Timer(STARTS_WITHIN_S, child.kill)
    watch.start()
    try:
        assert child.stdout is not None  # noqa: S101  it is a pipe
        for line in child.stdout:
            for word in line.split():
                if word.startswith("http://127.0.0.1:"):
                    return word.strip(",;。，；").removesuffix("/v1")
        with child:
            return None
    finally:
        watch.cancel()


def _port(studio: Studio) -> int | None:
    kept: Any = studio.store.settings.get(SETTING) or {}
    port = kept.get("port")
    return port if isinstance(port, int) else None


def _answers(port: int) -> bool:
    """Whether a simulator answers there, and not something else that took the port."""
    try:
        url = f"http://127.0.0.1:{port}/__stats"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=1) as reply:
            return bool(reply.status == 200)
    except (OSError, ValueError):
        return False


def _connect(studio: Studio, url: str) -> None:
    base_url = f"{url}/v1"
    try:
        if studio.connections.get(CONNECTION).base_url != base_url:
            studio.connections.update(CONNECTION, base_url=base_url)
    except NotFound:
        free = PricePart(input=0, output=0).model_dump()
        studio.connections.add(CONNECTION, base_url=base_url, model=MODEL, price=free)
