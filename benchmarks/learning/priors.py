"""
Priors of schema learning that have not seen the API which is judged.

The package's own are fitted on all recordings (`training/learning`), so a corpus judged with them has helped to make them. What an API that
nobody has trained on would see is told by priors fitted without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from training.learning.fit import collect, fit
from training.learning.recordings import corpora
from training.learning.trials import trials

SEEDS = 2
"""Draws of recordings, as many as the package's own priors come from."""

GITHUB = ("octokit-rb", "pygithub", "github3-py")
SAME_API: dict[str, tuple[str, ...]] = {
    "linodego": ("lexicon/api.linode.com",),
    "cf-terraforming": ("lexicon/api.cloudflare.com",),
    "lexicon": ("linodego", "cf-terraforming"),
}
"""Recordings of an API by other clients."""


def write(folder: Path, names: list[str]) -> None:
    """
    Write `NAME.json` for each corpus: the priors without the APIs it holds.

    It takes a minute or two, most of it for trying statements.
    """
    tables = collect(trial for seed in range(SEEDS) for corpus in corpora() for trial in trials(corpus, seed))
    made: dict[frozenset[str], str] = {}
    for name in names:
        is_left_out = _left_out(name)
        sites = frozenset(site for table in tables.values() for site in table.by_site if is_left_out(site))
        if sites not in made:
            kept = {
                statement: {site: found for site, found in table.by_site.items() if site not in sites}
                for statement, table in sorted(tables.items())
            }
            made[sites] = json.dumps({"statements": {statement: fit(found) for statement, found in kept.items() if found}})
        (folder / f"{name}.json").write_text(made[sites])


def _left_out(name: str) -> Callable[[str], bool]:
    if name in GITHUB:
        return lambda site: site == "github"
    return lambda site: site == name or site.startswith(f"{name}/") or site in SAME_API.get(name, ())
