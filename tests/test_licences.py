"""Every dependency, Rust and Python, has a licence that may be shipped beside Apache-2.0."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

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


LOCKED = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


def installed_with(dependencies: list[dict[str, Any]]) -> set[str]:
    """Name all packages that come with some dependencies, the extras they ask for included."""
    found: set[str] = set()
    queue = list(dependencies)
    while queue:
        dependency = queue.pop()
        package = LOCKED[dependency["name"]]
        for extra in dependency.get("extra", []):
            queue += package["optional-dependencies"][extra]
        if dependency["name"] not in found:
            found.add(dependency["name"])
            queue += package.get("dependencies", [])
    return found


def not_acceptable(packages: set[str]) -> dict[str, str]:
    """Give those whose licence is none of `ALLOWED`, and what they tell of it."""
    wrong = {}
    for name in sorted(packages):
        try:
            facts = metadata(name)
        except PackageNotFoundError:  # for another platform
            continue
        told = [facts.get("License-Expression") or ""]
        told += [PROSE.get(line.rsplit(" :: ", 1)[-1], "") for line in facts.get_all("Classifier") or [] if line.startswith("License")]
        told.append(PROSE.get(facts.get("License") or "", facts.get("License") or ""))
        if not any(acceptable(licence) for licence in told):
            wrong[name] = " ".join(filter(None, told))
    return wrong


def test_python_packages() -> None:
    assert not not_acceptable(installed_with(LOCKED["hauberk"]["dependencies"]))


def test_what_only_an_extra_brings_is_known() -> None:
    """
    Extras are not shipped: who wants one installs it. What it brings may have a licence that we would not ship, but not unnoticed.

    psycopg is a library that is loaded as it is, and that everybody can replace: LGPL-3.0 asks no more of those who use it so.
    """
    wrong = {name: not_acceptable(installed_with(extra)) for name, extra in LOCKED["hauberk"]["optional-dependencies"].items()}
    assert wrong == {"postgres": {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}, "spark": {}}
