"""Every dependency, Rust and Python, has a licence that may be shipped beside Apache-2.0."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from conftest import require_tool

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "ISC", "MIT", "MIT-0", "MPL-2.0", "OpenSSL", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "Zlib",
}  # fmt: skip
# Packages whose metadata tells the licence in prose only.
PROSE = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def acceptable(expression: str) -> bool:
    """Judge an SPDX expression: one side of each OR is enough, all of AND are needed."""
    expression = expression.replace("/", " OR ").replace("(", " ").replace(")", " ")
    return any(all(part.strip() in ALLOWED for part in re.split(r"\s+AND\s+", side)) for side in re.split(r"\s+OR\s+", expression))


def test_expressions_are_judged() -> None:
    assert acceptable("MIT OR GPL-3.0")
    assert acceptable("(MIT OR Apache-2.0) AND Unicode-3.0")
    assert not acceptable("GPL-3.0")
    assert not acceptable("MIT AND AGPL-3.0")


def test_crates() -> None:
    command = [require_tool("cargo"), "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    packages = json.loads(output)["packages"]
    assert len(packages) > 100
    wrong = [f"{package['name']}: {package['license']}" for package in packages if not acceptable(package["license"] or "none")]
    assert not wrong


def test_python_packages() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    hauberk = next(package for package in locked if package["name"] == "hauberk")
    by_name = {package["name"]: package for package in locked}
    shipped: set[str] = set()
    queue = [dependency["name"] for dependency in hauberk["dependencies"]]
    while queue:
        name = queue.pop()
        if name not in shipped:
            shipped.add(name)
            queue += [dependency["name"] for dependency in by_name[name].get("dependencies", [])]
    wrong = []
    for name in sorted(shipped):
        try:
            facts = metadata(name)
        except PackageNotFoundError:  # for another platform
            continue
        told = [facts.get("License-Expression") or ""]
        told += [PROSE.get(line.rsplit(" :: ", 1)[-1], "") for line in facts.get_all("Classifier") or [] if line.startswith("License")]
        told.append(PROSE.get(facts.get("License") or "", facts.get("License") or ""))
        if not any(acceptable(licence) for licence in told):
            wrong.append(f"{name}: {told}")
    assert not wrong
