"""A task in a YAML file: read, with its paths made to start from the file's own folder.

Owns: the file. Does not own: the fields (`task_file.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from corpusmith.errors import SpecError
from corpusmith.service.forms.form import endpoint_from_folder, from_folder
from corpusmith.service.task_file import TaskFile, form_of, recipe_in, task_file
from corpusmith.values import Json

MAX_BYTES = 16 * 1024 * 1024


def read_task_file(path: str | Path, **fields: Any) -> TaskFile:
    """The task of a YAML file, with `fields` in place of its own. Raises SpecError."""
    given = read_fields(path)
    # Absolute, so that a resume from another folder writes to the same place.
    folder = Path(path).absolute().parent
    return task_file({**fields_from_folder(given, folder), **fields}, source=str(path))


def read_fields(path: str | Path) -> dict[str, Json]:
    """The mapping that a YAML or JSON file holds. Raises SpecError naming the file and line."""
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        code = "file_is_folder" if file.is_dir() else "file_unreadable"
        raise SpecError(code, file=str(path), problem=error.strerror) from None
    if len(data) > MAX_BYTES:
        raise SpecError("file_too_large", file=str(path), limit=f"{MAX_BYTES >> 20} MiB")
    try:
        found = yaml.load(data, _Loader)  # noqa: S506  a SafeLoader
    except _KeyTwice as error:
        raise SpecError("file_yaml_twice", file=str(path), line=error.line, key=error.key) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise SpecError("file_yaml", file=str(path), line=line, problem=error.problem) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problem = str(error).partition("\n")[0]
        raise SpecError("file_yaml", file=str(path), line=1, problem=problem) from None
    if found is None:
        raise SpecError("file_empty", file=str(path))
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise SpecError("file_not_mapping", file=str(path))
    return found


class _KeyTwice(Exception):
    def __init__(self, key: str, line: int) -> None:
        super().__init__(key, line)
        self.key = key
        self.line = line


class _Loader(yaml.SafeLoader):
    """YAML 1.1's safe part; a key that stands twice is refused, not silently overwritten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                raise _KeyTwice(name, key.start_mark.line + 1)
            seen.add(name)
        return super().construct_mapping(node, deep)


def fields_from_folder(fields: dict[str, Json], folder: Path) -> dict[str, Json]:
    """A task's fields in a file of `folder`, with every path in them made to start from there."""
    changed = dict(fields)
    output = fields.get("output")
    if isinstance(output, str) and output != "-":
        changed["output"] = from_folder(output, folder)
    if "connection" in fields:
        changed["connection"] = endpoint_from_folder(fields["connection"], folder)
    roles = fields.get("roles")
    if isinstance(roles, dict):
        changed["roles"] = {name: endpoint_from_folder(one, folder) for name, one in roles.items()}
    return form_of(recipe_in(fields)).from_folder(changed, folder)
