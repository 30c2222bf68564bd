#!/usr/bin/env python3
"""
Measure validation in-process: routes, heads, bodies and documents, each beside what others take to only read the same bytes.

    benchmarks/validation/run.py            # prints the tables; about four minutes, and as many to build the first time
    benchmarks/validation/run.py --write    # and keeps them in benchmarks/validation/README.md
    benchmarks/validation/run.py --only body

Criterion measures; this pins it to one core and reads its medians. It needs Rust, Python and, for the rows of GitHub's document, the
collected data (`HAUBERK_DATA`, or `shared/data` beside the repository). Close what else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
README = FOLDER / "README.md"
BEGIN, END = "<!-- results: written by run.py --write -->", "<!-- end of results -->"
CORE = 0

OTHERS = ("serde_json Value", "serde_json IgnoredAny", "sonic-rs Value", "jsonschema on serde_json Value")
GROUPS = {
    "router": "Finding the operation",
    "parameters": "Judging a head",
    "body": "Judging head and body",
    "document": "A large document",
}

Medians = dict[tuple[str, str, str], float]
"""(group, row, column) → nanoseconds; the column is empty where a row stands alone."""


@dataclass(frozen=True)
class Promise:
    """What we hold ourselves to: a figure that is at least, or at most, so much."""

    what: str
    unit: str
    figure: float
    bound: float
    at_least: bool = False

    @property
    def held(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound


def main() -> None:
    args = _arguments()
    found = _criterion(args.only)
    text = "\n\n".join([*_tables(found), *filter(None, [_promises(found)]), _conditions()])
    print(text)
    if args.write:
        before, begin, rest = README.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise SystemExit(f"{README} must have the lines '{BEGIN}' and '{END}'")
        README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=GROUPS, help="measure this group alone")
    parser.add_argument("--write", action="store_true", help="keep the result in README.md beside this program; needs all groups")
    args = parser.parse_args()
    if args.write and args.only:
        parser.error("--write keeps whole tables, so it does not go with --only")
    return args


def _criterion(only: str | None) -> Medians:
    """Build, then run on one core; the medians of what ran."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", FOLDER / "target")).resolve()
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    command = ["cargo", "bench", "--locked", "--quiet"]
    results = target / "criterion"
    shutil.rmtree(results, ignore_errors=True)
    subprocess.run([*command, "--no-run"], cwd=FOLDER, env=environment, check=True)
    chosen = ["--", f"^{only}/"] if only else []
    subprocess.run(["taskset", "-c", str(CORE), *command, *chosen], cwd=FOLDER, env=environment, check=True, stdout=sys.stderr)
    found: Medians = {}
    for path in sorted(results.glob("**/new/benchmark.json")):
        names = json.loads(path.read_text())
        median = json.loads((path.parent / "estimates.json").read_text())["median"]["point_estimate"]
        found[names["group_id"], names["function_id"], names["value_str"] or ""] = median
    return found


def _tables(found: Medians) -> list[str]:
    tables = []
    for group, title in GROUPS.items():
        rows = list(dict.fromkeys(row for known, row, _ in found if known == group))
        if not rows:
            continue
        if group != "body":
            lines = [f"| {title} | |", "|---|--:|", *(f"| {row} | {_time(found[group, row, ''])} |" for row in rows)]
        else:
            lines = [f"| {title} | hauberk | {' | '.join(OTHERS)} |", f"|---|--:|{'--:|' * len(OTHERS)}"]
            for row in rows:
                ours = found[group, row, "hauberk"]
                others = [found.get((group, row, other)) for other in OTHERS]
                cells = [f"{_time(other)} ({other / ours:.2f})" if other else "" for other in others]
                lines.append(f"| {row} | {_time(ours)} | {' | '.join(cells)} |")
        tables.append("\n".join(lines))
    return tables


def _promises(found: Medians) -> str:
    promises = []
    signup, route = ("body", "32 KB sign-up of 100 users"), ("router", "10,000 operations over 100 hosts: host and route", "")
    if (*signup, "hauberk") in found:
        ours = found[*signup, "hauberk"]
        promises.append(Promise("32 KB sign-up, judged", "µs", ours / 1e3, 80))
        promises.append(
            Promise("serde_json's tree of it, divided by that", "", found[*signup, "serde_json Value"] / ours, 2.6, at_least=True)
        )
    if route in found:
        promises.append(Promise("a route among 10,000 operations over 100 hosts", "µs", found[route] / 1e3, 1))
    alone, many = (("document", f"{which}: request", "") for which in ("one operation", "1,223 operations"))
    if alone in found:
        promises.append(Promise("a request under 1,223 operations, divided by the same under one", "", found[many] / found[alone], 1.05))
    if not promises:
        return ""
    lines = ["| promised | | bound | held |", "|---|--:|--:|---|"]
    for promise in promises:
        bound = f"{'at least' if promise.at_least else 'at most'} {promise.bound:g} {promise.unit}".rstrip()
        lines.append(f"| {promise.what} | {promise.figure:.2f} {promise.unit} | {bound} | {'yes' if promise.held else 'no'} |")
    return "\n".join(lines)


def _time(nanoseconds: float) -> str:
    for unit, size in (("ns", 1.0), ("µs", 1e3), ("ms", 1e6)):
        if nanoseconds < size * 1000:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds / 1e9:.3g} s"


def _conditions() -> str:
    lock = (FOLDER / "Cargo.lock").read_text()
    names = ("serde_json", "sonic-rs", "jsonschema", "criterion")
    versions = [f"{name} " + _first(rf'name = "{name}"\nversion = "([^"]+)"', lock) for name in names]
    processor = _first(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    facts: Mapping[str, str] = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{processor}, Linux {platform.release()}",
        "hauberk": _revision(),
        "Beside": f"{', '.join(versions)}; {_output(['rustc', '--version']).split(' (')[0]}, no flags for this machine's processor",
        "Method": "medians of criterion: 50 samples within 2 s each after 0.5 s of warming up, pinned to one core",
        "Load when it ended": f"{os.getloadavg()[0]:.1f} (1 is this benchmark)",
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def _revision() -> str:
    revision = _output(["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]).strip()
    changed = _output(["git", "-C", str(REPOSITORY), "status", "--porcelain", "--", "crates/openapi"]).strip()
    return f"{revision} with changes" if changed else revision


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1].strip() if found else "unknown"


if __name__ == "__main__":
    main()
