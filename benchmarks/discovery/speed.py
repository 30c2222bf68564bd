#!/usr/bin/env python3
"""
Measure discovery on one capture beside mitm2openapi and har-to-openapi: time, memory, and what each finds.

    benchmarks/discovery/speed.py                 # prints the tables; some minutes
    benchmarks/discovery/speed.py --write         # and keeps them in benchmarks/discovery/README.md
    benchmarks/discovery/speed.py --copies 4      # a smaller capture

The capture is made of the recordings of one API (GitHub's, as three client libraries recorded it) in the collected data (`HAUBERK_DATA`,
or `shared/data` beside the repository), several times over with other numbers in the paths, as HAR and as NDJSON. Each program runs alone
on one core, `--runs` times in turn; the table has medians. It needs hauberk (`make build`), and the rivals:

    cargo install mitm2openapi --version 0.8.1 --locked
    npm install --prefix benchmarks/discovery/rivals

Without one of them its row is left out, and the output says so.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
README = FOLDER / "README.md"
BEGIN, END = "<!-- speed: written by speed.py --write -->", "<!-- end of speed -->"
DATA = Path(os.environ.get("HAUBERK_DATA", REPOSITORY.parent / "shared/data"))
SOURCES = ("octokit-rb", "pygithub", "github3-py")
HOST = "api.github.com"
CORE = 0


@dataclass
class Program:
    """A program, what it reads, and what came out."""

    name: str
    capture: str
    commands: Callable[[Path], list[list[str]]]
    """Takes the capture; the commands that make `result` beside it, to be run one after the other."""
    operations: Callable[[Path], list[tuple[str, str]]]
    """Takes `result`; gives method and endpoint of each operation."""
    seconds: list[float] = field(default_factory=list)
    rss_mib: float = 0
    found: list[tuple[str, str]] = field(default_factory=list)

    def run(self, folder: Path) -> None:
        """Run it once on one core; its largest resident size comes from the kernel's account of the child."""
        started = time.perf_counter()
        for command in self.commands(folder / self.capture):
            with (folder / "errors").open("w+b") as errors:
                process = subprocess.Popen(["taskset", "-c", str(CORE), *command], stdout=subprocess.DEVNULL, stderr=errors, cwd=folder)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode != 0:
                    errors.seek(0)
                    raise SystemExit(f"{command[0]} ended with {process.returncode}: {errors.read().decode(errors='replace')[-2000:]}")
            self.rss_mib = max(self.rss_mib, usage.ru_maxrss / 1024)
        self.seconds.append(time.perf_counter() - started)
        self.found = self.operations(folder / "result")


def main() -> None:
    args = _arguments()
    rows = list(_rows())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        transactions = _write(folder, rows, args.copies)
        sizes = {capture: (folder / capture).stat().st_size for capture in ("capture.ndjson", "capture.har")}
        programs = _programs()
        for _ in range(args.runs):
            for program in programs:
                program.run(folder)
    text = _table(programs, rows, transactions, sizes) + "\n\n" + _conditions(args.runs)
    print(text)
    if args.write:
        before, begin, rest = README.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise SystemExit(f"{README} must have the lines '{BEGIN}' and '{END}'")
        README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=10, help="how often the recordings are in the capture (default: 10)")
    parser.add_argument("--runs", type=int, default=3, help="how often each program runs (default: 3)")
    parser.add_argument("--write", action="store_true", help="keep the result in README.md beside this program")
    return parser.parse_args()


def _rows() -> Iterator[dict[str, Any]]:
    for source in SOURCES:
        with pa.input_stream(DATA / f"traffic/{source}.ndjson.zst", compression="zstd") as packed:
            for line in io.TextIOWrapper(packed, "utf-8"):
                row = json.loads(line)
                if row["host"] == HOST:
                    yield row


def _write(folder: Path, rows: list[dict[str, Any]], copies: int) -> int:
    """Write the capture in both forms. In each copy other numbers stand for those of five digits and more, so that paths differ."""
    with (folder / "capture.har").open("w") as har, (folder / "capture.ndjson").open("w") as ndjson:
        har.write('{"log":{"version":"1.2","creator":{"name":"benchmark","version":"1"},"entries":[')
        for copy in range(copies):
            for number, row in enumerate(rows):
                changed = row | {"url": _renumbered(row["url"], copy)}
                ndjson.write(json.dumps(changed, separators=(",", ":")) + "\n")
                har.write(("," if copy or number else "") + json.dumps(_entry(changed), separators=(",", ":")))
        har.write("]}}")
    return copies * len(rows)


