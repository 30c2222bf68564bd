"""The bodies that are sent, the documents they conform to, and what must be refused beside each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import load

FOLDER = Path(__file__).parent
VALIDATION = FOLDER.parent / "validation"
DATA = Path(os.environ.get("HAUBERK_DATA", FOLDER.parents[2] / "shared" / "data"))
GITHUB = DATA / "openapi" / "api.github.com.json.zst"


@dataclass(frozen=True)
class Payload:
    """
    A body, the path it is sent to, and the document that judges it.

    Attributes:
        body: The file with the body.

        path: The path of the operation, which has no variables.

        document: The OpenAPI document, JSON.

        good, bad: A part of the body, and what makes it depart from the document at the same length.
    """

    body: Path
    path: str
    document: Path
    good: bytes
    bad: bytes

    @property
    def refused(self) -> bytes:
        """The body with one thing wrong, near its end."""
        before, _, after = self.body.read_bytes().rpartition(self.good)
        return before + self.bad + after


READING = Payload(load.READING, "/temps", FOLDER / "temperatures.json", b"21.5", b"99.5")
"""53 bytes."""


def signup(folder: Path) -> Payload:
    """The sign-up body of 100 users, 32 KB, written into a folder by the script that the benchmarks in-process use as well."""
    path = folder / "signup.body.json"
    with path.open("wb") as stream:
        subprocess.run([sys.executable, str(VALIDATION / "signup.py"), "100"], stdout=stream, check=True)
    return Payload(path, "/signup", VALIDATION / "signup.json", b'"zip":"1', b'"zip":"x')


def many_operations() -> str | None:
    """
    The document of the reading among GitHub's 1,223 operations; without the collected data, None.

    The same request is judged by the same schema, so what it costs more is the size of the document alone.
    """
    if not GITHUB.is_file() or not shutil.which("zstd"):
        return None
    unpacked = subprocess.run(["zstd", "-dcq", str(GITHUB)], capture_output=True, check=True).stdout
    document = json.loads(unpacked)
    reading = json.loads(READING.document.read_bytes())
    document["paths"].update(reading["paths"])
    document["components"]["schemas"].update(reading["components"]["schemas"])
    return json.dumps(document)
