"""What the recorder must know of an application: how to install and start it, where it is seen, how to log in."""

from dataclasses import dataclass
from typing import Literal

Step = tuple[str, ...]
"""
One action of a script: `("open", path)`, `("fill", selector, text)`, `("click", selector)`, `("press", selector, key)`,
`("key", key)`, `("type", text)` or `("wait", seconds)`.
"""


@dataclass(frozen=True)
class Application:
    """One application; shell text runs in its own folder, which holds `venv/` or `node_modules/`."""

    name: str
    stack: str
    """Language and framework, for the table of counts."""

    url: str
    """Where the browser sees it, an invented host. With https, HAProxy stands before it and speaks HTTP/2."""

    port: int
    """The port that it listens on."""

    start: str
    """Shell text that runs the server in the foreground; `$PORT` is its port, `$HERE` the recorder's folder."""

    kind: Literal["uv", "npm", "apt", "none"] = "uv"
    packages: tuple[str, ...] = ()
    """Pinned, as the installer wants them; for `apt` the version is what Debian 12 has."""

    overrides: tuple[tuple[str, str], ...] = ()
    """npm packages needed by others, with the version to take where what those ask for is not to be had."""

    python: str = "3.11.7"
    setup: str = ""
    """Shell text run once after the packages are there; also makes the data to look at."""

    login: tuple[Step, ...] = ()
    seeds: tuple[str, ...] = ()
    """Pages to open first, relative to `url`."""

    script: tuple[Step, ...] = ()
    """What is done after the log-in and before exploring, where curiosity alone would not find it."""

    seconds: int = 90
    wait_seconds: int = 90
    """How long the server may take to answer its first request."""
