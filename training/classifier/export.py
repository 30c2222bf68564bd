"""Writes a fitted model as `crates/traffic/src/classify/model.rs` reads it; the layout is described there."""

import json
import struct
import tempfile
from pathlib import Path
from typing import Any

from catboost import CatBoostClassifier

_MAGIC = b"HBKTREE1"
_LOWEST = -3.4028234663852886e38


def model_bytes(model: CatBoostClassifier, feature_count: int, threshold: float) -> bytes:
    """
    The model in our form.

    Args:
        model: Trees on floats alone.
        feature_count: The length of the feature vector.
        threshold: From this likelihood on a transaction counts as API call.

    Raises:
        ValueError: If the model has something our form has no place for.
    """
    described = _as_json(model)
    trees = described["oblivious_trees"]
    scale, (bias,) = described["scale_and_bias"]
    if scale != 1 or described["features_info"].get("categorical_features"):
        raise ValueError("only models on floats with scale 1 can be written")
    borders = {feature["feature_index"]: _borders(feature) for feature in described["features_info"]["float_features"]}
    counts = [len(borders.get(index, [])) for index in range(feature_count)]
    flat = [(index, border) for index in range(feature_count) for border in borders.get(index, [])]
    place = {pair: number for number, pair in enumerate(flat)}
    depth = max(len(tree["splits"]) for tree in trees)
    parts = [
        _MAGIC,
        struct.pack("<4H", feature_count, len(flat), len(trees), depth),
        struct.pack("<3d", bias, threshold, 0.0),
        struct.pack(f"<{feature_count}H", *counts),
        struct.pack(f"<{len(flat)}f", *(border for _, border in flat)),
    ]
    for tree in trees:
        splits = [place[split["float_feature_index"], _f32(split["border"])] for split in tree["splits"]]
        # A tree with fewer levels asks its first question again; the answer is in the bit already, so leaves repeat.
        parts.append(struct.pack(f"<{depth}H", *splits, *([splits[0]] * (depth - len(splits)))))
    for tree in trees:
        levels = len(tree["splits"])
        leaves = [tree["leaf_values"][leaf & ((1 << levels) - 1)] for leaf in range(1 << depth)]
        parts.append(struct.pack(f"<{1 << depth}f", *leaves))
    return b"".join(parts)


def _borders(feature: dict[str, Any]) -> list[float]:
    return sorted({_f32(border) for border in feature["borders"] or []})


def _f32(number: float) -> float:
    """The number as 32 bits hold it; the lowest of them, which tells NaN from the rest, has some digits less in CatBoost's JSON."""
    number = max(number, _LOWEST)
    result: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return result


def _as_json(model: CatBoostClassifier) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        described: dict[str, Any] = json.loads(path.read_text())
    return described
