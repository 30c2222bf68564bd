"""The figures as Markdown: on the terminal, and between two markers of README.md."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from measure import Figures
from rows import Row

README = Path(__file__).parent / "README.md"
REPOSITORY = Path(__file__).parents[2]
BEGIN, END = "<!-- results: written by run.py --write -->", "<!-- end of results -->"


@dataclass(frozen=True)
class Floor:
    """What we hold ourselves to: a row divided by another one of the same run."""

    row: str
    against: str
    least: float


FLOORS = (
    Floor("plain", "nginx", 0.6),
    Floor("plain", "envoy", 2.0),
    Floor("validated", "nginx", 0.45),
    Floor("validated", "plain", 0.85),
    Floor("validated-many", "validated", 0.95),
    Floor("validated-32k", "plain-32k", 0.45),
    Floor("validated-32k", "kin-openapi-32k", 10.0),
    Floor("mutual-tls", "nginx-mutual-tls", 0.5),
)


def table(rows: Sequence[Row], figures: dict[str, Figures]) -> str:
    """One line a row, each divided by its baseline both by rate and by CPU time; more is better in both."""
    lines = ["| | requests/s | ratio | CPU µs/request | ratio | of its core |", "|---|--:|--:|--:|--:|--:|"]
    for row in rows:
        of_row, base = figures[row.name], figures.get(row.baseline)
        ratios = [f"{ratio:.2f}" for ratio in _ratios(of_row, base)] if base else ["", ""]
        rate, cpu = f"{of_row.requests_per_second:,.0f}", f"{of_row.cpu_microseconds:.1f}"
        lines.append(f"| {row.label} | {rate} | {ratios[0]} | {cpu} | {ratios[1]} | {of_row.busy:.0%} |")
    return "\n".join(lines)


def floors(rows: Sequence[Row], figures: dict[str, Figures]) -> str:
    """What we hold ourselves to beside what was measured; empty if the rows for it were not run."""
    labels = {row.name: row.label for row in rows}
    lines = []
    for floor in FLOORS:
        if floor.row in figures and floor.against in figures:
            ratios = _ratios(figures[floor.row], figures[floor.against])
            held = ("no", "by one of the two", "yes")[sum(ratio >= floor.least for ratio in ratios)]
            lines.append(
                f"| {labels[floor.row]} | {labels[floor.against]} | {floor.least:g} | {ratios[0]:.2f} | {ratios[1]:.2f} | {held} |"
            )
    head = ["| of | divided by | at least | by requests/s | by CPU time | held |", "|---|---|--:|--:|--:|---|"]
    return "\n".join(head + lines) if lines else ""


def _ratios(of_row: Figures, base: Figures) -> tuple[float, float]:
    """By requests/s, and by CPU time; more is better in both."""
    return of_row.requests_per_second / base.requests_per_second, base.cpu_microseconds / of_row.cpu_microseconds


def conditions(figures: dict[str, Figures], versions: dict[str, str], *, connections: int, seconds: int, rounds: int) -> str:
    """Machine, versions, date and the numbers of the method."""
    ciphers = sorted({of_row.tls for of_row in figures.values() if of_row.tls})
    facts = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{_processor()}, {os.cpu_count()} cores, Linux {platform.release()}",
        **versions,
        "TLS": ", ".join(ciphers) or "not measured",
        "Method": f"{connections} connections, {rounds} interleaved rounds of {seconds} s, medians",
        "Other programs": f"took at most {max(of_row.others for of_row in figures.values()):.0%} of one core during a run",
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def versions(envoy: str | None) -> dict[str, str]:
    """What was compared, as each program tells it itself; ours as the revision of the repository."""
    nginx = _output(["nginx", "-V"])
    openssl = _first(r"running with OpenSSL (\S+)", nginx, r"built with OpenSSL (\S+)")
    found = {"hauberk": f"{_revision()}, OpenSSL {_locked_openssl()}", "nginx": f"{_first(r'nginx/([0-9.]+)', nginx)}, OpenSSL {openssl}"}
    if envoy:
        found["Envoy"] = _first(r"/(\d+\.\d+\.\d+)/", _output([envoy, "--version"]))
    if go := shutil.which("go") or shutil.which("go", path="/usr/local/go/bin"):
        module = (Path(__file__).parent / "rivals" / "kin-openapi" / "go.mod").read_text()
        found["kin-openapi"] = f"{_first(r'kin-openapi (v[0-9.]+)', module)}, {_first(r'(go[0-9.]+) ', _output([go, 'version']))}"
    wrk, ab = _first(r"wrk (?:debian/)?(\S+)", _output(["wrk", "-v"])), _first(r"Version (\S+)", _output(["ab", "-V"]))
    found["Load"] = f"wrk {wrk}, ab {ab}"
    return found


def write(text: str, begin_marker: str = BEGIN, end_marker: str = END) -> None:
    """
    Put the text between two markers of README.md.

    Raises:
        ValueError: If the markers are not there.
    """
    before, begin, rest = README.read_text().partition(begin_marker)
    _, end, after = rest.partition(end_marker)
    if not begin or not end:
        raise ValueError(f"{README} must have the lines '{begin_marker}' and '{end_marker}'")
    README.write_text(f"{before}{begin_marker}\n\n{text}\n\n{end_marker}{after}")


def _processor() -> str:
    return _first(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())


def _revision() -> str:
    revision = _output(["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]).strip()
    changed = _output(["git", "-C", str(REPOSITORY), "status", "--porcelain", "--", "crates", "src", "Cargo.lock"]).strip()
    return f"{revision} with changes" if changed else revision


def _locked_openssl() -> str:
    # openssl-src names its own version first and OpenSSL's after the plus: 300.5.4+3.5.4
    return _first(r'name = "openssl-src"\nversion = "[^+"]*\+([^"]+)"', (REPOSITORY / "Cargo.lock").read_text())


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _first(pattern: str, text: str, otherwise: str | None = None) -> str:
    found = re.search(pattern, text)
    if found:
        return found[1].strip()
    return _first(otherwise, text) if otherwise else "unknown"
