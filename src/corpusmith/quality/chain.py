"""Runs several checks as one.

Owns: their order and the name of the one that failed. Does not own: the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from corpusmith import registry
from corpusmith.contracts import Check
from corpusmith.errors import SpecError
from corpusmith.values import PASS, Draft, Verdict


def build(
    names: Sequence[str], options: Mapping[str, Mapping[str, Any]]
) -> Callable[[Draft], Verdict]:
    """A check that runs `names` from cheap to dear and stops at the first that fails.

    The order is the registry's, whatever order is asked for. `options`: name -> keyword arguments.
    The verdict's detail says under `check` which one failed. No names: everything passes.
    Raises NotFound for an unknown name, SpecError for options that a check does not take.
    """
    checks = tuple(_make(name, options.get(name, {})) for name in _in_order(names))

    def run(draft: Draft) -> Verdict:
        for check in checks:
            verdict = check(draft)
            if not verdict.passed:
                return replace(verdict, detail={"check": check.name, **verdict.detail})
        return PASS

    return run


def _in_order(names: Sequence[str]) -> list[str]:
    """Each name once; the registry's table is written from cheap to dear, plug-ins come last."""
    order = {name: at for at, name in enumerate(registry.names("check"))}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


def _make(name: str, options: Mapping[str, Any]) -> Check:
    factory = registry.load("check", name)
    try:
        check: Check = factory(**options)
    except TypeError as error:
        raise SpecError(
            "check_options", name=name, options=", ".join(sorted(options)), problem=str(error)
        ) from error
    return check
