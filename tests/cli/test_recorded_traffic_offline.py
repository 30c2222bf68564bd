"""Classifying and discovering recorded traffic by the command line: loose floors, which a broken model or reader falls below."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from recorded import lines_of, rows_of

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

GITHUB = "api.github.com"


def pack(file: str, lines: list[bytes]) -> Path:
    Path(file).write_bytes(pa.compress(b"\n".join(lines) + b"\n", "zstd", asbytes=True))
    return Path(file)


def discover(run: Run, *arguments: str | Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = run("discover", *arguments, "--json").json
    return rows


def test_all_of_it_is_classified_as_its_labels_say(run: Run, recordings: Path) -> None:
    files = sorted(recordings.glob("*.ndjson.zst"))
    run("classify", *files, "-o", "scores.ndjson")
    scores = [json.loads(line) for line in Path("scores.ndjson").read_text().splitlines()]
    labels = [(row["label"], row["label_src"]) for file in files for row in rows_of(file)]
    assert [score["row"] for score in scores] == list(range(len(labels)))
    # Weak labels are a heuristic, and nobody is judged by them.
    judged = [(label, source, score["api"]) for (label, source), score in zip(labels, scores, strict=True) if source != "weak"]
    counts = Counter((label, api) for label, _, api in judged)
    right, missed, wrong = counts["api", True], counts["api", False], counts["web", True]
    assert 2 * right / (2 * right + missed + wrong) >= 0.98
    assert wrong / (wrong + counts["web", False]) <= 0.01
    logs = Counter(api for _, source, api in judged if source == "accesslog")
    assert logs[True] / sum(logs.values()) <= 0.005
    browsers = Counter((label, api) for label, source, api in judged if source == "resource_type")
    assert browsers["api", True] / (browsers["api", True] + browsers["api", False]) >= 0.9


def test_each_recording_is_discovered_and_none_holds_back_the_others(run: Run, recordings: Path) -> None:
    run("discover", *sorted(recordings.glob("*.ndjson.zst")), "-o", "operations.json")
    operations = json.loads(Path("operations.json").read_text())
    keys = [(one["method"], one["host"], one["endpoint"]) for one in operations]
    assert len(set(keys)) == len(keys)
    assert len(keys) > 2000
    assert all(one["origin"] == ["ML"] and one["requests"] >= one["distinct_paths"] >= 1 for one in operations)
    assert {("GET", GITHUB, "/repos/{var1}/{var2}/issues/{var3}"), ("GET", GITHUB, "/users/{var1}")} <= set(keys)
    # Access logs of web sites hold no operation.
    assert discover(run, *sorted(recordings.glob("log-*.ndjson.zst"))) == []


@pytest.mark.parametrize("name", ["octokit-rb", "lighthouse", "mastodon-py"])
def test_the_order_of_rows_does_not_matter(run: Run, recordings: Path, name: str) -> None:
    lines = lines_of(recordings / f"{name}.ndjson.zst")
    wanted = discover(run, recordings / f"{name}.ndjson.zst")
    assert wanted
    random.Random(7).shuffle(lines)
    shuffled = discover(run, pack("shuffled.zst", lines))
    half = len(lines) // 2
    split = discover(run, pack("a.zst", lines[:half]), pack("b.zst", lines[half:]))
    for found in (shuffled, split):
        assert [one | {"score": None} for one in found] == [one | {"score": None} for one in wanted]
        # Sums of floats depend on their order in the last digits.
        assert [one["score"] for one in found] == pytest.approx([one["score"] for one in wanted], abs=2e-4)


def test_a_scanner_on_the_host_changes_none_of_its_operations(run: Run, recordings: Path) -> None:
    api = lines_of(recordings / "pygithub.ndjson.zst")
    noise = []
    for row in rows_of(recordings / "log-vulnscan.ndjson.zst"):
        url = row["url"].partition("://")[2].partition("/")[2] if "://" in row["url"] else row["url"].lstrip("/")
        noise.append(json.dumps(row | {"host": GITHUB, "url": f"https://{GITHUB}/{url}"}).encode())
    mixed = api + noise
    random.Random(7).shuffle(mixed)
    wanted, found = (
        {(one["method"], one["endpoint"]): one for one in discover(run, capture, "--host", GITHUB)}
        for capture in (recordings / "pygithub.ndjson.zst", pack("mixed.zst", mixed))
    )
    assert len(wanted) > 300
    assert {key: found.get(key, {}) | {"score": None} for key in wanted} == {key: one | {"score": None} for key, one in wanted.items()}
    # What a broken web site answers with 200 on the host of an API may look like one; of 13,284 requests hardly any does.
    assert len(found) - len(wanted) <= 0.03 * len(wanted)
