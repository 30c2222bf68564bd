"""What the model is fitted to: the rows of the tables, what each one weighs, and copies of them that know less."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float32]
Strings = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

DESCRIPTION = ("source", "part", "site", "place", "variant", "label", "weak")
"""The columns that are no features."""

TOTALS = {
    ("browser", 0): 1.0,
    ("browser", 1): 1.5,
    ("client", 1): 1.0,
    ("log", 0): 1.5,
    # Lines of access logs made from full records. Most of what logs hold are pages, and many a request line does not tell: then it is none.
    ("log-line", 0): 1.0,
    ("log-line", 1): 0.3,
    # Variations of another kind.
    ("varied", 0): 0.6,
    ("varied", 1): 0.8,
}
"""What all rows of a part with this label weigh together, however many there are."""

WEAK_WEIGHT = 0.4
"""Of a row whose label a heuristic gave."""

MUTE_WEIGHT = 0.15
"""Of an API call in an access log whose request line has no sign of one: `GET /users/smith` may as well be a page."""

DROPPED_SHARE = 0.25
"""How often each feature group is left out of a copy."""

ALWAYS_KNOWN = frozenset({"method", "path-shape", "path-words"})
"""Groups that every record has."""


@dataclass(frozen=True)
class Data:
    """Rows of the tables, column by column."""

    features: Floats
    names: list[str]
    source: Strings
    part: Strings
    site: Strings
    place: Strings
    variant: Strings
    label: Labels
    weak: Booleans

    def column(self, name: str) -> Floats:
        """One feature of all rows."""
        return self.features[:, self.names.index(name)]

    def take(self, rows: Indices) -> "Data":
        """Some of the rows."""
        described = {name: getattr(self, name)[rows] for name in DESCRIPTION}
        return Data(features=self.features[rows], names=self.names, **described)


def read(paths: Sequence[Path]) -> Data:
    """Reads feature tables and puts them one under the other."""
    tables = [pq.read_table(path) for path in paths]
    names = [name for name in tables[0].column_names if name not in DESCRIPTION]
    described = {name: np.array([value for table in tables for value in table[name].to_pylist()]) for name in DESCRIPTION}
    features = np.concatenate([_features(table, names) for table in tables])
    return Data(features=features, names=names, **described)


def _features(table: pa.Table, names: Sequence[str]) -> Floats:
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32)


def weights(data: Data) -> Weights:
    """
    What each row weighs in training; one on average.

    A site counts with the square root of its rows, so that no big recording decides, and each part of the data with a fixed total.
    """
    recording = np.char.add(np.char.add(data.source.astype(str), "|"), data.site.astype(str))
    _, which, counts = np.unique(recording, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[which])
    weight *= np.where(data.weak, WEAK_WEIGHT, 1)
    weight *= np.where(_is_mute(data), MUTE_WEIGHT, 1)
    varied = np.isin(data.variant, ["library", "script-in-page", "form", "without-content", "wrong-type"])
    part = np.select([data.variant == "log-line", varied], ["log-line", "varied"], data.part)
    for (name, label), total in TOTALS.items():
        rows = (part == name) & (data.label == label)
        if rows.any():
            weight[rows] *= total / weight[rows].sum()
    result: Weights = weight / weight.mean()
    return result


def _is_mute(data: Data) -> Booleans:
    signs = [data.column(name) > 0 for name in ("words_api", "host_api", "path_version", "path_verb")]
    written = np.isin(data.column("method"), [4, 5, 6])
    json = data.column("extension") == 10
    silent: Booleans = (data.variant == "log-line") & (data.label == 1) & ~(written | json | np.logical_or.reduce(signs))
    return silent


def merged(features: Floats, label: Labels, weight: Weights) -> tuple[Floats, Labels, Weights]:
    """Rows that are alike become one that weighs as much as they do: recordings repeat themselves, and half the time is saved."""
    whole = np.column_stack([features, label.astype(np.float32)])
    _, first, which = np.unique(np.ascontiguousarray(whole).view(np.uint32), axis=0, return_index=True, return_inverse=True)
    return features[first], label[first], np.asarray(np.bincount(which.ravel(), weights=weight), dtype=np.float64)


def with_dropped_groups(features: Floats, groups: Sequence[str], seed: int) -> Floats:
    """A copy in which of every row some feature groups are not known."""
    chance = np.random.default_rng(seed)
    dropped = features.copy()
    of_group = np.array(groups)
    for group in sorted(set(groups) - ALWAYS_KNOWN):
        rows = np.flatnonzero(chance.random(len(features)) < DROPPED_SHARE)
        dropped[np.ix_(rows, np.flatnonzero(of_group == group))] = np.nan
    return dropped
