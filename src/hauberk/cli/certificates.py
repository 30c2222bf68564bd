"""Finding the certificate that an argument means: by id, serial number, fingerprint, common name or its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hauberk.cli import files
from hauberk.cli.failure import Failure, Refused
from hauberk.cli.output import Cell
from hauberk.cli.remote import Remote

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

FIELDS: Mapping[str, Cell] = {
    "id": "id",
    "status": "status",
    "common name": "common_name",
    "organization": "organization",
    "organizational unit": "organizational_unit",
    "country": "country",
    "state": "state",
    "location": "location",
    "serial number": "serial_number",
    "fingerprint (SHA-256)": "fingerprint_sha256",
    "signature": "signature",
    "issued": "issued_on",
    "expires": "expires_on",
    "authority": lambda certificate: (certificate.get("certificate_authority") or {}).get("name"),
}


def row(certificate: Mapping[str, Any]) -> dict[str, str]:
    """Give what names a certificate to people; absent parts are empty."""
    return {name: str(certificate.get(name) or "") for name in ("common_name", "serial_number", "id")}


def find(plane: Remote, wanted: str, *, prefer: str | None = None) -> dict[str, Any]:
    """
    Find one certificate of the zone.

    Args:
        plane: Where.

        wanted: What the person typed.

        prefer: If several have the common name, take the only one of this status.

    Raises:
        Failure: If there is none, or it is not clear which.
    """
    if _UUID.fullmatch(wanted):
        try:
            return dict(plane.client.get(plane.zone_path("client_certificates", wanted)))
        except Refused as error:
            if error.http_status != 404:
                raise
            raise Failure(f"there is no client certificate with the id '{wanted}'", "'hauberk cert list' shows those there are") from None
    is_file = Path(wanted).is_file()
    fingerprint = _fingerprint_of_file(Path(wanted)) if is_file else wanted.lower().replace(":", "")
    found = [
        certificate
        for certificate in plane.client.pages(plane.own_zone_path("client_certificates"), search=fingerprint if is_file else wanted)
        if wanted in {certificate["serial_number"], certificate.get("common_name")} or fingerprint == certificate["fingerprint_sha256"]
    ]
    if prefer is not None and len(found) > 1:
        found = [certificate for certificate in found if certificate["status"] == prefer] or found
    if not found:
        raise Failure(f"no client certificate of the zone is '{wanted}'", "'hauberk cert list' shows those there are")
    if len(found) > 1:
        raise Failure(
            f"{len(found)} client certificates are named '{wanted}'",
            "name one by its id or serial number: " + ", ".join(c["id"] for c in found[:5]),
        )
    return dict(plane.client.get(plane.zone_path("client_certificates", found[0]["id"])))


def find_or_load(plane: Remote, wanted: str) -> dict[str, Any]:
    """Find a certificate as `find` does; one that is a file needs not be known to the control plane."""
    file = Path(wanted)
    if not file.is_file():
        return find(plane, wanted)
    return {"certificate": files.read_text(file), "common_name": _loaded(file)[1]}


def _fingerprint_of_file(file: Path) -> str:
    return _loaded(file)[0]


def _loaded(file: Path) -> tuple[str, str]:
    from cryptography import x509  # noqa: PLC0415 - only for arguments that are files
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    try:
        certificate = x509.load_pem_x509_certificate(files.read_bytes(file))
    except ValueError:
        raise Failure(
            f"{file}: is not a certificate in PEM form", "give its id or common name, or the file 'hauberk cert issue' wrote"
        ) from None
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return certificate.fingerprint(SHA256()).hex(), str(names[0].value) if names else ""
