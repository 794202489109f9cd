"""Connections over REST: where models are, never their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from corpusmith.service import connections
from corpusmith.service.connection_trial import Trial
from corpusmith.service.connections import fields_of
from corpusmith.service.remote.call import Over, call, later, plain
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.wire import adapter
from corpusmith.values import HIDDEN, Connection, Json

_SAME = frozenset(one.name for one in fields(Connection)) - {"headers", "key_stored"}


def _connection(view: Any) -> Connection:
    """As it is known here: of headers the names alone."""
    given = {name: one for name, one in view.items() if name in _SAME}
    headers = dict.fromkeys(view["headers"], HIDDEN)
    stored = view["key"] == "stored"
    found: Connection = adapter(Connection).validate_python(
        {**given, "headers": headers, "key_stored": stored}
    )
    return found


class Connections(Over, connections.Connections):
    """`studio.connections`, of a server: keys go there and never come back."""

    add = call("POST connections", then=_connection)
    get = call("GET connections/{name}", then=_connection)
    list = call(
        "GET connections", listed=True, gives=dict, then=lambda some: [*map(_connection, some)]
    )
    update = call("PATCH connections/{name}", then=_connection)
    delete = call("DELETE connections/{name}")
    delete_key = call("DELETE connections/{name}/key")
    models = call("GET connections/{name}/models", of="items")
    models_async = later("models")
    trial_async = later("trial")

    def _told(self, name: str, value: Any) -> None:
        """Which variables may be named is the server's to say: it knows who asks."""

    def change(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        key: str | None = None,
        any_variable: bool | None = None,
    ) -> Connection:
        body = {**plain(fields), **({} if key is None else {"key": key})}
        return _connection(self._wire.ask("PATCH", "connections", name, body=body))

    def set_key(self, name: str, key: str, *, instead: bool = False) -> None:
        self._wire.ask("PUT", "connections", name, "key", body={"key": key})

    def trial(self, connection: Connection | str) -> Trial:
        if not isinstance(connection, str):
            return self.trial_with(connection, None)
        return self._trial(self._wire.ask("POST", "connections", connection, "test"))

    def trial_with(self, connection: Connection, key: str | None) -> Trial:
        return self._trial(
            self._wire.ask("POST", "connections", "test", body=_given(connection, key))
        )

    def models_with(self, connection: Connection, key: str | None) -> Any:
        found = self._wire.ask("POST", "connections", "models", body=_given(connection, key))
        return found["items"]

    def _trial(self, view: Json) -> Trial:
        steps = {one["name"]: one for one in view["steps"]}
        errors = {
            name: fault(one["error"], self._wire.language)
            for name, one in steps.items()
            if one["error"]
        }
        causes = [errors[name] for name in ("reachable", "key", "reply") if name in errors]
        return Trial(
            models=view["models"],
            models_error=errors.get("models"),
            answered=view["ok"],
            latency_s=steps["speed"]["value"],
            mode=steps["structured"]["value"],
            error=None if view["ok"] else next(iter(causes), None),
        )


def _given(connection: Connection, key: str | None) -> dict[str, Json]:
    """A connection that the server does not know, as it is told of one."""
    told = {name: one for name, one in fields_of(connection).items() if one is not None}
    return {**told, **({} if key is None else {"key": key})}
