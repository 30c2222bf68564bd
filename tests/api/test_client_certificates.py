"""Client certificates over REST: by the official SDK, by curl, by hand; and that what was answered is there after a kill."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cloudflare
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from conftest import LiveControlPlane, require_tool, serve_control_plane
from hauberk.certificate import Subject
from hauberk.pki.generate import generate_request

UNKNOWN = "00000000-0000-0000-0000-000000000000"


def csr(name: str = "device") -> str:
    return generate_request(Subject.of(common_name=name, organization="Example", country="DE")).csr_pem


def issue(live: LiveControlPlane, name: str = "device", days: int = 365) -> dict[str, Any]:
    with live.client() as client:
        answer = client.post(f"{live.zone}/client_certificates", json={"csr": csr(name), "validity_days": days})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def test_the_object_has_all_fields_of_the_api(control_plane: LiveControlPlane) -> None:
    text = csr().replace("\n", "\r\n")
    with control_plane.client() as client:
        result = client.post(f"{control_plane.zone}/client_certificates", json={"csr": text, "validity_days": 3650}).json()["result"]
    certificate = x509.load_pem_x509_certificate(result["certificate"].encode())
    expires_on = certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    issued_on = datetime.fromisoformat(result.pop("issued_on"))
    assert abs(datetime.now(UTC) - issued_on) < timedelta(minutes=1)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", result.pop("id"))
    assert re.fullmatch(r"[0-9a-f]{40}", result.pop("ski"))
    authority = result.pop("certificate_authority")
    assert authority == {"id": control_plane.plane.authority_id, "name": control_plane.plane.authority.name}
    assert result == {
        "certificate": result["certificate"],
        "common_name": "device",
        "country": "DE",
        "csr": text,
        "expires_on": expires_on,
        "fingerprint_sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "location": None,
        "organization": "Example",
        "organizational_unit": None,
        "serial_number": str(certificate.serial_number),
        "signature": "ECDSAWithSHA256",
        "state": None,
        "status": "active",
        "validity_days": 3650,
    }
    point = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    assert point.full_name == [x509.UniformResourceIdentifier(f"{control_plane.base_url}/crl/{authority['id']}.crl")]


@pytest.mark.parametrize("credentials", ["sdk", "sdk_with_key"])
def test_the_sdk_issues_lists_revokes_and_restores(
    control_plane: LiveControlPlane, credentials: str, request: pytest.FixtureRequest
) -> None:
    sdk: cloudflare.Cloudflare = request.getfixturevalue(credentials)
    zone_id = control_plane.zone_id
    made = sdk.client_certificates.create(zone_id=zone_id, csr=csr(), validity_days=365)
    assert made is not None
    assert made.id is not None
    assert made.status == "active"
    assert sdk.client_certificates.get(made.id, zone_id=zone_id) == made
    assert [found.id for found in sdk.client_certificates.list(zone_id=zone_id)] == [made.id]

    revoked = sdk.client_certificates.delete(made.id, zone_id=zone_id)
    assert revoked is not None
    assert revoked.status == "revoked"
    assert revoked.model_copy(update={"status": "active"}) == made
    again = sdk.client_certificates.delete(made.id, zone_id=zone_id)
    assert again == revoked

    restored = sdk.client_certificates.edit(made.id, zone_id=zone_id, reactivate=True)
    assert restored == made
    assert sdk.client_certificates.edit(made.id, zone_id=zone_id) == made


def test_curl_with_email_and_key_issues_from_what_cfssl_made(control_plane: LiveControlPlane, tmp_path: Path) -> None:
    curl, cfssl, cfssljson = require_tool("curl"), require_tool("cfssl"), require_tool("cfssljson")
    wanted = {"CN": "device-1", "key": {"algo": "ecdsa", "size": 256}, "names": [{"C": "US", "O": "Example", "OU": "IoT"}]}
    (tmp_path / "csr.json").write_text(json.dumps(wanted))
    made = subprocess.run([cfssl, "genkey", "csr.json"], cwd=tmp_path, capture_output=True, check=True)
    subprocess.run([cfssljson, "-bare", "device"], input=made.stdout, cwd=tmp_path, check=True)
    (tmp_path / "body.json").write_text(json.dumps({"csr": (tmp_path / "device.csr").read_text(), "validity_days": 3650}))
    headers = [f"X-Auth-Email: {control_plane.email}", f"X-Auth-Key: {control_plane.token}", "Content-Type: application/json"]
    command = [curl, "-sS", f"{control_plane.zone}/client_certificates", "--data-binary", "@body.json"]
    for header in headers:
        command += ["-H", header]
    answer = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
    assert answer["success"], answer
    assert answer["result"]["organizational_unit"] == "IoT"
    key = load_pem_private_key((tmp_path / "device-key.pem").read_bytes(), None)
    assert x509.load_pem_x509_certificate(answer["result"]["certificate"].encode()).public_key() == key.public_key()


@pytest.mark.parametrize("body", [None, b"", b"{}", b'{"reactivate":true}'])
def test_restoring_needs_no_particular_body(control_plane: LiveControlPlane, body: bytes | None) -> None:
    place = f"{control_plane.zone}/client_certificates/{issue(control_plane)['id']}"
    with control_plane.client() as client:
        assert client.delete(place).json()["result"]["status"] == "revoked"
        answer = client.patch(place, content=body, headers={"Content-Type": "application/json"} if body is not None else {})
        assert (answer.status_code, answer.json()["result"]["status"]) == (200, "active")
        client.delete(place)
        assert client.patch(place, json={"reactivate": False}).json()["result"]["status"] == "revoked"
        assert client.patch(place, json={"reactivate": "yes"}).status_code == 400


def test_only_a_change_of_status_raises_the_version_gateways_enforce(control_plane: LiveControlPlane) -> None:
    before = control_plane.plane.revision()
    certificate = issue(control_plane)
    place = f"{control_plane.zone}/client_certificates/{certificate['id']}"
    assert control_plane.plane.revision() == before
    with control_plane.client() as client:
        client.delete(place)
        assert control_plane.plane.revision() == before + 1
        assert certificate["serial_number"].encode() in control_plane.plane.snapshot().data
        client.delete(place)
        assert control_plane.plane.revision() == before + 1
        client.patch(place)
        assert control_plane.plane.revision() == before + 2
        assert certificate["serial_number"].encode() not in control_plane.plane.snapshot().data


def test_lists_are_newest_first_filtered_and_paged_in_both_ways(control_plane: LiveControlPlane, sdk: cloudflare.Cloudflare) -> None:
    made = [issue(control_plane, f"device-{i}") for i in range(5)]
    newest_first = [certificate["id"] for certificate in reversed(made)]
    place = f"{control_plane.zone}/client_certificates"
    with control_plane.client() as client:
        client.delete(f"{place}/{made[1]['id']}")

        def ids(**query: Any) -> list[str]:
            return [certificate["id"] for certificate in client.get(place, params=query).json()["result"]]

        assert ids() == ids(status="all") == newest_first
        assert ids(status="revoked") == [made[1]["id"]]
        assert len(ids(status="active")) == 4
        assert ids(status="pending_revocation") == ids(status="pending_reactivation") == []
        assert ids(page=2, per_page=2) == newest_first[2:4]
        assert ids(page=4, per_page=2) == []
        assert ids(limit=2) == newest_first[:2]
        assert ids(limit=2, offset=3) == newest_first[3:]
        assert ids(offset=1) == newest_first[1:]
        assert ids(offset=5) == []
        info = client.get(place, params={"per_page": 2}).json()["result_info"]
        assert info == {"page": 1, "per_page": 2, "count": 2, "total_count": 5, "total_pages": 3}
        for query in ({"status": "expired"}, {"page": 0}, {"per_page": 5001}, {"limit": 0}, {"offset": -1}):
            assert client.get(place, params=query).status_code == 400
    assert [found.id for found in sdk.client_certificates.list(zone_id=control_plane.zone_id, per_page=5)] == newest_first
    paged = sdk.client_certificates.list(zone_id=control_plane.zone_id, limit=2, offset=1)
    assert [found.id for found in paged] == newest_first[1:]


BAD = {
    "no body": (b"", "/"),
    "not JSON": (b"{", None),
    "no csr": (b'{"validity_days":1}', "/csr"),
    "no validity": (json.dumps({"csr": csr()}).encode(), "/validity_days"),
    "validity of words": (json.dumps({"csr": csr(), "validity_days": "365"}).encode(), "/validity_days"),
    "validity of a truth": (json.dumps({"csr": csr(), "validity_days": True}).encode(), "/validity_days"),
    "validity of half days": (json.dumps({"csr": csr(), "validity_days": 1.5}).encode(), "/validity_days"),
    "validity too short": (json.dumps({"csr": csr(), "validity_days": 0}).encode(), "/validity_days"),
    "validity too long": (json.dumps({"csr": csr(), "validity_days": 5476}).encode(), "/validity_days"),
    "garbage": (b'{"csr":"garbage","validity_days":1}', "/csr"),
    "too large": (json.dumps({"csr": csr() + "\n" * 20_000, "validity_days": 1}).encode(), "/csr"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_a_clear_answer_and_nothing_is_issued(control_plane: LiveControlPlane, name: str) -> None:
    body, pointer = BAD[name]
    place = f"{control_plane.zone}/client_certificates"
    with control_plane.client() as client:
        answer = client.post(place, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["code"] >= 1000
        if pointer is not None:
            assert error["source"]["pointer"] == pointer
        assert client.get(place).json()["result"] == []


def test_unknown_zones_and_certificates_are_404(control_plane: LiveControlPlane) -> None:
    certificate = issue(control_plane)
    with control_plane.client() as client:
        for place in (f"{control_plane.api}/zones/{'0' * 32}/client_certificates", f"{control_plane.zone}/client_certificates/{UNKNOWN}"):
            assert client.get(place).status_code == 404
        other = client.post("/hauberk/v1/zones", json={"name": "example.net"}).json()["result"]["id"]
        elsewhere = f"{control_plane.api}/zones/{other}/client_certificates/{certificate['id']}"
        for answer in (client.get(elsewhere), client.delete(elsewhere), client.patch(elsewhere)):
            assert answer.status_code == 404
        body = {"csr": csr(), "validity_days": 1}
        assert client.post(f"{control_plane.api}/zones/{'0' * 32}/client_certificates", json=body).status_code == 404
    assert httpx.get(f"{control_plane.zone}/client_certificates").status_code == 401


def test_a_generated_key_is_shown_once_and_fits(control_plane: LiveControlPlane) -> None:
    place = f"/hauberk/v1/zones/{control_plane.zone_id}/client_certificates/generate"
    with control_plane.client() as client:
        answer = client.post(place, json={"subject": {"common_name": "phone"}, "validity_days": 30, "key_type": "ecdsa-p384"})
        assert answer.headers["cache-control"] == "no-store"
        result = answer.json()["result"]
        key = load_pem_private_key(result.pop("private_key").encode(), None)
        assert x509.load_pem_x509_certificate(result["certificate"].encode()).public_key() == key.public_key()
        assert client.get(f"{control_plane.zone}/client_certificates/{result['id']}").json()["result"] == result
        assert client.post(place, json={"subject": {}, "validity_days": 30}).json()["errors"][0]["source"]["pointer"] == "/subject"
        assert client.post(place, json={"subject": {"common_name": "a"}, "validity_days": 30, "key_type": "dsa"}).status_code == 400
        unknown_zone = place.replace(control_plane.zone_id, "0" * 32)
        assert client.post(unknown_zone, json={"subject": {"common_name": "a"}, "validity_days": 30}).status_code == 404


CHILD = """
import sys
import time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from conftest import serve_control_plane
with serve_control_plane(Path(sys.argv[1])) as live:
    print(live.zone, live.token, flush=True)
    time.sleep(600)
