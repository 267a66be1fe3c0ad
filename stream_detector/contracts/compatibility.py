"""Whether a schema may take the place of an older one without anybody having to change their program.

A message stays in a topic for weeks, and programs are not released together: so new readers must read old messages and old
readers new ones. A field that comes is optional, one that is there stays, under its name and with its type. Constraints
on what comes in may only become looser, and of what goes out only tighter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stream_detector.contracts.schemas import Direction

_Node = Mapping[str, Any]
_LOWER = ("minLength", "minimum", "minItems")
_UPPER = ("maxLength", "maximum", "maxItems")


def incompatibilities(old: _Node, new: _Node, direction: Direction, *, at: str = "") -> Iterator[str]:
    """What breaks others if `new` takes the place of `old`, one sentence each; nothing if it may."""
    where = at or "the message"
    if _types(old) != _types(new):
        yield f"{where}: changes its type from {_types(old)} to {_types(new)}"
        return
    yield from _constraints(old, new, direction, where)
    before, after = old.get("properties", {}), new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name, field in before.items():
        path = f"{at}.{name}" if at else name
        if name not in after:
            yield f"{path}: is removed (or renamed); keep it, and add the new one beside it"
            continue
        if (name in required_before) != (name in required_after):
            yield f"{path}: changes whether it is required"
        yield from incompatibilities(field, after[name], direction, at=path)
    for name in after.keys() - before.keys():
        if name in required_after:
            yield f"{at}.{name}: is new and required; make it optional".removeprefix(".")
    for key in ("items", "additionalProperties"):
        yield from _inner(old.get(key), new.get(key), direction, f"{at}[{'' if key == 'items' else '*'}]")


def _inner(old: object, new: object, direction: Direction, at: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from incompatibilities(old, new, direction, at=at)
    elif old != new:
        yield f"{at}: changes what may stand in it"


def _types(node: _Node) -> list[str]:
    kinds = node.get("type", "string" if "const" in node or "enum" in node else "any")
    return sorted([kinds] if isinstance(kinds, str) else kinds)


def _constraints(old: _Node, new: _Node, direction: Direction, where: str) -> Iterator[str]:
    looser, tighter = _looser(old, new), _looser(new, old)
    for name in sorted(tighter if direction is Direction.IN else looser):
        change = (
            "tighter: what was sent until now would be refused" if direction is Direction.IN else "looser: readers don't expect it"
        )
        yield f"{where}: its {name} becomes {change}"


def _looser(old: _Node, new: _Node) -> set[str]:
    """The constraints of `old` that `new` doesn't keep."""
    found = {key for key in _LOWER if key in old and new.get(key, float("-inf")) < old[key]}
    found |= {key for key in _UPPER if key in old and new.get(key, float("inf")) > old[key]}
    if "pattern" in old and new.get("pattern") != old["pattern"]:
        found.add("pattern")
    before, after = _values(old), _values(new)
    if before is not None and (after is None or not after <= before):
        found.add("list of values")
    return found


def _values(node: _Node) -> set[object] | None:
    if "const" in node:
        return {node["const"]}
    return set(node["enum"]) if "enum" in node else None
