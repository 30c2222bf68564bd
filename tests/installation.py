"""An owner's installation, run as processes of its own: `hauberk up` in a folder, an origin behind it, and commands beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import PATIENCE_SECONDS, eventually, free_port
from hauberk.demo.stage import free_ports

ORIGIN = "127.0.0.1:9000"
"""As settings name the origin; another port takes its place."""


@dataclass
class Installation:
    """What an owner has: a folder, and commands that know where the rest is."""

    folder: Path
    environment: dict[str, str]
    gateway: str
    """Where clients connect, without TLS."""

    control_plane: str

    @property
    def token(self) -> str:
        return (self.folder / "state" / "admin-token").read_text().strip()

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run commands in the folder; give what they told."""
        ran = subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        return ran


@contextmanager
def installation(folder: Path, settings: str, **variables: str) -> Iterator[Installation]:
    """Run `hauberk up` on settings that name `ORIGIN`."""
    control_plane, gateway = (f"127.0.0.1:{port}" for port in free_ports(2))
    environment: Mapping[str, str] = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
    environment = {
        **environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HAUBERK_CONTROL_PLANE__LISTEN": control_plane,
        "HAUBERK_GATEWAY__HTTPS": "[]",
        "HAUBERK_GATEWAY__HTTP": json.dumps([gateway]),
        "HAUBERK_GATEWAY__METRICS": f"127.0.0.1:{free_port()}",
        **variables,
    }
    with _origin() as upstream:
        (folder / "hauberk.toml").write_text(settings.replace(ORIGIN, upstream))
        with (folder / "up.log").open("wb") as log:
            process = subprocess.Popen(["hauberk", "up"], cwd=folder, env=environment, stderr=log)
        try:
            eventually(lambda: '"event": "ready"' in (folder / "up.log").read_text(), seconds=3 * PATIENCE_SECONDS)
            yield Installation(folder, environment, gateway, f"http://{control_plane}")
        finally:
            process.terminate()
            assert process.wait(3 * PATIENCE_SECONDS) == 0


@contextmanager
def _origin() -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).with_name("sensor_site.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as origin:
        try:
            assert origin.stdout is not None
            yield f"127.0.0.1:{origin.stdout.readline().strip()}"
        finally:
            origin.kill()
