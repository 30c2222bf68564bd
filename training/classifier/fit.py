"""Fits the trees."""

from collections.abc import Sequence

import numpy as np
from catboost import CatBoostClassifier, Pool

from training.classifier.matrix import Data, weights, with_dropped_groups

SEED = 7

PARAMETERS = {
    "iterations": 300,
    "depth": 6,
    "learning_rate": 0.08,
    # Strong, for what holds on a site never seen is wanted, not the last row of a site that was.
    "l2_leaf_reg": 10,
    "rsm": 0.5,
    "bootstrap_type": "Bernoulli",
    "subsample": 0.7,
    "border_count": 64,
    "boosting_type": "Plain",
    "loss_function": "Logloss",
    # NaN lies below all borders; `model.rs` counts on it.
    "nan_mode": "Min",
    "random_seed": SEED,
    # Sums of floats depend on how rows are shared out among threads.
    "thread_count": 2,
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
    weight = weights(data)
    features = np.concatenate([data.features, with_dropped_groups(data.features, groups, SEED)])
    pool = Pool(features, np.tile(data.label, 2), weight=np.concatenate([weight, weight * COPY_WEIGHT]))
    return CatBoostClassifier(**PARAMETERS).fit(pool)
