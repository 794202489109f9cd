"""Is everything there that a task needs? Each question gives one finding.

Owns: the questions. Does not own: showing the answers (faces). Nothing is changed, and nothing is
paid unless a trial of an endpoint is asked for.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.config import database_url
from corpusmith.errors import CorpusmithError, StoreError
from corpusmith.service import loop
from corpusmith.service.connection_trial import trial_of
from corpusmith.service.connections import models_of
from corpusmith.service.keys import key_of
from corpusmith.service.studio import Studio
from corpusmith.store.open import parse_url
from corpusmith.values import Connection

if TYPE_CHECKING:
    from corpusmith.service.connection_trial import Trial

Level = Literal["ok", "warn", "fail"]

LOW_DISK_BYTES = 1 << 30
NO_DISK_BYTES = 100 << 20
SKEW_WARN_S = 60.0
DATE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer. `text` is a key of the catalog that `data` fills; an `error` says more."""

    check: str
    """`python`, `database`, `disk`, `key`, `endpoint`, `structured`, `clock`, …"""
    about: str
    """Which thing: a path, a connection's name; empty: the machine."""
    level: Level
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    error: CorpusmithError | None = None


def examine(
    db: str | None, *, extra: Sequence[Connection] = (), only: str | None = None, paid: bool = False
) -> Iterator[Finding]:
    """The findings, one by one as they are known.

    `extra`: endpoints besides the stored ones; `only`: just this stored connection. Both, and
    `paid` for all, are tried with short calls that cost a few tokens.
    """
    yield _python()
    yield _sqlite()
    url = database_url(db)
    yield from _disk(url)
    try:
        studio = Studio(db=db)
    except StoreError as error:
        yield Finding(
            check="database",
            about=str(error.data.get("url", "")),
            level="fail",
            text="doctor.database.fail",
            error=error,
        )
        for connection in extra:
            yield from _endpoint(connection, None, paid=True)
        return
    with studio:
        yield from _database(studio, url)
        chosen = [studio.connections.get(only)] if only else studio.connections.list()
        if not chosen and not extra:
            yield Finding(check="endpoint", about="", level="warn", text="doctor.endpoint.none")
        for connection in chosen:
            yield from _endpoint(connection, studio, paid=paid or bool(only))
        for connection in extra:
            yield from _endpoint(connection, studio, paid=True)


# ---------------------------------------------------------------- the machine


def _python() -> Finding:
    return Finding(
        check="python",
        about="",
        level="ok",
        text="doctor.python",
        data={"version": platform.python_version(), "system": platform.platform(terse=True)},
    )


def _sqlite() -> Finding:
    # 3.35 brought RETURNING, which the store needs.
    good = sqlite3.sqlite_version_info >= (3, 35)
    return Finding(
        check="sqlite",
        about="",
        level="ok" if good else "fail",
        text="doctor.sqlite.ok" if good else "doctor.sqlite.old",
        data={"version": sqlite3.sqlite_version},
    )


def _disk(url: str) -> Iterator[Finding]:
    path = _file_of(url)
    if path is None:
        return
    folder = next((one for one in path.parents if one.is_dir()), Path("/"))
    free = shutil.disk_usage(folder).free
    level: Level = "ok" if free >= LOW_DISK_BYTES else "warn" if free >= NO_DISK_BYTES else "fail"
    yield Finding(
        check="disk",
        about=str(folder),
        level=level,
        text=f"doctor.disk.{level}",
        data={"free": f"{free / (1 << 30):,.1f} GB"},
    )


def _database(studio: Studio, url: str) -> Iterator[Finding]:
    shown = studio.store.url
    try:
        studio.store.settings.set("doctor", int(time.time()))
    except StoreError as error:
        yield Finding(
            check="database", about=shown, level="fail", text="doctor.database.fail", error=error
        )
        return
    yield Finding(check="database", about=shown, level="ok", text="doctor.database.ok")
    path = _file_of(url)
    if path is not None:
        mode = _journal_mode(path)
        yield Finding(
            check="journal",
            about=str(path),
            level="ok" if mode == "wal" else "warn",
            text="doctor.journal.ok" if mode == "wal" else "doctor.journal.other",
            data={"mode": mode},
        )


