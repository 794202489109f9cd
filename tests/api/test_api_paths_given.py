"""No request opens a file of the server by its path, whatever field the path stands in.

Driven by the OpenAPI and by the recipes' own forms: a field that is new is covered by itself.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_kit import served

from corpusmith import registry
from corpusmith.api.app import create_app
from corpusmith.api.router import PREFIX
from corpusmith.api.serving import Serving
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.places import uploads_only
from corpusmith.service.studio import Studio
from corpusmith.service.task_file import form_of
from corpusmith.store.store import SqlStore

NAMES = ("plain", "a.json", "a.yaml")
EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove"})
_watched: list[tuple[str, list[str]]] = []
"""(folder, what was touched in it)"""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watched or event not in EVENTS or not isinstance(args[0], str | bytes | os.PathLike):
        return
    place = os.path.abspath(os.fsdecode(args[0]))
    for folder, touched in _watched:
        if place.startswith(folder):
            touched.append(f"{event} {place}")


sys.addaudithook(_audit)


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Inside, nothing in `folder` may be opened, listed or made."""
    touched: list[str] = []
    _watched.append((str(folder), touched))
    try:
        yield
    finally:
        _watched.pop()
    assert touched == []


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "secret"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text('{"name": "x", "question": "q", "answer": "a"}', "utf-8")
    return folder


def _wishes(folder: Path) -> list[str]:
    away = os.path.relpath(folder, Path.cwd())
    return [
        *(str(folder / name) for name in NAMES),
        *(f"{folder}/*", f"{away}/a.yaml", f"{folder}/new/out.json"),
    ]


ODD = ("file:///etc/hostname", "upload:../../secret/a.json", "upload:", "~/a.json", "-")


def test_the_watch_itself_sees_a_file_that_is_opened(secret: Path) -> None:
    with pytest.raises(AssertionError), untouched(secret):
        (secret / "plain").read_text("utf-8")


# ---------------------------------------------------------------- forms of tasks

AWAY = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
WHOLE: Mapping[str, dict[str, Any]] = {
    "dialogue": {"count": 1, "characters": ["林晚"]},
    "template": {"count": 1, "template": "qa", "vars": {"topic": "tea"}},
    "rounds": {"input": "dataset:none"},
    "selfplay": {"count": 1},
    "evaluate": {"of": "dataset:none"},
}
"""What each form needs besides the field that is tried."""


def _shapes(path: str) -> list[Any]:
    """A path as the value of any field: text, list, mapping, part of an endpoint or an input."""
    endpoint = AWAY
    return [
        path,
        [path],
        {"x": path},
        {path: 1},
        {"path": path},
        {"hub": path},
        {**endpoint, "ca_file": path},
        {"x": {**endpoint, "ca_file": path}},
        [{"connection": {**endpoint, "ca_file": path}}],
        [{"name": path}],
        [{"name": "a", "share": 1, "template": path}],
        [{"name": "a", "share": 1, "template": "qa", "input": path, "vars": {"topic": "t"}}],
        [
            {
                "name": "a",
                "share": 1,
                "template": "qa",
                "vars": {"topic": "t"},
                "models": [{"name": "m", "connection": {**endpoint, "ca_file": path}}],
            }
        ],
    ]


@pytest.mark.parametrize("recipe", registry.names("form"))
def test_no_field_of_a_task_opens_a_file(
    opened: Any, sqlite_url: str, secret: Path, recipe: str
) -> None:
    studio = Studio.over(opened(sqlite_url), "en")
    tried = 0
    with uploads_only(), untouched(secret):
        for field in form_of(recipe).file_model.model_fields:
            for value in [shape for path in _wishes(secret) for shape in _shapes(path)]:
                given = {"connection": AWAY, **WHOLE[recipe], "recipe": recipe, field: value}
                with suppress(CorpusmithError):
                    studio.tasks.preview(given)
                tried += 1
    assert tried > 500


@pytest.mark.parametrize("wish", [*ODD, "/etc/hostname", "../x"])
@pytest.mark.parametrize("field", ["output", "output_dir", "characters", "template", "input"])
def test_what_is_no_upload_is_refused_before_there_is_a_task(
    opened: Any, sqlite_url: str, field: str, wish: str
) -> None:
    studio = Studio.over(opened(sqlite_url), "en")
    recipe = {"output_dir": "rounds", "template": "template", "input": "template"}.get(
        field, "dialogue"
    )
    given = {"connection": AWAY, **WHOLE[recipe], "recipe": recipe, field: wish}
    with uploads_only(), pytest.raises(UsageError) as refused:
        studio.tasks.create(given)
    assert refused.value.message("zh") and refused.value.message("en")
    assert studio.tasks.list() == []


