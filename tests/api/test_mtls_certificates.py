"""Uploaded authorities, hostname associations, and the managed authority's own resources, over REST."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cloudflare
import httpx
import pytest
from cryptography import x509

from conftest import LiveControlPlane, require_tool, serve_control_plane
from hauberk.api import authority as authority_api
from hauberk.certificate import Subject
from hauberk.pki.authority import Authority
from hauberk.pki.generate import generate_request
from hauberk.pki.server_certificate import self_signed

NOW = datetime.now(UTC)
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def factory_ca() -> str:
    return Authority.create(Subject.of(common_name="Factory CA", organization="Example"), 100, NOW).certificate_pem


def upload(live: LiveControlPlane, **change: Any) -> httpx.Response:
    with live.client() as client:
        body = {"ca": True, "certificates": factory_ca(), "name": "factory"} | change
        return client.post(f"{live.api}/accounts/{live.account_id}/mtls_certificates", json=body)


def issue(live: LiveControlPlane) -> dict[str, Any]:
    body = {"csr": generate_request(Subject.of(common_name="device")).csr_pem, "validity_days": 30}
    with live.client() as client:
        result: dict[str, Any] = client.post(f"{live.zone}/client_certificates", json=body).json()["result"]
    return result


def test_an_uploaded_authority_has_all_fields_of_the_api(control_plane: LiveControlPlane) -> None:
    text = factory_ca()
    result = upload(control_plane, certificates=text).json()["result"]
    certificate = x509.load_pem_x509_certificate(text.encode())
    uploaded_on = result.pop("uploaded_on")
    assert uploaded_on == result.pop("updated_at")
    assert len(result.pop("id")) == 36
    assert result == {
        "ca": True,
        "certificates": text,
        "expires_on": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "issuer": "CN=Factory CA,O=Example",
        "name": "factory",
        "serial_number": str(certificate.serial_number),
        "signature": "ECDSAWithSHA256",
        "type": "custom",
    }


def test_the_sdk_uploads_associates_and_deletes(control_plane: LiveControlPlane, sdk: cloudflare.Cloudflare) -> None:
    account_id, zone_id = control_plane.account_id, control_plane.zone_id
    made = sdk.mtls_certificates.create(account_id=account_id, ca=True, certificates=factory_ca())
    assert made is not None
    assert made.id is not None
    found = sdk.mtls_certificates.get(made.id, account_id=account_id)
    assert found is not None
    assert found.certificates == made.certificates
    assert [row.id for row in sdk.mtls_certificates.list(account_id=account_id)] == [made.id]
    assert [row.id for row in sdk.mtls_certificates.list(account_id=account_id, type=["custom"])] == [made.id]
    assert list(sdk.mtls_certificates.list(account_id=account_id, type=["gateway_managed"])) == []
    assert list(sdk.mtls_certificates.associations.get(made.id, account_id=account_id)) == []

    associations = sdk.certificate_authorities.hostname_associations
    put = associations.update(zone_id=zone_id, hostnames=["api.example.com"], mtls_certificate_id=made.id)
    assert put is not None
    assert put.hostnames == ["api.example.com"]
    got = associations.get(zone_id=zone_id, mtls_certificate_id=made.id)
    assert got is not None
    assert got.hostnames == ["api.example.com"]
    (used,) = sdk.mtls_certificates.associations.get(made.id, account_id=account_id)
    assert (used.service, used.status) == ("api_shield", "active")

    with pytest.raises(cloudflare.ConflictError, match=r"associated with api\.example\.com"):
        sdk.mtls_certificates.delete(made.id, account_id=account_id)
    associations.update(zone_id=zone_id, hostnames=[], mtls_certificate_id=made.id)
    deleted = sdk.mtls_certificates.delete(made.id, account_id=account_id)
    assert deleted is not None
    assert deleted.id == made.id
    with pytest.raises(cloudflare.NotFoundError):
        sdk.mtls_certificates.get(made.id, account_id=account_id)


BAD = {
    "a leaf": ({"certificates": self_signed("api.example.com")[0]}, "/certificates"),
    "garbage": ({"certificates": "garbage"}, "/certificates"),
    "not an authority": ({"ca": False}, "/ca"),
    "a private key beside it": ({"private_key": self_signed("api.example.com")[1]}, "/private_key"),
    "no certificates": ({"certificates": None}, "/certificates"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_upload_has_a_clear_answer_and_is_not_kept(control_plane: LiveControlPlane, name: str) -> None:
    change, pointer = BAD[name]
    answer = upload(control_plane, **change)
    assert answer.status_code == 400
    assert [error["source"]["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert "PRIVATE KEY" not in answer.text
    with control_plane.client() as client:
        assert client.get(f"{control_plane.api}/accounts/{control_plane.account_id}/mtls_certificates").json()["result"] == []


def test_an_authority_is_kept_once_and_the_managed_one_is_never_a_second(control_plane: LiveControlPlane) -> None:
    text = factory_ca()
    assert upload(control_plane, certificates=text).status_code == 200
    again = upload(control_plane, certificates=text)
    assert (again.status_code, again.json()["errors"][0]["source"]["pointer"]) == (409, "/certificates")
    managed = upload(control_plane, certificates=factory_ca() + control_plane.plane.authority.certificate_pem)
    assert managed.status_code == 409
    assert "the managed one" in managed.text


def test_unknown_accounts_authorities_and_types_are_refused(control_plane: LiveControlPlane) -> None:
    place = f"{control_plane.api}/accounts/{control_plane.account_id}/mtls_certificates"
    with control_plane.client() as client:
        for path in (f"/{UNKNOWN}", f"/{UNKNOWN}/associations", f"/{control_plane.plane.authority_id}"):
            assert client.get(place + path).status_code == 404
        assert client.delete(f"{place}/{control_plane.plane.authority_id}").status_code == 404
        assert client.get(place.replace(control_plane.account_id, "0" * 32)).status_code == 404
        assert client.get(place, params={"type": "other"}).status_code == 400
        assert client.get(place, params={"type": "custom,access_managed"}).status_code == 200


def test_associations_are_replaced_as_a_whole_and_each_authority_has_its_own(control_plane: LiveControlPlane) -> None:
    place = f"{control_plane.zone}/certificate_authorities/hostname_associations"
    uploaded = upload(control_plane).json()["result"]["id"]
    before = control_plane.plane.revision()
    with control_plane.client() as client:

        def put(*hostnames: str, authority: str | None = None) -> list[str]:
            answer = client.put(place, json={"hostnames": hostnames} | ({"mtls_certificate_id": authority} if authority else {}))
            assert answer.status_code == 200, answer.text
            names: list[str] = answer.json()["result"]["hostnames"]
            return names

        def get(authority: str | None = None) -> list[str]:
            query = {"mtls_certificate_id": authority} if authority else {}
            names: list[str] = client.get(place, params=query).json()["result"]["hostnames"]
            return names

        assert get() == get(uploaded) == []
        assert put("API.example.com.", "example.com", "api.example.com") == ["api.example.com", "example.com"]
        assert put("*.example.com", authority=uploaded) == ["*.example.com"]
        assert put("example.com", "www.example.com") == get() == ["example.com", "www.example.com"]
        assert get(uploaded) == ["*.example.com"]
        assert get(control_plane.plane.authority_id) == get()
        raised = control_plane.plane.revision()
        assert raised == before + 3
        put("www.example.com", "example.com")
        assert control_plane.plane.revision() == raised
        assert put() == get() == []


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"hostnames": ["api.example.net"]}, 400, "/hostnames/0"),
        ({"hostnames": ["a.example.com", "badexample.com"]}, 400, "/hostnames/1"),
        ({"hostnames": ["a b.example.com"]}, 400, "/hostnames/0"),
        ({"hostnames": [""]}, 400, "/hostnames/0"),
        ({"hostnames": ["foo.*.example.com"]}, 400, "/hostnames/0"),
        ({"hostnames": "api.example.com"}, 400, "/hostnames"),
        ({}, 400, "/hostnames"),
        ({"hostnames": ["api.example.com"], "mtls_certificate_id": UNKNOWN}, 404, None),
    ],
)
def test_bad_associations_change_nothing(control_plane: LiveControlPlane, body: dict[str, Any], status: int, pointer: str | None) -> None:
    place = f"{control_plane.zone}/certificate_authorities/hostname_associations"
    with control_plane.client() as client:
        client.put(place, json={"hostnames": ["api.example.com"]})
        answer = client.put(place, json=body)
        assert answer.status_code == status
        if pointer:
            assert answer.json()["errors"][0]["source"]["pointer"] == pointer
        assert client.get(place).json()["result"] == {"hostnames": ["api.example.com"]}


def test_associations_reach_the_snapshot(control_plane: LiveControlPlane) -> None:
    place = f"{control_plane.zone}/certificate_authorities/hostname_associations"
    with control_plane.client() as client:
        client.put(place, json={"hostnames": [control_plane.host]})
    assert f'"certificate_authority_ids":["{control_plane.plane.authority_id}"]'.encode() in control_plane.plane.snapshot().data


def test_the_managed_authority_is_shown_and_downloaded(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as client:
        result = client.get("/hauberk/v1/authority").json()["result"]
        pem = client.get("/hauberk/v1/authority/certificate.pem")
    assert pem.text == result["certificate"] == control_plane.plane.authority.certificate_pem
    assert result["subject"] == result["issuer"] == "CN=hauberk managed CA,O=hauberk"
    assert result["crl_url"] == f"{control_plane.base_url}/crl/{result['id']}.crl"
    assert result["signature"] == "ECDSAWithSHA256"
    assert "PRIVATE" not in str(result)
    assert httpx.get(f"{control_plane.base_url}/hauberk/v1/authority").status_code == 401


def test_the_public_list_follows_revocations_and_is_signed_no_more_often(control_plane: LiveControlPlane) -> None:
    place = f"{control_plane.base_url}/crl/{control_plane.plane.authority_id}.crl"
    certificate = issue(control_plane)

    def fetch() -> tuple[int, list[int], str]:
        answer = httpx.get(place)
        assert answer.headers["content-type"] == "application/pkix-crl"
        crl = x509.load_der_x509_crl(answer.content)
        assert crl.is_signature_valid(control_plane.plane.authority.certificate.public_key())  # type: ignore[arg-type]
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        return number, [entry.serial_number for entry in crl], answer.headers["etag"]

    number, serials, etag = fetch()
    assert serials == []
    with control_plane.client() as client:
        # Another change of the snapshot is no reason to sign anew.
        client.put(f"{control_plane.zone}/certificate_authorities/hostname_associations", json={"hostnames": ["api.example.com"]})
        assert fetch() == (number, [], etag)
        unchanged = httpx.get(place, headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)

        client.delete(f"{control_plane.zone}/client_certificates/{certificate['id']}")
        assert httpx.get(place, headers={"If-None-Match": etag}).status_code == 200
        second, serials, _ = fetch()
        assert second == number + 1
        assert serials == [int(certificate["serial_number"])]
        own = client.get("/hauberk/v1/authority/crl")
        assert own.content == httpx.get(place).content
        pem = client.get("/hauberk/v1/authority/crl", params={"format": "pem"}).content
        assert x509.load_pem_x509_crl(pem) == x509.load_der_x509_crl(own.content)

        client.patch(f"{control_plane.zone}/client_certificates/{certificate['id']}")
        third, serials, _ = fetch()
        assert (third, serials) == (number + 2, [])
    assert httpx.get(place.replace(control_plane.plane.authority_id, UNKNOWN)).status_code == 404


def test_a_list_is_signed_anew_when_half_its_time_is_over(control_plane: LiveControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"{control_plane.base_url}/crl/{control_plane.plane.authority_id}.crl"
    first = httpx.get(place).content
    assert httpx.get(place).content == first
    monkeypatch.setattr(authority_api, "RENEWED_AFTER", timedelta(0))
    assert httpx.get(place).content != first


def test_numbers_of_lists_go_on_after_a_restart(state_dir: Path) -> None:
    numbers = []
    for _ in range(2):
        with serve_control_plane(state_dir) as live:
            crl = x509.load_der_x509_crl(httpx.get(f"{live.base_url}/crl/{live.plane.authority_id}.crl").content)
            numbers.append(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    assert numbers == [1, 2]


def test_openssl_checks_a_certificate_against_the_public_list(control_plane: LiveControlPlane, tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    certificate = issue(control_plane)
    (tmp_path / "ca.pem").write_text(control_plane.plane.authority.certificate_pem)
    (tmp_path / "device.pem").write_text(certificate["certificate"])

    def verify() -> str:
        with control_plane.client() as client:
            (tmp_path / "list.pem").write_bytes(client.get("/hauberk/v1/authority/crl", params={"format": "pem"}).content)
        command = [openssl, "verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "list.pem", "-purpose", "sslclient", "device.pem"]
        done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
        return done.stdout + done.stderr

    assert verify() == "device.pem: OK\n"
    with control_plane.client() as client:
        client.delete(f"{control_plane.zone}/client_certificates/{certificate['id']}")
    assert "certificate revoked" in verify()
