"""`corpusmith simulate`: an endpoint that makes everything up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from corpusmith.cli import flags
from corpusmith.cli.command import command, group
from corpusmith.cli.session import Session
from corpusmith.errors import UsageError

app = group("")


@command(app, "simulate")
def simulate(
    ctx: typer.Context,
    port: Annotated[str, flags.option("--port", "port", "N", "serve")] = "8099",
    host: Annotated[str, flags.option("--host", "host", "ADDRESS", "serve")] = "127.0.0.1",
    model: Annotated[
        list[str] | None, flags.option("--model", "sim_model", "NAME", "serve")
    ] = None,
    seed: Annotated[str | None, flags.option("--seed", "sim_seed", "N", "serve")] = None,
    repeats: Annotated[
        str, flags.option("--repeats", "sim_repeats", "vary|same", "serve")
    ] = "vary",
    require_key: Annotated[
        str | None, flags.option("--require-key-env", "require_key", "VARIABLE", "serve")
    ] = None,
    record: Annotated[str | None, flags.option("--record", "record", "N", "serve")] = None,
    max_body_bytes: Annotated[
        str | None, flags.option("--max-body-bytes", "max_body_bytes", "N", "serve")
    ] = None,
    latency_ms: Annotated[
        str | None, flags.option("--latency-ms", "latency_ms", "MS", "speed")
    ] = None,
    jitter: Annotated[str | None, flags.option("--jitter", "jitter", "0..1", "speed")] = None,
    tail_rate: Annotated[
        str | None, flags.option("--tail-rate", "tail_rate", "0..1", "speed")
    ] = None,
    tail_factor: Annotated[
        str | None, flags.option("--tail-factor", "tail_factor", "X", "speed")
    ] = None,
    rpm: Annotated[str | None, flags.option("--rpm", "sim_rpm", "N", "speed")] = None,
    tpm: Annotated[str | None, flags.option("--tpm", "sim_tpm", "N", "speed")] = None,
    burst_s: Annotated[str | None, flags.option("--burst-s", "burst_s", "S", "speed")] = None,
    max_in_flight: Annotated[
        str | None, flags.option("--max-in-flight", "max_in_flight", "N", "speed")
    ] = None,
    no_retry_after: Annotated[
        bool, flags.option("--no-retry-after", "no_retry_after", panel="speed")
    ] = False,
    fault: Annotated[
        list[str] | None, flags.option("--fault", "fault", "NAME=RATE", "faults")
    ] = None,
    fault_seed: Annotated[
        str | None, flags.option("--fault-seed", "fault_seed", "N", "faults")
    ] = None,
) -> None:
    """Serves until Ctrl-C."""
    from corpusmith.service.simulating import serve

    session: Session = ctx.obj
    given = dict(locals())
    options = {name: read(given, name) for name, read in _READ.items() if given[name] is not None}
    if fault:
        options["faults"] = dict(_fault(text) for text in fault)
    if no_retry_after:
        options["retry_after"] = False
    options["repeats"] = repeats
    options |= _named(model, require_key)
    number = flags.whole_of(port, "--port", least=0)

    def say(url: str) -> None:
        text = session.say("simulator.ready", openai=f"{url}/v1", gemini=url, anthropic=url)
        print(text, file=sys.stderr, flush=True)

    serve(options, host, number, say)


def _whole(given: dict[str, Any], name: str) -> Any:
    return flags.whole_of(given[name], _flag(name))


def _number(given: dict[str, Any], name: str) -> Any:
    return flags.number_of(given[name], _flag(name))


def _fault(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    return name, flags.number_of(rate, "--fault")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


_WHOLE = ("seed", "record", "max_body_bytes", "rpm", "tpm", "max_in_flight", "fault_seed")
_NUMBERS = ("latency_ms", "jitter", "tail_rate", "tail_factor", "burst_s")
_READ: dict[str, Callable[[dict[str, Any], str], Any]] = {
    **dict.fromkeys(_WHOLE, _whole),
    **dict.fromkeys(_NUMBERS, _number),
}


def _named(model: list[str] | None, require_key: str | None) -> dict[str, Any]:
    import os

    options: dict[str, Any] = {}
    if model:
        options["models"] = tuple(model)
    if require_key is not None:
        key = os.environ.get(require_key)
        if not key:
            raise UsageError("cli_variable_unset", option="--require-key-env", variable=require_key)
        options["require_key"] = key
    return options
