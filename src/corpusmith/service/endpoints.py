"""Which endpoint answers for which role of a task.

Owns: the order in which an endpoint is looked for. Does not own: what a provider needs
(`providers/connect.py`), keys (`keys.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from corpusmith.errors import SpecError, UsageError
from corpusmith.places import gated
from corpusmith.providers.connect import connection_of
from corpusmith.service.task_file import EndpointPart, PricePart, TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection, Price

MODEL = "CORPUSMITH_MODEL"
VARIABLES = {
    "OPENAI_BASE_URL": "openai",
    "OPENAI_API_KEY": "openai",
    "GEMINI_API_KEY": "gemini",
    "ANTHROPIC_API_KEY": "anthropic",
}
"""Those that name an endpoint, the first one first, and its provider."""


def endpoints_of(
    file: TaskFile,
    store: SqlStore,
    roles: Sequence[str],
    defaults: Mapping[str, EndpointPart] | None = None,
) -> dict[str, Connection]:
    """For each role: its own endpoint, else the task's, else the role's default, else the one that
    `unnamed_connection` finds.

    A model of the task replaces the endpoint's, except where a role has an endpoint of its own.
    Raises UsageError for a role that there is not, or when nothing is found; NotFound.
    """
    unknown = sorted(set(file.roles) - set(roles))
    if unknown:
        raise UsageError("role_unknown", role=unknown[0], roles=", ".join(roles))
    return {role: _endpoint(role, file, store, (defaults or {}).get(role)) for role in roles}


def named_endpoints(file: TaskFile, store: SqlStore) -> dict[str, Connection]:
    """The endpoints of a task whose rows are not there yet, as far as they are known without them:
    those that it names, else those that would be found for any role.

    Raises NotFound, SpecError, UsageError when there is none.
    """
    given: Any = getattr(file, "judges", ())
    judges = {f"judge {at}": one.connection for at, one in enumerate(given)}
    wishes: dict[str, str | EndpointPart | None] = {"task": file.connection, **file.roles, **judges}
    found = {
        role: find_connection(wish, store) for role, wish in wishes.items() if wish is not None
    }
    # Rounds have endpoints of their own when nobody names one; a category may have its own.
    if found or file.recipe == "rounds" or bool(getattr(file, "categories", False)):
        return found
    return endpoints_of(file, store, ("task",))


def _endpoint(
    role: str, file: TaskFile, store: SqlStore, default: EndpointPart | None
) -> Connection:
    wish = file.roles.get(role, file.connection)
    if wish is not None:
        connection: Connection | None = find_connection(wish, store)
    elif default is not None:
        connection = connection_on_the_spot(default, trusted=True)
    else:
        connection = unnamed_connection(store)
    if connection is None:
        raise UsageError("no_connection")
    if role not in file.roles and file.model:
        connection = replace(connection, model=file.model)
    # The task's own limits are laid over the connection's at each start: `resume` may change them.
    return connection


def find_connection(wish: str | EndpointPart, store: SqlStore) -> Connection:
    """A stored connection by its name, or one given on the spot. Raises NotFound, SpecError."""
    return store.connections.get(wish) if isinstance(wish, str) else connection_on_the_spot(wish)


def unnamed_connection(store: SqlStore) -> Connection | None:
    """The endpoint where nobody names one: the only stored connection, else what the environment
    names; None: there is neither.

    A stored connection was put there for Corpusmith; a variable such as OPENAI_API_KEY may just lie
    around. CORPUSMITH_MODEL is meant for Corpusmith too: the model of whichever it is.
    """
    stored = store.connections.list()
    if len(stored) == 1:
        model = os.environ.get(MODEL) or stored[0].model
        return replace(stored[0], model=model, chosen_by="only")
    return _from_environment()


def connection_on_the_spot(
    part: EndpointPart, name: str | None = None, *, trusted: bool = False
) -> Connection:
    """The connection that `part` describes. Raises NotFound for an unknown provider, SpecError.

    `trusted`: whoever gives it may name any variable and file of this machine. A request may not:
    with another address beside it, a variable's name would send any secret there.
    """
    if gated() and not trusted:
        _refuse_ours(part)
    return connection_of(
        name=name or part.provider,
        provider=part.provider,
        base_url=part.base_url,
        model=part.model,
        key_env=part.api_key_env,
        connect_s=part.connect_timeout_s,
        total_s=part.timeout_s,
        proxy=part.proxy,
        ca_file=part.ca_file,
        price=_price(part.price),
        headers=part.headers,
        extra=part.extra,
    )


def _refuse_ours(part: EndpointPart) -> None:
    """Raises SpecError for what belongs to this machine: a file, or a key meant for elsewhere."""
    if part.ca_file is not None:
        raise SpecError("path_not_here", name=part.ca_file[:80])
    if part.api_key_env is None:
        return
    made = connection_of(
        name=part.provider,
        provider=part.provider,
        base_url=part.base_url,
        key_env=part.api_key_env,
    )
    if not variable_is_usual(made):
        raise SpecError("variable_not_here", variable=part.api_key_env[:80])


def variable_is_usual(connection: Connection) -> bool:
    """Whether a connection's variable is the one that its provider's own address usually has."""
    usual = connection_of(name=connection.provider, provider=connection.provider)
    return connection.key_env == usual.key_env and connection.base_url == usual.base_url


def _price(part: PricePart | None) -> Price | None:
    if part is None:
        return None
    return Price(input_usd=part.input, output_usd=part.output, cached_usd=part.cached)


def _from_environment() -> Connection | None:
    """The endpoint that variables name. The model is CORPUSMITH_MODEL, else the provider's own
    variable, else None (ask the endpoint)."""
    for variable, provider in VARIABLES.items():
        if not os.environ.get(variable):
            continue
        own = provider.upper()
        part = EndpointPart(
            provider=provider,
            base_url=os.environ.get("OPENAI_BASE_URL") or None if provider == "openai" else None,
            model=os.environ.get(MODEL) or os.environ.get(f"{own}_MODEL"),
            api_key_env=f"{own}_API_KEY" if os.environ.get(f"{own}_API_KEY") else None,
        )
        return replace(connection_on_the_spot(part, trusted=True), chosen_by=variable)
    return None
