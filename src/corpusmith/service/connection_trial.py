"""What works at an endpoint: two short calls and its list of models.

Owns: the trial, and what it says of each step. Does not own: which endpoint (`connections.py`), the
wire (providers).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from corpusmith import registry
from corpusmith.contracts import Provider, Secret
from corpusmith.errors import (
    ConnectionFailed,
    CorpusmithError,
    KeyMissing,
    ProviderError,
    TimedOut,
    TlsFailed,
    Unauthorised,
)
from corpusmith.service.sealing import opened
from corpusmith.values import (
    ChatRequest,
    Connection,
    Message,
    Sampling,
    Schema,
    StructuredMode,
)

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

    @classmethod
    def without_key(cls, error: KeyMissing) -> Trial:
        """Nothing was tried: there is no key."""
        return cls(
            models=None,
            models_error=None,
            answered=False,
            latency_s=None,
            mode=None,
            error=error,
        )


def provider_of(connection: Connection, key: Secret | None) -> Provider:
    """The provider that speaks the connection's protocol. Raises UsageError when something sealed
    cannot be opened."""
    provider: Provider = registry.load("provider", connection.protocol)(opened(connection), key)
    return provider


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


# ---------------------------------------------------------------- what it says of each step

StepName = Literal["reachable", "key", "models", "reply", "structured", "speed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStep:
    """One thing that an endpoint can or cannot do."""

    name: StepName
    status: Literal["ok", "failed", "skipped"]
    """`skipped`: an earlier step failed, or there is nothing to try."""
    value: str | int | float | None = None
    """`models`: how many; `structured`: the best way; `speed`: seconds of a short reply."""
    error: CorpusmithError | None = None


_AWAY = (ConnectionFailed, TimedOut, TlsFailed)


def steps_of(trial: Trial) -> list[TrialStep]:
    """What a trial showed, step by step, in the order in which a person mends them."""
    away = _first(_AWAY, trial)
    refused = _first((Unauthorised, KeyMissing), trial)
    return [
        _step("reachable", error=away, skip=isinstance(trial.error, KeyMissing)),
        _step("key", error=refused, skip=away is not None),
        _step("models", _count(trial.models), error=trial.models_error, skip=_bare(trial)),
        _step("reply", error=trial.error, skip=_bare(trial)),
        _structured(trial),
        _step("speed", _rounded(trial.latency_s), skip=trial.latency_s is None),
    ]


def _structured(trial: Trial) -> TrialStep:
    if not trial.answered:
        return TrialStep(name="structured", status="skipped")
    status: Literal["ok", "failed"] = "failed" if trial.mode is None else "ok"
    return TrialStep(name="structured", status=status, value=trial.mode)


def _step(
    name: StepName,
    value: str | int | float | None = None,
    *,
    error: CorpusmithError | None = None,
    skip: bool = False,
) -> TrialStep:
    if skip:
        return TrialStep(name=name, status="skipped")
    if error is not None:
        return TrialStep(name=name, status="failed", error=error)
    return TrialStep(name=name, status="ok", value=value)


def _first(kinds: tuple[type[CorpusmithError], ...], trial: Trial) -> CorpusmithError | None:
    """The trial's error of one of these kinds; a chat that went through speaks for itself."""
    found = (trial.error,) if trial.answered else (trial.error, trial.models_error)
    return next((one for one in found if isinstance(one, kinds)), None)


def _bare(trial: Trial) -> bool:
    return isinstance(trial.error, KeyMissing)


def _count(models: Sequence[str] | None) -> int | None:
    return None if models is None else len(models)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
