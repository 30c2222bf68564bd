"""
Two processes as one: starts control plane and gateway, starts again what dies, stops both when told.

The gateway does not need the control plane to serve, so each is watched on its own. A child that cannot start at all (a port in use, an
unreadable key) has said why on standard error: then the whole ends, instead of trying the same for ever.
"""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from hauberk.config import Settings, split_address

log = logging.getLogger(__name__)

# An error exit this soon after the very first start is a mistake in the settings, not an accident.
FIRST_START_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# A child that lived this long has recovered: the next accident waits briefly again.
RECOVERED_SECONDS = 60.0
# On top of the gateway's own grace for requests under way.
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1
# They tell commands which control plane to talk to. Our gateway talks to ours.
COMMAND_VARIABLES = frozenset({"HAUBERK_CONFIG", "HAUBERK_TOKEN", "HAUBERK_URL", "HAUBERK_ZONE"})


def end_with_parent() -> None:
    """
    Stop this process (by SIGTERM, so gracefully) when its parent is gone, however that died.

    The parent holds the other end of our standard input and never writes to it: the kernel closes it with the parent.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@dataclass
class Child:
    """One process, across its restarts."""

    name: str

    command: list[str]

    process: subprocess.Popen[bytes] | None = None

    starts: int = 0

    started_at: float = 0.0

    wait_seconds: float = FIRST_WAIT_SECONDS

    not_before: float = field(default=0.0)
    """Monotonic time before which it is not started again."""

    def start(self) -> None:
        """Start it, in a process group of its own: Ctrl-C at the terminal reaches only us, and we stop the children in order."""
        environment = {name: value for name, value in os.environ.items() if name not in COMMAND_VARIABLES}
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [*self.command, "--supervised"], stdin=subprocess.PIPE, start_new_session=True, env=environment
        )
        self.starts += 1
        self.started_at = time.monotonic()
        log.info("started", extra={"child": self.name, "pid": self.process.pid})

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until it has ended; after the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("killed: it did not end in time", extra={"child": self.name})
            self.process.kill()
            self.process.wait()


def run(file: Path, settings: Settings, log_level: str = "info") -> int:
    """
    Run both until SIGTERM or SIGINT.

    Args:
        file: `hauberk.toml`, for the children to read.

        settings: What it says, checked.

        log_level: For the children.

    Returns:
        The exit status: 0 after a signal, 1 if a child could not start.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    shared = ["--config", str(file), "--log-level", log_level]
    control_plane = Child("control-plane", [sys.executable, "-m", "hauberk.cli", "control-plane", *shared])
    gateway = Child("gateway", [sys.executable, "-m", "hauberk.cli", "gateway", *shared])
    children = [control_plane, gateway]
    # The gateway's token is made by the first start of the control plane.
    token_file = settings.state_dir / "gateway-token"
    ready = False
    try:
        control_plane.start()
        while not stopping.wait(POLL_SECONDS):
            if gateway.starts == 0 and token_file.exists():
                gateway.start()
            if not all(_tend(child) for child in children):
                return 1
            if not ready and gateway.starts > 0 and _is_ready(settings):
                ready = True
                log.info(
                    "ready", extra={"control_plane": settings.control_plane_url, "gateway": settings.gateway.https + settings.gateway.http}
                )
        return 0
    finally:
        _stop(children, settings.gateway.grace_seconds + STOP_SECONDS)


def _is_ready(settings: Settings) -> bool:
    """Tell whether the REST API takes connections and the gateway has something to enforce."""
    metrics = settings.gateway.metrics
    try:
        socket.create_connection(split_address(settings.control_plane.listen), POLL_SECONDS).close()
        if metrics is None:
            return True
        host, port = split_address(metrics)
        connection = http.client.HTTPConnection(host, port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        finally:
            connection.close()
    except OSError:
        return False


def _tend(child: Child) -> bool:
    """Start a child again if it has died; false if it could not start in the first place."""
    if child.process is None or child.process.poll() is None:
        return True
    now, status = time.monotonic(), child.process.returncode
    if child.not_before == 0.0:
        lived = now - child.started_at
        if child.starts == 1 and status > 0 and lived < FIRST_START_SECONDS:
            log.error("could not start; stopping", extra={"child": child.name, "status": status})
            return False
        child.wait_seconds = FIRST_WAIT_SECONDS if lived > RECOVERED_SECONDS else min(child.wait_seconds * 2, LONGEST_WAIT_SECONDS)
        child.not_before = now + child.wait_seconds
        log.error("died; it is started again", extra={"child": child.name, "status": status, "wait_seconds": child.wait_seconds})
    elif now >= child.not_before:
        child.not_before = 0.0
        child.start()
    return True


def _stop(children: list[Child], seconds: float) -> None:
    """End the gateway first, so that its last events still reach the control plane."""
    deadline = time.monotonic() + seconds
    for child in reversed(children):
        child.stop()
        child.wait(deadline)
