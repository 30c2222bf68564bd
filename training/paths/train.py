"""
Make the words and the models by which segments of paths are judged: `words.tsv` and `model.bin` beside the Rust sources.

Two models of gradient-boosted trees: one judges a segment by its letters and the text before it, one judges it among its neighbours, for
which it uses what the first says of them. What the first says is always said by a model that was trained on other providers' documents,
and words are counted over other providers, as it will be with an API that nobody has seen.

    python training/paths/train.py                                          what is shipped
    python training/paths/train.py --leave-out github.com --out FOLDER      without a provider, for a fair judgement
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import subprocess
import time
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
from catboost import CatBoostClassifier
from simulate import resample, simulate
from tables import HERE, count_words, documents, parts, recordings, values

ROOT = HERE.parent.parent
SHIPPED = ROOT / "crates/traffic/src/discover"
SEED = 5
FOLDS = 4
SETS_OF_DOCUMENT = 2
"""Sets drawn from a document, more from a large one."""
SETS_OF_RECORDING = 6
"""Samples drawn of the requests to a recorded host."""


def fold_of(provider: str) -> int:
    """Tell in which part a provider is; the same in every run."""
    return hashlib.sha256(provider.encode()).digest()[0] % FOLDS


def draw_sets(leave_out: set[str]) -> list[tuple[str, list[list[str]], float]]:
    """Draw the sets of requests, each with its provider and the weight of its segments."""
    pools, sets = values(), []
    random = Random(SEED)
    lines = documents()
    words = sorted(
        {
            part.lower()
            for line in lines[::7]
            if line["provider"] not in leave_out
            for path in line["paths"]
            for segment in path.split("/")
            if "{" not in segment
            for part in parts(segment)
            if len(part) > 3
        }
    )
    recorded = recordings()
    per_fold = [
        seen_values(
            recorded,
            {line["provider"] for line in lines if fold_of(line["provider"]) == fold}
            | {row[4] for line in recorded for row in line["rows"] if fold_of(row[4]) == fold}
            | leave_out,
        )
        for fold in range(FOLDS)
    ]
    for line in lines:
        if line["provider"] in leave_out:
            continue
        count = SETS_OF_DOCUMENT + (2 if len(line["paths"]) > 60 else 0) + (4 if line.get("own") else 0)
        for _ in range(count):
            rows = simulate(line, random, pools, per_fold[fold_of(line["provider"])], random.sample(words, 300))
            if rows:
                sets.append((line["provider"], rows, 1.0))
    for line in recorded:
        hosts = {}
        for row in line["rows"]:
            if row[4] not in leave_out:
                hosts.setdefault(row[0], []).append(row)
        for rows in hosts.values():
            sets += [(rows[0][4], resample(rows, random), 2.0) for _ in range(SETS_OF_RECORDING)]
    return sets


def seen_values(recorded: list[dict], leave_out: set[str]) -> dict[str, list[str]]:
    """Collect recorded values by the last word of their variable's name, of providers that are not left out."""
    seen: dict[str, set[str]] = {}
    for line in recorded:
        for _, _, path, template, provider in line["rows"]:
            if provider in leave_out:
                continue
            for segment, part in zip(path.split("/"), template.split("/"), strict=False):
                match = re.fullmatch(r"\{([^{}]*)\}", part)
                if match and segment:
                    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", match[1]).lower()
                    seen.setdefault(re.split(r"[^a-z]+", name)[-1], set()).add(segment)
    return {name: sorted(of) for name, of in sorted(seen.items())}


def describe(program: Path, words: Path, models: Path | None, sets: list[list[list[str]]], out: Path) -> tuple[np.ndarray, np.ndarray]:
    """Have the segments of sets described; a row is number of the set, label, numbers."""
    alone, among = subprocess.run([program, "names"], capture_output=True, text=True, check=True).stdout.splitlines()
    text = "".join(json.dumps(rows) + "\n" for rows in sets)
    subprocess.run([program, "describe", words, models or "-", out], input=text, text=True, check=True)
    return tuple(
        np.fromfile(f"{out}.{kind}", dtype="<f4").reshape(-1, 2 + len(names.split()))
        for kind, names in (("alone", alone), ("among", among))
    )


