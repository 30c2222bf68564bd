"""Fits the trees."""

from collections.abc import Sequence

import numpy as np
from catboost import CatBoostClassifier, Pool

from training.classifier.matrix import Data, merged, weights, with_dropped_groups

SEED = 7

PARAMETERS = {
    "iterations": 240,
    "depth": 6,
    "learning_rate": 0.1,
    # Strong, for what holds on a site never seen is wanted, not the last row of a site that was.
    "l2_leaf_reg": 10,
    "rsm": 0.3,
    "bootstrap_type": "Bernoulli",
    "subsample": 0.5,
    "border_count": 32,
    "boosting_type": "Plain",
    "loss_function": "Logloss",
    # NaN lies below all borders; `model.rs` counts on it.
    "nan_mode": "Min",
    "random_seed": SEED,
    # Sums of floats depend on how rows are shared out among threads.
    "thread_count": 1,
    "allow_writing_files": False,
    "verbose": 0,
}

COPY_WEIGHT = 0.5
"""Of the copy of a row that lacks feature groups, beside the row itself."""


def fit(data: Data, groups: Sequence[str]) -> CatBoostClassifier:
    """
    The model of these rows, the same for the same rows.

    Args:
        data: Rows to fit to.
        groups: The group of each feature, in the order of the features.
    """
    features, label, weight = merged(data.features, data.label, weights(data))
    features = np.concatenate([features, with_dropped_groups(features, groups, SEED)])
    pool = Pool(features, np.tile(label, 2), weight=np.concatenate([weight, weight * COPY_WEIGHT]))
    return CatBoostClassifier(**PARAMETERS).fit(pool)
