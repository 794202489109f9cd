"""Objects and arrays within a shape.

Owns: which properties and how many items. Does not own: their values (`instances.py` builds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from corpusmith.simulator import strings
from corpusmith.simulator.schema import Node
from corpusmith.simulator.scribe import ROLE_FIELDS, SIDES, Talk
from corpusmith.simulator.shape import Impossible, Shape, is_false
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.simulator.instances import Draw, Instances

_OPTIONAL_SHARE = 0.85
_ITEM_TRIES = 25


# ---------------------------------------------------------------- objects


def make(instances: Instances, shape: Shape, name: str, depth: int, draw: Draw) -> Json:
    """An object. Raises Impossible."""
    if shape.min_properties > shape.max_properties or len(shape.required) > shape.max_properties:
        raise Impossible
    names = _names(shape, draw, instances, depth)
    value: dict[str, Json] = {}
    for key in names:
        try:
            value[key] = instances.build(children(shape, key), key, depth + 1, draw)
        except Impossible:
            if key in shape.required:
                raise
    if len(value) < shape.min_properties:
        _fill(instances, shape, value, depth, draw)
    draw.scribe.leave()
    return value


def children(shape: Shape, key: str) -> tuple[Node, ...]:
    """Every sub-schema that property `key` must satisfy."""
    found = shape.children.get(key)
    if found is None:
        found = tuple(one for node in shape.nodes for one in _children(node, key)) or ({},)
        # Invented names are without end: only declared ones are worth keeping.
        if key in shape.names or key in shape.required:
            shape.children[key] = found
    return found


def _children(node: Node, key: str) -> list[Node]:
    found: list[Node] = []
    if key in node.get("properties", ()):
        found.append(node["properties"][key])
    for pattern, sub in node.get("patternProperties", {}).items():
        try:
            if strings.compiled(pattern).search(key):
                found.append(sub)
        except strings.NoPattern as error:
            raise Impossible from error
    if not found and "additionalProperties" in node:
        found.append(node["additionalProperties"])
    return found


def _names(shape: Shape, draw: Draw, instances: Instances, depth: int) -> list[str]:
    """Required and drawn optional names, in the schema's order."""
    if shape.all_required:
        return shape.names
    if not shape.names and not shape.required and shape.min_properties == 0:
        return _free_names(shape, draw, instances, depth)
    share = 0.0 if draw.flat or depth > 4 else _OPTIONAL_SHARE
    banned = _banned(shape)
    wanted = {
        key
        for key in shape.names
        if key not in banned
        and draw.rng.random() < share
        and not any(is_false(one) for one in children(shape, key))
    }
    wanted |= set(shape.required)
    for node in shape.nodes:
        _close(node.get("dependentRequired", {}), wanted)
    spare = [key for key in shape.names if key in wanted and key not in shape.required]
    while len(wanted) > shape.max_properties and spare:
        wanted.discard(spare.pop())
    extra = [key for key in wanted if key not in shape.names]
    return [key for key in shape.names if key in wanted] + sorted(extra)


def _banned(shape: Shape) -> set[str]:
    """Names that a plain `not: {required: [name]}` forbids."""
    found: set[str] = set()
    for node in shape.nodes:
        negated = node.get("not")
        if isinstance(negated, dict) and negated.keys() == {"required"}:
            found.update(negated["required"][:1] if len(negated["required"]) == 1 else ())
    return found


def _close(needs: dict[str, list[str]], wanted: set[str]) -> None:
    while True:
        missing = {n for key in wanted if key in needs for n in needs[key]} - wanted
        if not missing:
            return
        wanted |= missing


def _free_names(shape: Shape, draw: Draw, instances: Instances, depth: int) -> list[str]:
    """A few names for a map whose values have a schema; none for `{}`."""
    typed = any(
        node.get("additionalProperties") or node.get("patternProperties") for node in shape.nodes
    )
    if not typed or draw.flat or depth > 4:
        return []
    found: list[str] = []
    for _ in range(min(draw.rng.randint(1, 3), shape.max_properties)):
        key = _invent(instances, shape, depth, draw)
        if key not in found and not any(is_false(one) for one in children(shape, key)):
            found.append(key)
    return found


