"""Zones, hosts, accounts: read by the official SDK, made by our own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from hauberk.pki.server_certificate import self_signed

pytestmark = pytest.mark.both_databases

if TYPE_CHECKING:
    import cloudflare
    import httpx

    from conftest import LiveControlPlane


@pytest.fixture
def client(control_plane: LiveControlPlane) -> Any:
    with control_plane.client() as client:
        yield client


def hosts(client: httpx.Client, zone_id: str) -> list[dict[str, Any]]:
    return client.get(f"/hauberk/v1/zones/{zone_id}/hosts").json()["result"]


def test_the_sdk_lists_zones_and_the_account(control_plane: LiveControlPlane, sdk: cloudflare.Cloudflare) -> None:
    zones = list(sdk.zones.list())
    assert [(zone.id, zone.name, zone.status) for zone in zones] == [(control_plane.zone_id, "example.com", "active")]
    assert list(sdk.zones.list(name="other.example")) == []
    zone = sdk.zones.get(zone_id=control_plane.zone_id)
    assert zone is not None
    assert zone.name == "example.com"
    accounts = list(sdk.accounts.list())
    assert [account.id for account in accounts] == [control_plane.account_id]


def test_a_host_comes_changes_and_goes(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    path = f"/hauberk/v1/zones/{control_plane.zone_id}/hosts"
    made = client.post(path, json={"name": "New.example.com", "upstreams": ["http://127.0.0.1:9000/"]})
    assert made.status_code == 200
    host = made.json()["result"]
    assert (host["name"], host["upstreams"], host["self_signed"]) == ("new.example.com", ["http://127.0.0.1:9000"], True)
    assert "self-signed" in host["warnings"][0]
    assert "PRIVATE" not in made.text
    assert x509.load_pem_x509_certificate(host["certificate_pem"].encode())
    version = control_plane.plane.revision()
    certificate, key = self_signed("new.example.com")
    change = {"upstreams": ["https://origin.internal"], "certificate_pem": certificate, "private_key_pem": key}
    assert client.put(f"{path}/new.example.com", json=change).json()["result"]["self_signed"] is False
    assert control_plane.plane.revision() == version + 1
    assert client.delete(f"{path}/new.example.com").json()["result"] == {"name": "new.example.com"}
    assert [row["name"] for row in hosts(client, control_plane.zone_id)] == ["api.example.com"]


def test_a_zone_is_made_once(client: httpx.Client) -> None:
    assert client.post("/hauberk/v1/zones", json={"name": "Example.ORG"}).json()["result"]["name"] == "example.org"
    again = client.post("/hauberk/v1/zones", json={"name": "example.org"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, 1409)


BAD_HOSTS = [
    ({"name": "api.example.org", "upstreams": ["http://a"]}, 400, "not at or below the zone 'example.com'"),
    ({"name": "api.example.com", "upstreams": ["http://a"]}, 409, "exists already"),
    ({"name": "x y.example.com", "upstreams": ["http://a"]}, 400, "host name"),
    ({"name": "x.example.com", "upstreams": []}, 400, "at least 1"),
    ({"name": "x.example.com", "upstreams": ["http://a/path"]}, 400, "without a path"),
    ({"name": "x.example.com"}, 400, "upstreams"),
    ({"name": "x.example.com", "upstreams": ["http://a"], "certificate_pem": "x"}, 400, "go together"),
    ({"name": "x.example.com", "upstreams": ["http://a"], "certificate_pem": "x", "private_key_pem": "y"}, 400, "PEM"),
    ({"name": "x.example.com", "upstreams": ["http://a"], "extra": 1}, 400, "extra"),
]


@pytest.mark.parametrize(("body", "status", "told"), BAD_HOSTS, ids=[told for _, _, told in BAD_HOSTS])
def test_a_bad_host_is_told_and_changes_nothing(
    control_plane: LiveControlPlane, client: httpx.Client, body: dict[str, Any], status: int, told: str
) -> None:
    before = control_plane.plane.revision()
    answer = client.post(f"/hauberk/v1/zones/{control_plane.zone_id}/hosts", json=body)
    assert answer.status_code == status
    assert told in answer.json()["errors"][0]["message"]
    assert control_plane.plane.revision() == before


def test_a_host_of_the_file_is_changed_in_the_file(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    path = f"/hauberk/v1/zones/{control_plane.zone_id}/hosts/api.example.com"
    for answer in (client.delete(path), client.put(path, json={"upstreams": ["http://a"]})):
        assert answer.status_code == 409
        assert "hauberk.toml" in answer.json()["errors"][0]["message"]


def test_a_key_of_another_certificate_is_refused(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    body = {
        "name": "x.example.com",
        "upstreams": ["http://a"],
        "certificate_pem": self_signed("x.example.com")[0],
        "private_key_pem": self_signed("x.example.com")[1],
    }
    answer = client.post(f"/hauberk/v1/zones/{control_plane.zone_id}/hosts", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["pointer"] == "/private_key_pem"
    assert "does not belong" in answer.json()["errors"][0]["message"]
