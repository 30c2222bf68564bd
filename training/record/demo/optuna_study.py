"""Make two Optuna studies to look at."""

import optuna

for name in ("quadratic", "waves"):
    study = optuna.create_study(storage="sqlite:///study.db", study_name=name, load_if_exists=True)
    study.optimize(lambda trial: trial.suggest_float("x", -5, 5) ** 2 + trial.suggest_int("n", 1, 9), n_trials=30)
