"""The demo's folder and processes: example API, control plane and gateway; all of them end with it, however it ends."""

from __future__ import annotations

import ctypes
import importlib.resources
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from hauberk.cli.client import Client
from hauberk.cli.failure import Failure
from hauberk.cli.init import settings_text
from hauberk.config import ENVIRONMENT_PREFIX

ZONE = "example.com"
HOST = "api.example.com"
EXAMPLE_FILES = ("app.py", "openapi.yaml", "csr.json", "iot_device.py", "issue_with_sdk.py")
# A folder without it is not ours, so nothing in it is touched.
MARKER = ".hauberk-demo"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


class Stage:
    """
    What the example runs on.

    Args:
        folder: Where its files go; `None` means a temporary folder.

    Raises:
        Failure: If the folder belongs to something else, or a program that the example uses is not installed.
    """

    programs: tuple[str, ...] = ("curl", "openssl")
    """Programs of the system that it uses."""

    def __init__(self, folder: Path | None) -> None:
        for program in self.programs:
            if shutil.which(program) is None:
                raise Failure(f"the demo uses {program}, which is not installed", f"e.g. apt-get install {program}")
        self._temporary = folder is None
        self.folder = _prepare(folder)
        self.lay_out()
        self.origin_port, self.api_port, self.https_port, self.metrics_port = free_ports(4)
        self.environment = self._environment()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    @property
    def api(self) -> str:
        """Address of the control plane."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def url(self) -> str:
        """Address of the protected API; its name is not in DNS, so callers are told where it is."""
        return f"https://{HOST}:{self.https_port}"

    @property
    def curl(self) -> str:
        """curl, told where the host is and to trust its self-signed certificate."""
        return f"curl -sS --cacert server.pem --resolve {HOST}:{self.https_port}:127.0.0.1"

    @property
    def setup(self) -> str:
        """What a person types first, to run the commands that are shown."""
        return f"cd {self.folder} && export HAUBERK_CONFIG=$PWD/hauberk.toml PATH={self.environment['PATH'].split(os.pathsep)[0]}:$PATH"

    @property
    def state(self) -> Path:
        """The control plane's state folder."""
        return self.folder / "state"

    def client(self) -> Client:
        """Speak with the control plane as its owner."""
        return Client(self.api, (self.state / "admin-token").read_text().strip())

    def start(self) -> None:
        """
        Start everything, and wait until it answers.

        Raises:
            Failure: If something does not start; its log's last lines are in the message.
        """
        self._spawn("origin", self.origin_program())
        self._spawn("hauberk", ["-m", "hauberk.cli", "up", "--supervised"])
        asked = {"Host": HOST}
        self._await("origin", lambda: httpx.get(f"http://127.0.0.1:{self.origin_port}/health", headers=asked, trust_env=False).is_success)
        self._await("hauberk", lambda: httpx.get(f"{self.api}/readyz", trust_env=False).is_success)
        self._await("hauberk", lambda: httpx.get(f"http://127.0.0.1:{self.metrics_port}/readyz", trust_env=False).is_success)

    def lay_out(self) -> None:
        """Put into the folder what the example needs."""
        example = importlib.resources.files("hauberk.demo") / "temperature"
        for name in EXAMPLE_FILES:
            (self.folder / name).write_bytes((example / name).read_bytes())

    def origin_program(self) -> list[str]:
        """Give the arguments for Python that run the origin; it answers `/health`."""
        return ["app.py", "--port", str(self.origin_port), "--database", "temperatures.db"]

    def settings(self) -> str:
        """Write `hauberk.toml`."""
        text = settings_text(ZONE, HOST, f"http://127.0.0.1:{self.origin_port}")
        text = text.replace('listen = "127.0.0.1:8080"', f'listen = "127.0.0.1:{self.api_port}"')
        text = text.replace('https = ["0.0.0.0:8443"]', f'https = ["127.0.0.1:{self.https_port}"]')
        return text.replace('# metrics = "127.0.0.1:9090"', f'metrics = "127.0.0.1:{self.metrics_port}"')

    def check_alive(self) -> None:
        """
        Look whether everything still runs.

        Raises:
            Failure: If something does not.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                self.keep()
                raise Failure(
                    f"{name} ended with status {process.returncode}: {self._last_lines(name)}", f"its log is {self.folder / name}.log"
                )

    def keep(self) -> None:
        """Leave the folder where it is in the end."""
        self._temporary = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in reversed(self._processes.values()):
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        for log in self._logs:
            log.close()
        if self._temporary and (kind is None or issubclass(kind, KeyboardInterrupt)):
            shutil.rmtree(self.folder, ignore_errors=True)
        elif error is not None and not issubclass(kind or type(error), KeyboardInterrupt):
            sys.stderr.write(f"the files and logs are kept in {self.folder}\n")

    def _environment(self) -> dict[str, str]:
        # Settings that were meant for another installation must not reach this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        programs = Path(sys.executable).parent
        if not (programs / "hauberk").exists():
            programs = self.folder / "bin"
            _write_program(programs / "hauberk", f'#!/bin/sh\nexec "{sys.executable}" -m hauberk.cli "$@"\n')
            _write_program(programs / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", os.defpath)])
        environment["HAUBERK_CONFIG"] = str(self.folder / "hauberk.toml")
        (self.folder / "hauberk.toml").write_text(self.settings())
        return environment

    def _spawn(self, name: str, arguments: list[str]) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        self._logs.append(log)
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Ctrl-C is for us; we stop them in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - there are no other threads here
        )

    def _await(self, name: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                if answers():
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        self.keep()
        raise Failure(f"{name} did not start within {START_SECONDS:g} s: {self._last_lines(name)}", f"its log is {self.folder / name}.log")

    def _last_lines(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-3:])


def _prepare(folder: Path | None) -> Path:
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="hauberk-demo-"))
    else:
        folder = folder.absolute()
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARKER).exists():
                raise Failure(f"{folder}: is not empty, and not of an earlier demo, so it is left alone", "name a new folder with --state")
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / MARKER).write_text("made by 'hauberk demo', which may empty this folder\n")
    return folder


def _write_program(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def free_ports(count: int) -> list[int]:
    """Ask the kernel for ports; they are asked for together, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _end_with_parent() -> None:
    """Have the kernel stop the child when this process dies, were it by SIGKILL; Linux only, elsewhere it is left running then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
