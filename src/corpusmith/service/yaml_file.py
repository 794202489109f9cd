"""A task in a YAML file: read, with its paths made to start from the file's own folder.

Owns: the file. Does not own: the fields (`task_file.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from corpusmith.errors import SpecError
from corpusmith.messages import say
from corpusmith.places import from_folder, given_path
from corpusmith.service.checks import checks_from_folder
from corpusmith.service.forms.form import endpoint_from_folder
from corpusmith.service.task_file import TaskFile, form_of, recipe_in, task_file
from corpusmith.values import Json, Language

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 2_000_000
"""More than any file of this size has without references."""


def read_task_file(path: str | Path, **fields: Any) -> TaskFile:
    """The task of a YAML file, with `fields` in place of its own. Raises SpecError."""
    given = read_fields(path)
    # Absolute, so that a resume from another folder writes to the same place.
    folder = Path(path).absolute().parent
    return task_file({**fields_from_folder(given, folder), **fields}, source=str(path))


def read_fields(path: str | Path) -> dict[str, Json]:
    """The mapping that a YAML or JSON file holds. Raises SpecError naming the file and line."""
    file = given_path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        code = "file_is_folder" if os.path.isdir(file) else "file_unreadable"
        raise SpecError(code, file=str(path), problem=error.strerror) from None
    return _fields(data, path)


def fields_in(text: str, source: str = "YAML") -> dict[str, Json]:
    """The same of a text that was sent; `source`: what errors call it."""
    return _fields(text.encode("utf-8", "replace"), source)


def _fields(data: bytes, path: str | Path) -> dict[str, Json]:
    if len(data) > MAX_BYTES:
        raise SpecError("file_too_large", file=str(path), limit=f"{MAX_BYTES >> 20} MiB")
    try:
        found = _loaded(data)
    except _Fault as fault:
        raise SpecError(fault.code, file=str(path), **fault.data) from None
    except yaml.reader.ReaderError:
        raise SpecError("file_not_text", file=str(path)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(file=str(path), line=line, problem=error.problem) from None
    except RecursionError:
        raise SpecError("file_too_deep", file=str(path), limit=MAX_DEPTH) from None
    if found is None:
        raise SpecError("file_empty", file=str(path))
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise SpecError("file_not_mapping", file=str(path))
    return found


class YamlError(SpecError):
    """Not YAML, and so not JSON. Data: `file`, `line`, `problem` (what the parser says)."""

    code = "file_yaml"

    def message(self, language: Language) -> str:
        said = str(self.data["problem"])
        kind = next((kind for part, kind in _PROBLEMS.items() if part in said), None)
        problem = said if kind is None else say(f"yaml.{kind}", language)
        return say("error.file_yaml", language, **{**self.data, "problem": problem})


# PyYAML has these words and no codes, and half sentences of a parser help nobody.
_PROBLEMS: Mapping[str, str] = {
    "mapping values are not allowed": "colon",
    "another document": "documents",
    "cannot start any token": "sign",
    "unexpected end of stream": "open_quote",
    "'<stream end>'": "cut",
    "expected ',' or": "bracket",
    "expected <block end>": "indent",
    "could not find expected ':'": "no_colon",
    "could not determine a constructor": "tag",
    "unhashable key": "key",
    "undefined alias": "alias",
}


def value_of(text: str) -> Json:
    """A single value as YAML reads it: `0.5`, `[a, b]`; what is no YAML is the text itself."""
    try:
        return _loaded(text.encode())
    except (_Fault, yaml.YAMLError, RecursionError):
        return text


def _loaded(data: bytes) -> Any:
    """What the one document of `data` says. Raises _Fault, yaml.YAMLError, RecursionError."""
    loader = _Loader(data)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _written_out(node, {}, ())
        return loader.construct_document(node)
    finally:
        loader.dispose()


class _Fault(Exception):
    """What YAML allows and we do not. `code`, `data`: those of the SpecError that it becomes."""

    def __init__(self, code: str, **data: Json) -> None:
        super().__init__(code, data)
        self.code = code
        self.data = data


def _written_out(node: yaml.Node, known: dict[int, int], above: tuple[int, ...]) -> int:
    """How many values there are with every `*reference` written out, as all readers will see it.

    A few lines of references to references stand for more values than any memory holds; and one
    to a part around it for values without end. Raises _Fault.
    """
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise _Fault("file_yaml_loop", line=node.start_mark.line + 1)
    if len(above) >= MAX_DEPTH:
        raise _Fault("file_too_deep", limit=MAX_DEPTH)
    inner = node.value
    if isinstance(node, yaml.MappingNode):
        inner = [one for pair in node.value for one in pair]
    count = 1 + sum(_written_out(one, known, (*above, id(node))) for one in inner)
    if count > MAX_VALUES:
        raise _Fault("file_yaml_large", limit=f"{MAX_VALUES:,}")
    known[id(node)] = count
    return count


class _Loader(yaml.SafeLoader):
    """YAML 1.1's safe part; a key that stands twice is refused, not silently overwritten."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            found = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            # PyYAML lets Python's own errors out: of `2025-13-45`, `!!bool perhaps`, `!!int ''`.
            if not isinstance(node, yaml.ScalarNode):
                raise
            line = node.start_mark.line + 1
            raise _Fault("file_yaml_value", line=line, text=node.value[:60]) from None
        if isinstance(found, str) and "\0" in found:
            # No file's name can hold it, and Postgres stores no text with it.
            raise _Fault("file_yaml_zero", line=node.start_mark.line + 1)
        if isinstance(found, int) and not -(2**63) <= found < 2**64:
            # What is stored as JSON has 64 bits for a number.
            line = node.start_mark.line + 1
            raise _Fault("file_yaml_number", line=line, text=node.value[:60])
        return found

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name = str(key.value)
            if name in seen and name != "<<":
                raise _Fault("file_yaml_twice", line=key.start_mark.line + 1, key=name[:60])
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
    if "checks" in fields:
        changed["checks"] = checks_from_folder(fields["checks"], folder)
    return form_of(recipe_in(fields)).from_folder(changed, folder)
