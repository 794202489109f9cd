"""Runs several checks as one.

Owns: their order, what becomes of their verdicts, and the name of the one that failed. Does not
own: the checks; whose turn it is to be compared (the engine).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from corpusmith import registry
from corpusmith.contracts import Ask, AskingCheck, Check, CheckContext, ComparingCheck, Earlier
from corpusmith.errors import SpecError
from corpusmith.quality.personal import covered
from corpusmith.values import Draft, Json, Miss, Verdict

_AT_ONCE = 2000
"""Records that each check learns together: one pass over them serves all checks."""

Options = Mapping[str, Mapping[str, Any]]
"""check → its keyword arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Fits contracts.Checks. Stops at the first check that turns a draft down."""

    plain: Sequence[Check]
    askers: Sequence[AskingCheck]
    comparers: Sequence[ComparingCheck]

    @property
    def asking(self) -> bool:
        return bool(self.askers)

    @property
    def comparing(self) -> bool:
        return bool(self.comparers)

    def own(self, draft: Draft) -> Draft | Miss:
        """See contracts.Checks."""
        verdicts = dict(draft.verdicts)
        for check in self.plain:
            verdict = _told(check(draft))
            if not verdict.passed:
                return turned_down(check.name, verdict, draft)
            verdicts[check.name] = verdict
            draft = _masked(draft, verdict)
        return replace(draft, verdicts=verdicts)

    def masked(self, draft: Draft) -> Draft:
        """The draft with everything masked that its checks mask, whether it passes them or not."""
        for check in self.plain:
            if mask := getattr(check, "masked", None):
                draft = replace(draft, content=mask(draft))
        return draft

    async def asked(self, draft: Draft, ask: Ask) -> Draft | Miss:
        """See contracts.Checks."""
        for check in self.askers:
            verdict = _told(await check.ask_about(draft, ask))
            if not verdict.passed:
                return turned_down(check.name, verdict, draft)
            draft = _noted(draft, check.name, verdict)
        return draft

    def learn(self, earlier: Iterable[Earlier]) -> None:
        """See contracts.Checks."""
        waiting = iter(earlier)
        while some := list(islice(waiting, _AT_ONCE)):
            for check in self.comparers:
                check.learn(some)
        for check in self.comparers:
            if settle := getattr(check, "settle", None):
                settle()

    async def compared(self, draft: Draft, place: str, ask: Ask) -> Draft | Miss:
        """See contracts.Checks."""
        for check in self.comparers:
            verdict = _told(await check.compare(draft, ask))
            if not verdict.passed:
                return turned_down(check.name, verdict, draft)
            draft = _noted(draft, check.name, verdict)
        for check in self.comparers:
            check.remember(place, draft)
        return draft


def build(options: Options, context: CheckContext) -> Chain:
    """The checks of `options`, from cheap to dear: the registry's order, whatever is asked for.

    Raises NotFound for an unknown name, SpecError for options that a check does not take.
    """
    made = [_make(name, options[name], context) for name in in_order(options)]
    return Chain(
        plain=[one for one in made if not isinstance(one, AskingCheck | ComparingCheck)],
        askers=[one for one in made if isinstance(one, AskingCheck)],
        comparers=[one for one in made if isinstance(one, ComparingCheck)],
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once; the registry's table is written from cheap to dear, plug-ins come last."""
    order = {name: at for at, name in enumerate(registry.names("check"))}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


def turned_down(name: str, verdict: Verdict, draft: Draft) -> Miss:
    """The sample that a check rejected; `check` in its detail says which one."""
    detail = {"check": name, **verdict.detail}
    return Miss(kind="rejected", reason=verdict.reason, detail=detail, raw=draft.raw, fresh=True)


def _told(verdict: Verdict) -> Verdict:
    """`verdict` as it may be kept: what a check quotes of a text may hold a number or a key, which
    stays in the draft's raw text alone."""
    if not verdict.detail:
        return verdict
    return replace(verdict, detail={key: _safe(value) for key, value in verdict.detail.items()})


def _safe(value: Json) -> Json:
    if isinstance(value, list | tuple):
        return [_safe(one) for one in value]
    return covered(value) if isinstance(value, str) else value


def _noted(draft: Draft, name: str, verdict: Verdict) -> Draft:
    noted = replace(draft, verdicts={**draft.verdicts, name: verdict})
    return _masked(noted, verdict)


def _masked(draft: Draft, verdict: Verdict) -> Draft:
    return draft if verdict.content is None else replace(draft, content=verdict.content)


def _make(name: str, options: Mapping[str, Any], context: CheckContext) -> Any:
    factory = registry.load("check", name)
    given: dict[str, Any] = dict(options)
    if "context" in inspect.signature(factory).parameters:
        given["context"] = context
    try:
        return factory(**given)
    except TypeError as error:
        known = [one for one in inspect.signature(factory).parameters if one != "context"]
        foreign = sorted(set(options) - set(known)) or sorted(options)
        raise SpecError(
            "check_options",
            name=name,
            options=", ".join(map(str, foreign)),
            known=", ".join(known) or "–",
            problem=str(error),
        ) from error
