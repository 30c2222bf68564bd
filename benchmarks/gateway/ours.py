"""hauberk's side: the content of a snapshot with a host for each way of use that is measured, and the gateway that enforces it."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from certificates import Certificates
from payloads import READING, Payload
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
    folder: Path,
    core: int,
    http: int,
    https: int,
    origin: int,
    certificates: Certificates,
    payloads: Sequence[Payload] = (READING,),
    *,
    many_operations: str | None = None,
    swap_seconds: float = 0,
    more_origins: dict[str, int] | None = None,
    settings: dict[str, Any] | None = None,
    options: Sequence[str] = (),
) -> Program:
    """
    Start the gateway with one worker thread and the snapshot of the benchmark.

    Args:
        folder: For its files.

        core: What it is pinned to.

        http: Its plain port.

        https: Its TLS port.

        origin: The port of the origin.

        certificates: Whose server certificate it shows.

        payloads: What the host for validation has operations for.

        many_operations: A document whose operations the host of this name has, if one is given.

        swap_seconds: Replace the snapshot this often; 0 is never.

        more_origins: Further hosts, which only forward, and the port of the origin of each.

        settings: Of the snapshot; what is not named has its default.

        options: More arguments for `gateway_process.py`.
    """
    path = folder / "snapshot.json"
    snapshot = _snapshot(origin, certificates, payloads, many_operations)
    snapshot["settings"] = settings or {}
    snapshot["zones"] += [_zone(host, port, certificates) for host, port in (more_origins or {}).items()]
    path.write_text(json.dumps(snapshot))
    addresses = ["--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}"]
    command = [sys.executable, str(FOLDER / "gateway_process.py"), str(path), *addresses, "--swap-seconds", str(swap_seconds), *options]
    program = Program.start("hauberk", core, command, folder / "hauberk.log")
    program.wait_for_ports([http, https])
    return program


def _snapshot(origin: int, certificates: Certificates, payloads: Sequence[Payload], many: str | None) -> dict[str, Any]:
    authority = str(uuid.uuid4())
    schemas: list[dict[str, str]] = []

    def operations(host: str, name: str, source: str) -> list[dict[str, Any]]:
        """All operations of a document, saved for a host."""
        schemas.append({"schema_id": str(uuid.uuid4()), "name": name, "source": source})
        return [_operation(host, each, schemas[-1]["schema_id"]) for each in check_document(source.encode())["operations"]]

    validated = [each for one in payloads for each in operations(VALIDATED, one.document.stem, one.document.read_text())]
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
