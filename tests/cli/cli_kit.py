"""What the tests of the command line have in common."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ENDPOINT_VARIABLES = re.compile(r"(OPENAI|GEMINI|ANTHROPIC|CORPUSMITH)_|LC_|LANG|.*_PROXY$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command line gave back."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


def clean_environment(home: Path) -> dict[str, str]:
    """This process's variables without any that would change what is tested."""
    kept = {k: v for k, v in os.environ.items() if not ENDPOINT_VARIABLES.match(k.upper())}
    return {**kept, "CORPUSMITH_HOME": str(home), "CORPUSMITH_LANG": "en", "COLUMNS": "80"}
