"""
Judge learned schemas on recorded traffic.

    python -m benchmarks.learning --work DIR                      # all corpora, three seeds, older/newer, across clients; some minutes
    python -m benchmarks.learning --work DIR --corpus linodego --seeds 1
    python -m benchmarks.learning --work DIR --rivals             # other programs as well, first seed only; slow

DIR gets `results/NAME.json`, with every false positive and the mutants that passed, values and all: it is for developers, and not to be
passed on. The tables go to standard output.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.learning import corpora, priors, report
from benchmarks.learning.corpora import CORPORA, Corpus, Split
from benchmarks.learning.documents import official
from benchmarks.learning.judging import Documents, Official
from benchmarks.learning.learned import learn
from benchmarks.learning.structure import compare
from benchmarks.learning.trial import AS_SHIPPED, Tally, broken, judged

SEEDS = (1, 2, 3)
TIMED = ("octokit-rb", "pygithub", "github3-py", "jupiterone-gcp", "praw", "go-fastly", "lexicon")
"""Corpora in which nearly all requests have a time."""

MOST_LISTED = 3_000


def main() -> None:
    args = _arguments()
    jobs: list[tuple[str, str, int]] = []
    for name in args.corpus or CORPORA:
        jobs += [(name, "recordings", seed) for seed in args.seeds]
        if name in TIMED and not args.quick:
            jobs.append((name, "time", 1))
    if not args.quick and (not args.corpus or "octokit-rb" in args.corpus):
        jobs.append(("octokit-rb", "clients", 1))
    results = args.work / "results"
    results.mkdir(parents=True, exist_ok=True)
    if args.fit or not all((args.work / f"priors/{name}.json").exists() for name in CORPORA):
        (args.work / "priors").mkdir(exist_ok=True)
        priors.write(args.work / "priors", list(CORPORA))
    with ProcessPoolExecutor(args.processes) as pool:
        for told in pool.map(_job, jobs, [str(args.work)] * len(jobs), [args.rivals] * len(jobs), chunksize=1):
            print(told, flush=True)
    text = report.tables(results)
    (args.work / "tables.md").write_text(text)
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for results")
    parser.add_argument("--corpus", action="append", choices=list(CORPORA), help="only this corpus; repeat it for more")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds of the splits by recording")
    parser.add_argument("--fit", action="store_true", help="fit the priors without the judged APIs again, though DIR has some")
    parser.add_argument("--quick", action="store_true", help="splits by recording alone")
    parser.add_argument("--rivals", action="store_true", help="judge other programs on the first seed of each corpus as well")
    parser.add_argument("--processes", type=int, default=1, help="corpora judged at a time")
    return parser.parse_args()


def _job(job: tuple[str, str, int], work: str, with_rivals: bool) -> str:
    name, kind, seed = job
    started = time.perf_counter()
    if kind == "recordings":
        split = corpora.by_recording(name, seed)
    elif kind == "time":
        split = corpora.by_time(name)
    else:
        split = corpora.across(name, "pygithub", "github3-py")
    rivals = with_rivals and kind == "recordings" and seed == SEEDS[0]
    result = run(CORPORA[name], split, kind, seed, Path(work, f"priors/{name}.json"), rivals=rivals)
    Path(work, f"results/{name}-{kind}-{seed}.json").write_text(json.dumps(result, indent=1))
    ours = result["judges"]["hauberk"]["held_out"]
    known = ours.get("refused", 0) + ours.get("passed", 0)
    return f"{split.name}: {ours.get('refused', 0)} of {known} refused; {time.perf_counter() - started:.0f} s"


def run(corpus: Corpus, split: Split, kind: str, seed: int, held_out_priors: Path, *, rivals: bool) -> dict[str, Any]:
    """Learn, judge and compare one split."""
    learned = learn(split.training, held_out_priors)
    ours = Documents(learned.sources())
    good = [row for row in split.training if 200 <= row["status"] < 300 and row["method"] != "OPTIONS" and row["label"] == "api"]
    on_training = ours.judge(good)
    sizes: Counter[str | None] = Counter(verdict.operation for verdict in on_training if verdict.operation is not None)
    everything = split.training + split.held_out
    made = broken(corpus, everything, split, seed)
    by_document = Official(corpus.documents)
    officially = [verdict.outcome for verdict in by_document.judge([mutant.row for _, mutant in made])]
    judges = {"hauberk": judged(ours, split, made, officially, sizes)}
    judges[AS_SHIPPED] = judged(Documents(learn(split.training).sources()), split, made, officially, sizes)
    if corpus.documents:
        judges["official document"] = judged(by_document, split, made, officially, {})
    if rivals:
        from benchmarks.learning.others import all_others  # noqa: PLC0415 - they need programs that need not be installed

        for rival, judge in all_others(split.training):
            judges[rival] = judged(judge, split, made, officially, {})
    structure = compare(learned.documents, [official(document) for document in corpus.documents.values()])
    return {
        "corpus": corpus.name,
        "kind": kind,
        "seed": seed,
        "learning_seconds": learned.seconds,
        "training": len(good),
        "held_out": len(split.held_out),
        "training_refused": [
            {
                "operation": verdict.operation,
                "violations": [dict(violation) for violation in verdict.violations[:3]],
                "url": row["url"][:300],
            }
            for row, verdict in zip(good, on_training, strict=True)
            if verdict.outcome == "refused"
        ],
        "training_unknown": sum(verdict.outcome == "unknown" for verdict in on_training),
        "judges": {name: _as_json(tally) for name, tally in judges.items()},
        "structure": {"counts": dict(structure.counts), "differences": structure.differences},
    }


def _as_json(tally: Tally) -> dict[str, Any]:
    return {
        "held_out": dict(tally.held_out),
        "mutants": [[*key, count] for key, count in sorted(tally.mutants.items())],
        "false_positives": tally.false_positives,
        "missed": tally.missed[:MOST_LISTED],
    }


if __name__ == "__main__":
    main()
