"""`corpusmith serve`: the web page, the REST API, and the workers that run tasks.

Owns: the address, the browser, the life of the server and its workers. Does not own: what is served
(`web`, `api`), what workers do (`service/worker.py`).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.out import show_event
from corpusmith.cli.session import Session
from corpusmith.cli.widths import tell
from corpusmith.cli.worker import AtOnce
from corpusmith.errors import UsageError

if TYPE_CHECKING:
    from corpusmith.service.workers import Watch
    from corpusmith.store.store import SqlStore

app = group("")

PORT = 8321
MORE_PORTS = 20
"""That are tried after the usual one."""
GRACE_S = 2
"""For requests that are being answered when the server stops."""
DRAIN_S = 330.0
"""For workers: a call may take five minutes."""


@command(app, "serve")
def serve(
    ctx: typer.Context,
    host: Annotated[str, flags.option("--host", "host", "ADDRESS", "serve")] = "127.0.0.1",
    port: Annotated[str | None, flags.option("--port", "serve_port", "N", "serve")] = None,
    workers: Annotated[str, flags.option("--workers", "workers", "N", "serve")] = "1",
    tasks_at_once: AtOnce = "4",
    no_browser: Annotated[bool, flags.option("--no-browser", "no_browser", panel="serve")] = False,
    allow_host: Annotated[
        list[str] | None, flags.option("--allow-host", "allow_host", "NAME", "serve")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None, flags.option("--trusted-proxy", "trusted_proxy", "ADDRESS", "serve")
    ] = None,
    metrics: Annotated[bool, flags.option("--metrics", "metrics", panel="serve")] = False,
) -> None:
    """Until Ctrl-C or SIGTERM; a second one does not wait for calls in flight."""
    from corpusmith.config import database_url
    from corpusmith.service.users import refuse_open_door
    from corpusmith.service.workers import Watch

    session: Session = ctx.obj
    count = flags.whole_of(workers, "--workers", least=0)
    at_once = flags.whole_of(tasks_at_once, "--tasks-at-once", least=1)
    number = None if port is None else flags.whole_of(port, "--port", least=0)
    proxies = _networks(trusted_proxy or ())
    url = database_url(session.db)
    with session.studio() as studio:
        if count > 1 and studio.store.inline_io:
            raise UsageError("workers_sqlite")
        refuse_open_door(studio.store, host, allow_host or ())
        listening = _listening(host, number)
        watch = Watch(
            count=count,
            url=url,
            tasks_at_once=at_once,
            told=lambda event, code: _told(session, event, code),
        )
        with listening:
            served = _app(session, studio.store, host, allow_host or [], metrics=metrics)
            told = _Told(session=session, data=_data_of(url), usual=number is None)
            config = _config(served, proxies)
            _run(told, config, listening, watch, browse=not no_browser)


def _networks(given: Sequence[str]) -> list[str]:
    """Addresses and networks as the server compares them. Raises UsageError."""
    from ipaddress import ip_network

    try:
        return [str(ip_network(one.strip(), strict=False)) for one in given]
    except ValueError:
        raise UsageError("cli_address", option="--trusted-proxy") from None


def _app(session: Session, store: SqlStore, host: str, allowed: list[str], *, metrics: bool) -> Any:
    from corpusmith.api.serving import LOOPBACK, Serving
    from corpusmith.service.users import is_loopback
    from corpusmith.web.app import create_app

    names = {one.lower() for one in allowed}
    if not is_loopback(host) and host not in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        names.add(f"[{host}]" if ":" in host else host.lower())
    return create_app(
        Serving(
            store=store,
            language=session.language,
            hosts=LOOPBACK | names,
            login=not is_loopback(host),
            metrics=metrics,
        )
    )


# ---------------------------------------------------------------- the address


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket that listens: on `port`, else on the usual one or the next that is free."""
    wanted = [port] if port is not None else range(PORT, PORT + MORE_PORTS)
    for number in wanted:
        try:
            return _bound(host, number)
        except OSError as error:
            taken = error.errno in _TAKEN
            cause = os.strerror(error.errno) if error.errno else str(error)
            if not taken:
                raise UsageError("cannot_listen", host=host, port=number, cause=cause) from error
        except OverflowError:
            raise UsageError("cannot_listen", host=host, port=number, cause="0–65535") from None
    raise UsageError("port_taken", host=host, port=wanted[0])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.listen(1024)
    except BaseException:
        one.close()
        raise
    return one


