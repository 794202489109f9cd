"""`corpusmith connections` and `corpusmith providers`: model endpoints.

Owns: showing them and what a trial found. Does not own: the endpoints (the service).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpusmith import hidden
from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.making import sign
from corpusmith.cli.out import confirmed, either, show_json, show_pairs, show_table
from corpusmith.cli.session import Session

if TYPE_CHECKING:
    from corpusmith.service.connection_trial import Trial
    from corpusmith.values import Connection

app = group("connections")

Name = Annotated[str, flags.argument("NAME", "connection_name")]
Search = Annotated[str | None, flags.option("--search", "search", "TEXT")]
Rpm = Annotated[str | None, flags.option("--rpm", "connection_rpm", "N", "limits")]
Tpm = Annotated[str | None, flags.option("--tpm", "connection_tpm", "N", "limits")]
Concurrency = Annotated[
    str | None, flags.option("--concurrency", "connection_concurrency", "N", "limits")
]
Header = Annotated[list[str] | None, flags.option("--header", "header", "NAME=VALUE", "endpoint")]


@command(app, "list")
def list_(ctx: typer.Context, search: Search = None) -> None:
    """By name."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.connections.list(search)
    either(session, found, lambda: _show_list(session, found))


def _show_list(session: Session, found: Sequence[Connection]) -> None:
    if not found:
        print(session.say("cli.connections.none"))
        return
    columns = ("name", "provider", "model", "base_url", "key")
    rows = [
        (one.name, one.provider, one.model or "", one.base_url, _key_text(session, one))
        for one in found
    ]
    show_table([session.say(f"column.{name}") for name in columns], rows, whole=(0, 1))


def _key_text(session: Session, one: Connection) -> str:
    """Where the key is; never the key."""
    import os

    if one.key_env and os.environ.get(one.key_env):
        return session.say("key.variable", variable=one.key_env)
    if one.key_stored:
        return session.say("key.stored")
    if one.key_env:
        return session.say("key.variable_unset", variable=one.key_env)
    return session.say("key.none")


@command(app, "show")
def show(ctx: typer.Context, name: Name) -> None:
    """All fields of one connection."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.connections.get(name)
    either(session, found, lambda: show_pairs(_pairs(session, found)))


def _pairs(session: Session, one: Connection) -> list[tuple[str, object]]:
    price = one.price
    pairs: list[tuple[str, object]] = [
        ("name", one.name),
        ("provider", f"{one.provider} ({one.protocol})"),
        ("base_url", one.base_url),
        ("model", one.model or ""),
        ("key", _key_text(session, one)),
        ("price", price and f"{price.input_usd:g} / {price.output_usd:g} USD"),
        ("rpm", one.limits.requests_per_min),
        ("tpm", one.limits.tokens_per_min),
        ("concurrency", one.limits.concurrency),
        ("timeouts", f"{one.timeouts.connect_s:g} s / {one.timeouts.total_s:g} s"),
        ("proxy", one.proxy),
        ("ca_file", one.ca_file),
        ("headers", ", ".join(one.headers)),
        ("extra", hidden.shown(one.extra) or ""),
    ]
    return [(session.say(f"column.{name}"), text) for name, text in pairs if text not in (None, "")]


OPTIONS = {
    "name": Name,
    "provider": flags.Provider,
    "base_url": flags.BaseUrl,
    "model": flags.Model,
    "api_key_env": flags.KeyVariable,
    "proxy": flags.Proxy,
    "ca_file": flags.CaFile,
    "timeout": flags.Timeout,
    "connect_timeout": flags.ConnectTimeout,
    "price_input": flags.PriceInput,
    "price_output": flags.PriceOutput,
    "price_cached": flags.PriceCached,
    "header": Header,
    "extra": flags.Extra,
    "rpm": Rpm,
    "tpm": Tpm,
    "concurrency": Concurrency,
}
"""What `add` and `update` take."""


def add(ctx: typer.Context, name: str, **given: Any) -> None:
    """Stores a connection."""
    session: Session = ctx.obj
    fields = _fields(given)
    with session.studio() as studio, flags.named_by_flag():
        made = studio.connections.add(name, **fields)
    either(session, made, lambda: print(session.say("cli.connections.added", name=name)))


def update(ctx: typer.Context, name: str, **given: Any) -> None:
    """Changes what is given, and nothing else."""
    session: Session = ctx.obj
    fields = _fields(given)
    with session.studio() as studio, flags.named_by_flag():
        made = studio.connections.update(name, **fields)
    either(session, made, lambda: print(session.say("cli.connections.updated", name=name)))


for run in (add, update):
    sign(run, OPTIONS)
    command(app, run.__name__)(run)


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    fields = flags.endpoint_fields(given)
    if given["model"] is not None:
        fields["model"] = given["model"]
    if given["extra"]:
        fields["extra"] = flags.json_pairs(given["extra"])
    if given["header"]:
        pairs = (text.partition("=") for text in given["header"])
        fields["headers"] = {name: value for name, _, value in pairs}
    for limit in ("rpm", "tpm", "concurrency"):
        if given[limit] is not None:
            fields[limit] = flags.whole_of(given[limit], f"--{limit}", least=1)
    return fields


@command(app, "delete")
def delete(ctx: typer.Context, name: Name, yes: flags.Yes = False) -> None:
    """With its key."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.connections.get(name)
        if not confirmed(session.say("cli.delete.ask", name=name), session, yes=yes):
            return
        studio.connections.delete(name)
    either(session, {"deleted": name}, lambda: print(session.say("cli.deleted", name=name)))


