"""Imports point down only (DESIGN.md §2), also those inside functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "corpusmith"
BOTTOM = (
    "values",
    "messages",
    "errors",
    "nouns",
    "tokens",
    "shares",
    "placeholders",
    "template_text",
    "lazy",
    "digests",
    "disk",
    "archives",
    "hidden",
)
SIDE = (
    *("providers", "recipes", "quality", "exports", "store", "cards", "simulator"),
    *("readers", "documents", "feedback", "reports"),
)
HEIGHT = {
    **dict.fromkeys(BOTTOM, 0),
    **dict.fromkeys(("contracts", "registry", "config", "places", "presets", "judging"), 1),
    **dict.fromkeys(SIDE, 2),
    **dict.fromkeys(("engine", "client"), 3),
    "service": 4,
    "api": 5,
    "web": 6,
    "cli": 7,
    "__main__": 8,
}
SAME_LEVEL_OK = {0, 1}
ENGINE_MAY_USE: frozenset[str] = frozenset()
"""The engine sees contracts, never a plug-in."""


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "corpusmith":
                found |= {f"corpusmith.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("corpusmith.")}


def _room(module: str) -> str:
    return module.split(".")[1]


FILES = sorted(path for path in SRC.rglob("*.py") if path != SRC / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_point_down_only(path: Path) -> None:
    relative = path.relative_to(SRC)
    room = relative.parts[0].removesuffix(".py")
    wrong = []
    for module in _imports(path):
        target = _room(module)
        if target == room or target == "__version__":
            continue
        down = HEIGHT[target] < HEIGHT[room]
        beside = HEIGHT[target] == HEIGHT[room] and HEIGHT[room] in SAME_LEVEL_OK
        plug_in = room == "engine" and target in SIDE and target not in ENGINE_MAY_USE
        if not (down or beside) or plug_in:
            wrong.append(module)
    assert wrong == []


def test_every_room_has_a_height() -> None:
    rooms = {path.relative_to(SRC).parts[0].removesuffix(".py") for path in FILES}
    assert rooms - set(HEIGHT) == set()


def test_modules_have_no_import_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in FILES:
        name = "corpusmith." + ".".join(path.relative_to(SRC).with_suffix("").parts)
        graph[name.removesuffix(".__init__")] = _top_level_imports(path)
    done: set[str] = set()

    def visit(node: str, trail: tuple[str, ...]) -> None:
        assert node not in trail, " -> ".join((*trail, node))
        if node in done or node not in graph:
            return
        for target in graph[node]:
            visit(target, (*trail, node))
        done.add(node)

    for name in graph:
        visit(name, ())


def _module(package: str, name: str) -> str:
    """`from package import name` uses the module `name`, if it is one, else the package."""
    folder = SRC.joinpath(*package.split(".")[1:])
    return f"{package}.{name}" if (folder / f"{name}.py").exists() else package


def _top_level_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("corpusmith."):
            found |= {_module(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("corpusmith.")}
    return found
