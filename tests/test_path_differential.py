"""
What the gateway matched is what the origin acts on: spelt however, `/admin` is not reached past a guard.

Each spelling goes through the gateway to real origins, as raw bytes over HTTP/1.1 and as a `:path` over HTTP/2. One host guards
`/admin` with a rule, the other with a saved operation whose schema no request meets. The origins tell which handler ran.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hauberk._native import Gateway
from hauberk.snapshot.document import encode
from origins.servers import ORIGINS
from raw_http import Field, exchange, http2, many

RULED, SAVED = "ruled.example.com", "saved.example.com"
REACHED = b"handler=admin"
ANSWERED = b"handler="

# Paths that some origin takes for `/admin`, and paths that look as if one might.
PATHS = [
    "/admin",
    *["/admin/", "/admin//", "//admin", "///admin", "/admin/.", "/admin/./", "/./admin", "/.//admin", "/admin/..", "/admin/../admin"],
    *["/x/../admin", "/x/..//admin", "/x/y/../../admin", "/../admin", "/../../admin", "/.../admin", "/x/.../../admin"],
    *["/%61dmin", "/%61%64%6d%69%6e", "/%61%64%6D%69%6E", "/admi%6e", "/admi%6E", "/%41dmin", "/%61DMIN", "/a%64min/"],
    *["/%2561dmin", "/%252561dmin", "/%25%36%31dmin", "/admin%2500", "/admin%252f", "/x%252f..%252fadmin", "/%252e%252e/admin"],
    *["/x/%2e%2e/admin", "/x/%2E%2E/admin", "/x/.%2e/admin", "/x/%2e./admin", "/%2e/admin", "/%2e%2e/admin", "/x/%2e%2e%2fadmin"],
    *["/x/..%2fadmin", "/x/..%2Fadmin", "/x/..%5cadmin", "/%2fadmin", "/%2Fadmin", "/%5cadmin", "/admin%2f", "/admin%2F", "/admin%5c"],
    *["/%2f%2fadmin", "/x%2f..%2fadmin", "/%2fx%2f..%2fadmin", "/admin%2f..%2fadmin", "/%c0%afadmin", "/%e0%80%afadmin"],
    *["\\admin", "/\\admin", "/x\\..\\admin", "/x/..\\admin", "/admin\\", "/.\\admin", "\\/admin", "/x\\../admin"],
    *["/Admin", "/ADMIN", "/aDmIn", "/ADMIN/", "/Admin/", "/admiN", "/%41DMIN/"],
    *["/admin;", "/admin;x", "/admin;x=1", "/admin;x=1/", "/;/admin", "/;x=1/admin", "/x;/../admin", "/x/..;/admin", "/x/..;a=b/admin"],
    *["/admin/;x", "/admin;/", "/admin;a=1;b=2", "/admin;jsessionid=1", "/%3b/admin", "/admin%3b", "/admin%3bx=1", "/Admin;x"],
    *["/admin.", "/admin..", "/admin...", "/admin./", "/admin%2e", "/admin%2E%2E", "/admin::$DATA", "/admin::$INDEX_ALLOCATION"],
    *[
        "/admin%20",
        "/%20admin",
        "/admin%20/",
        "/admin%09",
        "/admin%0a",
        "/admin%0d%0a",
        "/admin%00",
        "/admin%00.png",
        "/admin%0b",
        "/admin%0c",
    ],
    *["/admin%7f", "/admin%a0", "/admin%c2%a0", "/admin%e3%80%80", "/ad%00min", "/%00admin", "/admin+", "/+admin", "/admin%2b"],
    *[
        "/admin?",
        "/admin??",
        "/admin?x=1",
        "/admin?/",
        "/admin?/../x",
        "/admin/?x",
        "/x?/../admin",
        "/admin%3f",
        "/admin%3fx=1",
        "/admin%3F/x",
    ],
    *["/admin#", "/admin#x", "/admin#?x", "/admin/#x", "/admin%23", "/admin%23x", "/x#/../admin", "/x/..#/admin", "/#/admin"],
    *["/adm%c4%b1n", "/%ef%bd%81dmin", "/ad%e2%80%8bmin", "/ad%c2%admin", "/%EF%BC%A1DMIN", "/adm\u0131n", "/\uff41dmin", "/admin\u200b"],
    *["/admin\u00a0", "/admi\u0144", "/adm%ED%A0%80in", "/admin%ff", "/%ffadmin", "/admin%f0%80%80%af", "/%u0061dmin", "/%uff0fadmin"],
    *["/%", "/%6", "/admin%", "/admin%6", "/admin%zz", "/%6gdmin", "/%%61dmin", "/%61dmin%", "/admin%2"],
    *[
        "/[admin]",
        "/{admin}",
        "/admin|",
        '/admin"',
        "/<admin>",
        "/admin^",
        "/`admin`",
        "/admin,",
        "/admin:",
        "/admin:80",
        "/@admin",
        "/admin@",
    ],
    *["/admin&x=1", "/admin=", "/admin!", "/admin~", "/admin*", "/*", "/(admin)", "/admin'", "/$admin", "/admin$"],
]
# Whole targets, and whole requests with `HOST` for the host.
TARGETS = [
    *[
        "http://HOST/admin",
        "http://HOST/ADMIN",
        "http://HOST/admin/",
        "http://HOST//admin",
        "http://HOST/x/../admin",
        "http://HOST/%61dmin",
    ],
    *[
        "HTTP://HOST/admin",
        "https://HOST/admin",
        "http://HOST:80/admin",
        "http://HOST./admin",
        "http://HOST/admin;x",
        "http://HOST/admin#x",
    ],
    *[
        "http://user@HOST/admin",
        "http://user:pw@HOST/admin",
        "http://other.example.com/admin",
        "http:///admin",
        "http:/admin",
        "http:admin",
    ],
    *["http://HOST\\admin", "http://HOST?/../admin", "http://HOST#/admin", "http://HOST/\\admin", "ftp://HOST/admin", "file:///admin"],
    *[
        "//HOST/admin",
        "//x/admin",
        "///admin",
        "admin",
        "./admin",
        "../admin",
        "?/admin",
        "#/admin",
        "*",
        "HOST:80",
        "HOST/admin",
        "/admin HTTP/1.0",
    ],
]
HEADS = [
    "{method} /admin HTTP/1.1\r\nHost: HOST.\r\n",
    "{method} /admin HTTP/1.1\r\nHost: HOST:80\r\n",
    "{method} /admin HTTP/1.1\r\nHost: HOST:\r\n",
    "{method} /admin HTTP/1.1\r\nhOsT: HOST\r\n",
    "{method} /admin HTTP/1.1\r\nHost: x@HOST\r\n",
    "{method} /admin HTTP/1.1\r\nHost: HOST\r\nHost: other.example.com\r\n",
    "{method} /admin HTTP/1.1\r\nHost: other.example.com\r\nHost: HOST\r\n",
    "{method} /admin HTTP/1.1\r\nHost: other.example.com\r\nX-Forwarded-Host: HOST\r\n",
    "{method} /admin HTTP/1.0\r\nHost: HOST\r\n",
    "{method} /admin HTTP/1.0\r\n",
    "{method} /admin HTTP/2.0\r\nHost: HOST\r\n",
    "{method}  /admin HTTP/1.1\r\nHost: HOST\r\n",
    "{method}\t/admin HTTP/1.1\r\nHost: HOST\r\n",
    "{method} /admin  HTTP/1.1\r\nHost: HOST\r\n",
    "{method} /admin\tHTTP/1.1\r\nHost: HOST\r\n",
    "{method} /admin\rHTTP/1.1\r\nHost: HOST\r\n",
    "\r\n{method} /admin HTTP/1.1\r\nHost: HOST\r\n",
    " {method} /admin HTTP/1.1\r\nHost: HOST\r\n",
    "{method} /admin HTTP/1.1\nHost: HOST\n",
    "{method} / HTTP/1.1\r\nHost: HOST\r\nX-Original-URL: /admin\r\n",
    "{method} / HTTP/1.1\r\nHost: HOST\r\nX-Rewrite-URL: /admin\r\n",
    "{method} / HTTP/1.1\r\nHost: HOST\r\nX_Original_URL: /admin\r\n",
    "{method} / HTTP/1.1\r\nHost: HOST\r\nConnection: X-Never\r\nX-Never: 1\r\n",
]
# A method that is not saved is fallthrough, as another path is: rules decide about it.
METHODS = ["GET", "HEAD", "POST", "get", "Post", "head", "OPTIONS", "TRACE", "Trace"]
# What honest clients ask for next to it; the handler that runs is not that of `/admin`, and it does run.
HONEST = [
    "/",
    "/other",
    "/Other/",
    "/administration",
    "/users/7",
    "/%6fther",
    "/caf%C3%A9",
    "/a%20b",
    "/a+b;c=1",
    "/~x/a.b_c-d",
    "/x?to=/admin",
]

DOCUMENT = json.dumps(
    {
        "openapi": "3.0.3",
        "info": {"title": "Guarded", "version": "1"},
        "paths": {
            "/admin": {
                method: {
                    "parameters": [{"name": "X-Never", "in": "header", "required": True, "schema": {"not": {}}}],
                    "responses": {"200": {"description": "never"}},
                }
                for method in ("get", "post", "put", "delete", "options", "trace")
            }
        },
    }
)


@cache
def certificate() -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, SAVED)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(RULED), x509.DNSName(SAVED)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def zone(name: str, upstream: str, **parts: Any) -> dict[str, Any]:
    certificate_pem, private_key_pem = certificate()
    host = {
        "name": name,
        "upstreams": [upstream],
        "certificate_pem": certificate_pem,
        "private_key_pem": private_key_pem,
        "certificate_authority_ids": [],
        "forward_client_certificate": [],
    }
    empty = {"rules": [], "operations": [], "schema_validation": {"default_action": "block", "override_action": None}}
    return {"id": name, "name": name, "hosts": [host], **empty, **parts}


def snapshot(upstream: str, **settings: Any) -> bytes:
    rule = {"id": "r", "expression": 'http.request.uri.path eq "/admin"', "action": "block", "description": "", "enabled": True}
    operations = [
        {
            "operation_id": method,
            "method": method,
            "host": SAVED,
            "endpoint": "/admin",
            "mitigation_action": None,
            "schema": {"schema_id": "s", "path": "/admin"},
        }
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")
    ]
    content = {
        "created_at": "2026-11-22T10:00:00Z",
        "settings": {"header_timeout_seconds": 1, **settings},
        "certificate_authorities": [],
        "zones": [zone(RULED, upstream, rules=[rule]), zone(SAVED, upstream, operations=operations)],
        "schemas": [{"schema_id": "s", "name": "s", "source": DOCUMENT}],
    }
    return encode(1, content).data


@dataclass
class Guarded:
    """An origin and the gateway before it."""

    name: str
    origin_port: int
    gateway: Gateway

    @property
    def plain_port(self) -> int:
        return int(self.gateway.http_addresses[0].rpartition(":")[2])

    @property
    def tls_port(self) -> int:
        return int(self.gateway.https_addresses[0].rpartition(":")[2])


@pytest.fixture(scope="module", params=list(ORIGINS))
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with ORIGINS[request.param](Path(tmp_path_factory.mktemp("origin"))) as port:
        gateway = Gateway(https=["127.0.0.1:0"], http=["127.0.0.1:0"], threads=1)
        gateway.apply_snapshot(snapshot(f"http://127.0.0.1:{port}"))
        thread = threading.Thread(target=gateway.run)
        thread.start()
        yield Guarded(request.param, port, gateway)
        gateway.stop(0)
        thread.join()


def head(method: str, target: str, host: str) -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


def requests(host: str) -> Iterator[tuple[str, bytes]]:
    """All ways to ask, with a name for each."""
    for path in PATHS:
        yield path, head("GET", path, host)
    for target in TARGETS:
        yield target, head("GET", target.replace("HOST", host), host)
    for method in METHODS:
        for path in ("/admin", "/ADMIN/"):
            yield f"{method} {path}", head(method, path, host)
    for written in HEADS:
        text = written.format(method="GET").replace("HOST", host)
        end = "\n" if "\r\n" not in text else "Connection: close\r\n\r\n"
        yield repr(written), (text + end).encode()
    for raw in (b"/adm\xefn", b"/admin\xa0", b"/admin\x00", b"/admin\x0b", b"/\xc0\xafadmin", b"/admin\x85", b"/admin\x1f", b"/\x7fadmin"):
        yield repr(raw), b"GET " + raw + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n"


def fields(host: str, path: str, method: str = "GET") -> list[Field]:
    return [(":method", method), (":scheme", "https"), (":authority", host), (":path", path)]


@pytest.mark.parametrize("host", [RULED, SAVED])
def test_no_spelling_reaches_a_guarded_handler(guarded: Guarded, host: str) -> None:
    names, sent = zip(*requests(host), strict=True)
    answers = many(lambda request: exchange(guarded.plain_port, request), sent)
    assert [name for name, answer in zip(names, answers, strict=True) if REACHED in answer] == []


@pytest.mark.parametrize("host", [RULED, SAVED])
def test_no_spelling_reaches_a_guarded_handler_over_http2(guarded: Guarded, host: str) -> None:
    sent = [fields(host, path.replace("HOST", host)) for path in PATHS + TARGETS]
    sent += [[*fields(host, path), ("host", "other.example.com")] for path in ("/admin", "/ADMIN/")]
    sent += [fields(host, "/Admin", method) for method in METHODS]
    answers = many(lambda request: http2(guarded.tls_port, host, request), sent)
    assert [request for request, answer in zip(sent, answers, strict=True) if REACHED in answer] == []


def test_the_table_is_worth_something(guarded: Guarded) -> None:
    """Without the gateway, spellings besides `/admin` do reach the handler, else nothing is tested here."""
    answers = many(lambda path: exchange(guarded.origin_port, head("GET", path, SAVED)), PATHS)
    reached = {path for path, answer in zip(PATHS, answers, strict=True) if REACHED in answer}
    assert "/admin" in reached
    assert {"/%61dmin", "/ADMIN"} & reached
    assert len(reached) > 1


@pytest.mark.parametrize("host", [RULED, SAVED])
def test_honest_paths_pass(guarded: Guarded, host: str) -> None:
    for path in HONEST:
        answer = exchange(guarded.plain_port, head("GET", path, host))
        assert ANSWERED in answer, path
        assert REACHED not in answer, path
        assert ANSWERED in http2(guarded.tls_port, host, fields(host, path)), path


def test_lookalikes_pass_where_the_settings_say_so(guarded: Guarded) -> None:
    upstream = f"http://127.0.0.1:{guarded.origin_port}"
    guarded.gateway.apply_snapshot(snapshot(upstream, lookalike_paths="pass"))
    try:
        for host in (RULED, SAVED):
            assert b" 403 " in exchange(guarded.plain_port, head("GET", "/admin", host))
            assert b" 403 " not in exchange(guarded.plain_port, head("GET", "/ADMIN/", host))
    finally:
        guarded.gateway.apply_snapshot(snapshot(upstream))
