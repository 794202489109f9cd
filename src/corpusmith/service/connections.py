"""Use-cases of connections: keep them, keep their keys, try them out.

Owns: presets plus a user's fields, whose key may go where. Does not own: rows (store), the trial
(`connection_trial.py`), the wire (providers), encryption (`keys.py`), what else is secret
(`sealing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from corpusmith import hidden
from corpusmith.contracts import Secret
from corpusmith.errors import KeyMissing, ProviderError, UsageError
from corpusmith.messages import say
from corpusmith.places import gated, given_path
from corpusmith.providers.presets import price_of
from corpusmith.service import loop
from corpusmith.service.connection_rules import elsewhere, refuse_carried, refuse_variable
from corpusmith.service.connection_trial import Trial, provider_of, trial_of
from corpusmith.service.endpoints import connection_on_the_spot
from corpusmith.service.keys import key_of, store_key
from corpusmith.service.library import named
from corpusmith.service.sealing import kept, opened, refuse_hidden, sealed
from corpusmith.service.server_settings import adopt
from corpusmith.service.task_file import endpoint_part
from corpusmith.values import Connection, Language, Limits

if TYPE_CHECKING:
    from corpusmith.providers.presets import Preset
    from corpusmith.service.studio import Studio


class Connections:
    """`studio.connections`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self,
        name: str,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        concurrency: int | None = None,
        any_variable: bool | None = None,
        **fields: Any,
    ) -> Connection:
        """Store a connection; `fields` are those of `EndpointPart`. `any_variable`: see `unsaved`.

        Raises Conflict, SpecError.
        """
        limits = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
        made = self.unsaved(name, {**fields, **limits}, any_variable=any_variable)
        named(name, "connection")
        connection = sealed(made)
        self._studio.store.connections.add(connection)
        return connection

    def unsaved(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        any_variable: bool | None = None,
        like: str | None = None,
    ) -> Connection:
        """The connection that these fields are, to be tried before it is stored. `like`: a stored
        one, whose hidden values are meant where one is given as `HIDDEN`, for its own address.

        `any_variable`: whether who gives them may send any environment variable of this machine to
        an address of their choice; None: yes, but not in a request. Raises SpecError.
        """
        if fields.get("ca_file") is not None:
            given_path(fields["ca_file"])
        made = self._made(name, _endpoint(fields), _limits(fields))
        if not (not gated() if any_variable is None else any_variable):
            refuse_variable(made)
        old = None if like is None else self.get(like)
        if old is not None and not elsewhere(old, made):
            return kept(old, made)
        refuse_hidden(made)
        return made

    def change(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        key: str | None = None,
        any_variable: bool | None = None,
    ) -> Connection:
        """Change exactly the given fields; None takes one away. `any_variable`: see `unsaved`.

        A header, or a secret body field, that is given as `HIDDEN` stays what it is. What was
        secret for one address goes to no other: with another base URL, provider or proxy the key
        and all of these must be given again (Conflict `key_again`). Raises SpecError.
        """
        old = self.get(name)
        if fields.get("ca_file") is not None:
            given_path(fields["ca_file"])
        given = {**fields_of(old), **fields}
        fresh = kept(old, self._made(name, _endpoint(given), _limits(given)))
        moved = elsewhere(old, fresh)
        if not moved and "api_key_env" not in fields:
            fresh = replace(fresh, key_env=old.key_env)
        if moved:
            refuse_carried(old, fresh, fields, key)
        if moved or fresh.key_env != old.key_env:
            allowed = not gated() if any_variable is None else any_variable
            if not allowed:
                refuse_variable(fresh)
        if moved and old.key_stored:  # at no moment does one key meet the other's address
            self.delete_key(name)
        self._studio.store.connections.update(replace(sealed(fresh), key_stored=False))
        if key is not None:
            self.set_key(name, key, instead=True)
        return self.get(name)

    def update(
        self,
        name: str,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        concurrency: int | None = None,
        **fields: Any,
    ) -> Connection:
        """Change the given fields; a new base URL forgets a stored key (it was for the old one)."""
        old = self.get(name)
        given = {**_endpoint(fields_of(old)), **fields}
        limits = Limits(
            requests_per_min=rpm or old.limits.requests_per_min,
            tokens_per_min=tpm or old.limits.tokens_per_min,
            concurrency=concurrency or old.limits.concurrency,
        )
        if fields.get("ca_file") is not None:
            given_path(fields["ca_file"])
        if gated():  # a request changes what it must not carry along only by `change`
            limited = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
            given = {key: one for key, one in limited.items() if one is not None}
            return self.change(name, {**fields, **given})
        made = self._made(name, given, limits)
        moved = made.base_url != old.base_url
        # The machine's owner says so: headers go along, which open for the old address alone.
        fresh = sealed(kept(opened(old) if moved else old, made))
        fresh = replace(fresh, key_stored=old.key_stored and not moved)
        self._studio.store.connections.update(fresh)
        if moved and old.key_stored:
            self._studio.store.connections.delete_key(name)
        return fresh

    def get(self, name: str) -> Connection:
        """Raises NotFound."""
        return self._studio.store.connections.get(name)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Connection]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.connections.list(search, limit=limit, after=after)

    def delete(self, name: str) -> None:
        """Raises NotFound."""
        self._studio.store.connections.delete(name)

    def set_key(self, name: str, key: str, *, instead: bool = False) -> None:
        """Keep the endpoint's key, encrypted. `instead`: of a variable, which would
        go first. Raises NotFound, UsageError."""
        if not key.strip():
            raise UsageError("key_empty", connection=name)
        found = self.get(name)
        store_key(name, key, self._studio.store)
        if instead and found.key_env is not None:
            self._studio.store.connections.update(replace(self.get(name), key_env=None))

    def delete_key(self, name: str) -> None:
        """Forget the stored key; where there is none, nothing happens. Raises NotFound."""
        self._studio.store.connections.delete_key(name)

    def models(self, name: str) -> Sequence[str]:
        """The endpoint's models. Raises ModelListFailed."""
        return loop.run(self.models_async(name))

    async def models_async(self, name: str) -> Sequence[str]:
        connection = self.get(name)
        adopt(self._studio.store)
        try:
            return await models_of(connection, key_of(connection, self._studio.store))
        except ProviderError as error:
            raise ModelListFailed(connection, error) from error

    def trial(self, connection: Connection | str) -> Trial:
        """Two short calls and the model list: what works there. Costs a few tokens."""
        return loop.run(self.trial_async(connection))

    async def trial_async(self, connection: Connection | str) -> Trial:
        found = self.get(connection) if isinstance(connection, str) else connection
        adopt(self._studio.store)
        return await trial_of(found, key_of(found, self._studio.store))

    def trial_with(self, connection: Connection, key: str | None) -> Trial:
        """`trial` of one that is not stored, with a key that is not stored either; None: the one
        that its variable holds. A missing key is in the result."""
        try:
            secret = Secret(key.strip()) if key else key_of(connection, self._studio.store)
        except KeyMissing as error:
            return Trial.without_key(error)
        return loop.run(trial_of(connection, secret))

    def models_with(self, connection: Connection, key: str | None) -> Sequence[str]:
        """The models of one that is not stored. Raises KeyMissing, ModelListFailed."""
        secret = Secret(key.strip()) if key else key_of(connection, self._studio.store)
        try:
            return loop.run(models_of(connection, secret))
        except ProviderError as error:
            raise ModelListFailed(connection, error) from error

    def _made(self, name: str, fields: Mapping[str, Any], limits: Limits) -> Connection:
        part = endpoint_part(fields, source=name)
        return replace(connection_on_the_spot(part, name, trusted=True), limits=limits)