def _options(check: str) -> list[str]:
    more = {"contamination": ["files"], "judge": ["rubric"]}.get(check, [])
    return [*inspect.signature(registry.load("check", check)).parameters, *more]


def test_no_option_of_a_check_opens_a_file(opened: Any, sqlite_url: str, secret: Path) -> None:
    studio = Studio.over(opened(sqlite_url), "en")
    with uploads_only(), untouched(secret):
        for check in registry.names("check"):
            for option in _options(check):
                for value in [v for path in _wishes(secret) for v in (path, [path], {"x": [path]})]:
                    fields = {
                        **WHOLE["dialogue"],
                        "connection": AWAY,
                        "roles": {"embedder": AWAY} if check == "semantic_duplicates" else {},
                        "checks": {check: {option: value}},
                    }
                    with suppress(CorpusmithError):
                        studio.tasks.preview(fields)


# ---------------------------------------------------------------- every route

Schema = Mapping[str, Any]
ASKING = ("/test", "/models", "/chat", "/push")
"""These speak to an endpoint, which a test without a network has none of."""


def _resolved(schema: Schema, parts: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = parts[schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _example(schema: Schema, parts: Schema, depth: int = 0) -> Any:
    """A value that fits well enough to come past the form."""
    schema = _resolved(schema, parts)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _example(schema[key][0], parts, depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("examples"):
        return schema["examples"][0]
    kind = schema.get("type")
    if kind == "object" and depth < 4:
        wanted = schema.get("required", ())
        inner = schema.get("properties", {})
        return {name: _example(inner[name], parts, depth + 1) for name in wanted if name in inner}
    if kind == "array":
        return [_example(schema["items"], parts, depth + 1)] if schema.get("minItems") else []
    return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": False}.get(
        str(kind), "a"
    )


def _with_path(schema: Schema, parts: Schema, path: str, depth: int = 0) -> Iterator[Any]:
    """The example, with the path in one place of it at a time."""
    schema = _resolved(schema, parts)
    if depth > 4:
        return
    for one in [one for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]:
        yield from _with_path(one, parts, path, depth + 1)
    kind = schema.get("type")
    if kind in ("string", None) and "properties" not in schema:
        yield path
    elif kind == "array":
        yield from ([one] for one in _with_path(schema["items"], parts, path, depth + 1))
    elif kind == "object":
        yield from _object_with_path(schema, parts, path, depth)


def _object_with_path(schema: Schema, parts: Schema, path: str, depth: int) -> Iterator[Any]:
    base = _example(schema, parts)
    if schema.get("additionalProperties"):
        yield from ({"x": path}, {"file": path, "path": path, "output": path})
    for name, inner in schema.get("properties", {}).items():
        for one in _with_path(inner, parts, path, depth + 1):
            yield {**(base if isinstance(base, dict) else {}), name: one}


def test_no_body_and_no_parameter_of_any_route_opens_a_file(
    opened: Any, sqlite_url: str, secret: Path
) -> None:
    store: SqlStore = opened(sqlite_url)
    app = create_app(Serving(store=store, language="en"))
    found = app.openapi()
    parts = found["components"]["schemas"]
    paths = [str(secret / "a.json")]
    asked = 0
    with served(app) as client, untouched(secret):
        for place, operations in found["paths"].items():
            for method, one in operations.items():
                asked += _ask_all(client, place, method, one, parts, paths)
    assert asked > 150


def _ask_all(
    client: httpx2.Client, place: str, method: str, one: Schema, parts: Schema, paths: list[str]
) -> int:
    if "event" in place or place.endswith(ASKING):
        return 0
    asked = 0
    schema = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    names = [param["name"] for param in one.get("parameters", ()) if param["in"] == "query"]
    for path in paths:
        address = place
        for param in one.get("parameters", ()):
            if param["in"] == "path":
                whole = param["schema"].get("type") == "integer"
                value = "1" if whole else path.replace("/", "%2F")
                address = address.replace("{" + param["name"] + "}", value)
        bodies = [None] if schema is None else [*_with_path(schema, parts, path)]
        for body in bodies or [None]:
            answer = client.request(
                method.upper(), address, json=body, params={"wait": "0"} if "wait" in names else {}
            )
            assert answer.status_code != 500, (method, address, body, answer.text)
            asked += 1
        for name in names:
            answer = client.request(method.upper(), address, params={name: path})
            assert answer.status_code != 500, (method, address, name, answer.text)
            asked += 1
    return asked


def test_a_path_is_refused_with_what_to_do_instead(
    sqlite_client: httpx2.Client, secret: Path
) -> None:
    answer = sqlite_client.get(f"{PREFIX}/domains/" + str(secret / "a.yaml").replace("/", "%2F"))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "path_not_here"
    assert "upload" in answer.json()["error"]["message"]
