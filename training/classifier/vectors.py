"""
Feature vectors and scores, worked out by the same Rust code that runs in the gateway.

`crates/traffic/examples/classify.rs` is that code as a program. It builds in seconds, so a changed feature or model is at hand at once.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.classifier.corpus import Record

ROOT = Path(__file__).parents[2]
_PROGRAM = ("cargo", "run", "--quiet", "--profile", "checked", "--locked", "-p", "hauberk-traffic", "--example", "classify", "--")
# What is passed on: no label, no resource type, nothing of where a record comes from.
_MEMBERS = (
    "host",
    "method",
    "url",
    "http_version",
    "request_headers",
    "request_body",
    "request_body_b64",
    "request_body_omitted",
    "status",
    "response_headers",
    "response_body_size",
    "response_content_type",
)


def names_and_groups() -> tuple[list[str], list[str]]:
    """Name and group of each feature, in the order of the vectors."""
    lines = [line.split("\t") for line in _run("names", b"").decode().splitlines()]
    return [line[0] for line in lines], [line[1] for line in lines]


def vectors(records: Sequence[Record]) -> npt.NDArray[np.float32]:
    """A row of features for each record."""
    kept = ({name: record[name] for name in _MEMBERS if name in record} for record in records)
    lines = b"\n".join(json.dumps(record, ensure_ascii=False).encode() for record in kept)
    return np.frombuffer(_run("features", lines), dtype="<f4").reshape(len(records), -1).copy()


def scores(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The likelihood of each row of features, by the model that is compiled in."""
    return np.frombuffer(_run("scores", features.astype("<f4").tobytes()), dtype="<f8").copy()


def _run(what: str, standard_input: bytes) -> bytes:
    return subprocess.run([*_PROGRAM, what], input=standard_input, stdout=subprocess.PIPE, check=True, cwd=ROOT).stdout