_TAKEN = (48, 98, 10048)
"""EADDRINUSE on macOS, Linux and Windows."""


# ---------------------------------------------------------------- its life


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Whom it talks to, and of what."""

    session: Session
    data: str
    """Where the data lies."""
    usual: bool
    """No port was asked for."""


def _config(served: Any, proxies: list[str]) -> Any:
    import uvicorn

    return uvicorn.Config(
        served,
        log_level="warning",
        access_log=False,
        # Whose word on where a request comes from counts; nobody's, where none was named.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _run(told: _Told, config: Any, listening: socket.socket, watch: Watch, *, browse: bool) -> None:
    from corpusmith.service.loop import calm_collector

    session = told.session
    server = _Server(config)
    url = _url_of(listening)
    with _signals(session, server, watch):
        try:
            watch.start()
            opening = threading.Thread(
                target=_say_ready, args=(told, server, url, browse), daemon=True
            )
            opening.start()
            with calm_collector():
                server.run(sockets=[listening])
        finally:
            _end(session, watch)


def _end(session: Session, watch: Watch) -> None:
    """Workers drain; what does not end in its time is ended."""
    watch.stop()
    until = time.monotonic() + DRAIN_S
    while watch.living() and time.monotonic() < until:
        time.sleep(0.05)
    watch.kill()
    if session.json:
        show_event("stopped")
    else:
        tell(session.say("cli.serve.stopped"), sys.stderr)


def _say_ready(told: _Told, server: Any, url: str, browse: bool) -> None:
    session = told.session
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    if session.json:
        show_event("listening", url=url)
    else:
        if told.usual and not url.endswith(f":{PORT}"):
            tell(session.say("cli.serve.other_port", port=PORT), sys.stderr)
        tell(session.say("cli.serve.ready", url=url, data=told.data), sys.stderr)
    if browse and _has_screen():
        webbrowser.open(url)


def _data_of(url: str) -> str:
    """The folder of a SQLite file; of another database its address without the password."""
    from sqlalchemy.engine import make_url

    found = make_url(url)
    if found.get_backend_name() == "sqlite" and found.database:
        return str(Path(found.database).resolve().parent)
    return found.render_as_string(hide_password=True)


def _has_screen() -> bool:
    """Whether somebody sits before this machine who would see a browser."""
    if os.environ.get("CI") or not sys.stderr.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _url_of(listening: socket.socket) -> str:
    """The address for a browser on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _told(session: Session, event: str, code: int) -> None:
    if session.json:
        show_event(f"worker_{event}", code=code)
    elif event == "died":
        tell(session.say("cli.serve.worker_died", code=code), sys.stderr)


def _server_class() -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Streams end at once when it stops; signals are this program's own."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            self.config.app.state.hub.close()  # type: ignore[union-attr]
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server


def _Server(config: Any) -> Any:
    return _server_class()(config)


@contextmanager
def _signals(session: Session, server: Any, watch: Watch) -> Iterator[None]:
    """The first stops all in good order, the second at once."""
    times = 0

    def stop(*_: object) -> None:
        nonlocal times
        times += 1
        server.should_exit = True
        if times == 1 and not session.json:
            tell(session.say("cli.serve.draining"), sys.stderr)
        if times > 1:
            server.force_exit = True
            watch.stop()

    caught = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, stop) for one in caught}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
