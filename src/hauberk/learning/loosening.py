"""
Taking statements out of a learned schema: what relaxing a rule does at once, before anything is learned anew.

The next run of learning leaves the same statements out by itself (`learn(relaxed=…)`).
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any

from hauberk.learning.allowed import branches_of

EVIDENCE = "x-hauberk-evidence"

# Rules that take each other's place.
KIN = (("enum", "format", "pattern", "minLength", "maxLength"), ("enum", "minimum", "maximum", "multipleOf"))


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


def kin_of(rule: str, open_rules: Collection[str]) -> list[str]:
    """
    List the rules that would refuse the same values as this one in other words, once this one is not learned any more.

    A text that need be no `date` has a form all the same, and of an object that may lack one member others may not be missing. What a
    schema does not say yet it may say tomorrow, since less is at stake then; an owner who relaxes the one does not want the other.

    Args:
        rule: The one to relax.

        open_rules: Those that are known and not stated.
    """
    pointer, _, keyword = rule.rpartition(" ")
    kin = [f"{pointer} {other}" for group in KIN if keyword in group for other in group if other != keyword]
    if keyword == "required":
        beside = f"{pointer.rpartition('/')[0]}/"
        kin += [one for one in open_rules if one.startswith(beside) and one.endswith(" required") and one.count("/") == pointer.count("/")]
    return kin


def _loosen_parameter(operation: Mapping[str, Any], location: str, names: list[str], keyword: str) -> None:
    for parameter in operation.get("parameters") or ():
        name = parameter["name"].lower() if location == "header" else parameter["name"]
        if (parameter["in"], name) != (location, names[0]):
            continue
        # OpenAPI has no optional variable of a path.
        if keyword == "required" and len(names) == 1 and location != "path":
            parameter.pop("required", None)
        elif keyword == "single" and len(names) == 1:
            _allow_several(parameter)
        elif isinstance(parameter.get("schema"), MutableMapping):
            _loosen(parameter["schema"], names[1:], keyword)
            if location == "query" and keyword == "type" and len(names) == 1:
                parameter["allowEmptyValue"] = True


def _allow_several(parameter: MutableMapping[str, Any]) -> None:
    schema = parameter.get("schema") or {}
    if schema.get("type") != "array":
        evidence = {EVIDENCE: schema[EVIDENCE]} if EVIDENCE in schema else {}
        parameter["schema"] = {"type": "array", "items": {key: value for key, value in schema.items() if key != EVIDENCE}, **evidence}


def _loosen_body(operation: MutableMapping[str, Any], names: list[str], keyword: str) -> None:
    body = operation.get("requestBody")
    if not names and keyword == "closed":
        operation["x-hauberk-undeclared-body"] = "allow"
        if body is not None:
            body["content"]["*/*"] = {}
    elif not names and keyword == "content":
        operation["x-hauberk-undeclared-body"] = "allow"
        operation.pop("requestBody", None)
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
            # Of what need be of no type nothing else is said either.
            _drop(node, [name for name in node if name != EVIDENCE])
        else:
            _drop(node, (keyword,))
        evidence = node.get(EVIDENCE)
        if isinstance(evidence, MutableMapping):
            evidence.pop(keyword, None)


def _drop(node: MutableMapping[str, Any], keywords: Collection[str]) -> None:
    for keyword in keywords:
        node.pop(keyword, None)


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
