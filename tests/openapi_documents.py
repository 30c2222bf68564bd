"""OpenAPI documents for the tests of uploads: good ones, and every kind of bad one."""

from __future__ import annotations

import json
from typing import Any

TEMPERATURES: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Temperatures", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "paths": {
        "/temps": {
            "parameters": [{"$ref": "#/components/parameters/Trace"}, {"name": "unit", "in": "query", "schema": {"type": "string"}}],
            "get": {
                "parameters": [{"name": "unit", "in": "query", "schema": {"type": "string", "enum": ["C", "F"]}}],
                "responses": {"200": {"description": "ok"}},
            },
            "post": {"requestBody": {"$ref": "#/components/requestBodies/Reading"}, "responses": {"201": {"description": "kept"}}},
        },
        "/temps/{reading}": {
            "get": {
                "parameters": [{"name": "reading", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "ok"}},
            }
        },
    },
    "components": {
        "parameters": {"Trace": {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}},
        "requestBodies": {
            "Reading": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reading"}}}}
        },
        "schemas": {
            "Reading": {
                "type": "object",
                "required": ["temperature"],
                "properties": {"temperature": {"$ref": "#/components/schemas/Celsius"}, "next": {"$ref": "#/components/schemas/Reading"}},
            },
            "Celsius": {"type": "number", "minimum": -90, "maximum": 60},
            "Unused": {"type": "string"},
        },
    },
}
"""Three operations: GET and POST /temps, GET /temps/{reading}."""

YAML = """\
openapi: 3.1.0
info: {title: "Temperatures, as YAML", version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /temps:
    put:
      requestBody:
        content:
          application/json: {schema: {type: object}}
      responses: {"200": {description: ok}}
"""


def temps_yaml(*more_servers: str, more_paths: str = "") -> str:
    """
    Write a document in YAML for api.example.com: GET /v1/temps with a parameter, POST with a body that passes unchecked (28, line 13).

    Args:
        more_servers: URLs.

        more_paths: Lines that follow those of `/temps`.
    """
    servers = ", ".join(f"{{url: {url}}}" for url in ("https://api.example.com/v1", *more_servers))
    return f"""\
openapi: 3.0.3
info: {{title: Temperatures, version: "1"}}
servers: [{servers}]
paths:
  /temps:
    get:
      parameters:
        - {{name: page, in: query, schema: {{type: integer, maximum: 10}}}}
      responses: {{200: {{description: ok}}}}
    post:
      requestBody:
        content:
          application/xml:
            schema: {{type: object}}
      responses: {{200: {{description: ok}}}}
{more_paths}"""


def document(**changes: Any) -> str:
    """Write the temperatures document with some members changed; `None` takes one away."""
    members = {name: value for name, value in (TEMPERATURES | changes).items() if value is not None}
    return json.dumps(members)


def with_servers(*urls: str) -> str:
    """Write the temperatures document with other servers."""
    return document(servers=[{"url": url} for url in urls] or None)


def with_xml() -> str:
    """Write a document with a body that passes unchecked, which is warned of."""
    content = {"application/json": {"schema": {"type": "object"}}, "application/xml": {"schema": {"type": "object"}}}
    return document(paths={"/temps": {"put": {"requestBody": {"content": content}, "responses": {}}}})


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    return "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n" + "\n".join(lines) + "\n"


BAD: dict[str, tuple[str, str, int]] = {
    # what it is: (source, severity, code)
    "Swagger 2.0": (json.dumps({"swagger": "2.0", "info": {"title": "old", "version": "1"}, "paths": {}}), "critical", 103),
    "a version to come": (document(openapi="4.0.0"), "critical", 103),
    "broken YAML": ("openapi: 3.0.3\npaths: [unclosed", "critical", 101),
    "broken JSON": ('{"openapi": "3.0.3", "paths": {', "critical", 101),
    "a YAML bomb": (_bomb(), "critical", 101),
    "deep JSON": ('{"openapi":' + "[" * 100_000 + "]" * 100_000 + "}", "critical", 101),
    "deep YAML": ("openapi: " + "[" * 5_000 + "]" * 5_000, "critical", 101),
    "a null byte": ("openapi: 3.0.3\0\n", "critical", 101),
    "no OpenAPI at all": ('{"hello": "world"}', "critical", 102),
    "text": ("hello", "critical", 102),
    "a reference to a file": (
        document(paths={"/a": {"get": {"parameters": [{"$ref": "other.json#/x"}], "responses": {}}}}),
        "error",
        111,
    ),
    "a reference to another server": (
        document(
            paths={
                "/a": {
                    "post": {
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "https://other.example/schema.json"}}}},
                        "responses": {},
                    }
                }
            }
        ),
        "error",
        111,
    ),
    "a reference to nothing": (
        document(paths={"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/Missing"}], "responses": {}}}}),
        "error",
        112,
    ),
}
"""Documents that are refused."""
