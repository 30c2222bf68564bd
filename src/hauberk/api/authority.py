"""The managed authority: its certificate, its revocation list, and certificates for callers who have no CSR. Our own part of the API."""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.api.auth import Owner
from hauberk.api.client_certificates import ValidityDays, iso, issue
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.certificate import Subject
from hauberk.errors import NotFound
from hauberk.pipeline import ControlPlane
from hauberk.pki.bundle import make_bundle
from hauberk.pki.generate import KeyKind, generate_request
from hauberk.pki.request import check_validity_days, parse_request
from hauberk.pki.revocation import MEDIA_TYPE, RevocationList, RevokedCertificate, sign_revocation_list
from hauberk.storage.authorities import next_crl_number
from hauberk.storage.certificates import revoked_of

own = APIRouter(tags=["certificate authority"], dependencies=[Owner])
public = APIRouter(tags=["certificate authority"])

# A list is valid for 24 hours and replaced after 12, so that whoever fetches one can use it for half a day at least.
RENEWED_AFTER = timedelta(hours=12)


class SubjectFields(BaseModel):
    """Whom a certificate names; at least one field."""

    model_config = ConfigDict(extra="forbid")

    common_name: str | None = Field(None, description="CN")
    organization: str | None = Field(None, description="O")
    organizational_unit: str | None = Field(None, description="OU")
    country: str | None = Field(None, description="C, two letters")
    state: str | None = Field(None, description="ST")
    location: str | None = Field(None, description="L")


class BundleWanted(BaseModel):
    """A PKCS #12 file to make of what is issued."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(min_length=1, max_length=1024, description="Asked for at import")
    legacy: bool = Field(False, strict=True, description="Triple DES, for Android before 13, iOS before 15, macOS before 12. Weak")


class NewGeneratedCertificate(BaseModel):
    """A certificate to issue together with its key."""

    model_config = ConfigDict(extra="forbid")

    subject: SubjectFields
    validity_days: ValidityDays
    key_type: KeyKind = Field(KeyKind.ECDSA_P256, description="Kind of the key")
    id: UUID | None = Field(None, description="The certificate's id, chosen by the caller: the same request sent twice then issues once")
    pkcs12: BundleWanted | None = Field(None, description="Give key, certificate and authority as a PKCS #12 file too")


@own.get("/authority")
def get_authority(plane: Plane) -> JSONResponse:
    """Show the managed authority."""
    certificate, description = plane.authority.certificate, plane.authority.description
    result: dict[str, Any] = {
        "id": plane.authority_id,
        "name": plane.authority.name,
        "certificate": description.certificates_pem,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": description.issuer,
        "serial_number": description.serial_number,
        "signature": description.signature,
        "fingerprint_sha256": certificate.fingerprint(SHA256()).hex(),
        "ski": plane.authority.ski,
        "issued_on": iso(certificate.not_valid_before_utc),
        "expires_on": iso(description.expires_on),
        "crl_url": plane.crl_url,
    }
    return success(result)


@own.get("/authority/certificate.pem", response_class=Response)
def get_authority_certificate(plane: Plane) -> Response:
    """Download the managed authority's certificate."""
    return Response(plane.authority.certificate_pem, media_type="application/x-pem-file")


@own.get("/authority/crl", response_class=Response)
def get_revocation_list(
    plane: Plane,
    format: Annotated[Literal["der", "pem"], Query(description="Encoding")] = "der",  # noqa: A002 - the parameter's name
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Download the managed authority's revocation list."""
    current = _current_list(plane)
    if format == "pem":
        return Response(current.signed.crl_pem, media_type="application/x-pem-file", headers={"Cache-Control": "no-cache"})
    return _conditional(current, if_none_match)


@public.get("/crl/{authority_id}.crl", response_class=Response)
def get_public_revocation_list(plane: Plane, authority_id: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Download the managed authority's revocation list (DER) without credentials: the place its certificates name."""
    if authority_id != plane.authority_id:
        raise NotFound("there is no revocation list of this name: only the managed authority has one")
    return _conditional(_current_list(plane), if_none_match)


@own.post("/zones/{zone_id}/client_certificates/generate")
def generate_client_certificate(plane: Plane, zone_id: ZoneId, body: NewGeneratedCertificate) -> JSONResponse:
    """
    Make a key and a CSR, and issue a certificate from them.

    `result.private_key` and `result.pkcs12` (base64) are shown this once and never stored. Better is a key that is made on its device
    and never leaves it.
    """
    check_validity_days(body.validity_days)
    if body.pkcs12 is not None:
        body.pkcs12.password.encode()  # what no file can hold is told before anything is issued
    with plane.database.read() as session:
        zone_of(session, zone_id)
    generated = generate_request(Subject.of(**body.subject.model_dump()), body.key_type)
    issued = issue(plane, zone_id, parse_request(generated.csr_pem), body.validity_days, str(body.id) if body.id is not None else None)
    once = {"private_key": generated.private_key_pem}
    if body.pkcs12 is not None:
        bundle = make_bundle(
            issued["certificate"],
            generated.private_key_pem,
            plane.authority.certificate_pem,
            friendly_name=issued["common_name"] or "client certificate",
            password=body.pkcs12.password,
            legacy=body.pkcs12.legacy,
        )
        once["pkcs12"] = base64.b64encode(bundle).decode("ascii")
    response = success(issued | once)
    response.headers["Cache-Control"] = "no-store"
    return response


@dataclass(frozen=True)
class _CurrentList:
    signed: RevocationList
    entries: tuple[tuple[int, datetime], ...]
    revision: int
    """The revision at which the entries were read: while it stays, so do they."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.signed.crl_der).hexdigest()[:32]}"'


_lists: WeakKeyDictionary[ControlPlane, _CurrentList] = WeakKeyDictionary()
_signing = threading.Lock()


def _current_list(plane: ControlPlane) -> _CurrentList:
    """Give the signed list at hand, or sign a new one after a revocation, a restoration or twelve hours."""
    now = datetime.now(UTC)
    with _signing:
        # Read before the entries are: a change in between makes the list be looked at once more, never once less.
        revision = plane.revision()
        current = _lists.get(plane)
        fresh = current is not None and now < current.signed.this_update + RENEWED_AFTER
        if current is not None and fresh and current.revision == revision:
            return current
        with plane.database.read() as session:
            entries = tuple(revoked_of(session, plane.authority_id, now))
        if current is not None and fresh and current.entries == entries:
            current = _CurrentList(current.signed, entries, revision)
        else:
            with plane.database.write() as session:
                number = next_crl_number(session, plane.authority_id)
            revoked = [RevokedCertificate(serial, revoked_at) for serial, revoked_at in entries]
            current = _CurrentList(sign_revocation_list(plane.authority, revoked, number, now), entries, revision)
        _lists[plane] = current
        return current


def _conditional(current: _CurrentList, if_none_match: str | None) -> Response:
    # `no-cache`: keep it, but ask whether it has changed, since a revocation should not wait for a cache.
    headers = {"ETag": current.etag, "Cache-Control": "no-cache"}
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    if current.etag in tags or "*" in tags:
        return Response(status_code=304, headers=headers)
    return Response(current.signed.crl_der, media_type=MEDIA_TYPE, headers=headers)
