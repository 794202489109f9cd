"""Use-cases of connections: keep them, keep their keys, try them out.

Owns: presets plus a user's fields, the trial of an endpoint. Does not own: rows (store), the wire
(providers), encryption (`keys.py`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from corpusmith import registry
from corpusmith.contracts import Provider, Secret
from corpusmith.errors import CorpusmithError, ProviderError, UsageError
from corpusmith.messages import say
from corpusmith.service import loop
from corpusmith.service.endpoints import connection_on_the_spot
from corpusmith.service.keys import key_of, store_key
from corpusmith.service.task_file import endpoint_part
from corpusmith.values import (
    ChatRequest,
    Connection,
    Language,
    Limits,
    Message,
    Sampling,
    Schema,
    StructuredMode,
)

if TYPE_CHECKING:
    from corpusmith.providers.presets import Preset
    from corpusmith.service.studio import Studio

TRIAL_SCHEMA = Schema(
    name="trial",
    body={
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a short try of an endpoint showed. `error` None: it works."""

    models: Sequence[str] | None
    """None: the endpoint has no list, or refused it (`models_error`)."""
    models_error: CorpusmithError | None
    answered: bool
    latency_s: float | None
    mode: StructuredMode | None
    """The best way of structured output that brought a reply in the asked shape."""
    error: CorpusmithError | None


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
        **fields: Any,
    ) -> Connection:
        """Store a connection; `fields` are those of `EndpointPart`. Raises Conflict, SpecError."""
        connection = self._made(
            name, fields, Limits(requests_per_min=rpm, tokens_per_min=tpm, concurrency=concurrency)
        )
        self._studio.store.connections.add(connection)
        return connection

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
        given = {**_fields_of(old), **fields}
        limits = Limits(
            requests_per_min=rpm or old.limits.requests_per_min,
            tokens_per_min=tpm or old.limits.tokens_per_min,
            concurrency=concurrency or old.limits.concurrency,
        )
        fresh = self._made(name, given, limits)
        moved = fresh.base_url != old.base_url
        fresh = replace(fresh, key_stored=old.key_stored and not moved)
        self._studio.store.connections.update(fresh)
        if moved and old.key_stored:
            self._studio.store.connections.delete_key(name)
        return fresh

    def get(self, name: str) -> Connection:
        """Raises NotFound."""
        return self._studio.store.connections.get(name)

    def list(self, search: str | None = None) -> Sequence[Connection]:
        return self._studio.store.connections.list(search)

    def delete(self, name: str) -> None:
        """Raises NotFound."""
        self._studio.store.connections.delete(name)

    def set_key(self, name: str, key: str) -> None:
        """Keep the endpoint's key, encrypted. Raises NotFound, UsageError."""
        if not key.strip():
            raise UsageError("key_empty", connection=name)
        self.get(name)
        store_key(name, key, self._studio.store)

    def models(self, name: str) -> Sequence[str]:
        """The endpoint's models. Raises ModelListFailed."""
        return loop.run(self.models_async(name))

    async def models_async(self, name: str) -> Sequence[str]:
        connection = self.get(name)
        try:
            return await models_of(connection, key_of(connection, self._studio.store))
        except ProviderError as error:
            raise ModelListFailed(connection, error) from error

    def trial(self, connection: Connection | str) -> Trial:
        """Two short calls and the model list: what works there. Costs a few tokens."""
        return loop.run(self.trial_async(connection))

    async def trial_async(self, connection: Connection | str) -> Trial:
        found = self.get(connection) if isinstance(connection, str) else connection
        return await trial_of(found, key_of(found, self._studio.store))

    def _made(self, name: str, fields: Mapping[str, Any], limits: Limits) -> Connection:
        part = endpoint_part(fields, source=name)
        return replace(connection_on_the_spot(part, name), limits=limits)


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


def provider_of(connection: Connection, key: Secret | None) -> Provider:
    """The provider that speaks the connection's protocol."""
    provider: Provider = registry.load("provider", connection.protocol)(connection, key)
    return provider


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


async def trial_of(connection: Connection, key: Secret | None) -> Trial:
    """See `Connections.trial`. Raises nothing: what fails is in the result."""
    from corpusmith.engine.ladder import dressed
    from corpusmith.engine.structured import parse

    provider = provider_of(connection, key)
    models, models_error = None, None
    latency_s, mode, error = None, None, None
    try:
        try:
            models = await provider.models()
        except ProviderError as refused:
            models_error = refused
        model = connection.model or (models[0] if models else "")
        hello = ChatRequest(
            model=model,
            messages=(Message("user", "Reply with the single word: ready / 请只回复：好"),),
            sampling=Sampling(max_tokens=64),
        )
        try:
            began_s = time.monotonic()
            await provider.chat(hello)
            latency_s = time.monotonic() - began_s
            mode = await _best_mode(provider, replace(hello, schema=TRIAL_SCHEMA), dressed, parse)
        except ProviderError as refused:
            error = refused
    finally:
        await provider.close()
    return Trial(
        models=models,
        models_error=models_error,
        answered=latency_s is not None,
        latency_s=latency_s,
        mode=mode,
        error=error,
    )


async def _best_mode(
    provider: Provider, request: ChatRequest, dressed: Any, parse: Any
) -> StructuredMode | None:
    for mode in provider.modes:
        try:
            reply = await provider.chat(dressed(request, mode, "en"))
            parse(reply.text, TRIAL_SCHEMA)
        except CorpusmithError:
            continue
        return mode
    return None


def _fields_of(connection: Connection) -> dict[str, Any]:
    price = connection.price
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
        "headers": dict(connection.headers),
        "extra": dict(connection.extra),
    }
