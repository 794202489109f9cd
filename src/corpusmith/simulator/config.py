"""What a simulator can be told: every option, its default and its bounds.

Owns: the options and the names of the faults. Does not own: what a fault does (`faults.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from corpusmith.errors import SpecError

MIB = 1024 * 1024

FAULTS: tuple[str, ...] = (
    "rate_limit",
    "rate_limit_bare",
    "error_500",
    "error_503",
    "error_529",
    "hang",
    "drip",
    "reset",
    "cut_json",
    "fences",
    "think",
    "empty_content",
    "empty_choices",
    "invalid_utf8",
    "html",
    "truncation",
    "refusal",
    "refusal_text",
    "wrong_schema",
)
"""Faults of one request; `all=0.2` shares 20% evenly among them."""

STANDING_FAULTS: tuple[str, ...] = ("reject_response_format", "reject_json_schema", "bad_key")
"""What an endpoint *is*, rather than what happens to a request; not part of `all`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """All options. Raises SpecError for a value out of bounds."""

    seed: int = 0
    """The same seed and the same request give the same reply."""
    repeats: Literal["same", "vary"] = "same"
    """`vary`: a request that comes again is answered in other words, as a model would; not at
    temperature 0."""
    models: tuple[str, ...] = ("sim-chat", "sim-chat-mini", "sim-reasoner")
    """What the model lists show; a chat may name any model."""
    latency_ms: float = 0.0
    """Mean time to the reply, the tail not counted."""
    jitter: float = 0.0
    """Share of `latency_ms` by which a reply may come earlier or later, evenly (0 to 1)."""
    tail_rate: float = 0.0
    """Share of the requests that take `tail_factor` times as long."""
    tail_factor: float = 30.0
    rpm: int | None = None
    """Hidden limit of requests a minute."""
    tpm: int | None = None
    """Hidden limit of tokens a minute, prompt and completion together."""
    burst_s: float = 1.0
    """Seconds' worth of `rpm` and `tpm` that an idle client may take at once."""
    retry_after: bool = True
    """Whether the 429 of a hidden limit says how long to wait."""
    max_in_flight: int | None = None
    """Open chats above this are refused with 503 (Anthropic: 529)."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Rate by fault name, or by `all`."""
    fault_seed: int = 0
    require_key: str | None = field(default=None, repr=False)
    """The only key that is let in; None: any key, or none."""
    record: int = 0
    """How many requests `/__requests` keeps."""
    max_body_bytes: int = 32 * MIB

    def __post_init__(self) -> None:
        if self.repeats not in ("same", "vary"):
            raise SpecError("simulator_repeats", value=self.repeats)
        for name in ("jitter", "tail_rate"):
            _within(name, getattr(self, name), 0, 1)
        for name in ("latency_ms", "record", "max_body_bytes"):
            _within(name, getattr(self, name), 0, None)
        for name in ("rpm", "tpm", "max_in_flight"):
            _within(name, getattr(self, name), 1, None)
        _within("tail_factor", self.tail_factor, 1, None)
        _within("burst_s", self.burst_s, 0, None)
        _within("fault", sum(self.fault_rates().values()), 0, 1)

    def fault_rates(self) -> dict[str, float]:
        """Rate by fault of one request, `all` shared out. Raises SpecError for a wrong one."""
        rates = {name: rate for name, rate in self.faults.items() if name in FAULTS}
        for name, rate in self.faults.items():
            if name != "all" and name not in FAULTS and name not in STANDING_FAULTS:
                known = ", ".join(("all", *FAULTS, *STANDING_FAULTS))
                raise SpecError("simulator_fault", name=name, known=known)
            _within(f"fault {name}", rate, 0, 1)
        share = self.faults.get("all", 0.0) / len(FAULTS)
        if share:
            rates = {name: rates.get(name, 0.0) + share for name in FAULTS}
        return rates


def _within(name: str, value: float | None, low: float, high: float | None) -> None:
    if value is None:
        return
    # Not `value < low`: a NaN must not pass. The sum of many rates may be a hair above 1.
    if not value >= low or (high is not None and value > high + 1e-9):
        raise SpecError("simulator_bounds", name=name, value=value, bounds=_bounds(low, high))


def _bounds(low: float, high: float | None) -> str:
    return f">= {low:g}" if high is None else f"{low:g} … {high:g}"
