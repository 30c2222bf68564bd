"""`python -m benchmarks.learning.with_priors FILE …` is `hauberk …` with the priors of a file."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hauberk.cli import main
from hauberk.learning import priors


class _Instead:
    """The package's data, but for one file."""

    def __init__(self, priors_file: Path) -> None:
        self._priors_file = priors_file

    def joinpath(self, name: str) -> Any:
        return self._priors_file if name == "priors.json" else resources.files("hauberk.learning").joinpath(name)


def use(priors_file: Path) -> None:
    """Let learning in this process rest on the priors of a file."""
    table = json.loads(priors_file.read_text())
    if "statements" not in table:
        raise SystemExit(f"{priors_file} holds no priors")
    instead = _Instead(priors_file)
    vars(priors)["resources"] = SimpleNamespace(files=lambda _: instead)


if __name__ == "__main__":
    use(Path(sys.argv[1]))
    sys.argv = ["hauberk", *sys.argv[2:]]
    raise SystemExit(main())
