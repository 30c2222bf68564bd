"""hauberk's side: the content of a snapshot with a host for each way of use that is measured, and the gateway that enforces it."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

from certificates import Certificates
from processes import Program

FOLDER = Path(__file__).parent

PLAIN = "plain.test"
"""A host without operations or rules: forwarding, and nothing else."""

VALIDATED = "validated.test"
"""A host whose operation has a schema; what departs from it is blocked."""

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
    *,
    swap_seconds: float = 0,
    more_origins: dict[str, int] | None = None,
    settings: dict[str, Any] | None = None,
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

        swap_seconds: Replace the snapshot this often; 0 is never.

        more_origins: Further hosts, which only forward, and the port of the origin of each.

        settings: Of the snapshot; what is not named has its default.
    """
    path = folder / "snapshot.json"
    snapshot = _snapshot(origin, certificates)
    snapshot["settings"] = settings or {}
    snapshot["zones"] += [_zone(host, port, certificates) for host, port in (more_origins or {}).items()]
    path.write_text(json.dumps(snapshot))
    addresses = ["--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}"]
    command = [sys.executable, str(FOLDER / "gateway_process.py"), str(path), *addresses, "--swap-seconds", str(swap_seconds)]
    program = Program.start("hauberk", core, command, folder / "hauberk.log")
    program.wait_for_ports([http, https])
    return program


def _snapshot(origin: int, certificates: Certificates) -> dict[str, Any]:
    authority, schema = str(uuid.uuid4()), str(uuid.uuid4())
    operation = {
        "operation_id": str(uuid.uuid4()),
        "method": "POST",
        "host": VALIDATED,
        "endpoint": "/temps",
        "mitigation_action": None,
        "schema": {"schema_id": schema, "path": "/temps"},
    }
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
            _zone(VALIDATED, origin, certificates, operations=[operation]),
            _zone(MUTUAL_TLS, origin, certificates, authorities=[authority], rules=[rule]),
        ],
        "schemas": [{"schema_id": schema, "name": "temperatures", "source": (FOLDER / "temperatures.json").read_text()}],
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
