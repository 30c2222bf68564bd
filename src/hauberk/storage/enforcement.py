"""Reads from the database all that gateways enforce, in the form of the snapshot's JSON (see `snapshot/document.py`)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.rule import ENFORCED_PHASE
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import (
    CertificateAuthority,
    ClientCertificate,
    Host,
    HostnameAssociation,
    Operation,
    Rule,
    Ruleset,
    Schema,
    Zone,
)
from hauberk.storage.schemas import schemas_in_force
from hauberk.storage.session_identifiers import enforced_session_identifiers

# The three ways in which an origin may learn of the caller's certificate; each origin reads the one it knows.
FORWARDED = ["client-cert-headers", "cf-cert-headers", "rfc9440"]


def read_enforced(session: Session) -> dict[str, Any]:
    """Collect authorities, zones and the schemas that are in force somewhere."""
    zones = [_zone(session, zone) for zone in session.scalars(select(Zone).order_by(Zone.name))]
    used = {operation["schema"]["schema_id"] for zone in zones for operation in zone["operations"] if operation["schema"]}
    return {
        "certificate_authorities": [
            _authority(session, row) for row in session.scalars(select(CertificateAuthority).where(CertificateAuthority.ca))
        ],
        "zones": zones,
        "schemas": _schemas(session, used),
    }


def _schemas(session: Session, used: set[str]) -> list[dict[str, Any]]:
    """
    Give the documents of these ids, by id.

    A learned schema has a document of its own for each operation, so that gateways compile again what has changed and nothing else.
    """
    uploaded = select(Schema.schema_id, Schema.name, Schema.source).where(Schema.validation_enabled)
    learned = select(AppliedSchema.schema_id, AppliedSchema.name, AppliedSchema.source)
    rows = {id_: (name, source) for query in (uploaded, learned) for id_, name, source in session.execute(query) if id_ in used}
    return [{"schema_id": id_, "name": name, "source": source} for id_, (name, source) in sorted(rows.items())]


def _authority(session: Session, authority: CertificateAuthority) -> dict[str, Any]:
    revoked = select(ClientCertificate.serial_number).where(
        ClientCertificate.authority_id == authority.id, ClientCertificate.status.in_(("revoked", "pending_revocation"))
    )
    return {
        "id": authority.id,
        "name": authority.name,
        "managed": authority.managed,
        "certificates_pem": authority.certificates_pem,
        "revoked_serial_numbers": sorted(session.scalars(revoked)),
    }


def _zone(session: Session, zone: Zone) -> dict[str, Any]:
    rules = session.scalars(
        select(Rule)
        .join(Ruleset, Rule.ruleset_id == Ruleset.id)
        .where(Ruleset.zone_id == zone.id, Ruleset.phase == ENFORCED_PHASE)
        .order_by(Rule.position)
    )
    return {
        "id": zone.id,
        "name": zone.name,
        "hosts": _hosts(session, zone),
        "rules": [
            {"id": rule.id, "expression": rule.expression, "action": rule.action, "description": rule.description, "enabled": rule.enabled}
            for rule in rules
        ],
        "schema_validation": {"default_action": zone.default_action, "override_action": zone.override_action},
        "operations": _operations(session, zone),
        **enforced_session_identifiers(session, zone.id),
    }


def _operations(session: Session, zone: Zone) -> list[dict[str, Any]]:
    """Read columns and not rows as objects: those of thousands of operations take longer to make than all the rest."""
    uploaded = schemas_in_force(session, zone.id)
    columns = (Operation.operation_id, Operation.method, Operation.host, Operation.endpoint, Operation.mitigation_action)
    query = (
        select(*columns, AppliedSchema.schema_id)
        .outerjoin(AppliedSchema, AppliedSchema.operation_id == Operation.operation_id)
        .where(Operation.zone_id == zone.id)
        .order_by(Operation.operation_id)
    )
    found = []
    for operation_id, method, host, endpoint, action, learned_id in session.execute(query):
        schema = uploaded.get((method, host, endpoint)) or (learned_id and (learned_id, endpoint))
        found.append(
            {
                "operation_id": operation_id,
                "method": method,
                "host": host,
                "endpoint": endpoint,
                "mitigation_action": action,
                "schema": {"schema_id": schema[0], "path": schema[1]} if schema else None,
            }
        )
    return found


def _hosts(session: Session, zone: Zone) -> list[dict[str, Any]]:
    associations: dict[str, list[str]] = defaultdict(list)
    for row in session.scalars(select(HostnameAssociation).where(HostnameAssociation.zone_id == zone.id).order_by(HostnameAssociation.id)):
        associations[row.hostname].append(row.authority_id)
    hosts = {host.name: host for host in session.scalars(select(Host).where(Host.zone_id == zone.id).order_by(Host.name))}
    # A name that only a wildcard host serves, but that is associated by itself, becomes a host of its own: it has its own policy.
    served = dict(hosts)
    elsewhere = set(session.scalars(select(Host.name).where(Host.zone_id != zone.id, Host.name.in_(associations))))
    for name in associations:
        wildcard = hosts.get("*." + name.partition(".")[2])
        if name not in served and name not in elsewhere and wildcard is not None:
            served[name] = wildcard
    return [
        {
            "name": name,
            "upstreams": host.upstreams,
            "certificate_pem": host.certificate_pem,
            "private_key_pem": host.private_key_pem,
            "certificate_authority_ids": associations.get(name, []),
            "forward_client_certificate": FORWARDED,
        }
        for name, host in sorted(served.items())
    ]
