"""Runs commands as a person would, prints them, and compares what came back with what should have."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hauberk.cli.output import printable

# A command that takes longer hangs, and the demo with it.
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Check:
    """One comparison."""

    what: str

    expected: str

    got: str

    @property
    def ok(self) -> bool:
        """Whether it was as expected."""
        return self.expected == self.got


class Shell:
    """
    A shell in the demo's folder.

    Args:
        folder: Where commands run.

        environment: Theirs.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.checks: list[Check] = []

    def say(self, text: str = "") -> None:
        """Print text for the person who watches."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def step(self, title: str, why: str = "") -> None:
        """Begin a step of the example."""
        self.say(f"\n{title}")
        if why:
            self.say(f"  {why}")

    def run(self, command: str) -> str:
        """Print a command and run it; it must succeed. What it printed, on either output."""
        done = self._run(command)
        self._show(done.stdout.strip())
        self.compare(_short(command), "exit status 0", f"exit status {done.returncode}", quiet=True)
        return done.stdout

    def request(self, command: str, expected: int, because: str = "", *, what: str) -> str:
        """
        Print a command that makes one request, run it, and compare the status.

        Args:
            command: What it prints ends with a line that is the status.

            expected: The status.

            because: What must stand in the answer.

            what: Names the check.

        Returns:
            The answer's body.
        """
        self.say(f"  # {what}")
        done = self._run(command)
        body, _, status = done.stdout.rstrip("\n").rpartition("\n")
        if not status.isdigit():
            body, status = done.stdout, f"no answer (exit status {done.returncode})"
        got = status if because in body else f"{status} for another reason"
        self.compare(what, str(expected), got, _reason(body))
        return body

    def compare(self, what: str, expected: str, got: str, why: str = "", *, quiet: bool = False) -> None:
        """Remember a comparison and print it; a quiet one only if it differs."""
        check = Check(what, expected, got)
        self.checks.append(check)
        if quiet and check.ok:
            return
        told = f"{got}, as expected" if check.ok else f"DIFFERS: {got}, expected {expected}"
        self.say(f"  -> {told}" + (f": {printable(why)}" if why else ""))

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        first, *rest = command.splitlines()
        self.say("\n".join([f"  $ {first}", *(f"    {line}" for line in rest)]))
        try:
            return subprocess.run(  # noqa: S602 - the commands are ours, and are to be those a person types
                command,
                shell=True,
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=TIMEOUT_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, f"no answer within {TIMEOUT_SECONDS} s")

    def _show(self, text: str) -> None:
        for line in text.splitlines()[:20]:
            self.say(f"    {printable(line)}")


def _reason(body: str) -> str:
    """Take the reason out of a refusal; other answers are shown from their start."""
    try:
        problem = json.loads(body)
    except ValueError:
        return " ".join(body.split())[:200]
    if isinstance(problem, dict) and "detail" in problem:
        rule = f" ({problem['rule']['description']})" if problem.get("rule") else ""
        certificate = f"; certificate: {problem['client_certificate']}" if problem.get("client_certificate") else ""
        return f"{problem['detail']}{rule}{certificate}"
    return json.dumps(problem)[:200]


def _short(command: str) -> str:
    return command.splitlines()[0][:80]
