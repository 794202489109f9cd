"""Which records: the options that export, check, report and review share.

Owns: those options, and from their values to a Selection. Does not own: reading records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast, get_args

from corpusmith import registry
from corpusmith.cli import flags
from corpusmith.errors import UsageError
from corpusmith.values import ReviewState, Selection

Text = str | None
_PANEL = "selection"

SELECTION: dict[str, Any] = {
    "scenario": Annotated[Text, flags.option("--scenario", "only_scenario", "NAME", _PANEL)],
    "character": Annotated[Text, flags.option("--character", "only_character", "NAME", _PANEL)],
    "category": Annotated[Text, flags.option("--category", "only_category", "NAME", _PANEL)],
    "state": Annotated[
        Text, flags.option("--state", "only_state", "pending|approved|rejected", _PANEL)
    ],
    "min_rating": Annotated[Text, flags.option("--min-rating", "only_min_rating", "1–5", _PANEL)],
    "max_rating": Annotated[Text, flags.option("--max-rating", "only_max_rating", "1–5", _PANEL)],
    "min_score": Annotated[Text, flags.option("--min-score", "only_min_score", "1–5", _PANEL)],
    "max_score": Annotated[Text, flags.option("--max-score", "only_max_score", "1–5", _PANEL)],
    "tag": Annotated[Text, flags.option("--tag", "only_tag", "TAG", _PANEL)],
    "flag": Annotated[Text, flags.option("--flag", "only_flag", "CHECK|any", _PANEL)],
    "unflagged": Annotated[bool, flags.option("--unflagged", "only_unflagged", panel=_PANEL)],
}
"""Parameter → option. Commands made with `making.sign` take them as they are."""

_NUMBERS = ("min_rating", "max_rating", "min_score", "max_score")
_HIGHEST = 5
_NAMES = ("scenario", "character", "category", "tag", "flag")


def selection_of(
    given: Mapping[str, Any], *, task: int | None = None, dataset: str | None = None
) -> Selection:
    """The records of `task` or `dataset` that the options leave. Raises UsageError."""
    state = given.get("state")
    if state is not None and state not in get_args(ReviewState):
        known = ", ".join(get_args(ReviewState))
        raise UsageError("cli_state", value=state[:60], known=known)
    numbers: dict[str, Any] = {
        name: _mark(given[name], "--" + name.replace("_", "-"))
        for name in _NUMBERS
        if given.get(name) is not None
    }
    _refuse_unknown_check(given.get("flag"))
    names: dict[str, Any] = {name: given[name] for name in _NAMES if given.get(name) is not None}
    return Selection(
        task_id=task,
        dataset=dataset,
        state=cast(ReviewState | None, state),
        unflagged=bool(given.get("unflagged")),
        **numbers,
        **names,
    )


def _mark(text: str, option: str) -> float:
    """A rating or a score."""
    value = flags.number_of(text, option, least=1)
    if value > _HIGHEST:
        raise UsageError("cli_mark_high", option=option, most=_HIGHEST)
    return value


def _refuse_unknown_check(name: str | None) -> None:
    """A name that is mistyped would find nothing, and look as if nothing were flagged."""
    if name is not None and name != "any":
        known = registry.names("check")
        if name not in known:
            raise UsageError("cli_flag_unknown", value=name[:60], known=", ".join(known))