def _file_of(url: str) -> Path | None:
    """The database's file; None for a server, and for a URL that cannot be read."""
    try:
        parsed = parse_url(url)
    except StoreError:
        return None
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def _journal_mode(path: Path) -> str:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
    finally:
        connection.close()


# ---------------------------------------------------------------- endpoints


def _endpoint(connection: Connection, studio: Studio | None, *, paid: bool) -> Iterator[Finding]:
    about = connection.name
    keys = list(_key(connection))
    yield from keys
    if any(one.level == "fail" for one in keys):
        return
    try:
        key = key_of(connection, studio.store) if studio is not None else None
    except CorpusmithError as error:
        yield Finding(check="key", about=about, level="fail", text="doctor.key.fail", error=error)
        return
    if paid:
        yield from _tried(about, loop.run(trial_of(connection, key)))
    else:
        yield _listed(about, connection, key)
    skew_s = loop.run(_skew_s(connection))
    if skew_s is not None:
        late = abs(skew_s) > SKEW_WARN_S
        yield Finding(
            check="clock",
            about=about,
            level="warn" if late else "ok",
            text="doctor.clock.off" if late else "doctor.clock.ok",
            data={"seconds": f"{skew_s:+.0f}"},
        )


def _key(connection: Connection) -> Iterator[Finding]:
    if not connection.key_env:
        return
    there = bool(os.environ.get(connection.key_env, "").strip())
    if there or not connection.key_stored:
        yield Finding(
            check="key",
            about=connection.name,
            level="ok" if there else "fail",
            text="doctor.key.ok" if there else "doctor.key.unset",
            data={"variable": connection.key_env},
        )


def _listed(about: str, connection: Connection, key: Any) -> Finding:
    try:
        models = loop.run(models_of(connection, key))
    except CorpusmithError as error:
        return Finding(
            check="endpoint", about=about, level="fail", text="doctor.endpoint.fail", error=error
        )
    return Finding(
        check="endpoint",
        about=about,
        level="ok",
        text="doctor.endpoint.listed",
        data={"n": len(models)},
    )


def _tried(about: str, trial: Trial) -> Iterator[Finding]:
    if trial.models is None:
        yield Finding(
            check="models",
            about=about,
            level="warn",
            text="doctor.models.fail",
            error=trial.models_error,
        )
    else:
        yield Finding(
            check="models",
            about=about,
            level="ok",
            text="doctor.endpoint.listed",
            data={"n": len(trial.models)},
        )
    if trial.error is not None:
        yield Finding(
            check="endpoint",
            about=about,
            level="fail",
            text="doctor.endpoint.fail",
            error=trial.error,
        )
        return
    milliseconds = f"{(trial.latency_s or 0) * 1000:.0f}"
    yield Finding(
        check="endpoint",
        about=about,
        level="ok",
        text="doctor.endpoint.ok",
        data={"ms": milliseconds},
    )
    yield Finding(
        check="structured",
        about=about,
        level="ok" if trial.mode else "warn",
        text=f"mode.{trial.mode or 'none'}",
    )


async def _skew_s(connection: Connection) -> float | None:
    """Seconds that our clock is ahead of the endpoint's; None when it does not say.

    No key is sent.
    """
    import ssl

    import aiohttp

    from corpusmith.providers.addresses import AllowedResolver, checked_socket

    try:
        trust: Any = True
        if connection.ca_file:
            trust = ssl.create_default_context(cafile=connection.ca_file)
        timeout = aiohttp.ClientTimeout(total=DATE_TIMEOUT_S)
        connector = aiohttp.TCPConnector(resolver=AllowedResolver(), socket_factory=checked_socket)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
            session.get(
                connection.base_url, proxy=connection.proxy, ssl=trust, allow_redirects=False
            ) as reply,
        ):
            date = reply.headers.get("Date")
            return time.time() - parsedate_to_datetime(date).timestamp() if date else None
    except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
        return None
