"""The tables of the path model: documents and recordings by provider, and the words counted over them."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import zstandard
from collect import read_lines

HERE = Path(__file__).parent

PROVIDERS = {
    "github": "github.com",
    "github-2023": "github.com",
    "github-alias": "github.com",
    "ghes": "github.com",
    "linode": "linode.com",
    "cloudflare-sdk": "cloudflare",
    "gcp-compute": "googleapis.com",
    "gcp-dataproc": "googleapis.com",
    "gcp-bigquery": "googleapis.com",
    "gcp-storage": "googleapis.com",
    "gcp-dns": "googleapis.com",
    "gcp-sql": "googleapis.com",
    "mastodon-unofficial": "mastodon",
    "reddit-praw": "reddit",
    "openai-2023": "openai",
    "kubernetes": "kubernetes.io",
}
"""Whose API a recorded row's document describes."""

MOST_WORDS = 300_000
"""Bytes of the words that are shipped."""

VARIABLE = re.compile(r"\{[^{}]*\}")


def documents() -> list[dict]:
    """Read the documents' lines."""
    return read_lines(HERE / "templates.ndjson.zst")


def recordings() -> list[dict]:
    """Read the recorded sources' lines, each row with its provider."""
    lines = read_lines(HERE / "recorded.ndjson.zst")
    return [{"source": line["source"], "rows": [[*row[:4], PROVIDERS[row[4]]] for row in line["rows"]]} for line in lines]


def values() -> dict[str, list[str]]:
    """Read names of people, projects, files and hosts to fill variables with."""
    (line,) = read_lines(HERE / "values.ndjson.zst")
    return line


def parts(segment: str) -> Iterator[str]:
    """Split a segment into runs of letters, words joined `likeThis` apart: `words::parts` in Rust does the same."""
    for run in re.findall(r"[A-Za-z]+", segment)[:12]:
        yield from re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]", run)


class Usage:
    """Which providers use a word in which way: as fixed text, before a variable, before fixed text, as a value, beside a variable."""

    def __init__(self) -> None:
        self.segments: defaultdict[str, list[set[str]]] = defaultdict(lambda: [set(), set(), set(), set(), set()])
        self.parts: defaultdict[str, list[set[str]]] = defaultdict(lambda: [set(), set(), set(), set(), set()])

    def note_template(self, template: str, provider: str) -> None:
        """Note the fixed text of a template."""
        row = template.split("/")[1:]
        for segment, follower in zip(row, [*row[1:], ""], strict=True):
            if not segment or VARIABLE.search(segment):
                continue
            split = [part.lower() for part in parts(segment)]
            self.segments[segment.lower()][0].add(provider)
            for part in split:
                self.parts[part][0].add(provider)
            if follower:
                which = 1 if VARIABLE.search(follower) else 2
                self.segments[segment.lower()][which].add(provider)
                for last in split[-1:]:
                    self.parts[last][which].add(provider)

    def note_document(self, line: dict) -> None:
        """Note all that a document tells."""
        self.note_siblings(line["paths"], line["provider"])
        for template in line["paths"]:
            self.note_template(template, line["provider"])
        for variable in line["variables"].values():
            for value in [*variable.get("e", ()), *variable.get("x", ())]:
                self.note_example(value, line["provider"])

    def note_siblings(self, templates: Iterable[str], provider: str) -> None:
        """Note the fixed text that stands where a variable stands too."""
        places: defaultdict[str, set[str]] = defaultdict(set)
        for template in templates:
            row = VARIABLE.sub("{}", template).split("/")
            for at in range(1, len(row)):
                places["/".join(row[:at])].add(row[at])
        for segments in places.values():
            if "{}" in segments:
                for segment in segments:
                    if segment and "{" not in segment:
                        self.segments[segment.lower()][4].add(provider)

    def note_example(self, value: str, provider: str) -> None:
        """Note a value from a document."""
        self.segments[value.lower()][3].add(provider)
        for part in parts(value):
            self.parts[part.lower()][3].add(provider)

    def note_path(self, path: str, template: str, provider: str) -> None:
        """Note the values of a recorded path."""
        for segment, part in zip(path.split("/"), template.split("/"), strict=False):
            if VARIABLE.search(part):
                self.segments[segment.lower()][3].add(provider)


def count_words(lines: Iterable[dict], recorded: Iterable[dict], leave_out: set[str]) -> str:
    """Count over providers how words are used, and write it in the form that `words.rs` reads."""
    usage = Usage()
    for line in lines:
        if line["provider"] not in leave_out:
            usage.note_document(line)
    for line in recorded:
        for _, _, path, template, provider in line["rows"]:
            if provider not in leave_out:
                usage.note_template(template, provider)
                usage.note_path(path, template, provider)
    out = ["pairs\t" + "\t".join(str(number) for number in letter_pairs(usage.parts))]
    for kind, table, least, most in (("s", usage.segments, 2, 9000), ("p", usage.parts, 2, 9000)):
        rows = []
        for word, sets in table.items():
            counts = [len(one) for one in sets]
            if re.fullmatch(r"[a-z0-9._~:$-]{1,40}", word) and max(counts[0], counts[3]) >= least and (counts[0] > 0 or counts[3] >= 3):
                rows.append((counts[0] + counts[3], word, counts))
        rows.sort(key=lambda row: (-row[0], row[1]))
        for _, word, counts in sorted(rows[:most], key=lambda row: row[1]):
            while counts and counts[-1] == 0:
                counts.pop()
            out.append("\t".join([kind, word, *map(str, counts)]))
    text = "\n".join(out) + "\n"
    if len(text) > MOST_WORDS:
        raise ValueError(f"the words have {len(text)} bytes, more than {MOST_WORDS}")
    return text


def letter_pairs(pieces: dict[str, list[set[str]]]) -> list[int]:
    """Tell how likely a letter follows another in words, as hundredths of a natural logarithm; 0 is the edge of a word."""
    counts: Counter[tuple[int, int]] = Counter()
    for word, sets in pieces.items():
        if len(word) < 3 or not sets[0]:
            continue
        weight = 1 + int(2 * math.log(len(sets[0])))
        row = [0, *(ord(letter) - 96 for letter in word), 0]
        for pair in pairwise(row):
            counts[pair] += weight
    totals = [sum(counts[one, two] for two in range(27)) for one in range(27)]
    return [round(100 * math.log((counts[one, two] + 0.5) / (totals[one] + 13.5))) for one in range(27) for two in range(27)]


def zstd(path: Path) -> bytes:
    """Read a compressed file."""
    return zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=1 << 30)
