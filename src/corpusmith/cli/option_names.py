"""What the service says of an export's options, in the words of the command line.

Owns: from `greeting="opener"` to `--greeting opener`. Does not own: the texts (the catalog), which
name options as Python has them: so each face is told in its own words by one text.
"""

from __future__ import annotations

import re
from typing import Any

from corpusmith.errors import CorpusmithError, UsageError

OURS = (
    *("system", "system_text", "reasoning", "greeting", "opener", "rounds", "refinement", "mend"),
    *("prompt_field", "answer_field", "good", "bad", "bom", "spreadsheet_safe", "on_refused"),
    *("pairs", "pairs_choose", "pairs_margin", "balance", "split", "seed", "manifest"),
    *("dataset_info", "dataset_info_name", "shape", "licence", "title", "card_language"),
    *("scenario", "character", "category", "state", "tag", "flag", "unflagged"),
    *("min_rating", "max_rating", "min_score", "max_score", "dataset", "task", "private"),
)
"""Called the same on the command line, but for the hyphens."""
OTHERS = {"form": "--format", "path": "--output"}
_NAMED = (
    *("export_option", "export_option_text", "export_option_number"),
    *("export_option_unknown", "export_option_none", "export_pairs_beside"),
)
"""Errors whose data names an option."""
_TOLD = ("export_", "push_")
"""How the errors begin that tell of these options."""
_OPTION = re.compile(
    rf"(?<![\w-])({'|'.join((*OURS, *OTHERS))})="
    r"""("[^"]*"|True|…|(?:(?<=rating=)|(?<=score=)|(?<=margin=))[0-9.]+)"""
)


def options_named(text: str) -> str:
    """`text` with options as they are typed."""
    return _OPTION.sub(lambda found: _typed(found[1], found[2]), text)


def flag(name: str) -> str:
    """The option of a field."""
    return OTHERS.get(name, "--" + name.replace("_", "-"))


def speaks_of_options(error: CorpusmithError) -> bool:
    """Whether the error's text may name an export's options."""
    return error.reason.startswith(_TOLD)


def in_flags(error: CorpusmithError) -> CorpusmithError:
    """The error, its options named as they are typed."""
    if error.reason not in _NAMED:
        return error
    data: dict[str, Any] = {**error.data, "name": flag(str(error.data["name"]))}
    if error.reason == "export_option_unknown":
        data["known"] = ", ".join(flag(name) for name in str(data["known"]).split(", "))
    return UsageError(error.reason, **data)


def _typed(name: str, value: str) -> str:
    if name == "dataset_info" and value != "True":
        return "--dataset-info-file"
    if value in ("True", "…"):
        return flag(name)
    plain = value.strip('"')
    return f"{flag(name)} {plain if plain and ' ' not in plain else value}"
