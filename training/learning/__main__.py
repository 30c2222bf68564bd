"""Make the priors of schema learning: `make train-learning`."""

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

from hauberk.learning.statistics import next_breaks
from training.learning.fit import Counts, Key, Table, collect, fit
from training.learning.recordings import corpora
from training.learning.trials import trials

TARGET = Path(__file__).parents[2] / "src" / "hauberk" / "learning" / "priors.json"


def main() -> None:
    """Fit the priors and write them into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="how often recordings are drawn")
    parser.add_argument("--judge", action="store_true", help="hold each API out and compare what is predicted with what came")
    arguments = parser.parse_args()
    tables = collect(trial for seed in range(arguments.seeds) for corpus in corpora() for trial in trials(corpus, seed))
    if arguments.judge:
        judge(tables)
        return
    statements = {name: fit(table.without(None)) for name, table in sorted(tables.items())}
    for name, entry in statements.items():
        counts = [count for found in tables[name].by_site.values() for count in found.values()]
        entry["trials"] = round(sum(count.trials for count in counts))
        entry["breaks"] = round(sum(count.breaks for count in counts), 1)
        entry["sites"] = len(tables[name].by_site)
        entry["a"], entry["b"] = float(f"{entry['a']:.4g}"), float(f"{entry['b']:.4g}")
    TARGET.write_text(json.dumps({"statements": statements}, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{len(statements)} statements, {TARGET.stat().st_size} bytes")


def judge(tables: dict[str, Table]) -> None:
    """Hold each API out: are statements of a predicted probability broken about so often?"""
    bins: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    by_statement: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for name, table in tables.items():
        for site, found in table.by_site.items():
            entry = fit(table.without(site)) if len(table.by_site) > 1 else None
            if entry:
                _compare(entry, found, bins, by_statement[name])
    print(f"{'predicted':>12} {'trials':>10} {'expected':>9} {'broken':>8} ratio")
    for key, (count, expected, broken) in sorted(bins.items()):
        print(f"{10 ** (key / 2):12.5f} {count:10.0f} {expected:9.1f} {broken:8.1f} {broken / max(expected, 1e-9):5.2f}")
    print()
    for name, (count, expected, broken) in sorted(by_statement.items()):
        print(f"{name:30} {count:10.0f} {expected:9.1f} {broken:8.1f}")


def _compare(entry: dict[str, object], found: dict[Key, Counts], bins: dict[int, list[float]], sums: list[float]) -> None:
    for (contexts, size), counts in found.items():
        a = float(entry["a"])  # type: ignore[arg-type]
        for context in contexts:
            a *= entry["factors"].get(context, 1.0)  # type: ignore[attr-defined]
        predicted = next_breaks(a, float(entry["b"]), size)  # type: ignore[arg-type]
        for into in (bins[math.floor(2 * math.log10(predicted))], sums):
            into[0] += counts.trials
            into[1] += counts.trials * predicted
            into[2] += counts.breaks


if __name__ == "__main__":
    main()
