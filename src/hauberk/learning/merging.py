"""
Profiles put together: of the branches of a tagged union, what the objects have in common.

Where branches are told apart by a tag, each has few samples. What is said of all of them together rests on more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def plain_object(seen: Json) -> Json:
    """An object's profile with the branches of its tag put back."""
    if not seen.get("tag"):
        return seen
    merged: Json = {**seen, "tag": None}
    for branch in seen["tag"]["branches"].values():
        merged = _objects(merged, plain_object(branch))
    return merged


def body_with(a: Json, b: Json) -> Json:
    """Bodies of one media type, with others that are of it too."""
    return {**a, "present": _supports(a["present"], b["present"]), "node": _nodes(a["node"], b["node"])}


def _objects(a: Json, b: Json) -> Json:
    present = _supports(a["present"], b["present"])
    if a["map"] is not None or b["map"] is not None:
        maps = [_as_map(side) for side in (a, b) if side["map"] is not None or side["members"]]
        held = (
            maps[0]
            if len(maps) == 1
            else {
                "names": _values(maps[0]["names"], maps[1]["names"]),
                "node": _nodes(maps[0]["node"], maps[1]["node"]),
                "sizes": _ranges(maps[0]["sizes"], maps[1]["sizes"]),
            }
        )
        return {**a, "present": present, "members": None, "map": held, "shapes": None, "tag": None}
    names = sorted({*a["members"], *b["members"]})
    members = {name: _either(a["members"].get(name), b["members"].get(name)) for name in names}
    shapes = None
    if a["shapes"] is not None and b["shapes"] is not None:
        found = {tuple(shape["members"]): shape["support"] for shape in a["shapes"]}
        for shape in b["shapes"]:
            key = tuple(shape["members"])
            found[key] = _supports(found[key], shape["support"]) if key in found else shape["support"]
        shapes = [{"members": list(key), "support": support} for key, support in sorted(found.items())]
    once = sum(member["present"]["samples"] == 1 for member in members.values())
    return {**a, "present": present, "members": members, "shapes": shapes, "once": once, "tag": None}


def _as_map(seen: Json) -> Json:
    """A map, where members of the other side were told apart."""
    if seen["map"] is not None:
        held: Json = seen["map"]
        return held
    nodes = [member["node"] for member in seen["members"].values()]
    merged = nodes[0]
    for node in nodes[1:]:
        merged = _nodes(merged, node)
    nothing: Json = {"low": [], "high": [], "histogram": [], "by_day": []}
    return {"names": {"kinds": {}, "values": None, "distinct": len(nodes), "sample": []}, "node": merged, "sizes": nothing}


def _either(a: Json | None, b: Json | None) -> Json:
    if a is None or b is None:
        return a or b or {}
    return {"present": _supports(a["present"], b["present"]), "node": _nodes(a["node"], b["node"])}


def _nodes(a: Json, b: Json) -> Json:
    def both(key: str, merge: Any) -> Any:
        left, right = a.get(key), b.get(key)
        return merge(left, right) if left and right else left or right

    return {"value": _values(a["value"], b["value"]), "items": both("items", _nodes), "object": both("object", _merged_objects)}


def _merged_objects(a: Json, b: Json) -> Json:
    return _objects(plain_object(a), plain_object(b))


def _values(a: Json, b: Json) -> Json:
    merged: dict[str, Any] = {"kinds": _by_name(a["kinds"], b["kinds"])}
    for key, merge in (("secret", _supports), ("numbers", _ranges), ("lengths", _ranges), ("counts", _ranges), ("texts", _texts)):
        left, right = a.get(key), b.get(key)
        if left or right:
            merged[key] = merge(left, right) if left and right else left or right
    merged["decimals"] = max(a.get("decimals", 0), b.get("decimals", 0))
    merged["values"] = _listed(a["values"], b["values"])
    merged["distinct"] = a["distinct"] + b["distinct"] if merged["values"] is None else len(merged["values"])
    merged["sample"] = [*a["sample"], *b["sample"]][:128]
    return merged


def _listed(a: Sequence[Json] | None, b: Sequence[Json] | None) -> list[Json] | None:
    if a is None or b is None:
        return None
    found: dict[tuple[str, str], Json] = {}
    for entry in (*a, *b):
        key = (type(entry["value"]).__name__, str(entry["value"]))
        known = found.get(key)
        found[key] = {"value": entry["value"], "support": _supports(known["support"], entry["support"])} if known else entry
    return [entry for _, entry in sorted(found.items())] if len(found) <= 64 else None


def _texts(a: Json, b: Json) -> Json:
    structures = None
    if a["structures"] is not None and b["structures"] is not None:
        by_key: dict[tuple[str, ...], Json] = {}
        for structure in (*a["structures"], *b["structures"]):
            key = tuple(run["class"] for run in structure["runs"])
            by_key[key] = _structures(by_key[key], structure) if key in by_key else structure
        structures = [found for _, found in sorted(by_key.items())] if len(by_key) <= 32 else None
    return {"formats": _by_name(a["formats"], b["formats"]), "classes": _by_name(a["classes"], b["classes"]), "structures": structures}


def _structures(a: Json, b: Json) -> Json:
    runs = [
        {
            "class": left["class"],
            "text": left["text"] if left["text"] == right["text"] else None,
            "least": min(left["least"], right["least"]),
            "most": max(left["most"], right["most"]),
        }
        for left, right in zip(a["runs"], b["runs"], strict=True)
    ]
    return {"runs": runs, "support": _supports(a["support"], b["support"])}


def _ranges(a: Json, b: Json) -> Json:
    def outermost(key: str, sign: int) -> list[list[Any]]:
        best: dict[str, Any] = {}
        for value, source in (*a[key], *b[key]):
            known = best.get(source or f"={value}")
            if known is None or sign * value > sign * known:
                best[source or f"={value}"] = value
        ordered = sorted(best.items(), key=lambda item: (-sign * item[1], item[0]))
        return [[value, "" if source.startswith("=") else source] for source, value in ordered[:32]]

    days: dict[int, list[Any]] = {}
    for day, low, high, requests in (*a["by_day"], *b["by_day"]):
        known = days.get(day)
        days[day] = [day, min(low, known[1]), max(high, known[2]), requests + known[3]] if known else [day, low, high, requests]
    return {
        "low": outermost("low", -1),
        "high": outermost("high", 1),
        "histogram": [],
        "by_day": [entry for _, entry in sorted(days.items())][-64:],
    }


def _by_name(a: Json, b: Json) -> Json:
    return {name: _supports(a.get(name, _NONE), b.get(name, _NONE)) for name in sorted({*a, *b})}


_NONE = {"requests": 0, "samples": 0, "sources": 0}


def _supports(a: Json, b: Json) -> Json:
    """Requests add up; samples and sources may be the same ones, which is left out of account."""
    return {key: a[key] + b[key] for key in _NONE}
