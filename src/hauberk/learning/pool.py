"""
What operations of a host know of each other: the variable in `/gists/{id}` is the one in `/gists/{id}/star`.

Most operations are seen a few times only, but a resource is named in many of them, by the same kind of name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.learning.merging import parameter_with


@dataclass(frozen=True, slots=True)
class Pool:
    """Path variables of a host, by the path up to and with them."""

    variables: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, profiles: Iterable[Mapping[str, Any]]) -> Pool:
        """
        Put together what operations of one host have in common.

        Args:
            profiles: As `hauberk._native.Learner.profile` gives them, parsed; in any order.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for profile in sorted(profiles, key=lambda profile: (profile["endpoint"], profile["method"])):
            for prefix, seen in zip(prefixes(profile["endpoint"]), profile["path"], strict=False):
                found[prefix] = parameter_with(found[prefix], seen) if prefix in found else seen
        return cls(found)

    def variable(self, prefix: str, seen: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what all operations know of a path variable; `seen` if they know no more than one of them."""
        return self.variables.get(prefix, seen)


NOTHING = Pool({})


def prefixes(endpoint: str) -> list[str]:
    """Give the path up to each variable of a template, names left out: `/repos/{}`, `/repos/{}/{}`."""
    nameless = re.sub(r"\{[^{}]+\}", "{}", endpoint)
    return [nameless[: found.end()] for found in re.finditer(r"\{\}", nameless)]
