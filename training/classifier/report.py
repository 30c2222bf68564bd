"""Writes what was found out about the method: tables and pictures that `docs/classifier.md` refers to."""

from collections import Counter
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from training.classifier.judge import FOLDS, REPEATS, Judgement, is_judged
from training.classifier.matrix import Booleans, Data, Labels, Weights
from training.classifier.vectors import ROOT

FOLDER = ROOT / "benchmarks" / "classifier"
PICTURES = ROOT / "docs" / "classifier"

PARTS = (
    ("page loads", "browser", False),
    ("recorded applications", "browser", True),
    ("API clients", "client", False),
    ("access logs", "log", False),
)
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_VARIATIONS = {
    "log-line": "as a line of an access log",
    "library": "fetched by a library",
    "script-in-page": "called by a script in a page",
    "form": "a page load as the sending of a form",
    "without-content": "answered by no content",
    "wrong-type": "data under the content type of pages or text",
    "elsewhere": "under another host and base path",
}


def write(judgement: Judgement, threshold: float) -> None:
    """Writes `benchmarks/classifier/results.md` and the pictures of the model card."""
    sections = [
        "# The classifier on sites it was not trained on",
        "Written by `make train ARGS=--judge`; method and words in [docs/classifier.md](../../docs/classifier.md).",
        _data_section(judgement.data),
        _held_out_section(judgement, threshold),
        _threshold_section(judgement),
        _calibration_section(judgement),
        _left_out_section(judgement, threshold),
        _group_section(judgement, threshold),
        _variation_section(judgement, threshold),
        _weak_section(judgement, threshold),
        _error_section(judgement, threshold),
    ]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "results.md").write_text("\n\n".join(sections) + "\n")
    _pictures(judgement)


def _data_section(data: Data) -> str:
    rows = []
    for source in sorted(set(data.source)):
        own = (data.source == source) & (data.variant == "as-is")
        counts = [
            int((own & (data.label == label) & (data.weak == weak)).sum()) for label, weak in ((1, False), (0, False), (1, True), (0, True))
        ]
        rows.append([source, data.part[own][0], str(len(set(data.site[own]))), *(str(count) if count else "" for count in counts)])
    return "## Data\n\n" + _table(["source", "part", "sites", "API", "not", "API (weak)", "not (weak)"], rows)


def _held_out_section(judgement: Judgement, threshold: float) -> str:
    data = judgement.data
    rows = []
    for name, rows_of in _parts(data):
        measured = [_Measures(data.label[rows_of], predictions[rows_of], threshold) for predictions in judgement.held_out]
        rows.append([name, str(int(rows_of.sum())), str(int(data.label[rows_of].sum())), *_Measures.spread(measured)])
    browser = is_judged(data) & (data.part == "browser")
    measured = [_Measures(data.label[browser], predictions[browser], threshold) for predictions in judgement.held_out]
    rows.insert(2, ["browser traffic, both", str(int(browser.sum())), str(int(data.label[browser].sum())), *_Measures.spread(measured)])
    head = ["part", "rows", "API", "ROC-AUC", "PR-AUC", "precision", "recall", "F1", "false positives"]
    return (
        f"## Whole sites held out: {FOLDS} folds, {REPEATS} times, threshold {threshold}\n\n"
        "Worst and best of the repeats where they differ. API clients hold API calls alone and logs none, so some measures do not exist "
        "there.\n\n" + _table(head, rows)
    )


def _threshold_section(judgement: Judgement) -> str:
    data, predictions = judgement.data, judgement.held_out.mean(axis=0)
    rows = []
    for threshold in _THRESHOLDS:
        cells = [f"{threshold:.1f}"]
        for _, part in _parts(data):
            measures = _Measures(data.label[part], predictions[part], threshold)
            cells.append(f"{measures.f1:.4f}" if data.label[part].any() else f"{measures.false_positive_rate:.3%} false positives")
        rows.append(cells)
    return "## Thresholds\n\nF1 by threshold; predictions are means over the repeats.\n\n" + _table(
        ["threshold", *(name for name, _ in _parts(data))], rows
    )


