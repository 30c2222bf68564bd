"""
Labelled transactions, as the classifier is trained and judged on them.

Two folders hold them: the shared collection (`HAUBERK_DATA`, its `traffic/`) and the browser recordings of web applications that
`training/record` makes (`HAUBERK_CAPTURES`). Both have one JSON object a line, zstd-compressed.
"""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import zstandard

Record = dict[str, Any]

# Parts of a page that servers may send with a content type that says nothing.
_PARTS_OF_PAGES = (".ejs", ".hbs", ".mustache", ".tmpl", ".tpl", ".wasm", ".html", ".js", ".css")
# What a heuristic label of `web` cannot vouch for: data that a script may have asked for.
_DATA_TYPES = ("application/json", "text/json", "application/xml", "text/xml", "text/plain", "application/octet-stream")


@dataclass(frozen=True)
class Row:
    """A labelled transaction and where it comes from."""

    source: str
    """The collection it is from, such as `chrome-har`; for recorded applications `recorded`."""

    part: str
    """Who asked: `browser`, `client` (an API client library) or `log` (an access log, no headers)."""

    site: str
    """The registrable domain or the recorded application: what is held out as a whole."""

    label: int
    """1 API call, 0 not."""

    weak: bool
    """Whether a heuristic gave the label. Trained on with little weight, never judged on."""

    place: str
    """File and row of the record, to find it again."""

    record: Record


def data_folder() -> Path:
    """The folder of the shared collection."""
    return Path(os.environ.get("HAUBERK_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def captures_folder() -> Path | None:
    """The folder of recorded applications, if there is one at hand."""
    folder = os.environ.get("HAUBERK_CAPTURES")
    return Path(folder) if folder else None


def read_collection(folder: Path) -> Iterator[Row]:
    """Rows of the shared collection; ambiguous ones are left out."""
    index = json.loads((folder / "traffic" / "INDEX.json").read_text())
    for entry in sorted(index, key=lambda entry: str(entry["file"])):
        if not str(entry["file"]).startswith("traffic/"):
            continue
        part = {"api": "client", "browser": "browser", "log": "log"}[entry["kind"]]
        path = folder / entry["file"]
        source = path.name.removesuffix(".ndjson.zst")
        for number, record in enumerate(_records(path)):
            weak = record["label_src"] == "weak"
            if record["label"] == "ambiguous" or (weak and not _is_plausible(record)):
                continue
            yield Row(source, part, _site(source, record["host"]), int(record["label"] == "api"), weak, f"{source}:{number}", record)


def read_captures(folder: Path) -> Iterator[Row]:
    """Rows of recorded applications, labelled by Chrome's own resource type; ambiguous ones are left out."""
    for path in sorted(folder.glob("*.ndjson.zst")):
        application = path.name.removesuffix(".ndjson.zst")
        for number, record in enumerate(_records(path)):
            if record["label"] == "ambiguous" or _is_disputed(record):
                continue
            label = int(record["label"] == "api")
            yield Row("recorded", "browser", f"app:{application}", label, False, f"{application}:{number}", record)


def _is_disputed(record: Record) -> bool:
    """
    Whether Chrome's label is not what we mean.

    Someone may open the address of data in a browser: to Chrome a document, and yet what a program would ask for. A script may load the
    parts of its own page, such as templates: to Chrome an XHR as any other.
    """
    path = urlsplit(record["url"]).path.lower()
    if record["label"] == "web":
        return record.get("resource_type") == "document" and "json" in (record["response_content_type"] or "")
    return path.endswith(_PARTS_OF_PAGES)


def _is_plausible(record: Record) -> bool:
    """Whether a heuristic label agrees with more than one sign."""
    content_type = (record["response_content_type"] or "").lower()
    names = {name.lower() for name, _ in record["request_headers"]}
    if record["label"] == "web":
        return bool(content_type) and not content_type.startswith(_DATA_TYPES) and "x-requested-with" not in names
    return "x-requested-with" in names or "json" in content_type


def _site(source: str, host: str) -> str:
    """The registrable domain, as near as can be told without a list: names of one site stay together across collections."""
    name = host.lower().rsplit(":", 1)[0]
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or labels[-1] in {"local", "localhost", "test"}:
        return f"{source}:{host}"
    second_level = len(labels[-1]) == 2 and labels[-2] in {"co", "com", "ac", "gov", "org", "net", "edu"}
    return ".".join(labels[-3:] if second_level else labels[-2:])


def _records(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8"):
            yield json.loads(line)
