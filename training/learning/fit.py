"""
Priors from trials.

For each kind of statement the rate of breaks is a Beta distribution, fitted by likelihood to how trials came out after so many clean
samples. Contexts
change the rate by factors, each drawn towards one with the weight of `SHRINK` expected breaks, from the widest context to the narrowest.
One
place, and one API, may only weigh so much: what a single API does a thousand times over is still one API.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from training.learning.trials import Trial

SHRINK = 3.0
# What one API weighs grows with its trials to these, and not beyond: of a fitted statement, and in breaks expected of a context.
TRIALS_OF_A_SITE = 1000.0
BREAKS_OF_A_SITE = 1.0
# Trials of a statement at one place beyond so many, and their breaks, weigh less: all together as much as so many.
MOST_OF_A_PLACE = 40.0
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024)


@dataclass
class Counts:
    """Trials alike: the same statement, contexts, and about as many clean samples."""

    trials: float = 0.0
    breaks: float = 0.0


Key = tuple[tuple[str, ...], int]


@dataclass
class Table:
    """All trials of a statement, by API."""

    by_site: dict[str, dict[Key, Counts]] = field(default_factory=dict)

    def without(self, site: str | None) -> dict[str, dict[Key, Counts]]:
        """Trials of all APIs but one."""
        return {name: found for name, found in self.by_site.items() if name != site}


def size_of(clean: int) -> int:
    """The largest of `SIZES` that is not above."""
    return max((size for size in SIZES if size <= clean), default=0)


def collect(trials: Iterable[Trial]) -> dict[str, Table]:
    """Count trials, a place at most so much."""
    by_place: dict[tuple[str, str, str], dict[Key, Counts]] = defaultdict(lambda: defaultdict(Counts))
    for trial in trials:
        counts = by_place[trial.statement, trial.site, trial.place][trial.contexts, size_of(trial.clean)]
        counts.trials += 1
        counts.breaks += trial.broken
    tables: dict[str, Table] = defaultdict(Table)
    for (statement, site, _), found in by_place.items():
        total = sum(counts.trials for counts in found.values())
        weight = min(1.0, MOST_OF_A_PLACE / total)
        for key, counts in found.items():
            into = tables[statement].by_site.setdefault(site, {}).setdefault(key, Counts())
            into.trials += counts.trials * weight
            into.breaks += counts.breaks * weight
    return dict(tables)


def fit(by_site: dict[str, dict[Key, Counts]]) -> dict[str, Any]:
    """Fit a statement's prior to the trials of some APIs."""
    by_size: dict[int, Counts] = defaultdict(Counts)
    for found in by_site.values():
        total = sum(counts.trials for counts in found.values())
        weight = 1 / (1 + total / TRIALS_OF_A_SITE)
        for (_, size), counts in found.items():
            by_size[size].trials += counts.trials * weight
            by_size[size].breaks += counts.breaks * weight
    a, b = _beta(by_size)
    return {"a": a, "b": b, "factors": _factors(by_site, a, b)}


def _beta(by_size: dict[int, Counts]) -> tuple[float, float]:
    # Half a break in so many trials as there were keeps the rate above zero.
    trials = sum(counts.trials for counts in by_size.values())
    breaks = sum(counts.breaks for counts in by_size.values())
    mean = (breaks + 0.5) / (trials + 1)
    best, best_likelihood = (mean, 1.0), -math.inf
    for b in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0):
        a = _scaled(by_size, b, mean * (trials + 1))
        likelihood = 0.0
        for size, counts in by_size.items():
            p = a / (a + b + size)
            likelihood += counts.breaks * math.log(p) + (counts.trials - counts.breaks) * math.log1p(-p)
        if likelihood > best_likelihood + 1e-9:
            best, best_likelihood = (a, b), likelihood
    return best


def _scaled(by_size: dict[int, Counts], b: float, wanted: float) -> float:
    """The `a` under which as many breaks are expected as there were."""
    low, high = 1e-9, 1e3
    for _ in range(80):
        a = math.sqrt(low * high)
        expected = sum(counts.trials * a / (a + b + size) for size, counts in by_size.items())
        low, high = (a, high) if expected < wanted else (low, a)
    return math.sqrt(low * high)


def _factors(by_site: dict[str, dict[Key, Counts]], a: float, b: float) -> dict[str, float]:
    factors: dict[str, float] = {}
    levels = max((len(contexts) for found in by_site.values() for contexts, _ in found), default=0)
    for level in range(levels):
        expected: dict[str, float] = defaultdict(float)
        breaks: dict[str, float] = defaultdict(float)
        for found in by_site.values():
            for name, (here, broken) in _by_context(found, level, a, b, factors).items():
                weight = 1 / (1 + here / BREAKS_OF_A_SITE)
                expected[name] += here * weight
                breaks[name] += broken * weight
        factors |= {name: (breaks[name] + SHRINK) / (expected[name] + SHRINK) for name in expected}
    return {name: float(f"{factor:.3g}") for name, factor in sorted(factors.items()) if not 0.8 < factor < 1.25}


def _by_context(found: dict[Key, Counts], level: int, a: float, b: float, factors: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Breaks expected by the contexts above, and those that came, for each context of a level."""
    sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for (contexts, size), counts in found.items():
        if level < len(contexts):
            scaled = a * math.prod(factors.get(name, 1.0) for name in contexts[:level])
            expected, broken = sums[contexts[level]]
            sums[contexts[level]] = (expected + counts.trials * scaled / (scaled + b + size), broken + counts.breaks)
    return sums
