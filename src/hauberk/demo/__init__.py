"""
The worked example as a performance: real processes on 127.0.0.1, real commands, each with what it answered and why.

`stage` starts and stops the processes, `shell` runs commands and compares, `walk` is the example, step by step.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from hauberk.demo.shell import Shell
from hauberk.demo.stage import Stage
from hauberk.demo.walk import walk

NEXT = """
It stays up until Ctrl-C. In another terminal:

  {setup}
  hauberk status                                        who enforces what
  hauberk events                                        what was refused, and why
  hauberk cert list                                     who has a certificate
  hauberk operation list                                what is validated
  {curl} -i {url}/temps
                                                        your own request
  xdg-open {api}/docs                     the REST API
"""


def run(state: Path | None, *, check: bool) -> int:
    """
    Walk through the worked example.

    Args:
        state: Folder for its files; `None` makes a temporary one, which is removed in the end unless something differed.

        check: End after the walk instead of staying up.

    Returns:
        0 if every step was as expected, else 1.

    Raises:
        Failure: If it cannot start.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with Stage(state) as stage:
        shell = Shell(stage.folder, stage.environment)
        shell.say("hauberk demo: the worked example of docs, on this machine")
        shell.say(f"Files are in {stage.folder}. To run a command yourself:\n")
        shell.say(f"  {stage.setup}")
        stage.start()
        walk(shell, stage)
        failed = [step for step in shell.checks if not step.ok]
        shell.say(f"\n{len(shell.checks) - len(failed)} of {len(shell.checks)} checks were as expected.")
        for step in failed:
            shell.say(f"  differed: {step.what}: got {step.got}, expected {step.expected}")
        if failed:
            stage.keep()
            shell.say(f"The files and logs are kept in {stage.folder}")
        if not check:
            shell.say(
                NEXT.format(setup=stage.setup, url=stage.url, api=stage.api, curl=stage.curl + " --cert device.pem --key device-key.pem")
            )
            _stay(stage)
    return 1 if failed else 0


def _stay(stage: Stage) -> None:
    """Wait for Ctrl-C, and notice if a process ends before."""
    never = threading.Event()
    try:
        while not never.wait(1):
            stage.check_alive()
    except KeyboardInterrupt:
        sys.stdout.write("\nstopped\n")


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
