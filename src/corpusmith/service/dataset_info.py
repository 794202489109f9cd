"""LLaMA-Factory's `dataset_info.json`: entries merged into it, all others as they were.

Owns: reading it, merging, its bytes. Does not own: what an entry says (exporters), placing the file
(`exports/file_set.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from corpusmith.errors import UsageError
from corpusmith.values import Json

USUAL = "dataset_info.json"

Entries = dict[str, Json]


def merged(path: Path, new: Mapping[str, Mapping[str, Json]]) -> bytes:
    """The bytes of the file at `path` with these entries in it. Nothing is written.

    An entry of the same name is replaced if it speaks of the same file. Raises UsageError: the file
    cannot be read as one object, a name stands there for another file or is none that can be asked
    for.
    """
    entries = _entries(path)
    for name, entry in new.items():
        if name != entry_name(name):
            raise UsageError("export_info_name", name=name[:60])
        there = entries.get(name)
        if there is not None and not _same_file(there, entry):
            raise UsageError("export_info_taken", name=name, file=str(path))
        entries[name] = dict(entry)
    # LLaMA-Factory opens it with the platform's encoding, so there is nothing but ASCII in it.
    return json.dumps(entries, indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def entry_name(stem: str) -> str:
    """A name for a file's entry: LLaMA-Factory takes several, with commas between them."""
    return stem.replace(",", "_").strip() or "data"


def relative(file: Path, info: Path) -> str:
    """How an entry of `info` names `file`: from `info`'s folder, with forward slashes."""
    folder = os.path.realpath(info.parent)
    return Path(os.path.relpath(os.path.realpath(file), folder)).as_posix()


def _entries(path: Path) -> Entries:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        found = json.loads(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError("export_info_unreadable", file=str(path), cause=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise UsageError("export_info_broken", file=str(path)) from error
    if not isinstance(found, dict):
        raise UsageError("export_info_broken", file=str(path))
    return found


def _same_file(there: Json, entry: Mapping[str, Json]) -> bool:
    return isinstance(there, dict) and there.get("file_name") == entry.get("file_name")
