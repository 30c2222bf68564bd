"""The processes of `hauberk demo --traffic`: the shop, control plane and gateway, with settings that show something soon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hauberk.cli.failure import Failure
from hauberk.demo.stage import ZONE, Stage
from hauberk.demo.traffic.exchange import HOSTS

IMPORT_SECONDS = 300

SETTINGS = """\
# Made by 'hauberk demo --traffic'. What is learned from so little is not to be copied: the defaults are there for a reason.
state_dir = "state"

[control_plane]
listen = "127.0.0.1:{api}"

[gateway]
https = ["127.0.0.1:{https}"]
metrics = "127.0.0.1:{metrics}"
threads = 1
grace_seconds = 1

[traffic]
bodies = "json"
flush_seconds = 2

[discovery]
min_requests = 12
refresh_seconds = 10

[learning]
min_requests = 60
refresh_seconds = 15

[alerts]
min_samples = 5

[[zones]]
name = "{zone}"
{hosts}
"""


class TrafficStage(Stage):
    """
    What the shop runs on.

    Args:
        folder: Where its files go; `None` means a temporary folder.

        seed: Makes the shop's chance.

    Raises:
        Failure: If the folder belongs to something else.
    """

    programs = ()

    def __init__(self, folder: Path | None, seed: int) -> None:
        self.seed = seed
        super().__init__(folder)

    @property
    def certificates(self) -> Path:
        """Folder of the devices' certificates and keys."""
        return self.folder / "certificates"

    @property
    def sign_in(self) -> str:
        """Make a link that signs in once."""
        with self.client() as client:
            return str(client.post("/hauberk/v1/sign-in-links", None)["url"])

    def lay_out(self) -> None:
        """Nothing but settings is needed."""

    def origin_program(self) -> list[str]:
        """Give the arguments for Python that run the shop."""
        return ["-m", "hauberk.demo.traffic.origin", "--port", str(self.origin_port), "--seed", str(self.seed)]

    def settings(self) -> str:
        """Write `hauberk.toml`."""
        upstream = f'upstreams = ["http://127.0.0.1:{self.origin_port}"]'
        hosts = "\n".join(f'[[zones.hosts]]\nname = "{host}"\n{upstream}' for host in HOSTS)
        return SETTINGS.format(api=self.api_port, https=self.https_port, metrics=self.metrics_port, zone=ZONE, hosts=hosts)

    def import_capture(self, name: str) -> None:
        """
        Put a capture into the traffic store, as `hauberk traffic import` does.

        Raises:
            Failure: If it does not work.
        """
        ran = self.run(["traffic", "import", name, "--session-identifier", "header:authorization"], IMPORT_SECONDS)
        if ran.returncode != 0:
            self.keep()
            raise Failure(f"the past was not imported: {ran.stderr.strip()[-500:]}")

    def run(self, arguments: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a command of hauberk in the folder."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "hauberk.cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