def fit(rows: np.ndarray, weights: np.ndarray, trees: int, depth: int) -> CatBoostClassifier:
    """Train one model; one thread, so that the same rows give the same trees."""
    model = CatBoostClassifier(
        iterations=trees,
        depth=depth,
        learning_rate=0.1,
        l2_leaf_reg=12.0,
        border_count=48,
        bootstrap_type="Bernoulli",
        subsample=0.7,
        rsm=0.5,
        random_seed=SEED,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    model.fit(rows[:, 2:], rows[:, 1], sample_weight=weights)
    return model


def pack(model: CatBoostClassifier | None, folder: Path) -> bytes:
    """Write a model in the form that `model.rs` reads."""
    if model is None:
        return struct.pack("<fI", 0.0, 0)
    path = folder / "model.json"
    model.save_model(str(path), format="json")
    found = json.loads(path.read_text())
    path.unlink()
    scale, (bias,) = found["scale_and_bias"]
    out = [struct.pack("<fI", bias, len(found["oblivious_trees"]))]
    for tree in found["oblivious_trees"]:
        splits = tree["splits"] or []
        out.append(struct.pack("<B", len(splits)))
        out += [struct.pack("<Hf", split["float_feature_index"], split["border"]) for split in splits]
        out += [struct.pack("<f", scale * leaf) for leaf in tree["leaf_values"]]
    return b"".join(out)


def weigh(rows: np.ndarray, sets: list[tuple[str, list[list[str]], float]]) -> np.ndarray:
    """Give each row its weight: a set counts by a root of its segments, a provider by one of its sets: none drowns the rest."""
    numbers = rows[:, 0].astype(int)
    sizes = np.bincount(numbers, minlength=len(sets))
    voices = Counter((provider, weight) for provider, _, weight in sets)
    of_set = np.array([weight * (voices[provider, weight] / SETS_OF_DOCUMENT) ** -0.6 for provider, _, weight in sets])
    return of_set[numbers] * 8.0 / np.sqrt(np.maximum(sizes[numbers], 1))


def train(program: Path, leave_out: set[str], out: Path, trees: tuple[int, int]) -> None:
    """Make words and models without some providers."""
    out.mkdir(parents=True, exist_ok=True)
    lines, recorded = documents(), recordings()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    sets = draw_sets(leave_out)
    say(f"{len(sets)} sets, {sum(len(rows) for _, rows, _ in sets)} requests")
    everyone = {line["provider"] for line in lines} | {row[4] for line in recorded for row in line["rows"]}
    folds = [[number for number, (provider, _, _) in enumerate(sets) if fold_of(provider) == fold] for fold in range(FOLDS)]

    def words_without(fold: int) -> Path:
        path = out / f"words-{fold}.tsv"
        path.write_text(count_words(lines, recorded, leave_out | {provider for provider in everyone if fold_of(provider) == fold}))
        return path

    words = [words_without(fold) for fold in range(FOLDS)]
    alone = []
    for fold in range(FOLDS):
        rows, _ = describe(program, words[fold], None, [sets[number][1] for number in folds[fold]], out / "rows")
        rows[:, 0] = np.array(folds[fold])[rows[:, 0].astype(int)]
        alone.append(rows)
    say(f"{sum(map(len, alone))} segments alone, {np.mean(np.concatenate(alone)[:, 1]):.0%} values")
    among, scores = [], []
    for fold in range(FOLDS):
        others = np.concatenate([alone[other] for other in range(FOLDS) if other != fold])
        model = fit(others, weigh(others, sets), trees[0], 6)
        likelihood = model.predict_proba(alone[fold][:, 2:])[:, 1]
        scores.append(np.average((likelihood > 0.5) == (alone[fold][:, 1] > 0.5), weights=weigh(alone[fold], sets)))
        models = out / "models-part.bin"
        models.write_bytes(pack(model, out) + pack(None, out))
        _, rows = describe(program, words[fold], models, [sets[number][1] for number in folds[fold]], out / "rows")
        rows[:, 0] = np.array(folds[fold])[rows[:, 0].astype(int)]
        among.append(rows)
    say(f"alone: right by part {' '.join(f'{score:.4f}' for score in scores)}")
    every = np.concatenate(alone)
    first = fit(every, weigh(every, sets), trees[0], 6)
    say("first model")
    every = np.concatenate(among)
    second = fit(every, weigh(every, sets), trees[1], 5)
    names = subprocess.run([program, "names"], capture_output=True, text=True, check=True).stdout.splitlines()
    for model, row in ((first, names[0]), (second, names[1])):
        weights = sorted(zip(model.get_feature_importance(), row.split(), strict=True), reverse=True)
        say("  ".join(f"{name} {weight:.1f}" for weight, name in weights[:24]))
    (out / "words.tsv").write_text(count_words(lines, recorded, leave_out))
    (out / "model.bin").write_bytes(pack(first, out) + pack(second, out))
    for path in (*words, out / "models-part.bin", out / "rows.alone", out / "rows.among"):
        path.unlink()
    say(f"words {(out / 'words.tsv').stat().st_size} bytes, models {(out / 'model.bin').stat().st_size} bytes")


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the built example `paths` of crates/traffic")
    parser.add_argument("--leave-out", nargs="*", default=[], help="providers")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--trees", type=int, nargs=2, default=(150, 260))
    arguments = parser.parse_args()
    train(arguments.program.resolve(), set(arguments.leave_out), arguments.out, tuple(arguments.trees))


if __name__ == "__main__":
    main()