"""


def test_what_was_answered_with_success_is_there_after_a_kill(state_dir: Path) -> None:
    """The control plane is killed (SIGKILL) while four callers have certificates issued and revoked."""
    arguments = [sys.executable, "-c", CHILD, str(state_dir), *sys.path]
    answered: dict[str, str] = {}
    enough = threading.Event()

    def call(zone: str, token: str) -> None:
        place = f"{zone}/client_certificates"
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            try:
                while len(answered) < 10_000:
                    certificate_id = client.post(place, json={"csr": csr(), "validity_days": 1}).json()["result"]["id"]
                    if len(answered) % 3 == 0:
                        # Only the answer counts: until it is there, either status is right.
                        answered[certificate_id] = client.delete(f"{place}/{certificate_id}").json()["result"]["status"]
                    else:
                        answered[certificate_id] = "active"
                    if len(answered) >= 40:
                        enough.set()
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                return

    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            zone, token = child.stdout.readline().split()
            callers = [threading.Thread(target=call, args=(zone, token), daemon=True) for _ in range(4)]
            for caller in callers:
                caller.start()
            busy = enough.wait(60)
        finally:
            child.send_signal(signal.SIGKILL)
    for caller in callers:
        caller.join()
    assert busy
    with serve_control_plane(state_dir) as live, live.client() as client:
        rows = client.get(f"{live.zone}/client_certificates", params={"per_page": 5000}).json()["result"]
    found = {row["id"]: row["status"] for row in rows}
    assert {certificate_id: found.get(certificate_id) for certificate_id in answered} == answered
    assert set(answered.values()) == {"active", "revoked"}
