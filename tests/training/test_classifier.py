"""The committed model was made of the committed feature tables. To make it anew is `make train`, which takes some minutes."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "training" / "classifier"
RECORD = json.loads((FOLDER / "model.json").read_text())
MODEL = ROOT / "crates" / "traffic" / "src" / "classify" / "model.bin"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_model_is_the_recorded_one() -> None:
    assert digest(MODEL) == RECORD["model"], "model.bin was changed: run `make train`"


def test_the_feature_tables_are_those_the_model_was_made_of() -> None:
    tables = {path.name: digest(path) for path in (FOLDER / "tables").glob("*.parquet")}
    assert tables == RECORD["tables"], "the feature tables were changed: run `make train`"


def test_catboost_is_pinned_to_the_version_the_model_was_made_with() -> None:
    assert f'"catboost=={RECORD["catboost"]}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(("paths", "limit"), [([MODEL], 1 << 20), (sorted((FOLDER / "tables").glob("*.parquet")), 20 << 20)])
def test_what_is_committed_stays_small(paths: list[Path], limit: int) -> None:
    assert 0 < sum(path.stat().st_size for path in paths) <= limit
