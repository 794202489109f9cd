"""The simulator: an offline endpoint that speaks the three protocols, with faults on demand.

Its public face. What it writes is marked with the header `x-simulated-by: corpusmith`.
"""

from __future__ import annotations

from corpusmith.simulator.config import FAULTS, STANDING_FAULTS, SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.simulator.thread import Running, run_in_thread, serve_forever

__all__ = [
    "FAULTS",
    "STANDING_FAULTS",
    "Running",
    "Simulator",
    "SimulatorConfig",
    "run_in_thread",
    "serve_forever",
]
