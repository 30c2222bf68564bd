"""The first start: whoever stands at the terminal is shown how to sign in, and no log is."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from conftest import eventually, free_port

SECRET = re.compile(r"(http://\S+/sign-in/once/([\w-]{43}))")


@contextmanager
def control_plane(folder: Path, *, terminal: bool) -> Iterator[tuple[str, list[str]]]:
    """Run a control plane whose standard error is a terminal or not; give its address and what it has written."""
    port = free_port()
    (folder / "hauberk.toml").write_text(f'[control_plane]\nlisten = "127.0.0.1:{port}"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
    ours, theirs = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "hauberk.cli", "control-plane"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    written: list[str] = []
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/readyz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    try:
        eventually(answers, 60)
        yield url, written
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            while part := os.read(ours, 65536):
                written.append(part.decode())
        except OSError:  # a terminal whose other end is closed
            pass
        os.close(ours)
        assert process.wait(30) in {0, -signal.SIGTERM}


def test_the_link_is_shown_at_a_terminal_and_signs_in_once(tmp_path: Path) -> None:
    with control_plane(tmp_path, terminal=True) as (url, written):
        pass
    shown = "".join(written)
    found = SECRET.search(shown)
    assert found is not None, shown
    assert shown.count(found[2]) == 1
    assert found[1].startswith(url)
    # It is in the database as a hash alone, and good after a restart. That start shows another one: nobody has signed in yet.
    assert found[2].encode() not in b"".join(file.read_bytes() for file in (tmp_path / "state").glob("hauberk.db*"))
    with control_plane(tmp_path, terminal=True) as (url, written), httpx.Client(base_url=url, headers={"Origin": url}) as client:
        path = f"/sign-in/once/{found[2]}"
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
        assert csrf is not None
        assert client.post(path, data={"csrf": csrf[1]}).headers["location"] == "/settings/users"
        form = re.search(r'name="csrf" value="([^"]+)"', client.get("/settings/users").text)
        assert form is not None
        new = {"csrf": form[1], "name": "ada", "role": "editor", "password": "correct horse battery"}
        assert client.post("/settings/users", data=new).status_code == 303
    assert SECRET.search("".join(written)) is not None
    with control_plane(tmp_path, terminal=True) as (url, written):
        pass
    assert SECRET.search("".join(written)) is None  # there is a user now


def test_no_log_holds_a_link(tmp_path: Path) -> None:
    with control_plane(tmp_path, terminal=False) as (_, written):
        pass
    assert "control plane listens" in "".join(written)
    assert "/sign-in/once/" not in "".join(written)
