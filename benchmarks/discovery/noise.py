"""
What scanners leave behind changes nothing in the operations found: the successful requests of a scanned site's log are mixed into recorded
API traffic, with the low score that the classifier gives such requests, and with no score at all.

    python benchmarks/discovery/noise.py --program target/checked/examples/paths
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

from accuracy import found_in, matches, rows_of

SOURCES = (
    "pygithub",
    "octokit-rb",
    "github3-py",
    "linodego",
    "cf-terraforming",
    "mastodon-py",
    "praw",
    "jupiterone-gcp",
    "go-fastly",
    "easypost",
)


def main() -> None:
    """Print how many operations are no longer found, and on standard error which."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="words and models other than those that are shipped")
    arguments = parser.parse_args()
    noise = {(row["method"], urlsplit(row["url"]).path or "/") for row in rows_of("log-vulnscan")}
    print("| source | operations | lost, scores given | lost, no scores |\n| --- | --- | --- | --- |")
    for source in SOURCES:
        rows = {(row["host"].lower(), row["method"], urlsplit(row["url"]).path or "/") for row in rows_of(source)}
        hosts = [host for host, _, _ in rows]
        host = max(sorted(set(hosts)), key=hosts.count)
        clean = [(*row, 1.0) for row in sorted(rows)]
        own = {(method, path) for of, method, path in rows if of == host}
        extra = sorted(noise - own)
        before = operations(arguments, clean, rows)
        lost = []
        for score in (0.05, 1.0):
            after = operations(arguments, clean + [(host, *row, score) for row in extra], rows)
            lost.append(len(before - after))
            for one in sorted(before - after):
                print("   ", *one, file=sys.stderr)
        print(f"| {source} | {len(before)} | {lost[0]} | {lost[1]} |")


def operations(arguments: argparse.Namespace, given: list, rows: set) -> set:
    """Find operations; those without a path of the clean traffic are not counted."""
    found = found_in(arguments.program, arguments.folder, given)
    known = {}
    for host, method, path in rows:
        known.setdefault((host, method), []).append(path)
    return {
        (one["method"], one["host"], one["endpoint"])
        for one in found
        if any(matches(one["endpoint"].rstrip("/") or "/", path) for path in known.get((one["host"], one["method"]), ()))
    }


if __name__ == "__main__":
    main()