# ---------------------------------------------------------------- endpoints


class ModelListFailed(ProviderError):
    """获取模型列表失败. Data: `connection`, `endpoint`; `error` is the cause."""

    code = "no_model_list"

    def __init__(self, connection: Connection, error: ProviderError) -> None:
        super().__init__(
            status=error.status, connection=connection.name, endpoint=connection.base_url
        )
        self.error = error

    def message(self, language: Language) -> str:
        cause = self.error.message(language)
        return say("error.no_model_list", language, connection=self.data["connection"], cause=cause)


def presets() -> Sequence[Preset]:
    """The endpoints that are known by name."""
    from corpusmith.providers.presets import preset, preset_names

    return [preset(name) for name in preset_names()]


async def models_of(connection: Connection, key: Secret | None) -> list[str]:
    """Raises ProviderError."""
    provider = provider_of(connection, key)
    try:
        return await provider.models()
    finally:
        await provider.close()


async def only_model(connection: Connection, key: Secret | None) -> str:
    """The endpoint's model when it has just one.

    Raises UsageError naming the choice, ModelListFailed.
    """
    try:
        models = await models_of(connection, key)
    except ProviderError as error:
        raise ModelListFailed(connection, error) from error
    if not models:
        raise UsageError("no_model_none", connection=connection.name)
    if len(models) != 1:
        raise UsageError("no_model", connection=connection.name, models=", ".join(models[:12]))
    return models[0]


LIMITS = {"rpm": "requests_per_min", "tpm": "tokens_per_min", "concurrency": "concurrency"}


def _endpoint(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in fields.items() if name not in LIMITS}


def _limits(fields: Mapping[str, Any]) -> Limits:
    return Limits(**{ours: fields.get(name) for name, ours in LIMITS.items()})


def fields_of(connection: Connection) -> dict[str, Any]:
    """As `add` takes them; what is sealed is hidden."""
    price = connection.price
    usual = price_of(connection.provider, connection.base_url, connection.model or "")
    if price == usual:
        price = None  # the table's: another model has another
    return {
        "provider": connection.provider,
        "base_url": connection.base_url,
        "model": connection.model,
        "api_key_env": connection.key_env,
        "proxy": connection.proxy,
        "ca_file": connection.ca_file,
        "connect_timeout_s": connection.timeouts.connect_s,
        "timeout_s": connection.timeouts.total_s,
        "price": price
        and {"input": price.input_usd, "output": price.output_usd, "cached": price.cached_usd},
        "headers": {header: str(value) for header, value in connection.headers.items()},
        "extra": hidden.with_marks(connection.extra),
        **{name: getattr(connection.limits, ours) for name, ours in LIMITS.items()},
    }
