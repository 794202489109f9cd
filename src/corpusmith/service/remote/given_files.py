"""Files of this machine that a task, chain or check names: sent, and named as they are there.

Owns: which fields may name one. Does not own: sending (`wire.py`), what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpusmith.places import PREFIX
from corpusmith.service.remote.wire import Wire
from corpusmith.values import Json

FIELDS = frozenset(
    {"characters", "template", "input", "history", "of", "rubric", "domain", "path", "file"}
    | {"files", "lists"}
)
"""Fields whose texts may be the path of a file. A name that is no file's stays a name."""
INSIDE = frozenset({"categories", "steps", "checks", "judge", "contamination", "sensitive"})
"""Fields that hold more of them."""


def sendable(wire: Wire, fields: Mapping[str, Json]) -> dict[str, Any]:
    """The fields, with `upload:…` for each file of this machine. Raises UsageError (unreadable)."""
    return {name: _sent(wire, name, one) for name, one in fields.items()}


def _sent(wire: Wire, name: str, value: Any) -> Any:
    if isinstance(value, Path):
        return wire.upload(value)
    if isinstance(value, str) and name in FIELDS:
        return wire.upload(value) if is_file(value) else value
    if isinstance(value, (list, tuple)) and name in FIELDS | INSIDE:
        return [_sent(wire, name, one) for one in value]
    if isinstance(value, Mapping) and name in FIELDS | INSIDE:
        return sendable(wire, value)
    return value


def is_file(text: str) -> bool:
    """Whether a text names a file here; what cannot be a path is none."""
    try:
        return not text.startswith(PREFIX) and os.path.isfile(Path(text).expanduser())
    except (OSError, ValueError, RuntimeError):
        return False
