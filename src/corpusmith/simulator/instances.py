"""Makes a value that satisfies a JSON Schema.

Owns: the search. Does not own: reading dialects (`schema.py`), patterns and formats
(`strings.py`), words and plausible numbers (`scribe.py`).

A schema is compiled once. A node without choices becomes a `Shape`, which is walked without a
thought; a node with choices (`anyOf`, `oneOf`, `if`, references to such) is drawn, checked where
drawing does not guarantee (`not`, `oneOf`, `if`, …), and drawn again. The whole value is checked
last.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from corpusmith.simulator import numbers, objects, strings
from corpusmith.simulator.schema import FALSE, BadSchema, Node, height, normalise, resolve
from corpusmith.simulator.scribe import Scribe
from corpusmith.simulator.shape import Impossible, Shape, shape_of
from corpusmith.values import Json

_CHOICES = ("anyOf", "oneOf", "if", "dependentSchemas")
_DEEP = 5
"""From this depth on values are made as flat as the schema allows."""
_TOO_DEEP = 60
_BUDGET = 20_000
"""Nodes that one value may cost."""
_NODE_TRIES = 40
_TRIES = 12

Key = tuple[int, ...]


class Draw:
    """One value in the making."""

    __slots__ = ("flat", "left", "rng", "scribe")

    def __init__(self, rng: random.Random, scribe: Scribe, flat: bool) -> None:
        self.rng = rng
        self.scribe = scribe
        self.flat = flat
        self.left = _BUDGET


class Instances:
    """The values of one schema. Raises BadSchema when it cannot be read."""

    def __init__(self, schema: Json, *, gemini: bool = False) -> None:
        self.root = normalise(schema, gemini=gemini)
        self.size = len(orjson.dumps(schema))
        """Bytes of the schema as JSON."""
        self._kept: list[Any] = []
        self._shapes: dict[Key, Shape | None] = {}
        self._plain: dict[Key, Shape] = {}
        self._validators: dict[int, Any] = {}
        self._heights: dict[int, float] = {}
        self._check = self._compile(self.root)

    def draw(self, rng: random.Random, scribe: Scribe) -> Json:
        """A value that satisfies the schema. Raises BadSchema when none is found."""
        for attempt in range(_TRIES):
            scribe.restart()
            draw = Draw(rng, scribe, flat=attempt % 3 == 2)
            try:
                value = self.build((self.root,), "", 0, draw)
            except (Impossible, RecursionError):
                continue
            if self.fits(value):
                return value
        raise BadSchema("no value that satisfies the schema was found")

    def fits(self, value: Json) -> bool:
        """Whether the value satisfies the schema."""
        return bool(self._check.is_valid(value))

    # ------------------------------------------------------------ the walk

    def build(self, parts: Sequence[Node], name: str, depth: int, draw: Draw) -> Json:
        """A value for all of `parts` at once. Raises Impossible."""
        draw.left -= 1
        if draw.left < 0 or depth > _TOO_DEEP:
            raise Impossible
        shape = self.static_shape(parts)
        if shape is not None and not shape.risky:
            return self._value(shape, name, depth, draw)
        for _ in range(_NODE_TRIES):
            try:
                chosen = shape or self._choose(parts, depth, draw)
                value = self._value(chosen, name, depth, draw)
            except Impossible:
                if draw.left < 0 or depth > _TOO_DEEP:
                    raise
                continue
            if not chosen.risky or self._valid(parts, value):
                return value
        raise Impossible

    def _value(self, shape: Shape, name: str, depth: int, draw: Draw) -> Json:
        if shape.options is not None:
            return draw.scribe.option(name, shape.options, draw.rng)
        kind = self._kind(shape, depth, draw)
        if kind == "string":
            return self._string(shape, name, draw)
        if kind == "object":
            return objects.make(self, shape, name, depth, draw)
        if kind == "array":
            return objects.make_array(self, shape, name, depth, draw)
        if kind == "integer" or kind == "number":
            return numbers.make(shape, kind, name, draw.rng, draw.scribe)
        return None if kind == "null" else draw.rng.random() < 0.5

    def _kind(self, shape: Shape, depth: int, draw: Draw) -> str:
        kinds = shape.types
        if len(kinds) == 1:
            return kinds[0]
        if not kinds:
            raise Impossible
        if draw.flat or depth > _DEEP:
            flat = [kind for kind in kinds if kind not in ("array", "object")]
            return draw.rng.choice(flat or list(kinds))
        if "null" in kinds and draw.rng.random() < 0.88:
            kinds = tuple(kind for kind in kinds if kind != "null")
        return draw.rng.choice(kinds)

    def _string(self, shape: Shape, name: str, draw: Draw) -> str:
        if shape.min_length > shape.max_length:
            raise Impossible
        if shape.patterns:
            return _patterned(shape, draw.rng)
        for known in shape.formats:
            for _ in range(8):
                found = strings.formatted(known, draw.rng)
                if found is None:
                    break
                if shape.min_length <= len(found) <= shape.max_length:
                    return found
        return draw.scribe.text(name, shape.min_length, shape.max_length)

    # ------------------------------------------------------------ shapes

    def static_shape(self, parts: Sequence[Node]) -> Shape | None:
        """The shape of parts that leave no choice; None where there is one."""
        key = tuple([id(part) for part in parts])
        if key in self._shapes:
            return self._shapes[key]
        self._kept.append(tuple(parts))  # ids are only good while their objects live
        found = self._expand(parts, None, False)
        shape = None if found is None else self._shape(found)
        self._shapes[key] = shape
        return shape

    def _choose(self, parts: Sequence[Node], depth: int, draw: Draw) -> Shape:
        found = self._expand(parts, draw.rng, draw.flat or depth > _DEEP)
        if found is None:
            raise Impossible
        return self._shape(found)

    def _shape(self, nodes: Sequence[Node]) -> Shape:
        key = tuple([id(node) for node in nodes])
        shape = self._plain.get(key)
        if shape is None:
            self._kept.append(tuple(nodes))
            shape = self._plain[key] = shape_of(nodes)
            if shape.options is not None:
                shape.options = [v for v in shape.options if self._valid(nodes, v)]
        if shape.options == [] or any(node is FALSE for node in nodes):
            raise Impossible
        return shape

    def _expand(
        self, parts: Sequence[Node], rng: random.Random | None, flat: bool
    ) -> list[Node] | None:
        """All nodes that hold together, choices drawn; None when one would be needed."""
        stack, found, seen = list(reversed(parts)), [], set()
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            found.append(node)
            if "$ref" in node:
                stack.append(resolve(self.root, node["$ref"]))
            if "allOf" in node:
                stack.extend(reversed(node["allOf"]))
            for word in _CHOICES:
                if word in node:
                    if rng is None:
                        return None
                    stack.extend(self._branch(node, word, rng, flat))
        return found

    def _branch(self, node: Node, word: str, rng: random.Random, flat: bool) -> list[Node]:
        if word == "if":
            if rng.random() < 0.5:
                return [node["if"], *([node["then"]] if "then" in node else [])]
            return [node["else"]] if "else" in node else []
        if word == "dependentSchemas":
            # Holding all of them is the stricter, surer way; now and then without.
            return list(node[word].values()) if rng.random() < 0.8 else []
        branches = node[word]
        if not branches:
            raise Impossible
        if flat:
            lowest = min(self._height(branch) for branch in branches)
            branches = [one for one in branches if self._height(one) == lowest]
        elif rng.random() < 0.88:
            branches = [one for one in branches if one.get("type") != "null"] or branches
        return [rng.choice(branches)]

    def _height(self, node: Node) -> float:
        found = self._heights.get(id(node))
        if found is None:
            found = self._heights[id(node)] = height(self.root, node)
        return found

    # ------------------------------------------------------------ checks

    def _valid(self, parts: Sequence[Node], value: Json) -> bool:
        return all(self._validator(part).is_valid(value) for part in parts)

    def _validator(self, node: Node) -> Any:
        found = self._validators.get(id(node))
        if found is None:
            self._kept.append(node)
            found = self._validators[id(node)] = self._compile(node)
        return found

    def _compile(self, node: Node) -> Any:
        document = {"$defs": {"root": self.root}, "allOf": [node]}
        try:
            return jsonschema_rs.Draft202012Validator(document, validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise BadSchema(str(error)[:300]) from error


def _patterned(shape: Shape, rng: random.Random) -> str:
    """A string that matches all patterns within the lengths. Raises Impossible."""
    try:
        wanted = [strings.compiled(pattern) for pattern in shape.patterns]
        for attempt in range(60):
            pattern = shape.patterns[attempt % len(wanted)]
            stretch = (3, 1, 8, 0, 20, shape.min_length)[attempt % 6]
            found = strings.matching(pattern, rng, stretch)
            if len(found) < shape.min_length:
                found += "x" * (shape.min_length - len(found))
            if len(found) <= shape.max_length and all(one.search(found) for one in wanted):
                return found
    except strings.NoPattern as error:
        raise Impossible from error
    raise Impossible


@lru_cache(maxsize=256)
def _cached(text: bytes, gemini: bool) -> Instances:
    return Instances(orjson.loads(text), gemini=gemini)


def instances_of(schema: Json, *, gemini: bool = False) -> Instances:
    """The compiled schema, from the cache where it was seen before. Raises BadSchema."""
    return _cached(orjson.dumps(schema), gemini)
