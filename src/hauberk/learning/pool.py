"""
What operations of a host know of each other: the variable in `/gists/{id}` is the one in `/gists/{id}/star`.

Most operations are seen a few times only, but a resource is named in many of them, by the same kind of name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk.learning.merging import parameter_with
from hauberk.learning.statistics import new_name

# More words than these beside a variable are no routes.
MOST_WORDS = 64


@dataclass(frozen=True, slots=True)
class Pool:
    """Path variables of a host, by the path up to and with them."""

    variables: Mapping[str, Mapping[str, Any]]

    words: Mapping[tuple[str, int], float]
    """How likely the next request has an unknown word where a variable is, by the same paths and the number of segments of the whole."""

    beside: Mapping[str, tuple[str, ...]]
    """Words that stand where a variable does in paths of any length, by the paths up to the variable."""

    @classmethod
    def of(cls, profiles: Iterable[Mapping[str, Any]]) -> Pool:
        """
        Put together what operations of one host have in common.

        Args:
            profiles: As `hauberk._native.Learner.profile` gives them, parsed; in any order.
        """
        found: dict[str, Mapping[str, Any]] = {}
        needed = ({name: profile[name] for name in ("endpoint", "method", "samples", "path")} for profile in profiles)
        listed = sorted(needed, key=lambda profile: (profile["endpoint"], profile["method"]))
        for profile in listed:
            for prefix, seen in zip(prefixes(profile["endpoint"]), profile["path"], strict=False):
                found[prefix] = parameter_with(found[prefix], seen) if prefix in found else seen
        return cls(found, _unseen_words(listed), _words_beside(listed))

    def variable(self, prefix: str, seen: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what all operations know of a path variable; `seen` if they know no more than one of them."""
        return self.variables.get(prefix, seen)

    def words_beside(self, prefix: str) -> tuple[str, ...]:
        """Give the words that stand where a variable does: after `/issues/comments/{id}`, `/issues/comments` is no number out of place."""
        return self.beside.get(prefix, ())

    def unseen_word(self, prefix: str, endpoint: str) -> float:
        """Tell how likely a word stands where a variable of an endpoint is, as a route that was never seen."""
        return self.words.get((prefix, endpoint.count("/")), 0.0)


NOTHING = Pool({}, {}, {})


def prefixes(endpoint: str) -> list[str]:
    """Give the path up to each variable of a template, names left out: `/repos/{}`, `/repos/{}/{}`."""
    nameless = _nameless(endpoint)
    return [nameless[: found.end()] for found in re.finditer(r"\{\}", nameless)]


def _nameless(endpoint: str) -> str:
    return re.sub(r"\{[^{}]+\}", "{}", endpoint)


def _unseen_words(profiles: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], float]:
    """
    Estimate for each variable how likely a word comes in its place that was not seen yet.

    `/user/keys` and `/user/emails` beside `/user/{id}` make it likely that there are more such words, unless all of them came again and
    again. Where there are none at all there is nothing to be feared.
    """
    samples: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for profile in profiles:
        segments = _nameless(profile["endpoint"]).split("/")
        for index, segment in enumerate(segments):
            samples["/".join(segments[:index]), len(segments) - 1][segment] += profile["samples"]
    unseen = {}
    for (above, length), beside in samples.items():
        words = [count for segment, count in beside.items() if "{" not in segment]
        if words and "{}" in beside:
            unseen[f"{above}/{{}}", length] = new_name(sum(count == 1 for count in words), sum(beside.values()))
    return unseen


def _words_beside(profiles: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for profile in profiles:
        segments = _nameless(profile["endpoint"]).split("/")
        for index, segment in enumerate(segments):
            if segment and "{" not in segment:
                found["/".join([*segments[:index], "{}"])].add(segment)
    return {prefix: tuple(sorted(words)) for prefix, words in found.items() if len(words) <= MOST_WORDS}
