"""`selfplay`: questions, answers and their refinement.

Owns: from the words of the line to a self-play task. Does not own: options that all tasks share
(`flags.py`), driving a task (`making.py`), domains (`domains.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from corpusmith.cli import flags
from corpusmith.cli.command import group
from corpusmith.cli.making import task_command
from corpusmith.errors import UsageError
from corpusmith.messages import LANGUAGES
from corpusmith.values import Json

app = group("")

_OWN: dict[str, Any] = {
    "count": Annotated[
        flags.Text, flags.option("--num-entries --count -n", "selfplay_num_entries", "N", "what")
    ],
    "refinement_iterations": Annotated[
        flags.Text,
        flags.option("--refinement-iterations", "selfplay_refinement_iterations", "N", "what"),
    ],
    "domain": Annotated[
        flags.Text, flags.option("--domain", "selfplay_domain", "NAME|FILE", "what")
    ],
    "language": Annotated[
        flags.Text, flags.option("--language", "selfplay_language", "zh|en", "what")
    ],
    "stop_when_satisfied": Annotated[
        bool, flags.option("--stop-when-satisfied", "selfplay_stop_when_satisfied", panel="what")
    ],
    "satisfied_score": Annotated[
        flags.Text, flags.option("--satisfied-score", "selfplay_satisfied_score", "1-10", "what")
    ],
    "role": Annotated[flags.Many, flags.option("--role", "selfplay_role", "ROLE=NAME", "endpoint")],
    "role_model": Annotated[
        flags.Many, flags.option("--role-model", "selfplay_role_model", "ROLE=MODEL", "endpoint")
    ],
    "temperature": Annotated[
        flags.Text, flags.option("--temperature", "selfplay_temperature", "X", "sampling")
    ],
    "max_tokens_answer": Annotated[
        flags.Text,
        flags.option("--max-tokens-answer", "selfplay_max_tokens_answer", "N", "sampling"),
    ],
    "max_tokens_other": Annotated[
        flags.Text,
        flags.option("--max-tokens-other", "selfplay_max_tokens_other", "N", "sampling"),
    ],
    "max_attempts_multiplier": Annotated[
        flags.Text,
        flags.option("--max-attempts-multiplier", "selfplay_max_attempts", "X", "limits"),
    ],
    "output": Annotated[
        flags.Text, flags.option("--output-file --output -o", "selfplay_output", "FILE|-", "result")
    ],
}
_NAMES = {"count": "--num-entries", "models": "--role-model", "output": "--output-file"}
_LEFT_OUT = ("max_tokens", *(name for name in _OWN if name in flags.COMMON))
_SAME = (
    *("refinement_iterations", "domain", "satisfied_score"),
    *("max_tokens_answer", "max_tokens_other"),
)


def _fields(given: Mapping[str, Any]) -> dict[str, Json]:
    fields: dict[str, Json] = {"recipe": "selfplay"}
    fields |= {name: given[name] for name in _SAME if given[name] is not None}
    if given["stop_when_satisfied"]:
        fields["stop_when_satisfied"] = True
    if given["role_model"]:
        fields["models"] = dict(_role_model(text) for text in given["role_model"])
    return fields | _output(given)


def _role_model(text: str) -> tuple[str, str]:
    role, equals, model = text.partition("=")
    if not (role and equals and model):
        raise UsageError("selfplay_role_model", text=text[:60])
    return role, model


def _output(given: Mapping[str, Any]) -> dict[str, Json]:
    """Without a file of the user's choice: the domain's own, here."""
    if given["output"] is not None:
        return {}
    from corpusmith.service.domains import find_domain
    from corpusmith.service.suffixes import FORMAT_OF_SUFFIX

    language = given["language"] if given["language"] in LANGUAGES else None
    name = find_domain(given["domain"], language).file_name
    if given["format"] in FORMAT_OF_SUFFIX.values():
        name = str(Path(name).with_suffix(f".{given['format']}"))
    return flags.output_fields(name, given["format"])


task_command(app, "selfplay", own=_OWN, fields=_fields, leave_out=_LEFT_OUT, names=_NAMES)
