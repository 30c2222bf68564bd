"""What an OpenAPI document says of each place of a request: its types, values and bounds, whatever `$ref` and `allOf` they come by."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from benchmarks.learning.corpora import DATA
from benchmarks.learning.places import Place

MOST_ALTERNATIVES = 64
FREE_FORMATS = frozenset({"", "password", "binary", "repo.nwo", "markdown"})
"""Formats of strings that hold back nothing."""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What holds of the value at one place."""

    types: frozenset[str] | None
    """Of JSON; `None`: any."""

    enum: tuple[Any, ...] | None = None
    formats: frozenset[str] = frozenset()
    has_pattern: bool = False
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    members: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    """Members that an object must have, in all its alternatives."""

    is_map: bool = False
    """An object whose names are data, or of which nothing is said."""

    @property
    def restraint(self) -> str:
        """In one word, what keeps a value from being free text; `free` if nothing does."""
        if self.types is not None and "string" not in self.types:
            return next((name for name in ("boolean", "integer", "number") if name in self.types), "structure")
        if self.enum is not None:
            return "enum"
        if self.types is None:
            return "free"
        if self.formats - FREE_FORMATS:
            return "format"
        return "pattern" if self.has_pattern else "free"


@dataclass(frozen=True)
class Parameter:
    """A parameter as a document declares it."""

    schema: Schema
    is_required: bool


@dataclass
class Operation:
    """One operation of a document."""

    document: Document
    method: str
    endpoint: str
    parameters: dict[tuple[str, str], Parameter] = field(default_factory=dict)
    """By location and name; path variables by their position among the variables, from 0, as text: names differ between documents."""

    bodies: dict[str, Schema] = field(default_factory=dict)

    def facts(self, place: Place, variable: int | None = None) -> Facts | None:
        """Tell what is said of a place; `None` if the document does not declare it. `variable`: the position of a path variable."""
        if place.location in ("path", "query"):
            name = str(variable) if place.location == "path" else place.name
            declared = self.parameters.get((place.location, name)) or self.parameters.get((place.location, name.removesuffix("[]")))
            return self.document.facts_of_text(declared.schema) if declared else None
        if place.location == "form":
            schema = self.bodies.get("application/x-www-form-urlencoded") or self.bodies.get("application/json")
            if schema is None:
                return None
            below = self.document.below(self.document.alternatives(schema), place.name.removesuffix("[]"))
            return _facts_of_text(self.document, below) if below else None
        return self.body_facts(place.name)

    def body_facts(self, name: str) -> Facts | None:
        """Tell what is said of `labels/*/color` in a JSON body; `$` is the body itself."""
        schema = next((schema for media_type, schema in self.bodies.items() if "json" in media_type or "*" in media_type), None)
        if schema is None:
            return None
        found = self.document.alternatives(schema)
        for step in () if name == "$" else name.split("/"):
            found = self.document.below(found, step)
            if not found:
                return None
        return _facts(found)


