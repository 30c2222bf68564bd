"""Learning as its users do it: `hauberk learn --all-traffic` on a file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.learning.corpora import REPOSITORY, Row, written


@dataclass(frozen=True)
class Learned:
    """What came out."""

    documents: list[dict[str, Any]]
    """One a host."""

    seconds: float

    def sources(self) -> list[bytes]:
        """Give the documents as they would be uploaded."""
        return [json.dumps(document).encode() for document in self.documents]


def learn(rows: Sequence[Row], priors: Path | None = None) -> Learned:
    """
    Learn from rows, refused requests among them as in any capture.

    Args:
        rows: What the capture holds.

        priors: A file of priors instead of the package's own.

    Raises:
        subprocess.CalledProcessError: If learning fails.
    """
    with tempfile.TemporaryDirectory() as name:
        capture, output = Path(name, "capture.ndjson"), Path(name, "learned")
        capture.write_bytes(written(rows))
        if len({row["host"] for row in rows}) == 1:
            output = output.with_suffix(".json")
        started = time.perf_counter()
        program = ["hauberk.cli"] if priors is None else ["benchmarks.learning.with_priors", str(priors)]
        command = [sys.executable, "-m", *program, "learn", "--all-traffic", str(capture), "-o", str(output)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY)
        seconds = time.perf_counter() - started
        files = sorted(output.glob("*.json")) if output.is_dir() else [output]
        return Learned([json.loads(file.read_text()) for file in files], seconds)
