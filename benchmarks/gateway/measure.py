"""Runs in rounds: each row once a round, so that what disturbs the machine falls on all of them alike."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processes import Program, machine_cpu_seconds
from rows import Row

WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Figures:
    """
    What one run of a row showed, or the medians of several.

    Attributes:
        requests_per_second: As the load generator counted.

        cpu_microseconds: CPU time of the proxy's processes for each request.

        busy: The part of its core that the proxy used, 0 to 1; well below 1, the load was what limited the rate.

        others: CPU time of programs that are no part of the benchmark, in cores; of several runs the largest.

        tls: Protocol and cipher, if there was TLS.
    """

    requests_per_second: float
    cpu_microseconds: float
    busy: float
    others: float
    tls: str | None

    def __str__(self) -> str:
        rate, cpu = f"{self.requests_per_second:8.0f} requests/s", f"{self.cpu_microseconds:7.1f} µs CPU/request"
        return f"{rate} {cpu}  core {self.busy:4.0%} busy  others {self.others:4.0%}"


def measure(
    rows: Sequence[Row], origin: Program, *, load_core: int, connections: int, seconds: int, rounds: int, tell: Callable[[str], None]
) -> dict[str, Figures]:
    """
    Measure all rows in interleaved rounds after a warm-up, telling each run as it ends.

    Raises:
        LoadFailed: If any answer was not 2xx.
        ProgramFailed: If a program ended.
    """
    for row in rows:
        row.load(load_core, connections, WARM_UP_SECONDS)
    samples: dict[str, list[Figures]] = {row.name: [] for row in rows}
    for number in range(1, rounds + 1):
        for row in rows:
            sample = _run(row, origin, load_core, connections, seconds)
            samples[row.name].append(sample)
            tell(f"{number}/{rounds} {row.name:18s} {sample}")
    return {name: _medians(of_row) for name, of_row in samples.items()}


def _run(row: Row, origin: Program, load_core: int, connections: int, seconds: int) -> Figures:
    programs = (row.program, origin)
    started, machine = time.monotonic(), machine_cpu_seconds()
    before = [program.cpu_seconds() for program in programs]
    load = _ended_children_cpu_seconds()
    outcome = row.load(load_core, connections, seconds)
    used = [program.cpu_seconds() - earlier for program, earlier in zip(programs, before, strict=True)]
    elapsed, machine = time.monotonic() - started, machine_cpu_seconds() - machine
    load = _ended_children_cpu_seconds() - load
    return Figures(
        outcome.requests_per_second,
        used[0] / outcome.requests * 1e6,
        used[0] / elapsed,
        max(0.0, machine - sum(used) - load) / elapsed,
        outcome.tls,
    )


def _ended_children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the load generator is the only child that ends within a run
    return usage.ru_utime + usage.ru_stime


def _medians(samples: Sequence[Figures]) -> Figures:
    return Figures(
        statistics.median(sample.requests_per_second for sample in samples),
        statistics.median(sample.cpu_microseconds for sample in samples),
        statistics.median(sample.busy for sample in samples),
        max(sample.others for sample in samples),
        samples[0].tls,
    )