def _renumbered(url: str, copy: int) -> str:
    return re.sub(r"(?<=/)\d{5,}(?=/|$|\?)", lambda found: str(int(found[0]) + copy), url)


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    def headers(pairs: list[list[str]]) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in pairs]

    request: dict[str, Any] = {
        "method": row["method"],
        "url": row["url"],
        "httpVersion": row["http_version"] or "HTTP/1.1",
        "headers": headers(row["request_headers"]),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(row["request_body"] or ""),
    }
    if row["request_body"]:
        sent = [value for name, value in row["request_headers"] if name.lower() == "content-type"]
        request["postData"] = {"mimeType": sent[0] if sent else "application/json", "text": row["request_body"]}
    content: dict[str, Any] = {"size": row["response_body_size"] or 0, "mimeType": row["response_content_type"] or ""}
    if row.get("response_body"):
        content["text"] = row["response_body"]
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "time": 1,
        "request": request,
        "response": {
            "status": row["status"],
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": headers(row["response_headers"]),
            "cookies": [],
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 1, "receive": 0},
    }


def _programs() -> list[Program]:
    def hauberk(capture: Path) -> list[list[str]]:
        return [[str(REPOSITORY / ".venv/bin/hauberk"), "discover", str(capture), "-o", "result"]]

    def mitm2openapi(capture: Path) -> list[list[str]]:
        return [["mitm2openapi", "discover", "-i", str(capture), "-o", "result", "-p", f"https://{HOST}", "--format", "har"]]

    def har_to_openapi(capture: Path) -> list[list[str]]:
        return [["node", "--max-old-space-size=16000", str(FOLDER / "rivals/har_to_openapi.mjs"), str(capture), "result"]]

    programs = [Program(f"hauberk, {kind}", f"capture.{kind.lower()}", hauberk, _of_json) for kind in ("NDJSON", "HAR")]
    if shutil.which("mitm2openapi"):
        programs.append(Program("mitm2openapi 0.8.1 (paths only)", "capture.har", mitm2openapi, _of_templates))
    else:
        print("left out: mitm2openapi is not installed", file=sys.stderr)
    if (FOLDER / "rivals/node_modules/har-to-openapi").is_dir():
        programs.append(Program("har-to-openapi 2.0.0", "capture.har", har_to_openapi, _of_json))
    else:
        print("left out: har-to-openapi is not installed", file=sys.stderr)
    return programs


def _of_json(result: Path) -> list[tuple[str, str]]:
    return [(found["method"], found["endpoint"]) for found in json.loads(result.read_text())]


def _of_templates(result: Path) -> list[tuple[str, str]]:
    """Read mitm2openapi's list: it has paths, and methods only in what is generated from it."""
    templates = yaml.safe_load(result.read_text())["x-path-templates"]
    return [("", template.removeprefix("ignore:")) for template in templates]


def _nameless(template: str) -> str:
    return re.sub(r"\{[^{}/]*\}", "{}", template)


def _table(programs: list[Program], rows: list[dict[str, Any]], transactions: int, sizes: dict[str, int]) -> str:
    counted = [row for row in rows if 200 <= row["status"] < 300 and not row.get("template_method_mismatch")]
    documented = {(row["method"], _nameless(row["template"])) for row in counted if "template" in row}
    lines = [
        "| program | time | transactions/s | memory | operations | of them documented | documented ones found |",
        "|---|---|---|---|---|---|---|",
    ]
    for program in programs:
        found = {(method, _nameless(endpoint)) for method, endpoint in program.found}
        known = documented if any(method for method, _ in found) else {("", endpoint) for _, endpoint in documented}
        seconds = statistics.median(program.seconds)
        lines.append(
            f"| {program.name} | {seconds:.2f} s | {transactions / seconds:,.0f} | {program.rss_mib:,.0f} MiB | {len(found):,} | "
            f"{len(found & known) / max(1, len(found)):.1%} | {len(found & known) / len(known):.1%} |"
        )
    har, ndjson = sizes["capture.har"] / 1e6, sizes["capture.ndjson"] / 1e6
    return f"{transactions:,} transactions with {HOST}; HAR {har:,.0f} MB, NDJSON {ndjson:,.0f} MB.\n\n" + "\n".join(lines)


def _conditions(runs: int) -> str:
    return f"Median of {runs} runs in turn, each on one core of {platform.machine()}; Python {platform.python_version()}."


if __name__ == "__main__":
    main()
