"""What a document says of one operation, cut out: its parameters, its request body, and the components they refer to."""

from __future__ import annotations

import json
import re
from typing import Any

from hauberk import _native
from hauberk.operation import OperationKey

Tree = dict[str, Any]

# A reference to a reference to a reference: longer chains do not occur, and circles end here.
MAX_REFERENCES = 16

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def operation_fragment(source: str, method: str, path: str) -> dict[str, Any]:
    """
    Cut one operation out of a document that was accepted.

    Args:
        source: JSON or YAML text.

        method: In upper case.

        path: The key in the document's `paths`, byte for byte.

    Returns:
        `{"parameters": […]}`, with `"requestBody": {…}` if there is one and `"components": {…}` if either refers to some. References of
        whole parameters and bodies are resolved; those of schemas stay, since schemas may hold themselves.
    """
    return _fragment(read_tree(source), method, path)


def _fragment(document: Tree, method: str, path: str) -> Tree:
    item = _resolve(document, _member(_member(document, "paths"), path))
    operation = _member(item, method.lower())
    parameters: dict[tuple[Any, Any], Any] = {}
    for declared in (*_items(item), *_items(operation)):  # the operation's own replace those of its path
        parameter = _resolve(document, declared)
        parameters[parameter.get("name"), parameter.get("in")] = parameter
    fragment: dict[str, Any] = {"parameters": list(parameters.values())}
    if "requestBody" in operation:
        fragment["requestBody"] = _resolve(document, operation["requestBody"])
    components = _reachable_components(document, fragment)
    return fragment | ({"components": components} if components else {})


def read_tree(source: str) -> Tree:
    """Read a document that was accepted, JSON or YAML."""
    try:
        document = json.loads(source)
    except ValueError:
        document = json.loads(_native.document_as_json(source.encode()))
    return document if isinstance(document, dict) else {}


def _member(tree: Any, name: str) -> Tree:
    member = tree.get(name) if isinstance(tree, dict) else None
    return member if isinstance(member, dict) else {}


def _items(tree: Tree) -> list[Any]:
    items = tree.get("parameters")
    return items if isinstance(items, list) else []


def _resolve(document: Tree, node: Any) -> Tree:
    for _ in range(MAX_REFERENCES):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            break
        node = _look_up(document, reference)
    return node if isinstance(node, dict) else {}


def _look_up(document: Tree, reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = _member_of_any(node, part.replace("~1", "/").replace("~0", "~"))
    return node


def _member_of_any(node: Any, name: str) -> Any:
    if isinstance(node, dict):
        return node.get(name)
    if isinstance(node, list) and name.isdigit() and int(name) < len(node):
        return node[int(name)]
    return None


def _reachable_components(document: Tree, fragment: Tree) -> Tree:
    """Collect the components that are referred to, and those they refer to in turn."""
    components: Tree = {}
    waiting: list[Any] = [fragment]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            reference = node.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/components/"):
                continue
            kind, _, rest = reference.removeprefix("#/components/").partition("/")
            name = rest.partition("/")[0].replace("~1", "/").replace("~0", "~")
            if name not in components.setdefault(kind, {}):
                components[kind][name] = _look_up(document, f"#/components/{kind}/{rest.partition('/')[0]}")
                waiting.append(components[kind][name])
    return components


def operation_document(source: str | Tree, key: OperationKey, path: str) -> dict[str, Any]:
    """
    Cut one operation out of a document that was accepted, as a document of its own that can be laid beside a learned one.

    It names no host, its path is the operation's endpoint, and path variables are named as that names them; responses are left out.

    Args:
        source: JSON or YAML text, or what `read_tree` has made of it.

        key: The operation.

        path: The key in the document's `paths`, byte for byte.
    """
    document = read_tree(source) if isinstance(source, str) else source
    fragment = _fragment(document, key.method, path)
    declared = _member(_resolve(document, _member(_member(document, "paths"), path)), key.method.lower())
    extensions = {name: value for name, value in declared.items() if name.startswith("x-hauberk-")}
    variables, names = _VARIABLE.findall(path), _VARIABLE.findall(key.endpoint)
    renamed = dict(zip(reversed(variables), reversed(names), strict=False))
    parameters = [
        parameter | {"name": renamed.get(parameter.get("name"), parameter.get("name"))} if parameter.get("in") == "path" else parameter
        for parameter in fragment["parameters"]
    ]
    known = {parameter.get("name") for parameter in parameters if parameter.get("in") == "path"}
    # Variables of the base path: the document describes them with its servers.
    before = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names if name not in known]
    operation: Tree = {"parameters": [*before, *parameters], "responses": {"default": {"description": "Any"}}, **extensions}
    if "requestBody" in fragment:
        operation["requestBody"] = fragment["requestBody"]
    cut: Tree = {
        "openapi": document.get("openapi"),
        "info": {"title": str(key.endpoint), "version": "1"},
        "paths": {key.endpoint: {key.method.lower(): operation}},
    }
    if "jsonSchemaDialect" in document:
        cut["jsonSchemaDialect"] = document["jsonSchemaDialect"]
    return cut | ({"components": fragment["components"]} if "components" in fragment else {})
