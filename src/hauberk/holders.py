"""Who is at some work: names that tell whether the process that took it is still there."""

from __future__ import annotations

import os
import secrets
import socket

# As much of a host's name as fits beside the rest into 64 characters.
MAX_HOST = 32


def holder_name() -> str:
    """Make a name for one that takes work in this process, of at most 64 characters; no two are alike."""
    return f"{secrets.token_hex(8)}:{os.getpid()}:{socket.gethostname()[:MAX_HOST]}"


def has_ended(name: str, mine: str) -> bool:
    """
    Tell whether the process of a name was one of this machine and has ended.

    Args:
        name: As `holder_name` made it, or an older version.

        mine: The caller's own. Another name with this process's number is of an earlier one: in a container each has the same.
    """
    _, _, place = name.partition(":")
    number, _, host = place.partition(":")
    if name == mine or host != socket.gethostname()[:MAX_HOST] or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
