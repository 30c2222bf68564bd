"""Fill an MLflow server's store with a few experiments."""

import random
import sys
from pathlib import Path

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
for experiment in ("churn", "forecast-north"):
    mlflow.set_experiment(experiment)
    for depth in range(4):
        with mlflow.start_run(run_name=f"depth-{depth}"):
            mlflow.log_params({"depth": depth, "rate": 0.1})
            for step in range(15):
                mlflow.log_metric("loss", 1 / (step + 1) + random.random() / 10, step=step)
            Path("notes.txt").write_text("a note\n")
            mlflow.log_artifact("notes.txt")
            mlflow.log_dict({"depth": depth}, "model/config.json")
