"""Which operation a path belongs to, and from that how the requests of each operation are spread over time: what a sparkline shows."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_VARIABLE = re.compile(r"\{[^{}/]*\}")

Key = TypeVar("Key", bound=Hashable)


@dataclass
class _Node(Generic[Key]):
    words: dict[str, _Node[Key]] = field(default_factory=dict)
    parts: list[tuple[re.Pattern[str], _Node[Key]]] = field(default_factory=list)
    any: _Node[Key] | None = None
    key: Key | None = None


class Templates(Generic[Key]):
    """
    Finds the template a path belongs to: words go before variables that are part of a segment, and these before whole ones.

    Example:
        >>> templates = Templates([("a.example", "GET", "/users/{var1}", 1), ("a.example", "GET", "/users/me", 2)])
        >>> templates.find("a.example", "GET", "/users/4711"), templates.find("a.example", "GET", "/users/me")
        (1, 2)
    """

    def __init__(self, templates: Iterable[tuple[str, str, str, Key]]) -> None:
        self._roots: dict[tuple[str, str], _Node[Key]] = {}
        for host, method, endpoint, key in templates:
            node = self._roots.setdefault((host, method), _Node())
            for segment in endpoint.split("/")[1:]:
                node = _child(node, segment)
            node.key = key

    def find(self, host: str, method: str, path: str) -> Key | None:
        """Give the key of the template of a path, `None` if it has none."""
        root = self._roots.get((host, method))
        return None if root is None else _find(root, path.split("/")[1:], 0)


def spread(templates: Templates[Key], paths: Iterable[tuple[str, str, str, list[tuple[int, int]]]], steps: int) -> dict[Key, list[int]]:
    """
    Add up the requests of each template.

    Args:
        templates: The templates.

        paths: Host, method and path, and how many requests it had in which step.

        steps: How many there are.
    """
    sums: dict[Key, list[int]] = {}
    for host, method, path, counts in paths:
        key = templates.find(host, method, path)
        if key is not None:
            total = sums.setdefault(key, [0] * steps)
            for place, requests in counts:
                total[place] += requests
    return sums


def path_pattern(endpoint: str) -> str:
    """Write a template as a regular expression for whole paths, which RE2 takes."""
    return "[^/]+".join(re.escape(text) for text in _VARIABLE.split(endpoint))


def _child(node: _Node[Key], segment: str) -> _Node[Key]:
    if _VARIABLE.fullmatch(segment):
        node.any = node.any or _Node()
        return node.any
    if not _VARIABLE.search(segment):
        return node.words.setdefault(segment, _Node())
    pattern = re.compile(path_pattern(segment))
    for known, child in node.parts:
        if known.pattern == pattern.pattern:
            return child
    node.parts.append((pattern, _Node()))
    return node.parts[-1][1]


def _find(node: _Node[Key], segments: list[str], at: int) -> Key | None:
    if at == len(segments):
        return node.key
    segment = segments[at]
    ways = [node.words.get(segment), *(child for pattern, child in node.parts if pattern.fullmatch(segment)), node.any if segment else None]
    for child in ways:
        if child is not None and (found := _find(child, segments, at + 1)) is not None:
            return found
    return None
