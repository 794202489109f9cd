"""The options of exporters and containers, by name.

Owns: which values an option takes, and reading them from a user's words. Does not own: what an
option does; which exporter has it (its constructor says that).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from corpusmith.errors import UsageError
from corpusmith.values import Json

Values = tuple[str, ...] | type[bool] | type[str] | type[float]

OPTIONS: Mapping[str, Values] = {
    "system": ("none", "character", "own"),
    "system_text": str,
    "reasoning": bool,
    "greeting": ("refuse", "opener", "system"),
    "opener": str,
    "rounds": ("history", "single"),
    "refinement": ("final", "steps"),
    "mend": bool,
    "prompt_field": str,
    "answer_field": str,
    "good": float,
    "bad": float,
    "bom": bool,
    "spreadsheet_safe": bool,
}
WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def checked(name: str, value: Json) -> Json:
    """`value` as option `name` has it; words such as `on` and `4` are read.

    Raises UsageError naming what the option takes.
    """
    values = OPTIONS[name]
    if isinstance(values, tuple):
        return _one_of(name, value, values)
    if values is bool:
        return _flag(name, value)
    if values is float:
        return _number(name, value)
    if not isinstance(value, str):
        raise UsageError("export_option_text", name=name, value=_shown(value))
    return value


def _one_of(name: str, value: Json, known: Sequence[str]) -> str:
    if isinstance(value, str) and value in known:
        return value
    if name == "system":
        raise UsageError("export_system", value=_shown(value), known=", ".join(known))
    raise UsageError("export_option", name=name, value=_shown(value), known=", ".join(known))


def _flag(name: str, value: Json) -> bool:
    found = value if isinstance(value, bool) else WORDS.get(str(value).strip().lower())
    if found is None:
        raise UsageError("export_option", name=name, value=_shown(value), known="true, false")
    return found


def _number(name: str, value: Json) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError("export_option_number", name=name, value=_shown(value))
    return number


def _shown(value: Json) -> str:
    return str(value)[:60]