def _calibration_section(judgement: Judgement) -> str:
    data, predictions = judgement.data, judgement.held_out[0]
    rows = []
    for low, high, of_bin in _bins(predictions):
        own = of_bin & is_judged(data) & (data.part != "log")
        if own.any():
            rows.append(
                [f"{low:.1f} to {high:.1f}", str(int(own.sum())), f"{predictions[own].mean():.3f}", f"{data.label[own].mean():.3f}"]
            )
    return "## Calibration\n\nBrowser and client traffic, first repeat.\n\n" + _table(
        ["likelihood", "rows", "mean likelihood", "share of API calls"], rows
    )


def _left_out_section(judgement: Judgement, threshold: float) -> str:
    rows = []
    for name, (test, predictions) in judgement.left_out.items():
        judged = is_judged(judgement.data)[test]
        label = judgement.data.label[test][judged]
        if len(label):
            rows.append(
                [name, str(len(label)), str(int(label.sum())), *_Measures.spread([_Measures(label, predictions[judged], threshold)])]
            )
    head = ["left out", "rows", "API", "ROC-AUC", "PR-AUC", "precision", "recall", "F1", "false positives"]
    return "## Whole sources left out\n\nSites of a source are left out of all other sources too.\n\n" + _table(head, rows)


def _group_section(judgement: Judgement, threshold: float) -> str:
    data = judgement.data
    rows = []
    cases = {"(all known)": judgement.held_out[0], **judgement.without_group}
    for name, predictions in cases.items():
        cells = [name, str(list(judgement.groups).count(name)) if name in judgement.groups else str(len(judgement.groups))]
        for _, part in _parts(data):
            measures = _Measures(data.label[part], predictions[part], threshold)
            cells.append(f"{measures.f1:.4f}" if data.label[part].any() else f"{measures.false_positive_rate:.3%}")
        rows.append(cells)
    head = ["not known", "features", *(name for name, _ in _parts(data))]
    return (
        "## What each feature group is worth\n\nF1 (logs: false positives) when no record tells the group; models of the first repeat.\n\n"
        + _table(head, rows)
    )


def _variation_section(judgement: Judgement, threshold: float) -> str:
    data, predictions = judgement.data, judgement.held_out[0]
    rows = []
    for variant, meaning in _VARIATIONS.items():
        for part in ("browser", "client"):
            own = (data.variant == variant) & (data.part == part)
            if own.any():
                measures = _Measures(data.label[own], predictions[own], threshold)
                rows.append([meaning, part, str(int(own.sum())), *_Measures.spread([measures])])
    head = ["variation", "of", "rows", "ROC-AUC", "PR-AUC", "precision", "recall", "F1", "false positives"]
    return (
        "## Variations\n\n"
        "The same exchanges as others would have made or recorded them: not so recorded, and no part of the figures above.\n\n"
        + _table(head, rows)
    )


def _weak_section(judgement: Judgement, threshold: float) -> str:
    data = judgement.data
    own = data.weak & (data.variant == "as-is")
    measures = _Measures(data.label[own], judgement.held_out[0][own], threshold)
    agrees = 1 - (measures.false_positives + measures.false_negatives) / max(1, own.sum())
    return (
        f"## Heuristic labels\n\nOf {int(own.sum())} rows that a heuristic labelled, the model of other sites agrees with {agrees:.2%}. "
        "They are not judged on."
    )


def _error_section(judgement: Judgement, threshold: float) -> str:
    data, predictions = judgement.data, judgement.held_out.mean(axis=0)
    wrong = is_judged(data) & ((predictions >= threshold) != (data.label == 1))
    counts = Counter(
        zip(
            data.part[wrong], data.source[wrong], data.site[wrong], np.where(data.label[wrong] == 1, "missed", "taken for one"), strict=True
        )
    )
    rows = []
    for (part, source, site, kind), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        own = wrong & (data.part == part) & (data.source == source) & (data.site == site) & ((data.label == 1) == (kind == "missed"))
        places = ", ".join(sorted(data.place[own], key=_place)[:3])
        rows.append([part, source, site, kind, str(count), f"{predictions[own].min():.2f} to {predictions[own].max():.2f}", places])
    return "## Errors\n\nBy the mean over the repeats; places are file and row.\n\n" + _table(
        ["part", "source", "site", "what", "rows", "likelihood", "places"], rows
    )


