"""Which control plane a command talks to, and what it says when it cannot."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_without_anything_it_says_what_to_give(run: Run) -> None:
    ran = run("zone", "list", ok=False)
    assert ran.status == 1
    assert ran.err.splitlines()[0] == "error: no control plane is known here"
    assert "--url" in ran.err


def test_a_connection_refused_says_what_to_start(run: Run) -> None:
    ran = run("zone", "list", "--url", f"http://127.0.0.1:{closed_port()}", "--token", "t", ok=False)
    assert ran.status == 1
    assert "nothing answers at http://127.0.0.1:" in ran.err
    assert "hauberk up" in ran.err


def test_a_wrong_token_says_where_the_right_one_is(run: Run, control_plane: Any) -> None:
    ran = run("zone", "list", "--url", control_plane.base_url, "--token", "wrong", ok=False)
    assert "unknown or revoked" in ran.err
    assert "admin-token" in ran.err


def test_a_token_file_is_read(run: Run, control_plane: Any, state_dir: Path) -> None:
    ran = run("zone", "list", "--json", "--url", control_plane.base_url, "--token-file", state_dir / "admin-token")
    assert [zone["name"] for zone in ran.json] == ["example.com"]


def test_the_settings_file_tells_address_and_token(run: Run, control_plane: Any, state_dir: Path) -> None:
    Path("hauberk.toml").write_text(f'state_dir = "{state_dir}"\n[control_plane]\nlisten = "{control_plane.address}"\n')
    assert [zone["name"] for zone in run("zone", "list", "--json").json] == ["example.com"]


def test_the_admin_token_of_a_settings_file_is_not_sent_elsewhere(run: Run, control_plane: Any, state_dir: Path) -> None:
    Path("hauberk.toml").write_text(f'state_dir = "{state_dir}"\n')
    ran = run("zone", "list", "--url", control_plane.base_url, ok=False)
    assert "no token for" in ran.err


def test_a_server_that_is_no_control_plane_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        ran = run("zone", "list", "--url", f"http://127.0.0.1:{server.getsockname()[1]}", "--token", "t", ok=False)
        thread.join()
    assert "not as a hauberk control plane does" in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stat_dir = 'x'", "did you mean 'state_dir'"),
        ("[control_plane", "is not valid TOML"),
        ("[control_plane]\nlisten = 'here'", "control_plane.listen"),
    ],
)
def test_a_bad_settings_file_is_one_line(run: Run, text: str, said: str) -> None:
    Path("hauberk.toml").write_text(text)
    ran = run("zone", "list", ok=False)
    assert said in ran.err
    assert ran.err.startswith("error: hauberk.toml")


@pytest.mark.parametrize("url", ["http://", "::", "ftp://127.0.0.1", "127.0.0.1:8080"])
def test_an_address_that_is_none_is_said(run: Run, url: str) -> None:
    assert "error: " in run("zone", "list", "--url", url, "--token", "t", ok=False).err


def test_the_zone_follows_from_the_host_when_there_are_several(hauberk: Run) -> None:
    hauberk("zone", "add", "example.org")
    hauberk("host", "add", "shop.example.org", "--upstream", "http://127.0.0.1:9")
    ran = hauberk("host", "list", ok=False)
    assert "several zones" in ran.err
    assert "example.com, example.org" in ran.err
    assert [host["name"] for host in hauberk("host", "list", "--zone", "example.org", "--json").json] == ["shop.example.org"]


def test_an_unknown_zone_lists_those_there_are(hauberk: Run) -> None:
    ran = hauberk("host", "list", "--zone", "example.net", ok=False)
    assert "there is no zone 'example.net'" in ran.err
    assert "example.com" in ran.err


def test_a_read_token_may_look_but_not_change(hauberk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAUBERK_TOKEN", hauberk("token", "create", "viewer", "--scope", "read").out.strip())
    hauberk("cert", "list")
    ran = hauberk("mtls", "require", "api.example.com", ok=False)
    assert "scope 'edit'" in ran.err
