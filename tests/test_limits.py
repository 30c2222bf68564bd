"""The table `[limits]` of hauberk.toml, through the control plane and the snapshot to the gateway's answer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HOST_NAME, LiveControlPlane, eventually, serve_control_plane
from hauberk.config import LimitSettings, load
from test_gateway import RunningGateway, send_to

READING = {
    "type": "object",
    "properties": {"id": {"type": "integer", "readOnly": True}, "note": {"type": "string"}, "nested": {}},
    "additionalProperties": False,
}
FORM = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
DONE = {"200": {"description": "done"}}


def taking(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {media_type: {"schema": schema}}}, "responses": DONE}


def query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind}}


DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Readings", "version": "1"},
    "servers": [{"url": f"https://{HOST_NAME}"}],
    "paths": {
        "/list": {"get": {"parameters": [query("limit", "integer"), query("name", "string")], "responses": DONE}},
        "/bare": {"post": {"responses": DONE}},
        "/json": {"post": taking("application/json", READING)},
        "/xml": {"post": taking("application/xml", {"type": "object"})},
        "/form": {"post": taking("multipart/form-data", FORM)},
        "/raw": {"post": taking("application/octet-stream", {"type": "string", "format": "binary", "maxLength": 1000})},
    },
}

JSON = {"Content-Type": "application/json"}
PACKED = JSON | {"Content-Encoding": "gzip"}


@dataclass(frozen=True)
class Case:
    """A request that a limit decides about."""

    limits: str
    target: str
    status: int
    status_by_default: int
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"

    def __str__(self) -> str:
        return self.limits.replace("\n", ", ")


def get(limits: str, target: str) -> Case:
    return Case(limits, target, 200, 403, method="GET")


def packed(limits: str, note: bytes, status: int) -> Case:
    return Case(limits, "/json", status, 403, gzip.compress(b'{"note":"' + note + b'"}'), PACKED)


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
TWO_PARTS = b"".join(b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\nx\r\n' % name for name in (b"a", b"b")) + b"--b--\r\n"
RAW = {"Content-Type": "application/octet-stream"}

CASES = [
    get('undeclared_query = "allow"', "/list?debug=1"),
    get('repeated_parameters = "allow"', "/list?name=a&name=b"),
    get("strict_numbers = false", "/list?limit=010"),
    get('lookalike_paths = "pass"', "/List?debug=1"),
    Case('undeclared_body = "allow"', "/bare", 200, 403, b"{}", JSON),
    Case('xml = "pass"', "/xml", 200, 403, b"<a/>", {"Content-Type": "application/xml"}),
    Case('read_only = "refuse"', "/json", 403, 200, b'{"id":1}', JSON),
    Case('method_override_headers = "pass"', "/json", 200, 400, b"{}", JSON | {"X-HTTP-Method-Override": "DELETE"}),
    packed('content_encoding = "unpack"', b"good", 200),
    packed('content_encoding = "unpack"', b'","other":"', 403),
    packed('content_encoding = "unpack"\nmax_unpacked_bytes = 1000', b"n" * 500, 200),
    packed('content_encoding = "unpack"\nmax_unpacked_bytes = 1000', b"n" * 2000, 403),
    packed('content_encoding = "unpack"\nmax_unpack_ratio = 2000', b"n" * 200_000, 200),
    packed('content_encoding = "unpack"\nmax_unpack_ratio = 2', b"n" * 200_000, 403),
    Case("max_parts = 1", "/form", 403, 200, TWO_PARTS, MULTIPART),
    Case("max_stream_bytes = 10", "/raw", 413, 200, b"more than ten", RAW),
    Case('max_stream_bytes = 10\noversize_body = "pass"', "/raw", 200, 200, b"more than ten", RAW),
    Case("max_body_bytes = 10", "/json", 413, 200, b'{"note":"more than ten"}', JSON),
    Case("max_json_depth = 2", "/json", 403, 200, b'{"nested":[[[1]]]}', JSON),
    Case("max_json_members = 3", "/json", 403, 200, b'{"nested":[1,2,3,4,5]}', JSON),
    Case("max_header_bytes = 1024", "/json", 431, 200, b"{}", JSON | {"X-Long": "n" * 2000}),
    Case("max_header_count = 8", "/json", 431, 200, b"{}", JSON | {f"X-{number}": "n" for number in range(10)}),
]

# What takes time or many requests to meet, or changes no answer; the gateway's own tests do.
TESTED_ELSEWHERE = {
    "max_held_bytes",
    "header_timeout_seconds",
    "body_timeout_seconds",
    "upstream_connect_timeout_seconds",
    "upstream_response_timeout_seconds",
    "idle_timeout_seconds",
    "response_validation",
}


@contextmanager
def guarded(state_dir: Path, folder: Path, origin: str, limits: str) -> Iterator[RunningGateway]:
    """Serve the document behind a gateway that blocks, with these lines in hauberk.toml."""
    file = folder / "hauberk.toml"
    file.write_text(f"[limits]\n{limits}\n")
    with serve_control_plane(state_dir, load(file, {}).limits) as live:
        send_to(live, origin)
        upload(live)
        with RunningGateway(live, folder / "gateway") as gateway:
            eventually(lambda: gateway.runner.core.version == live.plane.snapshot().version)
            yield gateway


def upload(live: LiveControlPlane) -> None:
    body = {"kind": "openapi_v3", "name": "readings", "source": json.dumps(DOCUMENT), "validation_enabled": True}
    with live.client() as http:
        http.post(f"{live.zone}/schema_validation/schemas", json=body, params={"save_operations": True}).raise_for_status()
        action = {"validation_default_mitigation_action": "block"}
        http.patch(f"{live.zone}/schema_validation/settings", json=action).raise_for_status()


def ask(gateway: RunningGateway, case: Case) -> tuple[int, str]:
    url = f"http://{gateway.runner.core.http_addresses[0]}{case.target}"
    answer = httpx.request(case.method, url, content=case.content, headers={"Host": HOST_NAME} | case.headers, timeout=10)
    return answer.status_code, answer.text


def test_by_default_the_strict_answer_is_given(state_dir: Path, tmp_path: Path, origin: str) -> None:
    with guarded(state_dir, tmp_path, origin, "") as gateway:
        for case in CASES:
            status, text = ask(gateway, case)
            assert status == case.status_by_default, f"{case}: {text}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_limit_changes_the_answer(state_dir: Path, tmp_path: Path, origin: str, case: Case) -> None:
    with guarded(state_dir, tmp_path, origin, case.limits) as gateway:
        status, text = ask(gateway, case)
        assert status == case.status, text


def test_every_limit_is_met_here_or_elsewhere() -> None:
    met = {line.split(" ")[0] for case in CASES for line in case.limits.split("\n")}
    assert met | TESTED_ELSEWHERE == set(LimitSettings.model_fields)
