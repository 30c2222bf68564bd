"""Programs pinned to one core: started, waited for, their CPU time read from /proc, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 10
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ProgramFailed(Exception):
    """A program of the benchmark did not start, or ended while it was needed; the message has the end of what it printed."""


@dataclass
class Program:
    """
    A running program with its children.

    Attributes:
        name: For messages.

        process: The first process; the others are found through /proc.

        log: What it printed.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, core: int, command: Sequence[str], log: Path) -> Program:
        """Start a program on one core, with its output in a file."""
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["taskset", "-c", str(core), *command], stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )
        return cls(name, process, log)

    def wait_for_ports(self, ports: Sequence[int]) -> None:
        """
        Wait until the program takes connections.

        Raises:
            ProgramFailed: If it ended, or took too long.
        """
        deadline = time.monotonic() + START_SECONDS
        for port in ports:
            while not _takes_connections(port):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ProgramFailed(f"{self.name} does not listen on port {port}; it printed:\n{self.printed()}")
                time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """
        CPU time, user and system, of all processes of the program and of all their threads, those that ended included.

        Raises:
            ProgramFailed: If the program ended.
        """
        if self.process.poll() is not None:
            raise ProgramFailed(f"{self.name} ended with status {self.process.returncode}; it printed:\n{self.printed()}")
        return sum(_cpu_seconds(pid) for pid in family(self.process.pid))

    def resident_mib(self) -> float:
        """
        Memory of all processes of the program that is in RAM, in MiB; pages that they share count for each.

        Raises:
            ProgramFailed: If the program ended.
        """
        if self.process.poll() is not None:
            raise ProgramFailed(f"{self.name} ended with status {self.process.returncode}; it printed:\n{self.printed()}")
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in _family(self.process.pid))
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def printed(self) -> str:
        """The last lines the program printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """End the program: politely, then not."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nothing listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def machine_cpu_seconds() -> float:
    """CPU time of everything that ran on this machine: user, system and interrupts, which processes are charged for as well."""
    user, nice, system, _idle, _iowait, irq, softirq = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS_PER_SECOND


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _stat(pid: int) -> list[str]:
    # The second field is the command's name in parentheses and may itself hold anything; fields count from after it.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def family(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
    family, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in family} - family
        family |= children
        grown = bool(children)
    return sorted(family)
