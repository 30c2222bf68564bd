"""hauberk's side: the content of a snapshot with a host for each way of use that is measured, and the gateway that enforces it."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from certificates import Certificates
from payloads import Payload, many_operations
from processes import Program

from hauberk._native import check_document

FOLDER = Path(__file__).parent

PLAIN = "plain.test"
"""A host without operations or rules: forwarding, and nothing else."""

VALIDATED = "validated.test"
"""A host whose operation has a schema; what departs from it is blocked."""

MANY_OPERATIONS = "many-operations.test"
"""A host whose operation is one of the 1,224 of its document."""

MUTUAL_TLS = "localhost"
"""A host that blocks who has no verified, unrevoked client certificate. The name is one that `ab` can look up."""

# As `hauberk mtls require` writes it.
NO_CERTIFICATE = f'(http.host eq "{MUTUAL_TLS}" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'


def start_gateway(
    folder: Path, core: int, http: int, https: int, origin: int, certificates: Certificates, payloads: list[Payload]
) -> Program:
    """Start the gateway with one worker thread and the snapshot of the benchmark, whose host for validation takes all the payloads."""
    path = folder / "snapshot.json"
    path.write_text(json.dumps(_snapshot(origin, certificates, payloads)))
    addresses = ["--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}"]
    command = [sys.executable, str(FOLDER / "gateway_process.py"), str(path), *addresses]
    program = Program.start("hauberk", core, command, folder / "hauberk.log")
    program.wait_for_ports([http, https])
    return program


def _snapshot(origin: int, certificates: Certificates, payloads: list[Payload]) -> dict[str, Any]:
    authority = str(uuid.uuid4())
    schemas: list[dict[str, str]] = []

    def operations(host: str, name: str, source: str) -> list[dict[str, Any]]:
        """All operations of a document, saved for a host."""
        schemas.append({"schema_id": str(uuid.uuid4()), "name": name, "source": source})
        return [_operation(host, each, schemas[-1]["schema_id"]) for each in check_document(source.encode())["operations"]]

    validated = [each for one in payloads for each in operations(VALIDATED, one.document.stem, one.document.read_text())]
    many = many_operations()
    rule = {
        "id": uuid.uuid4().hex,
        "expression": NO_CERTIFICATE,
        "action": "block",
        "description": "a client certificate is required",
        "enabled": True,
    }
    return {
        "created_at": "2026-01-01T00:00:00Z",
        "settings": {},
        "certificate_authorities": [
            {
                "id": authority,
                "name": "Benchmark authority",
                "managed": True,
                "certificates_pem": certificates.authority.read_text(),
                "revoked_serial_numbers": [],
            }
        ],
        "zones": [
            _zone(PLAIN, origin, certificates),
            _zone(VALIDATED, origin, certificates, operations=validated),
            _zone(MANY_OPERATIONS, origin, certificates, operations=operations(MANY_OPERATIONS, "many", many) if many else []),
            _zone(MUTUAL_TLS, origin, certificates, authorities=[authority], rules=[rule]),
        ],
        "schemas": schemas,
    }


def _operation(host: str, operation: dict[str, Any], schema: str) -> dict[str, Any]:
    return {
        "operation_id": str(uuid.uuid4()),
        "method": operation["method"],
        "host": host,
        "endpoint": operation["endpoint"],
        "mitigation_action": None,
        "schema": {"schema_id": schema, "path": operation["path"]},
    }


def _zone(
    host: str,
    origin: int,
    certificates: Certificates,
    *,
    authorities: list[str] | None = None,
    rules: list[dict[str, Any]] | None = None,
    operations: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "name": host,
        "hosts": [
            {
                "name": host,
                "upstreams": [f"http://127.0.0.1:{origin}"],
                "certificate_pem": certificates.server.read_text(),
                "private_key_pem": certificates.server_key.read_text(),
                "certificate_authority_ids": authorities or [],
                "forward_client_certificate": [],
            }
        ],
        "rules": rules or [],
        "schema_validation": {"default_action": "block", "override_action": None},
        "operations": operations or [],
    }