def _fill(
    instances: Instances, shape: Shape, value: dict[str, Json], depth: int, draw: Draw
) -> None:
    """Add what is left out, then invented names, up to `minProperties`."""
    spare = [key for key in shape.names if key not in value]
    for attempt in range(40 + shape.min_properties * 4):
        if len(value) >= shape.min_properties:
            return
        key = spare[attempt] if attempt < len(spare) else _invent(instances, shape, depth, draw)
        if key in value or any(is_false(one) for one in children(shape, key)):
            continue
        try:
            value[key] = instances.build(children(shape, key), key, depth + 1, draw)
        except Impossible:
            continue
    if len(value) < shape.min_properties:
        raise Impossible


def _invent(instances: Instances, shape: Shape, depth: int, draw: Draw) -> str:
    """A property name that the shape may allow."""
    ruled = [node["propertyNames"] for node in shape.nodes if "propertyNames" in node]
    patterns = [key for node in shape.nodes for key in node.get("patternProperties", ())]
    if ruled:
        found = instances.build((*ruled, {"type": "string"}), "key", depth + 1, draw)
        return str(found)
    if patterns and draw.rng.random() < 0.8:
        try:
            return strings.matching(draw.rng.choice(patterns), draw.rng, 4)
        except strings.NoPattern as error:
            raise Impossible from error
    return draw.scribe.key(draw.rng)


# ---------------------------------------------------------------- arrays


def make_array(instances: Instances, shape: Shape, name: str, depth: int, draw: Draw) -> Json:
    """An array. Raises Impossible."""
    low, high = shape.min_items, min(shape.max_items, _longest(shape))
    low = max(low, _contained(shape))
    if low > high:
        raise Impossible
    talk = _talk_of(instances, shape)
    count = low
    if not draw.flat and depth <= 5:
        count = draw.scribe.count(name, low, high, talk, depth)
    items: list[Json] = []
    seen: set[bytes] = set()
    special = _special(shape, count, draw)
    for place in range(count):
        parts = (*item_schemas(shape, place), *special.get(place, ()))
        if talk is not None:
            draw.scribe.turn(talk, place, count)
        item = _item(instances, shape, parts, name, depth, draw, seen)
        items.append(item)
    return items


def item_schemas(shape: Shape, place: int) -> tuple[Node, ...]:
    """Every sub-schema that item `place` must satisfy."""
    found: list[Node] = []
    for node in shape.nodes:
        first = node.get("prefixItems", ())
        if place < len(first):
            found.append(first[place])
        elif "items" in node:
            found.append(node["items"])
    return tuple(found) or ({},)


def _item(
    instances: Instances,
    shape: Shape,
    parts: tuple[Node, ...],
    name: str,
    depth: int,
    draw: Draw,
    seen: set[bytes],
) -> Json:
    for _ in range(_ITEM_TRIES if shape.unique else 1):
        item = instances.build(parts, name, depth + 1, draw)
        if not shape.unique:
            return item
        text = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        if text not in seen:
            seen.add(text)
            return item
    raise Impossible


def _longest(shape: Shape) -> int:
    """How long `items: false` and the like let an array be."""
    longest = 1_000_000
    for node in shape.nodes:
        if is_false(node.get("items", {})):
            longest = min(longest, len(node.get("prefixItems", ())))
        for place, one in enumerate(node.get("prefixItems", ())):
            if is_false(one):
                longest = min(longest, place)
    return longest


def _contained(shape: Shape) -> int:
    return max(
        (node.get("minContains", 1) for node in shape.nodes if "contains" in node), default=0
    )


def _special(shape: Shape, count: int, draw: Draw) -> dict[int, list[Node]]:
    """Places that must satisfy a `contains` besides."""
    found: dict[int, list[Node]] = {}
    for node in shape.nodes:
        if "contains" in node:
            places = draw.rng.sample(range(count), min(count, node.get("minContains", 1)))
            for place in places:
                found.setdefault(place, []).append(node["contains"])
    return found


def _talk_of(instances: Instances, shape: Shape) -> Talk | None:
    """What the items are, when they are parts of a talk."""
    for node in shape.nodes:
        item = node.get("items")
        if item is None or is_false(item):
            continue
        inner = instances.static_shape((item,))
        if inner is None:
            continue
        names = {name.lower() for name in inner.names}
        if names & ROLE_FIELDS:
            return "messages"
        if all(names & side for side in SIDES):
            return "turns"
    return None