@command(app, "set-key")
def set_key(ctx: typer.Context, name: Name) -> None:
    """The key is typed unseen or piped in; it is never a word of the command line."""
    session: Session = ctx.obj
    with session.studio() as studio:
        studio.connections.get(name)
        studio.connections.set_key(name, flags.key_from_terminal(session, "cli.key_prompt"))
    either(session, {"stored": name}, lambda: print(session.say("cli.key_stored", name=name)))


@command(app, "models")
def models(ctx: typer.Context, name: Name) -> None:
    """What the endpoint offers."""
    session: Session = ctx.obj
    with session.studio() as studio:
        found = studio.connections.models(name)
    either(session, found, lambda: print("\n".join(found) or session.say("cli.models.none")))


@command(app, "test")
def test(ctx: typer.Context, name: Name) -> None:
    """A few short calls: what works there."""
    session: Session = ctx.obj
    with session.studio() as studio:
        connection = studio.connections.get(name)
        found = studio.connections.trial(connection)
    if session.json:
        show_json(trial_json(found, session))
    else:
        show_pairs(trial_pairs(found, session))
    if found.error is not None:
        raise typer.Exit(1)


def trial_json(trial: Trial, session: Session) -> dict[str, Any]:
    """A trial with its errors as messages."""
    errors = {"error": trial.error, "models_error": trial.models_error}
    return {
        "models": trial.models,
        "answered": trial.answered,
        "latency_s": trial.latency_s,
        "mode": trial.mode,
        **{name: one and one.message(session.language) for name, one in errors.items()},
    }


def trial_pairs(trial: Trial, session: Session) -> list[tuple[str, object]]:
    """What a trial found, in words."""
    if trial.models is not None:
        some = ", ".join(trial.models[:8]) + (" …" if len(trial.models) > 8 else "")
        listed = session.say("trial.listed", n=len(trial.models), models=some)
    else:
        cause = trial.models_error.message(session.language) if trial.models_error else ""
        listed = session.say("trial.no_models", cause=cause)
    if trial.error is not None:
        answer = trial.error.message(session.language)
    else:
        answer = session.say("trial.answered", ms=f"{(trial.latency_s or 0) * 1000:.0f}")
    mode = session.say(f"mode.{trial.mode or 'none'}")
    pairs = [("models", listed), ("answer", answer)]
    if trial.answered:
        pairs.append(("structured", mode))
    return [(session.say(f"column.{name}"), text) for name, text in pairs]
