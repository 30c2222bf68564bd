"""Running the command line in this process, against a live control plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hauberk.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `hauberk …` in an empty folder; the last argument may be `ok=False` for commands that must fail."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("HAUBERK_URL", "HAUBERK_TOKEN", "HAUBERK_ZONE", "HAUBERK_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path, ok: bool = True) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        ran = Ran(status, captured.out, captured.err)
        assert "Traceback" not in ran.err
        assert (status == 0) is ok, f"exit status {status}\n{ran.out}\n{ran.err}"
        if not ok:
            assert ran.err.splitlines()[-1].startswith(("error: ", "hint: ")), ran.err
        return ran

    return run


@pytest.fixture
def hauberk(run: Run, control_plane: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, with a live control plane to talk to."""
    monkeypatch.setenv("HAUBERK_URL", control_plane.base_url)
    monkeypatch.setenv("HAUBERK_TOKEN", control_plane.token)
    return run
