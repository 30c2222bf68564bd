"""
An owner's rule about path templates: what discovery finds by itself, the owner may know better.

There are two kinds. A *pin* says that a template is one operation, whatever the values; a *split* says that a segment found to be a
variable holds words, each an operation of its own. Merging operations and saying a template differently are pins as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hauberk.operation import OperationKey, normalise_endpoint

_VARIABLE = re.compile(r"\{[^{}/]*\}")


@dataclass(frozen=True)
class TemplateRule:
    """One rule; host and endpoint are spelt as those of saved operations."""

    kind: Literal["pin", "split"]
    host: str

    method: str | None
    """`None` for all methods."""

    endpoint: str

    segment: int | None = None
    """Of a split: which segment holds words, from 0 at the left."""

    def concerns(self, key: OperationKey) -> bool:
        """Tell whether an operation has the host and the method of this rule."""
        return key.host == self.host and self.method in {None, key.method}

    def replaces(self, key: OperationKey) -> bool:
        """
        Tell whether, under this rule, discovery finds something else in the place of an operation.

        A split replaces the template it splits; a pin replaces what it covers, such as `/users/ann` by `/users/{var1}`.
        """
        if not self.concerns(key):
            return False
        if self.kind == "split":
            return key.endpoint == self.endpoint
        return key.endpoint != self.endpoint and covers(self.endpoint, key.endpoint)


def owner_rules(rules: Iterable[TemplateRule]) -> str:
    """Write rules as the JSON that path discovery takes."""
    pins: list[dict[str, Any]] = []
    splits: list[dict[str, Any]] = []
    for rule in rules:
        about: dict[str, Any] = {"host": rule.host, "method": rule.method, "endpoint": rule.endpoint}
        if rule.kind == "pin":
            pins.append(about)
        else:
            splits.append(about | {"segment": rule.segment})
    return json.dumps({"pins": pins, "splits": splits}, separators=(",", ":"))


def segments(endpoint: str) -> list[str]:
    """Take a path apart: `/users/{var1}` is `["users", "{var1}"]`."""
    return endpoint.split("/")[1:]


def has_variable(segment: str) -> bool:
    """Tell whether a segment of a template holds a variable."""
    return _VARIABLE.search(segment) is not None


def covers(template: str, endpoint: str) -> bool:
    """
    Tell whether every path of an endpoint is one of a template's, segment by segment.

    Example:
        >>> covers("/users/{var1}", "/users/ann"), covers("/users/{var1}", "/users/{var1}"), covers("/users/ann", "/users/{var1}")
        (True, True, False)
    """
    wide, narrow = segments(template), segments(endpoint)
    return len(wide) == len(narrow) and all(_fits(ours, theirs) for ours, theirs in zip(wide, narrow, strict=True))


def merged(endpoints: Sequence[str]) -> str:
    """
    Find the template that stands for all of these: where they differ there is a variable.

    Raises:
        ValueError: If they differ in length, or are all the same.
    """
    paths = [segments(normalise_endpoint(endpoint)) for endpoint in endpoints]
    if len({len(path) for path in paths}) > 1:
        raise ValueError("must have the same number of segments: a variable stands for exactly one")
    columns = [set(column) for column in zip(*paths, strict=True)]
    if all(len(column) == 1 for column in columns):
        raise ValueError("must be two or more that differ")
    return normalise_endpoint("/" + "/".join(_joined(column, at) for at, column in enumerate(columns)))


def _joined(column: set[str], at: int) -> str:
    spelt = {_VARIABLE.sub("{}", segment) for segment in column}
    return next(iter(column)) if len(spelt) == 1 else f"{{segment{at}}}"


def _fits(wide: str, narrow: str) -> bool:
    if not has_variable(wide):
        return wide == narrow
    text = _VARIABLE.sub("\0", wide)
    pattern = "[^/]+".join(re.escape(part) for part in text.split("\0"))
    return re.fullmatch(pattern, narrow) is not None