class Document:
    """An OpenAPI document with its operations."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.operations: dict[tuple[str, str], Operation] = {}
        """By method and endpoint without names of variables: `/users/{}`."""
        base = _base_path(content)
        for path, item in content.get("paths", {}).items():
            for method in ("get", "put", "post", "delete", "head", "patch"):
                if method in item:
                    operation = self._operation(method.upper(), base + path, self._resolved(item), item[method])
                    self.operations.setdefault((operation.method, nameless(operation.endpoint)), operation)

    def _operation(self, method: str, endpoint: str, item: Schema, declared: Schema) -> Operation:
        operation = Operation(self, method, endpoint)
        variables = re.findall(r"\{([^{}]*)\}", endpoint)
        for reference in [*item.get("parameters", ()), *declared.get("parameters", ())]:
            parameter = self._resolved(reference)
            name = parameter["name"]
            if parameter["in"] == "path":
                if name not in variables:
                    continue
                name = str(variables.index(name))
            schema = parameter.get("schema") or _first(parameter.get("content", {}).values()).get("schema", {})
            operation.parameters[parameter["in"], name] = Parameter(schema, bool(parameter.get("required")))
        for media_type, content in self._resolved(declared.get("requestBody", {})).get("content", {}).items():
            operation.bodies[media_type.partition(";")[0].strip().lower()] = content.get("schema", {})
        return operation

    def facts_of_text(self, schema: Schema) -> Facts:
        """Tell what is said of a parameter; of an array, what is said of its items."""
        return _facts_of_text(self, self.alternatives(schema))

    def facts_of(self, schema: Schema) -> Facts:
        """Tell what a schema says."""
        return _facts(self.alternatives(schema))

    def alternatives(self, schema: Schema | bool) -> list[Schema]:
        """Give the plain schemas one of which a value has to follow: combinations are multiplied out, at most 64."""
        return list(self._expanded(schema, frozenset()))[:MOST_ALTERNATIVES]

    def below(self, alternatives: Iterable[Schema], step: str) -> list[Schema]:
        """Give the alternatives of a member, or of the items for `*`; none if nothing is declared there."""
        found: list[Schema] = []
        for schema in alternatives:
            if step == "*" and isinstance(schema.get("items"), Mapping):
                found += self.alternatives(schema["items"])
            elif step in schema.get("properties", {}):
                found += self.alternatives(schema["properties"][step])
            elif isinstance(schema.get("additionalProperties"), Mapping) and schema["additionalProperties"]:
                found += self.alternatives(schema["additionalProperties"])
        return found[:MOST_ALTERNATIVES]

    def _expanded(self, schema: Schema | bool, inside: frozenset[str]) -> Iterator[Schema]:
        if isinstance(schema, bool):
            yield {}
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference not in inside:  # a schema that is only itself says nothing
                yield from self._expanded(self._resolved(schema), inside | {reference})
            return
        flat: list[Schema] = [{name: value for name, value in schema.items() if name not in ("allOf", "anyOf", "oneOf")}]
        for part in schema.get("allOf", ()):
            flat = [_merged(one, other) for one in flat for other in self._expanded(part, inside)][:MOST_ALTERNATIVES]
        for keyword in ("anyOf", "oneOf"):
            if schema.get(keyword):
                parts = [other for part in schema[keyword] for other in self._expanded(part, inside)][:MOST_ALTERNATIVES]
                flat = [_merged(one, other) for one in flat for other in parts][:MOST_ALTERNATIVES]
        yield from flat

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(16):
            reference = schema.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return schema
            found: Any = self.content
            for part in reference[2:].split("/"):
                found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
            schema = found
        return {}


def nameless(template: str) -> str:
    """Take the names out of a template: documents differ in them."""
    return re.sub(r"\{[^{}]*\}", "{}", template)


@functools.cache
def official(name: str) -> Document:
    """Read an official document; it has no servers then, so it judges every host, and its paths begin as recorded ones do."""
    with pa.input_stream(DATA / f"openapi/{name}.json.zst", compression="zstd") as packed:
        content = json.loads(packed.read())
    base = {"linode-4.189": "/v4beta", "googleapis.com_compute": "/compute/v1", "openai.com": "/v1"}.get(name, "")
    for item in content["paths"].values():
        for part in (item, *(item[method] for method in ("get", "put", "post", "delete", "head", "patch") if method in item)):
            part.pop("servers", None)
    content.pop("servers", None)
    content["paths"] = {base + path: item for path, item in content["paths"].items()}
    return Document(content)


def _base_path(content: Schema) -> str:
    url: str = _first(content.get("servers", ())).get("url", "")
    return re.sub(r"^(?:https?:)?//[^/]*", "", url).rstrip("/")


def _first(of: Iterable[Schema]) -> Schema:
    return next(iter(of), {})


def _merged(one: Schema, other: Schema) -> Schema:
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        merged["required"] = sorted({*one["required"], *other["required"]})
    if "enum" in one and "enum" in other:
        merged["enum"] = [value for value in one["enum"] if value in other["enum"]]
    return merged


def _types(schema: Schema) -> frozenset[str] | None:
    stated = schema.get("type")
    if stated is None:
        if schema.get("properties") or isinstance(schema.get("additionalProperties"), Mapping):
            stated = "object"
        elif "items" in schema:
            stated = "array"
        elif schema.get("enum"):
            return frozenset(_type_of(value) for value in schema["enum"])
        else:
            return None
    types = {stated} if isinstance(stated, str) else set(stated)
    if schema.get("nullable"):
        types.add("null")
    return frozenset(types)


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return {float: "number", str: "string", list: "array", dict: "object"}[type(value)]


def _facts(alternatives: list[Schema]) -> Facts:
    each = [_types(schema) for schema in alternatives]
    known = [types for types in each if types is not None]
    types = frozenset().union(*known) if len(known) == len(each) and known else None
    scalars = [schema for schema, found in zip(alternatives, each, strict=True) if found is None or found - {"null", "object", "array"}]
    enumerated = bool(scalars) and all(
        "enum" in schema or found == frozenset({"boolean"}) for schema, found in zip(alternatives, each, strict=True) if schema in scalars
    )
    enum = tuple(value for schema in scalars for value in schema.get("enum", ())) if enumerated else ()
    strings = [schema for schema in scalars if "string" in (_types(schema) or {"string"})]
    objects = [schema for schema, found in zip(alternatives, each, strict=True) if found is None or "object" in found]
    declared = [set(schema.get("required", ())) for schema in objects]
    return Facts(
        types=types,
        enum=enum or None,
        formats=frozenset(str(schema.get("format", "")) for schema in strings),
        has_pattern=bool(strings) and all("pattern" in schema for schema in strings),
        minimum=_outermost(min, scalars, "minimum", "exclusiveMinimum"),
        maximum=_outermost(max, scalars, "maximum", "exclusiveMaximum"),
        min_length=_outermost(min, strings, "minLength"),
        max_length=_outermost(max, strings, "maxLength"),
        max_items=_outermost(max, [schema for schema in alternatives if "items" in schema], "maxItems"),
        members=frozenset(name for schema in objects for name in schema.get("properties", ())),
        required=frozenset(set.intersection(*declared)) if declared else frozenset(),
        is_map=not objects or any(not schema.get("properties") or _is_mapping(schema) for schema in objects),
    )


def _is_mapping(schema: Schema) -> bool:
    return bool(schema.get("additionalProperties")) and schema.get("additionalProperties") is not True


def _outermost(choose: Any, schemas: list[Schema], *keywords: str) -> Any:
    """Give the loosest bound, or none if an alternative has none."""
    bounds = [
        next((schema[word] for word in keywords if isinstance(schema.get(word), int | float) and schema.get(word) is not True), None)
        for schema in schemas
    ]
    return choose(bounds) if bounds and None not in bounds else None


def _facts_of_text(document: Document, alternatives: list[Schema]) -> Facts:
    items = document.below(alternatives, "*")
    return _facts(items if items and all("array" in (_types(schema) or ()) for schema in alternatives) else alternatives)
