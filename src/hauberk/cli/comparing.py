"""How the comparison of the two ways of discovery is printed, wherever it comes from."""

from __future__ import annotations

from typing import Any

from hauberk.cli.output import Output
from hauberk.discovery.comparison import Comparison
from hauberk.discovery.pictures import histogram_text


def print_comparison(out: Output, comparison: Comparison) -> None:
    """Print a row for each host, then the histograms; as JSON the whole report."""
    report = comparison.as_json()
    if out.as_json:
        out.json(report)
        return
    columns: dict[str, Any] = {
        "HOST": "host",
        "BOTH": lambda row: row["both"]["count"],
        "ONLY ML": lambda row: row["only_ml"]["count"],
        "ONLY SESSION IDENTIFIER": lambda row: row["only_session_identifier"]["count"],
        "DIFFERENCE": lambda row: f"{row['difference']:+d}",
    }
    out.table(report["hosts"], columns, empty="nothing was found yet")
    if report["hosts"]:
        out.line("\n" + histogram_text(comparison).rstrip())
