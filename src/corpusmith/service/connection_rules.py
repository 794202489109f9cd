"""Whose key may go where: what was secret for one address goes to no other.

Owns: the rules. Does not own: keys (`keys.py`), changing connections (`connections.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpusmith.errors import Conflict, SpecError
from corpusmith.service.endpoints import variable_is_usual
from corpusmith.service.sealing import holds_sealed
from corpusmith.values import Connection


def elsewhere(old: Connection, fresh: Connection) -> bool:
    """Whether what is sent goes another way than before."""
    return any(
        getattr(old, name) != getattr(fresh, name) for name in ("provider", "base_url", "proxy")
    )


def refuse_carried(
    old: Connection, fresh: Connection, fields: Mapping[str, Any], key: str | None
) -> None:
    """Raises Conflict when something secret would go along to the new place."""
    keyed = old.key_stored and key is None
    variable = old.key_env is not None and fresh.key_env == old.key_env
    named_again = "api_key_env" in fields or key is not None or variable_is_usual(fresh)
    headers = bool(old.headers) and "headers" not in fields
    if keyed or (variable and not named_again) or headers or holds_sealed(fresh):
        raise Conflict("key_again", kind="connection", name=old.name)


def refuse_variable(connection: Connection) -> None:
    """Raises SpecError for a variable that is not the usual one of this very address."""
    if connection.key_env is not None and not variable_is_usual(connection):
        raise SpecError("variable_not_here", variable=connection.key_env[:80])
