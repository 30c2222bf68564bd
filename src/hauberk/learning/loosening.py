"""
Taking statements out of a learned schema: what relaxing a rule does at once, before anything is learned anew.

The next run of learning leaves the same statements out by itself (`learn(relaxed=…)`).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any

from hauberk.learning.allowed import branches_of
from hauberk.learning.blame import ALTERNATIVES

EVIDENCE = "x-hauberk-evidence"
# What says of which type a value is.
TYPES = ("type", "nullable", *ALTERNATIVES, "discriminator")


def loosened(operation: Mapping[str, Any], rules: Collection[str]) -> dict[str, Any]:
    """
    Give an operation object without some statements.

    Args:
        operation: The operation object of OpenAPI, as learning writes them: without references.

        rules: As `Statement.rule`; those that it does not state change nothing.
    """
    looser = copy.deepcopy(dict(operation))
    for rule in rules:
        pointer, _, keyword = rule.rpartition(" ")
        location, *names = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
        if location == "body":
            _loosen_body(looser, names, keyword)
        elif not names:
            if (location, keyword) == ("query", "closed"):
                looser["x-hauberk-undeclared-query"] = "allow"
        else:
            _loosen_parameter(looser, location, names, keyword)
    return looser


def _loosen_parameter(operation: Mapping[str, Any], location: str, names: list[str], keyword: str) -> None:
    for parameter in operation.get("parameters") or ():
        name = parameter["name"].lower() if location == "header" else parameter["name"]
        if (parameter["in"], name) != (location, names[0]):
            continue
        # OpenAPI has no optional variable of a path.
        if keyword == "required" and len(names) == 1 and location != "path":
            parameter.pop("required", None)
        elif isinstance(parameter.get("schema"), MutableMapping):
            _loosen(parameter["schema"], names[1:], keyword)


def _loosen_body(operation: MutableMapping[str, Any], names: list[str], keyword: str) -> None:
    body = operation.get("requestBody")
    if not names and keyword == "closed":
        operation["x-hauberk-undeclared-body"] = "allow"
        if body is not None:
            body["content"]["*/*"] = {}
    elif not names and keyword == "required" and body is not None:
        body.pop("required", None)
    elif names and body is not None:
        schema = (body.get("content") or {}).get(names[0], {}).get("schema")
        if isinstance(schema, MutableMapping):
            _loosen(schema, names[1:], keyword)


def _loosen(schema: MutableMapping[str, Any], names: list[str], keyword: str) -> None:
    *above, last = names or [""]
    if keyword == "required" and names:
        for node in _at(schema, above):
            required = [name for name in node.get("required", ()) if name != last]
            node.pop("required", None)
            if required:
                node["required"] = required
        return
    for node in _at(schema, names):
        if keyword == "type":
            _drop(node, TYPES)
        elif keyword == "closed":
            _drop(node, ("additionalProperties",), only=False)
        else:
            _drop(node, (keyword,))
        evidence = node.get(EVIDENCE)
        if isinstance(evidence, MutableMapping):
            evidence.pop(keyword, None)


def _drop(node: MutableMapping[str, Any], keywords: Collection[str], *, only: Any = None) -> None:
    for keyword in keywords:
        if keyword in node and (only is None or node[keyword] is only):
            del node[keyword]


def _at(schema: MutableMapping[str, Any], names: list[str]) -> Iterator[MutableMapping[str, Any]]:
    """Give each schema that a place of a request is judged by: of alternatives all, the whole of them first."""
    inner: list[MutableMapping[str, Any]] = [one for one in branches_of(schema) if isinstance(one, MutableMapping)]
    if not names:
        yield schema
        yield from (one for one in inner if one is not schema)
        return
    name, rest = names[0], names[1:]
    for node in inner:
        below = [(node.get("properties") or {}).get(name)]
        if name == "*":
            below = [node.get("items"), node.get("additionalProperties")]
        for one in below:
            if isinstance(one, MutableMapping):
                yield from _at(one, rest)
