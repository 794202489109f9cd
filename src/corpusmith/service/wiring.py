"""From a stored task to something that runs: recipe, routes, job.

Owns: putting the parts together as the task's spec says. Does not own: any part. Heavy (it imports
the engine): import it on use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from corpusmith import registry
from corpusmith.contracts import Secret
from corpusmith.engine.budget import Ceilings
from corpusmith.engine.calls import Route
from corpusmith.engine.job import Job
from corpusmith.engine.ladder import Ladder
from corpusmith.engine.limits import Limiter, LimiterPool
from corpusmith.engine.terms import Terms
from corpusmith.service.checks import chain_of, compares, context_of, roles_of, stored_options
from corpusmith.service.estimate import known_price, refuse_unknown_price
from corpusmith.service.keys import key_id, key_of
from corpusmith.service.recipes import recipe_of
from corpusmith.service.sealing import opened, opened_extra
from corpusmith.service.server_settings import adopt
from corpusmith.store.connections import connection_of
from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Connection, Json, Sampling


def routes_of(task: Task, store: SqlStore, limiters: LimiterPool) -> dict[str, Route]:
    """Each role's way to its endpoint. Raises KeyMissing, SpecError, UsageError."""
    adopt(store)  # whether private addresses may be called may have changed since the last task
    providers: dict[str, Any] = {}
    judging = roles_of(stored_options(task.spec))
    routes: dict[str, Route] = {}
    for role, stored in task.connections.items():
        connection = _with_limits(opened(connection_of(stored)), task.spec)
        model = connection.model or ""
        same = f"{connection.name}|{connection.base_url}|{connection.protocol}"
        if same not in providers:
            secret: Secret | None = key_of(connection, store)
            factory = registry.load("provider", connection.protocol)
            providers[same] = factory(connection, secret)
        provider = providers[same]
        routes[role] = Route(
            connection=connection,
            model=model,
            provider=provider,
            limiter=_limiter(connection, limiters),
            ladder=Ladder(provider.modes, known=store.mode(connection.base_url, model)),
            # A task's temperature is for those who write, not for those who judge.
            sampling=Sampling() if role in judging else _sampling(task),
            price=known_price(connection),
            language=cast(Any, task.spec["language"]),
        )
    refuse_unknown_price(
        task.spec.get("max_cost"), {role: route.connection for role, route in routes.items()}
    )
    return routes


def _with_limits(connection: Connection, spec: Mapping[str, Json]) -> Connection:
    limits = connection.limits
    concurrency = spec.get("concurrency", "auto")
    return replace(
        connection,
        limits=replace(
            limits,
            requests_per_min=spec.get("rpm") or limits.requests_per_min,
            tokens_per_min=spec.get("tpm") or limits.tokens_per_min,
            concurrency=limits.concurrency if concurrency == "auto" else concurrency,
        ),
    )


def _sampling(task: Task) -> Sampling:
    spec = task.spec
    return Sampling(
        temperature=spec.get("temperature"),
        top_p=spec.get("top_p"),
        max_tokens=spec.get("max_tokens"),
        seed=spec.get("seed_sent"),
        stop=tuple(spec.get("stop", ())),
        extra=opened_extra(spec.get("extra", {}), task.name),
    )


def terms_of(task: Task, limiters: LimiterPool) -> Terms:
    """What of the task may change while it runs, as it is now."""
    spec = task.spec
    connections = {
        role: _with_limits(opened(connection_of(stored)), spec)
        for role, stored in task.connections.items()
    }
    return Terms(
        revision=task.revision,
        ceilings=Ceilings(
            cost_usd=spec.get("max_cost"),
            tokens=spec.get("max_total_tokens"),
            calls=spec.get("max_calls"),
        ),
        max_attempts_multiplier=float(spec["max_attempts_multiplier"]),
        ways={role: (one, _limiter(one, limiters)) for role, one in connections.items()},
    )


def _limiter(connection: Connection, limiters: LimiterPool) -> Limiter:
    return limiters.get(
        connection.base_url, key_id(connection), connection.model or "", connection.limits
    )


def job_of(
    task: Task,
    routes: Mapping[str, Route],
    store: SqlStore,
    limiters: LimiterPool,
    *,
    asked: bool = False,
) -> Job:
    """What the engine runs; `asked`: only if it is still in the queue."""
    spec = task.spec
    checks = stored_options(spec)
    terms = terms_of(task, limiters)
    return Job(
        task_id=task.id,
        seed=task.seed,
        recipe=recipe_of(task, store),
        routes=routes,
        checks=chain_of(checks, context_of(task, expected=_compared(task, checks, store))),
        max_attempts_multiplier=terms.max_attempts_multiplier,
        ceilings=terms.ceilings,
        owner=owner_id(),
        asked=asked,
        revision=task.revision,
        terms=lambda: terms_of(store.tasks.get(task.id), limiters),
    )


def _compared(task: Task, checks: Iterable[str], store: SqlStore) -> int:
    """About how many records its checks will compare with: those that there are to be, and those
    of its dataset."""
    if not compares(checks):
        return 0
    there = 0 if task.dataset is None else store.records.count(dataset=task.dataset)
    return task.requested + there
