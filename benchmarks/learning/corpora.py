"""The recordings, which of them belong together, and how they are split into what is learned from and what is judged."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("HAUBERK_DATA", REPOSITORY.parent / "shared/data"))

Row = dict[str, Any]


@dataclass(frozen=True)
class Corpus:
    """One client's recordings of APIs."""

    name: str

    documents: Mapping[str, str] = field(default_factory=dict)
    """The official document of each `template_api` that has one."""


GITHUB = {"github": "api.github.com", "github-2023": "github-2023"}
CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus("octokit-rb", GITHUB),
        Corpus("pygithub", GITHUB),
        Corpus("github3-py", GITHUB),
        Corpus("linodego", {"linode": "linode-4.189"}),
        Corpus("mastodon-py", {"mastodon-unofficial": "mastodon.local"}),
        Corpus("jupiterone-gcp", {"gcp-compute": "googleapis.com_compute"}),
        Corpus("praw"),
        Corpus("go-fastly"),
        Corpus("easypost"),
        Corpus("lexicon"),
        Corpus("pydantic-ai", {"openai-2023": "openai.com"}),
        Corpus("cf-terraforming"),
    )
}


@dataclass(frozen=True)
class Split:
    """What is learned from, and what is held out; both are successful requests, and no recording is in both."""

    name: str
    training: list[Row]
    held_out: list[Row]


@functools.cache
def _rows(name: str) -> tuple[Row, ...]:
    with pa.input_stream(DATA / f"traffic/{name}.ndjson.zst", compression="zstd") as packed:
        return tuple(json.loads(line) for line in io.TextIOWrapper(packed, "utf-8"))


def successful(name: str) -> list[Row]:
    """Read the requests of a corpus that were answered with 2xx; preflights teach nothing and are not validated."""
    return [row for row in _rows(name) if 200 <= row["status"] < 300 and row["method"] != "OPTIONS" and row["label"] == "api"]


def everything(name: str) -> list[Row]:
    """Read all of a corpus, refused requests as well."""
    return list(_rows(name))


def by_recording(name: str, seed: int, share: float = 0.7) -> Split:
    """Hold out whole recordings, drawn by a hash of their file's name, so that a file stays where it is when others are added."""

    def is_training(row: Row) -> bool:
        drawn = hashlib.sha256(f"{seed}\0{row['file']}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") < share * 2**64

    return _split(f"{name} seed {seed}", everything(name), is_training)


def by_time(name: str, share: float = 0.7) -> Split:
    """Learn from the older recordings, judge the newer ones: each is as old as its first request. Rows without a time are left out."""
    timed = [row for row in everything(name) if row.get("time")]
    began: dict[str, str] = {}
    for row in timed:
        began[row["file"]] = min(began.get(row["file"], row["time"]), row["time"])
    in_order = sorted(timed, key=lambda row: began[row["file"]])
    border = began[in_order[int(len(in_order) * share)]["file"]] if in_order else ""
    return _split(f"{name} older/newer", timed, lambda row: began[row["file"]] < border)


def across(learned: str, *judged: str) -> Split:
    """Learn from one client of an API, judge the others."""
    return Split(f"{learned} → {' + '.join(judged)}", everything(learned), [row for name in judged for row in successful(name)])


def _split(name: str, rows: Iterable[Row], is_training: Callable[[Row], bool]) -> Split:
    training: list[Row] = []
    held_out: list[Row] = []
    for row in rows:
        if is_training(row):
            training.append(row)
        elif 200 <= row["status"] < 300 and row["method"] != "OPTIONS" and row["label"] == "api":
            held_out.append(row)
    return Split(name, training, held_out)


def written(rows: Iterable[Row]) -> bytes:
    """Give rows as lines of JSON."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
