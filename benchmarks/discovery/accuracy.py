"""
Accuracy of the operations found, on recorded traffic whose documented templates are known.

Every source is judged with words and models that were made without the documents and recordings of its API, and of the same API under
other names. Only successful (2xx) requests are given, all of a source at once.

    python benchmarks/discovery/accuracy.py --program target/checked/examples/paths --work FOLDER [--retrain] [--errors 20]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import zstandard

ROOT = Path(__file__).parent.parent.parent
DATA = Path(os.environ.get("HAUBERK_DATA", ROOT.parent / "shared/data"))

LEFT_OUT = {
    "github": (["github.com"], ["pygithub", "octokit-rb", "github3-py"]),
    "linode-cloudflare": (["linode.com", "cloudflare"], ["linodego", "cf-terraforming", "lexicon"]),
    "google": (["googleapis.com", "google.com", "google.home"], ["jupiterone-gcp"]),
    "others": (["reddit", "mastodon", "openai", "kubernetes.io"], ["praw", "mastodon-py", "k8s-manageiq", "pydantic-ai"]),
}
"""What is left out of training together, and the sources judged with what comes of it."""

VARIABLE = re.compile(r"\{[^{}]*\}")


def rows_of(source: str) -> list[dict]:
    """Read the successful requests of a recorded source."""
    with (DATA / f"traffic/{source}.ndjson.zst").open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
        rows = [json.loads(line) for line in io.TextIOWrapper(plain, encoding="utf-8")]
    return [row for row in rows if 200 <= (row.get("status") or 0) < 300]


def documented(template: str) -> str:
    """Name the variables as found endpoints do. The recordings' templates are written without a trailing slash."""
    numbers = iter(range(1, 100))
    return VARIABLE.sub(lambda _: f"{{var{next(numbers)}}}", template).rstrip("/") or "/"


def found_in(program: Path, folder: Path | None, rows: list[tuple[str, str, str, float]]) -> list[dict]:
    """Have the operations of requests found."""
    files = ["-", "-"] if folder is None else [folder / "words.tsv", folder / "model.bin"]
    out = subprocess.run([program, "operations", *files], input=json.dumps(rows) + "\n", capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def judge(program: Path, folder: Path | None, source: str, everything: bool) -> dict:
    """Compare what is found in a source with what is documented."""
    wanted: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    given, paths_of = [], {}
    for row in rows_of(source):
        path = urlsplit(row["url"]).path or "/"
        host = row["host"].lower()
        if row.get("template"):
            key = (row["method"], host, documented(row["template"]))
            wanted[key].add(path)
            paths_of[row["method"], host, path] = row["template"]
        if row.get("template") or everything:
            given.append((host, row["method"], path, 1.0))
    found = {(one["method"], one["host"], one["endpoint"].rstrip("/") or "/") for one in found_in(program, folder, given)}
    if everything:  # of what no document knows, nothing can be said
        known = defaultdict(list)
        for method, host, path in paths_of:
            known[method, host].append(path.rstrip("/") or "/")
        found = {key for key in found if key in wanted or any(matches(key[2], path) for path in known[key[:2]])}
    right = found & set(wanted)
    many = {key for key, paths in wanted.items() if len(paths) >= 5}
    many_found = (
        {key for key in found if sum(matches(key[2], path) for method, host, path in paths_of if (method, host) == key[:2]) >= 5}
        if not everything
        else set()
    )
    return {
        "source": source,
        "documented": len(wanted),
        "found": len(found),
        "right": len(right),
        "many": len(many),
        "many_right": len(many & right),
        "many_found": len(many_found),
        "many_found_right": len(many_found & right),
        "wrong": sorted(found - right),
        "missed": sorted(set(wanted) - found),
        "paths": wanted,
    }


def matches(endpoint: str, path: str) -> bool:
    """Tell whether a path belongs to an endpoint."""
    pattern = "[^/]+".join(re.escape(text) for text in VARIABLE.split(endpoint))
    return re.fullmatch(pattern, path.rstrip("/") or "/") is not None


def mistakes(result: dict) -> tuple[Counter[str], Counter[str]]:
    """Count documented words that became variables, and values that stayed text, by the segment before and the segment."""
    merged, left = Counter(), Counter()
    wrong = result["wrong"]
    for method, host, template in result["missed"]:
        segments = template.split("/")
        near = [key[2].split("/") for key in wrong if key[:2] == (method, host) and key[2].count("/") == template.count("/")]
        for path in result["paths"][method, host, template]:
            parts = (path.rstrip("/") or "/").split("/")
            if len(parts) != len(segments):
                left["(several segments)"] += 1
                continue
            for one in near:
                if not matches("/".join(one), path):
                    continue
                for at, (is_, should) in enumerate(zip(one, segments, strict=True)):
                    if "{" in is_ and "{" not in should:
                        merged[f"{parts[at - 1]}/{should}"] += 1
                    elif "{" not in is_ and "{" in should:
                        left[f"{segments[at - 1]}/{parts[at]}"] += 1
                break
    return merged, left


def share(part: int, whole: int) -> str:
    """Write a share with its counts."""
    return f"{part / whole:.3f} ({part}/{whole})" if whole else "- (0)"


def main() -> None:
    """Train without each API where that is not done, judge, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the built example `paths` of crates/traffic")
    parser.add_argument("--work", type=Path, required=True, help="folder for the models without an API")
    parser.add_argument("--retrain", action="store_true")
    parser.add_argument("--shipped", action="store_true", help="judge with what is shipped, which has seen these APIs")
    parser.add_argument("--everything", action="store_true", help="give the requests that match no document too")
    parser.add_argument("--errors", type=int, default=0, help="print so many mistakes of each kind a source")
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    print("| source | precision | recall, >= 5 paths | recall, all | precision, >= 5 paths |\n| --- | --- | --- | --- | --- |")
    totals = Counter()
    details = []
    for name, (providers, sources) in LEFT_OUT.items():
        if arguments.only and name not in arguments.only:
            continue
        folder = None if arguments.shipped else arguments.work / name
        if folder and (arguments.retrain or not (folder / "model.bin").exists()):
            subprocess.run(
                [
                    sys.executable,
                    ROOT / "training/paths/train.py",
                    "--program",
                    arguments.program,
                    "--leave-out",
                    *providers,
                    "--out",
                    folder,
                ],
                check=True,
                stdout=sys.stderr,
            )
        for source in sources:
            result = judge(arguments.program, folder, source, arguments.everything)
            totals.update({key: value for key, value in result.items() if isinstance(value, int)})
            print(line(source, result), flush=True)
            details.append((source, *mistakes(result)))
    print(line("**all**", totals))
    if arguments.errors:
        for source, merged, left in details:
            print(
                f"\n{source}\n  words taken for values: "
                + ", ".join(f"{text} {count}" for text, count in merged.most_common(arguments.errors))
            )
            print("  values taken for words: " + ", ".join(f"{text} {count}" for text, count in left.most_common(arguments.errors)))


def line(name: str, of: dict) -> str:
    """Write a line of the table."""
    pairs = (("right", "found"), ("many_right", "many"), ("right", "documented"), ("many_found_right", "many_found"))
    return f"| {name} | " + " | ".join(share(of[part], of[whole]) for part, whole in pairs) + " |"


if __name__ == "__main__":
    main()
