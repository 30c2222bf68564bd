"""The README's two-minute session, run as it stands: in an empty folder, on free ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PATIENCE_SECONDS, eventually, free_port, require_tool

ROOT = Path(__file__).parents[1]


def block(marker: str) -> str:
    """Find the fenced block of the README that holds a text."""
    blocks = re.findall(r"```(?:toml)?\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return next(text for text in blocks if marker in text)


@pytest.fixture
def environment() -> dict[str, str]:
    """Free ports instead of the usual ones, and our commands on the path."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HAUBERK_CONTROL_PLANE__LISTEN": f"127.0.0.1:{free_port()}",
        "HAUBERK_GATEWAY__HTTPS": json.dumps([f"127.0.0.1:{free_port()}"]),
        "HAUBERK_GATEWAY__METRICS": f"127.0.0.1:{free_port()}",
    }


@pytest.fixture
def session_folder(tmp_path: Path, environment: dict[str, str], origin: str) -> Iterator[Path]:
    """A folder in which `hauberk up` runs on the README's settings, with an origin behind it."""
    subprocess.run(["hauberk", "init"], cwd=tmp_path, env=environment, check=True)
    zones = block("[[zones]]").replace("http://127.0.0.1:9000", origin)
    file = tmp_path / "hauberk.toml"
    file.write_text(file.read_text().partition("[[zones]]")[0] + zones)
    shutil.copy(ROOT / "examples" / "temperature" / "openapi.yaml", tmp_path)
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(["hauberk", "up"], cwd=tmp_path, env=environment, stderr=log)
    try:
        eventually(lambda: '"event": "ready"' in (tmp_path / "up.log").read_text(), seconds=3 * PATIENCE_SECONDS)
        yield tmp_path
    finally:
        process.terminate()
        assert process.wait(3 * PATIENCE_SECONDS) == 0


def test_the_session_comes_out_as_told(session_folder: Path, environment: dict[str, str]) -> None:
    require_tool("openssl")
    require_tool("curl")
    ran = subprocess.run(
        ["bash", "-e", "-c", block("hauberk cert issue")], check=False, cwd=session_folder, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    port = json.loads(environment["HAUBERK_GATEWAY__HTTPS"])[0].rpartition(":")[2]

    def post(body: str, *options: str) -> str:
        url = f"https://api.example.com:{port}/temps"
        command = ["curl", "-sk", "--resolve", f"api.example.com:{port}:127.0.0.1", "-H", "Content-Type: application/json", "-d", body]
        return subprocess.run(
            [*command, "-w", "\n%{http_code}", *options, url], cwd=session_folder, capture_output=True, text=True, check=True
        ).stdout

    certificate = ("--cert", "device.pem", "--key", "device.key")
    good = '{"temperature": 21.5, "time": "2026-01-01T00:00:00Z"}'
    assert post(good, *certificate).endswith("\n200")  # this origin answers 200 to everything
    assert post(good).endswith("\n403")
    assert post(good.replace("21.5", '"warm"'), *certificate).endswith("\n403")


def test_operations_are_found_as_told(session_folder: Path, environment: dict[str, str]) -> None:
    def entry(number: int) -> dict[str, object]:
        headers = [{"name": "Accept", "value": "application/json"}, {"name": "Authorization", "value": f"Bearer {number % 9}"}]
        request = {"method": "GET", "url": f"https://api.example.com/users/{70_000 + number}", "headers": headers}
        return {"request": request, "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json"}}}

    # As many as it takes for a candidate by default.
    log = {"version": "1.2", "entries": [entry(number) for number in range(500)]}
    (session_folder / "capture.har").write_text(json.dumps({"log": log}))
    for marker in ("hauberk discover capture.har", "hauberk discovery refresh"):
        ran = subprocess.run(
            ["bash", "-e", "-c", block(marker)], check=False, cwd=session_folder, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        assert "/users/{var1}" in ran.stdout
    assert "Saved GET api.example.com/users/{var1}" in ran.stderr
    assert (session_folder / "ways.svg").exists()
