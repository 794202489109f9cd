"""Use-cases of the simulator: serve it, or run it beside a demo.

Owns: nothing but the door. Does not own: the simulator.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from corpusmith.errors import UsageError
from corpusmith.service.task_file import EndpointPart, PricePart


def serve(options: Mapping[str, Any], host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `options` are those of SimulatorConfig.

    `say` gets the server's URL once it listens. Raises SpecError, UsageError.
    """
    from corpusmith.simulator import SimulatorConfig, serve_forever

    try:
        serve_forever(SimulatorConfig(**options), host, port, say=say)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        cause = os.strerror(number) if number else str(error)
        raise UsageError("cannot_listen", host=host, port=port, cause=cause) from error


@contextmanager
def simulated_endpoint(latency_ms: float = 0.0) -> Iterator[EndpointPart]:
    """An endpoint in this process that makes everything up."""
    from corpusmith.simulator import SimulatorConfig, run_in_thread

    with run_in_thread(SimulatorConfig(latency_ms=latency_ms, jitter=0.5)) as running:
        free = PricePart(input=0, output=0)
        yield EndpointPart(base_url=f"{running.url}/v1", model="sim-chat", price=free)
