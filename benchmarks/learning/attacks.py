"""Strings that do not belong in parameters: attacks by category, and strings that trouble programs."""

from __future__ import annotations

import functools
import io
import json
import re

import pyarrow as pa

from benchmarks.learning.corpora import DATA

CATEGORIES = ("sqli", "xss", "cmdi", "path-traversal")


@functools.cache
def attack_strings() -> dict[str, tuple[str, ...]]:
    """
    Read the attack strings of HttpParamsDataset by category.

    A few of them are words and numbers that every client may send (`id`, `-3752`, `web-infweb.xml`): those of nothing but letters, digits
    and `.-_~` are left out, 15 of 11,763, since no schema could tell them from a value.
    """
    found: dict[str, list[str]] = {category: [] for category in CATEGORIES}
    with pa.input_stream(DATA / "suites/attack-values.ndjson.zst", compression="zstd") as packed:
        for line in io.TextIOWrapper(packed, "utf-8"):
            row = json.loads(line)
            if row["src"] == "httpparams" and row["class"] in found and re.search(r"[^A-Za-z0-9._~-]", row["value"]):
                found[row["class"]].append(row["value"])
    return {category: tuple(values) for category, values in found.items()}


@functools.cache
def naughty_strings() -> tuple[str, ...]:
    """Read the list of naughty strings without the plain ones (`null`, `1.00`, `-1`), for the same reason, and without the empty one."""
    with pa.input_stream(DATA / "suites/naughty-strings.json.zst", compression="zstd") as packed:
        return tuple(value for value in json.loads(packed.read()) if re.search(r"[^A-Za-z0-9._~+-]", value))
