"""
The feature tables: derived values with source, site and label, and no payloads.

They are committed, so that the model can be made anew where the raw recordings are not at hand.
"""

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.classifier import vectors
from training.classifier.corpus import Row
from training.classifier.vary import variants

SEED = 20261122
_BATCH = 5000


def build(rows: Iterable[Row]) -> pa.Table:
    """The table of all rows and their variations."""
    choose = random.Random(SEED)
    columns: dict[str, list[object]] = {name: [] for name in ("source", "part", "site", "place", "variant", "label", "weak")}
    records, parts = [], []
    for row in rows:
        for variant, record in variants(row, choose):
            for name in ("source", "part", "site", "place", "label", "weak"):
                columns[name].append(getattr(row, name))
            columns["variant"].append(variant)
            records.append(record)
            if len(records) == _BATCH:
                parts.append(vectors.vectors(records))
                records = []
    if records:
        parts.append(vectors.vectors(records))
    matrix = np.concatenate(parts)
    arrays = {name: pa.array(values) for name, values in columns.items()}
    arrays |= {name: arrays[name].dictionary_encode() for name in ("source", "part", "site", "variant")}
    arrays |= {name: pa.array(matrix[:, index]) for index, name in enumerate(vectors.names_and_groups()[0])}
    return pa.table(arrays)


def write(table: pa.Table, path: Path) -> None:
    """Writes a table; equal tables make equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=19, store_schema=True)
