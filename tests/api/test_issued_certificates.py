"""Client certificates by the many over REST: searched, ordered, counted, changed together; a request looked at before it is signed."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID

from conftest import LiveControlPlane, require_tool
from hauberk.certificate import Subject
from hauberk.pki.generate import generate_request


@pytest.fixture
def http(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        client.base_url = httpx.URL(f"{control_plane.base_url}/hauberk/v1/zones/{control_plane.zone_id}")
        yield client


def issue(live: LiveControlPlane, name: str, days: int = 365) -> dict[str, Any]:
    csr = generate_request(Subject.of(common_name=name)).csr_pem
    with live.client() as client:
        answer = client.post(f"{live.zone}/client_certificates", json={"csr": csr, "validity_days": days})
    result: dict[str, Any] = answer.raise_for_status().json()["result"]
    return result


@pytest.fixture
def five(control_plane: LiveControlPlane) -> list[dict[str, Any]]:
    """Certificates a to e with different ends."""
    return [issue(control_plane, name, days) for name, days in (("pump-a", 50), ("pump-b", 10), ("Valve-c", 400), ("50%", 200), ("e", 30))]


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["common_name"] for row in answer.json()["result"]]


def test_lists_are_searched_and_ordered(http: httpx.Client, five: list[dict[str, Any]]) -> None:
    colons = ":".join(five[1]["fingerprint_sha256"][at : at + 2].upper() for at in range(0, 64, 2))
    for query, wanted in (
        ({}, ["e", "50%", "Valve-c", "pump-b", "pump-a"]),
        ({"order": "expires_on", "direction": "asc"}, ["pump-b", "e", "pump-a", "50%", "Valve-c"]),
        ({"order": "common_name", "direction": "asc", "search": "pump"}, ["pump-a", "pump-b"]),
        ({"search": "VALVE"}, ["Valve-c"]),
        ({"search": "%"}, ["50%"]),
        ({"search": "_"}, []),
        ({"search": five[0]["serial_number"]}, ["pump-a"]),
        ({"search": f"{int(five[0]['serial_number']):X}"}, ["pump-a"]),
        ({"search": five[0]["serial_number"] + "0"}, []),
        ({"search": "9" * 60}, []),
        ({"search": five[1]["fingerprint_sha256"][:12]}, ["pump-b"]),
        ({"search": colons}, ["pump-b"]),
        ({"search": five[4]["id"].upper()}, ["e"]),
        ({"search": "a\0b"}, []),
        ({"expires_before": (datetime.now(UTC) + timedelta(days=35)).isoformat(), "search": "p"}, ["pump-b"]),
        ({"expires_after": (datetime.now(UTC) + timedelta(days=150)).isoformat()}, ["50%", "Valve-c"]),
        ({"per_page": "2", "page": "2"}, ["Valve-c", "pump-b"]),
        ({"page": "9"}, []),
    ):
        assert names(http.get("/client_certificates", params=query)) == wanted, query
    info = http.get("/client_certificates", params={"per_page": 2, "search": "pump"}).json()["result_info"]
    assert (info["total_count"], info["count"]) == (2, 2)
    assert http.get("/client_certificates", params={"order": "serial"}).status_code == 400


def test_certificates_are_counted_and_changed_together(
    control_plane: LiveControlPlane, http: httpx.Client, five: list[dict[str, Any]]
) -> None:
    ids = [row["id"] for row in five]
    revision = control_plane.plane.revision()
    changed = http.post("/client_certificates/revoke", json={"ids": ids[:3]}).json()["result"]["ids"]
    assert changed == sorted(ids[:3])
    assert control_plane.plane.revision() == revision + 1
    assert http.post("/client_certificates/revoke", json={"ids": [*ids[:2], ids[3]]}).json()["result"]["ids"] == [ids[3]]
    counts = http.get("/client_certificates/counts").json()["result"]
    assert counts == {"active": 1, "revoked": 4, "pending_revocation": 0, "pending_reactivation": 0, "ended": 0, "ending": 1}
    assert http.get("/client_certificates/counts", params={"days": 5}).json()["result"]["ending"] == 0
    assert len(names(http.get("/client_certificates", params={"status": "revoked"}))) == 4
    shown = http.get(f"/client_certificates/{ids[0]}").json()["result"]
    assert shown["revoked_on"] is not None
    assert shown["chain"].count("BEGIN CERTIFICATE") == 2
    assert sorted(http.post("/client_certificates/restore", json={"ids": ids}).json()["result"]["ids"]) == sorted(ids[:4])
    assert http.get(f"/client_certificates/{ids[0]}").json()["result"]["revoked_on"] is None


def test_all_are_changed_or_none(control_plane: LiveControlPlane, http: httpx.Client, five: list[dict[str, Any]]) -> None:
    revision = control_plane.plane.revision()
    answer = http.post("/client_certificates/revoke", json={"ids": [five[0]["id"], str(uuid4())]})
    assert answer.status_code == 404
    assert "1 of 2" in answer.json()["errors"][0]["message"]
    assert http.post("/client_certificates/revoke", json={"ids": []}).status_code == 400
    assert control_plane.plane.revision() == revision
    assert http.get(f"/client_certificates/{five[0]['id']}").json()["result"]["status"] == "active"


def csr_of(key: Any, *extensions: x509.ExtensionType) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, "<b>x</b>")])
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_request_is_looked_at_before_it_is_signed(http: httpx.Client) -> None:
    csr = csr_of(
        ec.generate_private_key(ec.SECP384R1()),
        x509.SubjectAlternativeName([x509.DNSName("a.example.com"), x509.DirectoryName(x509.Name([]))]),
        x509.KeyUsage(True, False, False, False, False, False, False, False, False),
    )
    said = http.post("/client_certificates/inspect", json={"csr": csr, "validity_days": 30}).json()["result"]
    assert said["subject"] == {
        "common_name": "<b>x</b>",
        "organization": "Example",
        "organizational_unit": None,
        "country": None,
        "state": None,
        "location": None,
    }
    assert (said["key"], said["signature"]) == ("ECDSA P-384", "ECDSAWithSHA256")
    assert said["left_out"] == ["DNS:a.example.com", "another kind of name", "keyUsage"]
    assert abs(datetime.fromisoformat(said["expires_on"]) - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert said["cut_by_authority"] is False
    rsa_said = http.post(
        "/client_certificates/inspect", json={"csr": csr_of(rsa.generate_private_key(65537, 2048)), "validity_days": 5475}
    ).json()["result"]
    assert (rsa_said["key"], rsa_said["left_out"]) == ("RSA 2048", [])
    assert names(http.get("/client_certificates")) == []


@pytest.mark.parametrize(
    ("change", "part"),
    [({"csr": "no PEM"}, "PEM"), ({"validity_days": 0}, "validity_days"), ({"csr": csr_of(rsa.generate_private_key(65537, 1024))}, "1024")],
)
def test_a_request_that_would_be_refused_is_refused_when_looked_at(http: httpx.Client, change: dict[str, Any], part: str) -> None:
    good = {"csr": generate_request(Subject.of(common_name="x")).csr_pem, "validity_days": 30}
    answer = http.post("/client_certificates/inspect", json=good | change)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 1101)
    assert part in answer.json()["errors"][0]["message"]


def test_a_key_made_here_comes_as_a_bundle_too_and_a_repeated_call_issues_nothing(http: httpx.Client, tmp_path: Path) -> None:
    body = {"subject": {"common_name": "phone"}, "validity_days": 30, "id": str(uuid4()), "pkcs12": {"password": "tränen 7"}}
    answer = http.post("/client_certificates/generate", json=body)
    made = answer.json()["result"]
    assert (made["id"], answer.headers["cache-control"]) == (body["id"], "no-store")
    content = base64.b64decode(made["pkcs12"])
    key, certificate, others = pkcs12.load_key_and_certificates(content, "tränen 7".encode())
    assert key is not None
    assert certificate is not None
    assert len(others) == 1
    assert certificate.public_bytes(Encoding.PEM).decode() == made["certificate"]
    assert key.public_key() == load_pem_private_key(made["private_key"].encode(), None).public_key()
    (tmp_path / "phone.p12").write_bytes(content)
    command = [require_tool("openssl"), "pkcs12", "-in", "phone.p12", "-nodes", "-passin", "pass:tränen 7"]
    assert "BEGIN PRIVATE KEY" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    again = http.post("/client_certificates/generate", json=body)
    assert (again.status_code, again.json()["errors"][0]["source"]["pointer"]) == (409, "/id")
    assert "private_key" not in again.text
    assert names(http.get("/client_certificates")) == ["phone"]


def test_a_password_that_cannot_be_is_refused_before_anything_is_issued(http: httpx.Client) -> None:
    for password in ('""', '"\\ud800"'):
        body = '{"subject": {"common_name": "x"}, "validity_days": 1, "pkcs12": {"password": ' + password + "}}"
        assert http.post("/client_certificates/generate", content=body, headers={"Content-Type": "application/json"}).status_code == 400
    assert names(http.get("/client_certificates")) == []
