"""An OpenAPI document as a reference for people: its operations by tag, what each takes, and how to call it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
# Members of members are told so deep; a document may refer to itself.
DEEPEST = 3
# Served without a token.
PUBLIC = ("/crl/", "/healthz", "/readyz", "/metrics")
JSON = "application/json"

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """A parameter, or a member of a body."""

    name: str
    """With the names of those it is inside of: `hosts[].name`."""

    place: str
    """`path`, `query`, `header` or `body`."""

    type: str
    required: bool
    text: str


@dataclass(frozen=True)
class Described:
    """An operation."""

    id: str
    method: str
    path: str
    text: str
    """Paragraphs."""

    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    body_type: str
    """The body's media type, empty if it has none."""

    example: str
    """A body that could be sent, as JSON; empty if there is none."""

    needs_token: bool

    @property
    def first_sentence(self) -> str:
        """What it does, for a list."""
        return re.split(r"(?<=\.) ", " ".join(self.text.split("\n\n", 1)[0].split()), maxsplit=1)[0]

    @property
    def address(self) -> str:
        """The path with its variables written as a shell writes them."""
        return re.sub(r"\{(\w+)\}", lambda match: "$" + match[1].upper(), self.path)


@dataclass(frozen=True)
class Section:
    """The operations of a tag."""

    name: str
    operations: tuple[Described, ...]

    @property
    def title(self) -> str:
        """The tag as a heading."""
        return self.name if self.name[1:2].isupper() else self.name[:1].upper() + self.name[1:]

    @property
    def id(self) -> str:
        """For addresses."""
        return re.sub(r"\W+", "-", self.name.lower())


def sections(document: Mapping[str, Any]) -> list[Section]:
    """Read a document: operations by their first tag, both in alphabetical order."""
    schemas = document.get("components", {}).get("schemas", {})
    found: dict[str, list[Described]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                tag = (methods[method].get("tags") or ["other"])[0]
                found.setdefault(tag, []).append(_described(method, path, methods[method], schemas))
    order = {method.upper(): number for number, method in enumerate(METHODS)}
    return [
        Section(tag, tuple(sorted(operations, key=lambda one: (one.path, order[one.method])))) for tag, operations in sorted(found.items())
    ]


def _described(method: str, path: str, operation: Schema, schemas: Schema) -> Described:
    parameters = tuple(
        Member(
            one["name"],
            one["in"],
            type_of(one.get("schema", {}), schemas),
            bool(one.get("required")),
            one.get("description") or one.get("schema", {}).get("description", ""),
        )
        for one in operation.get("parameters", ())
    )
    bodies: Mapping[str, Any] = operation.get("requestBody", {}).get("content", {})
    media_type = next(iter(bodies), "")
    schema: Schema = bodies.get(media_type, {}).get("schema", {})
    return Described(
        id=re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
        method=method.upper(),
        path=path,
        text=operation.get("description", "").strip(),
        parameters=parameters,
        body=tuple(_members(schema, schemas)),
        body_type=media_type,
        example=json.dumps(example(schema, schemas), ensure_ascii=False) if media_type == JSON else "",
        needs_token=not path.startswith(PUBLIC),
    )


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    reference = schema.get("$ref")
    return schemas.get(reference.rpartition("/")[2], {}) if isinstance(reference, str) else schema


def _choices(schema: Schema) -> list[Schema]:
    """Give what a value may be, without null."""
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or [schema]
    return [option for option in options if option.get("type") != "null"] or [{}]


def type_of(schema: Schema, schemas: Schema) -> str:
    """Say in a few words what a value is."""
    schema = _resolved(schema, schemas)
    if any(key in schema for key in ("anyOf", "oneOf", "allOf")):
        names = [type_of(option, schemas) for option in _choices(schema)]
        if len(names) < len(schema.get("anyOf", names)):
            names.append("null")
        return " or ".join(dict.fromkeys(names))
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}), schemas)}"
    name = str(schema.get("type", "any"))
    return f"{name} ({schema['format']})" if "format" in schema else name


def _members(schema: Schema, schemas: Schema, inside: str = "", depth: int = 0) -> Iterator[Member]:
    """List the members of an object, those of objects in it after them."""
    for option in _choices(_resolved(schema, schemas)):
        resolved = _resolved(option, schemas)
        if resolved.get("type") == "array":
            yield from _members(resolved.get("items", {}), schemas, f"{inside}[]", depth)
            continue
        required = resolved.get("required", ())
        for name, member in resolved.get("properties", {}).items():
            full = f"{inside}.{name}" if inside else name
            text = member.get("description") or ""
            yield Member(full, "body", type_of(member, schemas), name in required, text)
            if depth + 1 < DEEPEST:
                yield from _members(member, schemas, full, depth + 1)


def example(schema: Schema, schemas: Schema, depth: int = 0) -> Any:
    """Make a value that shows the form: of an object what is required, or its first member if nothing is."""
    schema = _choices(_resolved(schema, schemas))[0]
    schema = _resolved(schema, schemas)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {}) if depth < DEEPEST else {}
            wanted = schema.get("required") or list(properties)[:1]
            value: Any = {one: example(properties[one], schemas, depth + 1) for one in wanted if one in properties}
        case "array":
            value = [example(schema.get("items", {}), schemas, depth + 1)]
        case "boolean":
            value = True
        case "integer":
            value = int(schema.get("default", schema.get("minimum", 1)))
        case "number":
            value = schema.get("default", schema.get("minimum", 1))
        case _:
            value = schema.get("const", "…")
    return value
