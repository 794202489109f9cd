"""Secret values of connections, tasks and chains: sealed wherever they are kept.

Owns: what is sealed and opened, and for where. Does not own: encryption (`keys.py`), what looks
secret (`hidden.py`).
An endpoint's value opens only for the address and under the name that it was sealed for: whoever
can write to the database cannot send it elsewhere. A task's own body fields are bound to their
names. What was stored before values were sealed is read as it is; `seal_old` seals it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from corpusmith.errors import SpecError, UsageError
from corpusmith.hidden import looks_secret, revived, walked
from corpusmith.service.keys import decrypted, encrypted
from corpusmith.store.connections import connection_of
from corpusmith.store.store import SqlStore
from corpusmith.values import HIDDEN, Connection, Json, Sealed

_DONE = "values_sealed"
_CHAIN = "chain:"


def sealed(connection: Connection) -> Connection:
    """As it is kept. Raises UsageError when the key that seals cannot be had."""
    place = connection.base_url
    headers = {
        name: _sealed(value, f"header:{place}:{name}") if value else value
        for name, value in connection.headers.items()
    }
    return replace(connection, headers=headers, extra=_sealed_fields(connection.extra, place))


def opened(connection: Connection) -> Connection:
    """As it is called. Raises UsageError when something sealed cannot be opened."""
    place, name = connection.base_url, connection.name
    headers = {
        header: _opened(value, f"header:{place}:{header}", name)
        for header, value in connection.headers.items()
    }
    return replace(connection, headers=headers, extra=_opened_fields(connection.extra, place, name))


def sealed_extra(extra: Mapping[str, Json]) -> Any:
    """A task's own body fields as they are kept: they go to each of its endpoints."""
    return _sealed_fields(extra, "task")


def opened_extra(extra: Mapping[str, Json], task: str) -> Any:
    """Raises UsageError."""
    return _opened_fields(extra, "task", task)


def kept(old: Connection, fresh: Connection) -> Connection:
    """`fresh`, where whatever it only shows as hidden is what it was in `old`.

    Raises SpecError `bad_header` for a header that was not there.
    """
    headers = {
        name: old.headers.get(name, value) if value == HIDDEN else value
        for name, value in fresh.headers.items()
    }
    before: dict[str, Json] = {}
    walked(old.extra, lambda name, value, path: before.setdefault(path, value))

    def change(name: str, value: Json, path: str) -> Json:
        hides = value == HIDDEN and looks_secret(name, before.get(path))
        return before[path] if hides else value

    found = replace(fresh, headers=headers, extra=walked(fresh.extra, change))
    refuse_hidden(found)
    return found


def refuse_hidden(connection: Connection) -> None:
    """Raises SpecError for a header, or a secret body field, whose value nobody said."""
    for name, value in connection.headers.items():
        if value == HIDDEN:
            raise SpecError("bad_header", connection=connection.name, header=name)

    def look(name: str, value: Json, path: str) -> None:
        if value == HIDDEN and looks_secret(name, value):
            raise SpecError("hidden_unsaid", field=path.removeprefix("/"))

    walked(connection.extra, look)


def holds_sealed(connection: Connection) -> bool:
    """Whether anything in it can be opened for its own address only."""
    found: list[Json] = [*connection.headers.values()]
    walked(connection.extra, lambda name, value, path: found.append(value))
    return any(isinstance(one, Sealed) for one in found)


# ---------------------------------------------------------------- chains


def sealed_fields(fields: Json) -> Any:
    """A chain's fields, as JSON, with the secrets of all endpoints in it sealed."""
    return _endpoints(revived(fields), lambda value, place: _sealed(value, place))


def opened_fields(fields: Json, chain: str) -> Any:
    """Raises UsageError."""
    return _endpoints(revived(fields), lambda value, place: _opened(value, place, chain))


def shown_fields(fields: Json) -> Any:
    """As they can be read without any key."""
    return _endpoints(revived(fields), lambda value, place: HIDDEN)


def _endpoints(fields: Json, change: Callable[[Any, str], Json]) -> Any:
    """With all that is called `headers` or `extra` changed, as far as it is secret."""
    if isinstance(fields, list):
        return [_endpoints(one, change) for one in fields]
    if not isinstance(fields, Mapping):
        return fields
    found = {name: _endpoints(value, change) for name, value in fields.items()}
    place = f"chain:{found.get('provider', '')}:{found.get('base_url', '')}"
    own = found.get("headers")
    if isinstance(own, Mapping):
        found["headers"] = {
            name: change(value, f"{place}:header:{name}") if _is_secret(value) else value
            for name, value in own.items()
        }
    if isinstance(found.get("extra"), Mapping):
        found["extra"] = walked(
            found["extra"],
            lambda name, value, path: (
                change(value, f"{place}:extra:{path}") if looks_secret(name, value) else value
            ),
        )
    return found


def _is_secret(header: Json) -> bool:
    return isinstance(header, Sealed) or (isinstance(header, str) and bool(header))


# ---------------------------------------------------------------- what was stored before


def seal_old(store: SqlStore) -> None:
    """Seal what an earlier version, or a backup of one, stored as it was. Once a database."""
    if store.settings.get(_DONE):
        return
    for connection in store.connections.list():
        _if_changed(connection, sealed(connection), store.connections.update)
    for task in store.tasks.with_own_fields():
        endpoints = {role: connection_of(one) for role, one in task.connections.items()}
        fresh = {role: sealed(one) for role, one in endpoints.items()}
        extra = task.spec.get("extra") or {}
        safe = sealed_extra(extra)
        if (fresh, safe) != (endpoints, extra):
            store.tasks.change_secrets(task.id, fresh, safe)
    for name, one in store.settings.all(_CHAIN).items():
        _if_changed(one, {**one, "fields": sealed_fields(one["fields"])}, _setting(store, name))
    store.settings.set(_DONE, True)


def _if_changed(old: Any, fresh: Any, change: Callable[[Any], object]) -> None:
    if fresh != old:
        change(fresh)


def _setting(store: SqlStore, name: str) -> Callable[[Any], object]:
    return lambda value: store.settings.set(name, value)


# ---------------------------------------------------------------- one value


def _sealed_fields(extra: Mapping[str, Json], place: str) -> Any:
    def change(name: str, value: Json, path: str) -> Json:
        return _sealed(value, f"extra:{place}:{path}") if looks_secret(name, value) else value

    return walked(extra, change)


def _opened_fields(extra: Mapping[str, Json], place: str, whose: str) -> Any:
    return walked(extra, lambda _, value, path: _opened(value, f"extra:{place}:{path}", whose))


def _sealed(value: str | Sealed, place: str) -> Sealed:
    if isinstance(value, Sealed):
        return value
    return Sealed(base64.b64encode(encrypted(value, place.encode())).decode())


def _opened(value: Any, place: str, whose: str) -> Any:
    if not isinstance(value, Sealed):
        return value
    try:
        body = base64.b64decode(value.corpusmith_sealed, validate=True)
    except (binascii.Error, ValueError):
        body = b""
    plain = decrypted(body, place.encode())
    if plain is None:
        raise UsageError("sealed_value_wrong", connection=whose)
    return plain
