"""`python -m corpusmith.simulator`: the server alone, for benches and kill tests.

Owns: its flags. The product's command is `corpusmith simulate`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields

from corpusmith.errors import UsageError
from corpusmith.messages import language_of, say
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import serve_forever

_NUMBERS: tuple[tuple[str, type], ...] = (
    ("seed", int),
    ("latency-ms", float),
    ("jitter", float),
    ("tail-rate", float),
    ("tail-factor", float),
    ("rpm", int),
    ("tpm", int),
    ("burst-s", float),
    ("max-in-flight", int),
    ("fault-seed", int),
    ("record", int),
)


def parser() -> argparse.ArgumentParser:
    """The flags: one for each field of SimulatorConfig, and where to listen."""
    found = argparse.ArgumentParser(prog="python -m corpusmith.simulator", allow_abbrev=False)
    found.add_argument("--host", default="127.0.0.1")
    found.add_argument("--port", type=int, default=8099)
    for name, kind in _NUMBERS:
        found.add_argument(f"--{name}", type=kind)
    found.add_argument("--no-retry-after", dest="retry_after", action="store_const", const=False)
    found.add_argument("--repeats", choices=("same", "vary"))
    found.add_argument("--require-key")
    found.add_argument("--model", dest="models", action="append")
    found.add_argument("--fault", dest="faults", action="append", metavar="NAME=RATE", type=_rate)
    return found


def config_of(options: argparse.Namespace) -> SimulatorConfig:
    """The options that were given; the rest by default. Raises SpecError."""
    given = {
        one.name: getattr(options, one.name)
        for one in fields(SimulatorConfig)
        if getattr(options, one.name, None) is not None
    }
    if "models" in given:
        given["models"] = tuple(given["models"])
    if "faults" in given:
        given["faults"] = dict(given["faults"])
    return SimulatorConfig(**given)


def announcement(url: str) -> str:
    """One line with the base URL of each protocol."""
    return say("simulator.ready", language_of(), openai=f"{url}/v1", gemini=url, anthropic=url)


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        config = config_of(options)
        serve_forever(
            config,
            options.host,
            options.port,
            say=lambda url: print(announcement(url), flush=True),
        )
    except UsageError as error:
        print(error.message(language_of()), file=sys.stderr)
        return 2
    except OSError as error:
        text = say(
            "simulator.cannot_listen",
            language_of(),
            host=options.host,
            port=options.port,
            cause=error.strerror or error,
        )
        print(text, file=sys.stderr)
        return 1
    return 0


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    return name, float(rate)


if __name__ == "__main__":
    sys.exit(main())
