"""The control plane's start: first and later ones, from good settings and bad ones. What was there is never lost."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conftest import settings_for
from hauberk.config import Settings
from hauberk.errors import ConfigurationError, StorageError
from hauberk.pipeline import ControlPlane
from hauberk.pki.server_certificate import self_signed
from hauberk.storage.models import Host, HostnameAssociation, Token, Zone
from hauberk.storage.tokens import token_sha256

ADDRESS = "127.0.0.1:8080"


def with_hosts(settings: Settings, *hosts: dict[str, Any]) -> Settings:
    return Settings.model_validate(settings.model_dump() | {"zones": [{"name": "example.com", "hosts": list(hosts)}]})


def host(plane: ControlPlane, name: str = "api.example.com") -> Host | None:
    with plane.database.read() as session:
        return session.scalar(select(Host).where(Host.name == name))


def content(plane: ControlPlane) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(plane.snapshot().data.partition(b"\n")[2])
    return body


def test_the_first_start_makes_private_files(tmp_path: Path) -> None:
    plane = ControlPlane(settings_for(tmp_path / "state", ADDRESS))
    plane.close()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert {name: modes[name] for name in ("admin-token", "gateway-token", "authority.key", "hauberk.db")} == dict.fromkeys(
        ("admin-token", "gateway-token", "authority.key", "hauberk.db"), 0o600
    )


def test_a_first_start_cut_short_before_its_commit_keeps_its_tokens(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "state", ADDRESS)
    ControlPlane(settings).close()
    token = (tmp_path / "state" / "gateway-token").read_text()
    for path in (tmp_path / "state").glob("hauberk.db*"):
        path.unlink()
    for name in ("authority.key", "authority.pem"):
        (tmp_path / "state" / name).unlink()
    again = ControlPlane(settings)
    assert (tmp_path / "state" / "gateway-token").read_text() == token
    with again.database.read() as session:
        assert token_sha256(token.strip()) in session.scalars(select(Token.sha256)).all()
    again.close()


def test_a_folder_and_a_database_that_others_may_read_are_closed_to_them(state_dir: Path) -> None:
    state_dir.chmod(0o755)
    (state_dir / "hauberk.db").chmod(0o644)
    ControlPlane(settings_for(state_dir, ADDRESS)).close()
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((state_dir / "hauberk.db").stat().st_mode) == 0o600


def test_a_name_that_another_zone_serves_is_not_served_twice(state_dir: Path) -> None:
    hosts = [{"name": "*.example.com", "upstreams": ["http://127.0.0.1:9"]}]
    inner = {"name": "x.example.com", "hosts": [{"name": "x.example.com", "upstreams": ["http://127.0.0.1:8"]}]}
    settings = settings_for(state_dir, ADDRESS)
    zones = [{"name": "example.com", "hosts": hosts}, inner]
    plane = ControlPlane(Settings.model_validate(settings.model_dump() | {"zones": zones}))
    with plane.database.write() as session:
        zone = session.scalars(select(Zone).where(Zone.name == "example.com")).one()
        session.add(HostnameAssociation(zone_id=zone.id, authority_id=plane.authority_id, hostname="x.example.com"))
        session.add(HostnameAssociation(zone_id=zone.id, authority_id=plane.authority_id, hostname="y.example.com"))
    assert [[row["name"] for row in zone["hosts"]] for zone in content(plane)["zones"]] == [
        ["*.example.com", "y.example.com"],
        ["x.example.com"],
    ]
    plane.close()


def test_a_second_start_keeps_everything(state_dir: Path) -> None:
    settings = settings_for(state_dir, ADDRESS)
    first = ControlPlane(settings)
    again = ControlPlane(settings)
    assert again.authority_id == first.authority_id
    assert again.authority.certificate_pem == first.authority.certificate_pem
    assert again.snapshot() == first.snapshot()
    with again.database.read() as session:
        assert len(session.scalars(select(Token)).all()) == 2
    first.close()
    again.close()


def test_a_passphrase_encrypts_the_key_and_is_needed_from_then_on(state_dir: Path) -> None:
    settings = settings_for(state_dir, ADDRESS)
    ControlPlane(settings, "correct horse").close()
    assert b"ENCRYPTED" in (state_dir / "authority.key").read_bytes()
    for passphrase, told in ((None, "HAUBERK_CA_PASSPHRASE"), ("wrong", "passphrase is wrong")):
        with pytest.raises(StorageError, match=told):
            ControlPlane(settings, passphrase)
    ControlPlane(settings, "correct horse").close()


@pytest.mark.parametrize("lost", [["authority.key"], ["authority.key", "authority.pem"]])
def test_a_lost_key_is_told_and_no_other_authority_is_made(state_dir: Path, lost: list[str]) -> None:
    for name in lost:
        (state_dir / name).unlink()
    with pytest.raises(StorageError, match=r"authority\.key"):
        ControlPlane(settings_for(state_dir, ADDRESS))
    assert not (state_dir / "authority.key").exists()


def test_a_state_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StorageError, match="state folder"):
        ControlPlane(settings_for(tmp_path / "state", ADDRESS))


def test_certificate_and_key_come_from_files(state_dir: Path, tmp_path: Path) -> None:
    certificate, key = self_signed("api.example.com")
    (tmp_path / "server.pem").write_text(certificate)
    (tmp_path / "server.key").write_text(key)
    files = {"certificate": tmp_path / "server.pem", "private_key": tmp_path / "server.key"}
    settings = with_hosts(settings_for(state_dir, ADDRESS), {"name": "api.example.com", "upstreams": ["http://127.0.0.1:9"], **files})
    plane = ControlPlane(settings)
    shown = host(plane)
    assert shown is not None
    assert (shown.certificate_pem, shown.self_signed) == (certificate, False)
    assert content(plane)["zones"][0]["hosts"][0]["private_key_pem"] == key
    plane.close()


def test_certificate_files_that_are_no_good_are_named(state_dir: Path, tmp_path: Path) -> None:
    certificate, key = self_signed("api.example.com")
    other_certificate, _ = self_signed("other.example.com")
    for name, text in (("good.pem", certificate), ("good.key", key), ("other.pem", other_certificate), ("garbage", "garbage")):
        (tmp_path / name).write_text(text)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    settings = settings_for(state_dir, ADDRESS)
    before = ControlPlane(settings)
    version = before.revision()
    before.close()
    cases = [
        ("good.pem", "missing", "No such file"),
        ("missing", "good.key", "No such file"),
        ("folder", "good.key", "directory"),
        ("binary", "good.key", "not a PEM file"),
        ("garbage", "good.key", "garbage"),
        ("good.pem", "garbage", "garbage"),
        ("other.pem", "good.key", "good.key"),
    ]
    for certificate_file, key_file, told in cases:
        files = {"certificate": tmp_path / certificate_file, "private_key": tmp_path / key_file}
        with pytest.raises(ConfigurationError, match=told) as caught:
            ControlPlane(with_hosts(settings, {"name": "api.example.com", "upstreams": ["http://127.0.0.1:9"], **files}))
        assert "api.example.com" in str(caught.value)
        assert key.splitlines()[1] not in str(caught.value)
    after = ControlPlane(settings)
    assert after.revision() == version
    after.close()


def test_hosts_follow_the_file(state_dir: Path) -> None:
    settings = settings_for(state_dir, ADDRESS)
    plane = ControlPlane(with_hosts(settings, {"name": "*.example.com", "upstreams": ["http://127.0.0.1:9"]}))
    assert host(plane) is None
    assert [row["name"] for row in content(plane)["zones"][0]["hosts"]] == ["*.example.com"]
    plane.close()


def test_a_host_taken_over_from_rest_belongs_to_the_file(state_dir: Path) -> None:
    settings = settings_for(state_dir, ADDRESS)
    plane = ControlPlane(settings)
    certificate, key = self_signed("b.example.com")
    with plane.database.write() as session:
        zone = session.scalars(select(Zone)).one()
        row = Host(
            zone_id=zone.id,
            name="b.example.com",
            upstreams=["http://a"],
            certificate_pem=certificate,
            private_key_pem=key,
            self_signed=False,
            from_file=False,
        )
        session.add(row)
    plane.close()
    hosts = [{"name": name, "upstreams": ["http://127.0.0.1:9"]} for name in ("api.example.com", "b.example.com")]
    again = ControlPlane(with_hosts(settings, *hosts))
    taken = host(again, "b.example.com")
    assert taken is not None
    assert (taken.from_file, taken.self_signed, taken.upstreams) == (True, True, ["http://127.0.0.1:9"])
    again.close()


def test_a_change_of_limits_makes_a_new_snapshot(state_dir: Path) -> None:
    settings = settings_for(state_dir, ADDRESS)
    plane = ControlPlane(settings)
    version = plane.snapshot().version
    plane.close()
    limits = settings.limits.model_copy(update={"max_body_bytes": 10})
    again = ControlPlane(settings.model_copy(update={"limits": limits}))
    assert again.snapshot().version == version + 1
    assert content(again)["settings"]["max_body_bytes"] == 10
    again.close()


def test_a_snapshot_is_compiled_when_something_changed_and_only_then(state_dir: Path) -> None:
    plane = ControlPlane(settings_for(state_dir, ADDRESS))
    first = plane.snapshot()
    assert plane.snapshot() is first
    with plane.database.write() as session:
        session.scalars(select(Zone)).one().default_action = "block"
    assert plane.snapshot().version == first.version + 1
    assert content(plane)["zones"][0]["schema_validation"] == {"default_action": "block", "override_action": None}
    plane.close()
