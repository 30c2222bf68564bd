"""Users of the dashboard by the command line."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hauberk.entrance import Origin
from hauberk.errors import Unauthenticated

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

PASSWORD = "correct horse battery"
HERE = Origin("192.0.2.1", "")


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the next command something on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_user_from_beginning_to_end(hauberk: Run, control_plane: Any, piped: Any) -> None:
    assert "no users yet" in hauberk("user", "list").err
    piped(f"{PASSWORD}\n")
    added = hauberk("user", "add", "Ada", "--role", "editor", "--json")
    assert PASSWORD not in added.out + added.err
    assert added.json["role"] == "editor"
    entrance = control_plane.plane.entrance
    secret = entrance.sign_in("ada", PASSWORD, HERE)
    assert "Ada is viewer now" in hauberk("user", "role", "ada", "viewer").err
    assert entrance.entered(secret).scope == "read"
    piped("another horse battery")
    hauberk("user", "password", "ADA")
    assert entrance.entered(secret) is None
    secret = entrance.sign_in("ada", "another horse battery", HERE)
    hauberk("user", "disable", "ada")
    assert entrance.entered(secret) is None
    assert hauberk("user", "list", "--json").json[0]["status"] == "disabled"
    hauberk("user", "disable", "ada", "--undo")
    secret = entrance.sign_in("ada", "another horse battery", HERE)
    hauberk("user", "remove", "ada")
    assert entrance.entered(secret) is None
    assert hauberk("user", "list", "--json").json == []


def test_a_user_that_is_not_there_is_told(hauberk: Run) -> None:
    for words in (("role", "ada", "editor"), ("password", "ada"), ("disable", "ada"), ("remove", "ada")):
        assert "there is no user 'ada'" in hauberk("user", *words, ok=False).err


def test_without_a_password_nothing_is_made(hauberk: Run, piped: Any) -> None:
    piped("")
    assert "no password on standard input" in hauberk("user", "add", "ada", ok=False).err
    piped("short\n")
    assert "12 to 1,024 characters" in hauberk("user", "add", "ada", ok=False).err
    assert hauberk("user", "list", "--json").json == []


def test_a_password_is_no_argument(hauberk: Run) -> None:
    assert hauberk("user", "add", "ada", PASSWORD, ok=False).status == 2
    assert hauberk("user", "add", "ada", "--password", PASSWORD, ok=False).status == 2


def test_a_link_is_data_and_signs_in(hauberk: Run, control_plane: Any) -> None:
    made = hauberk("user", "link")
    url = made.out.strip()
    assert url.startswith(f"{control_plane.base_url}/sign-in/once/")
    assert url not in made.err
    entrance = control_plane.plane.entrance
    assert entrance.entered(entrance.sign_in_with_link(url.rpartition("/")[2], HERE)).scope == "edit"
    with pytest.raises(Unauthenticated):
        entrance.sign_in_with_link(url.rpartition("/")[2], HERE)


def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(control_plane: Any) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"HAUBERK_URL": control_plane.base_url, "HAUBERK_TOKEN": control_plane.token}
    command = [sys.executable, "-m", "hauberk.cli", "user", "add", "ada"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True) as process:
        os.close(theirs)
        shown = ""
        for prompt in ("Password", "The same again"):
            while f"{prompt}: " not in shown:
                shown += os.read(ours, 1024).decode()
            os.write(ours, f"{PASSWORD}\n".encode())
        try:
            while part := os.read(ours, 1024):
                shown += part.decode()
        except OSError:  # the other end is closed
            pass
        assert process.wait(20) == 0
    os.close(ours)
    assert "Added user ada" in shown
    assert PASSWORD not in shown