def _place(place: str) -> tuple[str, int]:
    file, row = place.rsplit(":", 1)
    return file, int(row)


def _parts(data: Data) -> list[tuple[str, Booleans]]:
    judged = is_judged(data)
    parts = [(name, judged & (data.part == part) & ((data.source == "recorded") == recorded)) for name, part, recorded in PARTS]
    return [(name, rows) for name, rows in parts if rows.any()]


class _Measures:
    """How well predictions fit labels at a threshold."""

    def __init__(self, label: Labels, prediction: Weights, threshold: float) -> None:
        positive = prediction >= threshold
        self.true_positives = int((positive & (label == 1)).sum())
        self.false_positives = int((positive & (label == 0)).sum())
        self.false_negatives = int((~positive & (label == 1)).sum())
        self.negatives = int((label == 0).sum())
        both = self.negatives and self.negatives < len(label)
        self.roc_auc = float(roc_auc_score(label, prediction)) if both else None
        self.pr_auc = float(average_precision_score(label, prediction)) if both else None

    @property
    def precision(self) -> float | None:
        """Share of API calls among what was taken for one."""
        found = self.true_positives + self.false_positives
        return self.true_positives / found if found and self.true_positives + self.false_negatives else None

    @property
    def recall(self) -> float | None:
        """Share of API calls that were found."""
        calls = self.true_positives + self.false_negatives
        return self.true_positives / calls if calls else None

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.true_positives / max(1, 2 * self.true_positives + self.false_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float:
        """Share of other transactions that were taken for API calls."""
        return self.false_positives / max(1, self.negatives)

    @staticmethod
    def spread(measured: "Sequence[_Measures]") -> list[str]:
        """Cells of a table: worst and best over repeats."""
        has_calls = measured[0].recall is not None
        return [
            _range([m.roc_auc for m in measured], "{:.4f}"),
            _range([m.pr_auc for m in measured], "{:.4f}"),
            _range([m.precision for m in measured], "{:.4f}"),
            _range([m.recall for m in measured], "{:.4f}"),
            _range([m.f1 if has_calls else None for m in measured], "{:.4f}"),
            _range([m.false_positive_rate if m.negatives else None for m in measured], "{:.3%}"),
        ]


def _range(values: Iterable[float | None], form: str) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return ""
    low, high = form.format(known[0]), form.format(known[-1])
    return low if low == high else f"{low} … {high}"


def _bins(predictions: Weights) -> Iterable[tuple[float, float, Booleans]]:
    for number in range(10):
        low, high = number / 10, (number + 1) / 10
        yield low, high, (predictions >= low) & ((predictions < high) | (number == 9))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _pictures(judgement: Judgement) -> None:
    """The reliability plot and the precision-recall curves, as SVG that is the same for the same predictions."""
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hauberk"
    PICTURES.mkdir(parents=True, exist_ok=True)
    data, predictions = judgement.data, judgement.held_out[0]
    figure, axes = plt.subplots(figsize=(4.6, 4.2))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    for name, part in _parts(data):
        if not data.label[part].any():
            continue
        points = [
            (predictions[part & own].mean(), data.label[part & own].mean()) for _, _, own in _bins(predictions) if (part & own).sum() >= 5
        ]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name)
    axes.set(xlabel="likelihood given", ylabel="share of API calls", title="Calibration on sites held out (bins of ≥ 5 rows)")
    axes.title.set_fontsize(9)
    axes.legend(fontsize=8)
    _save(figure, "calibration.svg")
    figure, axes = plt.subplots(figsize=(4.6, 4.2))
    for name, part in _parts(data):
        if 0 < data.label[part].sum() < part.sum():
            precision, recall, _ = precision_recall_curve(data.label[part], predictions[part])
            axes.plot(recall, precision, label=name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0.8, 1.005), ylim=(0.8, 1.005), title="Precision and recall on sites held out")
    axes.title.set_fontsize(9)
    axes.legend(fontsize=8, loc="lower left")
    _save(figure, "precision-recall.svg")


def _save(figure: Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(PICTURES / name, metadata={"Date": None})
    plt.close(figure)
