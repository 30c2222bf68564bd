"""
Trains the classifier: `make train`.

Without options the model is fitted to the committed feature tables, written, compiled in, and compared with CatBoost on every row.
`--rebuild` makes the tables from the recordings first, `--judge` holds out sites and writes what `docs/classifier.md` shows.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import catboost
import numpy as np

from training.classifier import corpus, report, tables, vectors
from training.classifier.export import model_bytes
from training.classifier.fit import PARAMETERS, fit
from training.classifier.judge import judge
from training.classifier.matrix import read

FOLDER = Path(__file__).parent
TABLES = FOLDER / "tables"
MODEL = vectors.ROOT / "crates" / "traffic" / "src" / "classify" / "model.bin"
REFERENCE = vectors.ROOT / "crates" / "traffic" / "tests" / "classifier-rows.csv"
RECORD = FOLDER / "model.json"

THRESHOLD = 0.6
"""Chosen on predictions for sites held out; see the table of thresholds in `docs/classifier.md`."""

REFERENCE_ROWS = 300
TOLERANCE = 1e-6


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(prog="make train ARGS=…", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rebuild", action="store_true", help="make the feature tables from the recordings first")
    parser.add_argument("--judge", action="store_true", help="judge on sites held out, and write the results; takes a quarter of an hour")
    arguments = parser.parse_args()
    if arguments.rebuild:
        rebuild()
    train()
    if arguments.judge:
        report.write(judge(read(table_paths()), vectors.names_and_groups()[1]), THRESHOLD)


def table_paths() -> list[Path]:
    """The committed feature tables."""
    return sorted(TABLES.glob("*.parquet"))


def rebuild() -> None:
    """Makes the feature tables of what recordings are at hand; the others stay."""
    collection = corpus.data_folder()
    if (collection / "traffic").is_dir():
        tables.write(tables.build(corpus.read_collection(collection)), TABLES / "collection.parquet")
    else:
        say(f"no collection in {collection}: its table stays as it is")
    captures = corpus.captures_folder()
    if captures and any(captures.glob("*.ndjson.zst")):
        tables.write(tables.build(corpus.read_captures(captures)), TABLES / "recorded.parquet")
    else:
        say("no recordings in HAUBERK_CAPTURES: their table stays as it is")


def train() -> None:
    """Fits the model, writes it, and compares what Rust makes of it with CatBoost."""
    data = read(table_paths())
    names, groups = vectors.names_and_groups()
    if names != data.names:
        sys.exit("error: the feature tables have other features than crates/traffic: make train ARGS=--rebuild")
    say(f"fitting to {len(data.label)} rows")
    model = fit(data, groups)
    written = model_bytes(model, len(names), THRESHOLD)
    MODEL.write_bytes(written)
    expected = model.predict_proba(data.features)[:, 1]
    difference = float(np.abs(vectors.scores(data.features) - expected).max())
    say(f"largest difference between Rust and CatBoost on {len(expected)} rows: {difference:.1e}")
    if difference > TOLERANCE:
        sys.exit(f"error: Rust and CatBoost differ by more than {TOLERANCE}")
    some = np.random.default_rng(0).choice(len(expected), REFERENCE_ROWS, replace=False)
    write_reference(data.features[some], expected[some])
    RECORD.write_text(
        json.dumps(
            {
                "model": digest(MODEL),
                "tables": {path.name: digest(path) for path in table_paths()},
                "rows": len(data.label),
                "catboost": catboost.__version__,
                "parameters": {name: value for name, value in PARAMETERS.items() if name not in {"verbose", "allow_writing_files"}},
                "threshold": THRESHOLD,
            },
            indent=2,
        )
        + "\n"
    )
    say(f"wrote {len(written)} bytes to {MODEL.relative_to(vectors.ROOT)}: sha256 {digest(MODEL)}")


def write_reference(features: np.ndarray, expected: np.ndarray) -> None:
    """Writes rows that the tests of the crate compare with: the likelihood by CatBoost, then the features."""
    lines = []
    for row, score in zip(features, expected, strict=True):
        values = ("" if np.isnan(value) else repr(float(value)) for value in row)
        lines.append(",".join([repr(float(score)), *values]))
    REFERENCE.write_text("\n".join(lines) + "\n")


def digest(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text: str) -> None:
    """Tells how it goes."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
