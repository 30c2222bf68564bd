"""
Judge learned schemas on recorded traffic.

    python -m benchmarks.learning --work DIR                      # all corpora, three seeds, older/newer, across clients; some minutes
    python -m benchmarks.learning --work DIR --corpus linodego --seeds 1
    python -m benchmarks.learning --work DIR --rivals             # other programs instead, first seed only; slow
    python -m benchmarks.learning --work DIR --tables             # the tables of what is there

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

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- tables: written by --write -->", "<!-- end of tables -->"
SEEDS = (1, 2, 3)
TIMED = ("octokit-rb", "pygithub", "github3-py", "jupiterone-gcp", "praw", "go-fastly", "lexicon")
"""Corpora in which nearly all requests have a time."""

MOST_LISTED = 3_000


def main() -> None:
    args = _arguments()
    jobs: list[tuple[str, str, int]] = []
    for name in args.corpus or CORPORA:
        if args.rivals:
            jobs.append((name, "rivals", args.seeds[0]))
            continue
        jobs += [(name, "recordings", seed) for seed in args.seeds]
        if name in TIMED and not args.quick:
            jobs.append((name, "time", 1))
    if not (args.quick or args.rivals) and (not args.corpus or "octokit-rb" in args.corpus):
        jobs.append(("octokit-rb", "clients", 1))
    results = args.work / "results"
    results.mkdir(parents=True, exist_ok=True)
    if args.tables:
        jobs = []
    elif not args.rivals and (args.fit or not all((args.work / f"priors/{name}.json").exists() for name in CORPORA)):
        (args.work / "priors").mkdir(exist_ok=True)
        priors.write(args.work / "priors", list(CORPORA))
    with ProcessPoolExecutor(args.processes) as pool:
        for told in pool.map(_job, jobs, [str(args.work)] * len(jobs), chunksize=1):
            print(told, flush=True)
    text = report.tables(results)
    (args.work / "tables.md").write_text(text)
    print(text)
    if args.write:
        before, begin, rest = README.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise SystemExit(f"{README} must have the lines '{BEGIN}' and '{END}'")
        README.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for results")
    parser.add_argument("--corpus", action="append", choices=list(CORPORA), help="only this corpus; repeat it for more")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds of the splits by recording")
    parser.add_argument("--fit", action="store_true", help="fit the priors without the judged APIs again, though DIR has some")
    parser.add_argument("--quick", action="store_true", help="splits by recording alone")
    parser.add_argument("--rivals", action="store_true", help="judge other programs, on the first seed of each corpus")
    parser.add_argument("--write", action="store_true", help="keep the tables in README.md beside this program")
    parser.add_argument("--tables", action="store_true", help="judge nothing")
    parser.add_argument("--processes", type=int, default=1, help="corpora judged at a time")
    return parser.parse_args()


def _job(job: tuple[str, str, int], work: str) -> str:
    name, kind, seed = job
    started = time.perf_counter()
    if kind in ("recordings", "rivals"):
        split = corpora.by_recording(name, seed)
    elif kind == "time":
        split = corpora.by_time(name)
    else:
        split = corpora.across(name, "pygithub", "github3-py")
    if kind == "rivals":
        result = run_others(CORPORA[name], split, seed)
    else:
        result = run(CORPORA[name], split, kind, seed, Path(work, f"priors/{name}.json"))
    Path(work, f"results/{name}-{kind}-{seed}.json").write_text(json.dumps(result, indent=1))
    told = [_told(judge, judged["held_out"]) for judge, judged in result["judges"].items()]
    return f"{split.name}: {', '.join(told)}; {time.perf_counter() - started:.0f} s"


def _told(judge: str, held_out: dict[str, int]) -> str:
    refused = held_out.get("refused", 0)
    return f"{judge} refuses {refused} of {refused + held_out.get('passed', 0)}"


def run(corpus: Corpus, split: Split, kind: str, seed: int, held_out_priors: Path) -> dict[str, Any]:
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


def run_others(corpus: Corpus, split: Split, seed: int) -> dict[str, Any]:
    """Let other programs learn from a split, and judge them by the same requests and mutants."""
    from benchmarks.learning.others import all_others  # noqa: PLC0415 - they need programs that need not be installed

    made = broken(corpus, split.training + split.held_out, split, seed)
    officially = [verdict.outcome for verdict in Official(corpus.documents).judge([mutant.row for _, mutant in made])]
    judges = {name: _as_json(judged(judge, split, made, officially, {})) for name, judge in all_others(split.training)}
    return {"corpus": corpus.name, "kind": "rivals", "seed": seed, "held_out": len(split.held_out), "judges": judges}


def _as_json(tally: Tally) -> dict[str, Any]:
    return {
        "held_out": dict(tally.held_out),
        "mutants": [[*key, count] for key, count in sorted(tally.mutants.items())],
        "false_positives": tally.false_positives,
        "missed": tally.missed[:MOST_LISTED],
    }


if __name__ == "__main__":
    main()
