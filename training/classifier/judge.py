"""
Judges the method on sites that were not trained on.

A site is a registrable domain or a recorded application, whatever collections it is in. The rows of a site are held out together, with
all their variations; what is judged are the records as they are, with labels that do not come from a heuristic.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.classifier.fit import fit
from training.classifier.matrix import Booleans, Data, Weights

REPEATS = 2
FOLDS = 5

LEFT_OUT = (
    ("GitHub by three client libraries", ("github3-py", "octokit-rb", "pygithub")),
    ("lexicon (62 DNS providers)", ("lexicon",)),
    ("jupiterone-gcp (Google Cloud)", ("jupiterone-gcp",)),
    (
        "linodego, go-fastly, cf-terraforming, k8s-manageiq, easypost",
        ("linodego", "go-fastly", "cf-terraforming", "k8s-manageiq", "easypost"),
    ),
    ("praw, mastodon-py, pydantic-ai", ("praw", "mastodon-py", "pydantic-ai")),
    ("chrome-har", ("chrome-har",)),
    ("lighthouse, waterfall-verge", ("lighthouse", "waterfall-verge")),
    (
        "all other HARs of page loads",
        ("sitespeed-hars", "coach-hars", "compare-hars", "harviewer-hars", "http2-samples-a", "mitmproxy-hars", "perfcascade-hars"),
    ),
    ("recorded applications, all of them", ("recorded",)),
    ("both access logs", ("log-semicomplete", "log-vulnscan")),
)
"""Sources that are left out whole, together where they are of one kind: what is judged later is of sources never seen."""


@dataclass(frozen=True)
class Judgement:
    """Predictions for rows by models that did not see their site, or their source."""

    data: Data
    groups: Sequence[str]
    held_out: Weights
    """For each repeat and row, the prediction of the model that had not the row's site."""

    without_group: dict[str, Weights]
    """For each feature group, predictions of the first repeat where no record tells that group."""

    left_out: dict[str, tuple[Booleans, Weights]]
    """For each set of sources left out, which rows those are, and predictions for them."""


def judge(data: Data, groups: Sequence[str]) -> Judgement:
    """Trains on parts of the data and predicts the rest; takes a quarter of an hour."""
    held_out = np.full((REPEATS, len(data.label)), np.nan)
    names = sorted(set(groups))
    without_group = {name: np.full(len(data.label), np.nan) for name in names}
    for repeat in range(REPEATS):
        for test in _folds(data, repeat):
            model = fit(data.take(np.flatnonzero(~test)), groups)
            held_out[repeat, test] = model.predict_proba(data.features[test])[:, 1]
            judged = test & is_judged(data)
            for name in names if repeat == 0 else []:
                masked = data.features[judged].copy()
                masked[:, np.array(groups) == name] = np.nan
                without_group[name][judged] = model.predict_proba(masked)[:, 1]
            print(f"repeat {repeat + 1} of {REPEATS}: {test.sum()} rows held out", file=sys.stderr, flush=True)
    left_out = {}
    for name, sources in LEFT_OUT:
        test = np.isin(data.source, sources)
        if not test.any():
            continue
        # Sites of the sources that others have too are left out there as well.
        train = ~test & ~np.isin(data.site, np.unique(data.site[test]))
        model = fit(data.take(np.flatnonzero(train)), groups)
        left_out[name] = (test, model.predict_proba(data.features[test])[:, 1])
        print(f"left out: {name}", file=sys.stderr, flush=True)
    return Judgement(data, groups, held_out, without_group, left_out)


def is_judged(data: Data) -> Booleans:
    """Records as they are, with a label that is no guess."""
    judged: Booleans = (data.variant == "as-is") & ~data.weak
    return judged


def _folds(data: Data, seed: int) -> Iterator[Booleans]:
    sites = np.unique(data.site)
    fold_of = dict(zip(sites, np.random.default_rng(seed).permutation(len(sites)) % FOLDS, strict=True))
    folds = np.array([fold_of[site] for site in data.site])
    for fold in range(FOLDS):
        yield folds == fold
