"""`hauberk traffic import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from command_line import Run

pytest_plugins = ("command_line",)

CAPTURE = Path(__file__).parents[1] / "traffic" / "captures" / "chrome.har"


def test_transactions_are_imported(run: Run) -> None:
    assert "Imported 3 transactions" in run("traffic", "import", CAPTURE).err
    assert list(Path("state/traffic").rglob("*.parquet"))


def test_a_store_that_cannot_be_written_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken").write_text("a file where the folder should be")
    monkeypatch.setenv("HAUBERK_TRAFFIC__STORE", "taken/store")
    ran = run("traffic", "import", CAPTURE, ok=False)
    assert ran.err.splitlines()[-1] == "error: 3 transactions could not be written to the traffic store; 0 were written"
    assert "Imported" not in ran.err
