"""Start Debian's Chromium, and HAProxy where an application is to be seen over HTTPS; everything ends with the `with`."""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

CHROMIUM = "/usr/bin/chromium"
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_PLATFORMS = ("X11; Linux x86_64", "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7")
_LANGUAGES = ("en-US,en", "en-GB,en", "de-DE,de,en", "sv-SE,sv,en", "fr-FR,fr,en")
_HAPROXY = """
global
  log /dev/null local0
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout tunnel 300s
frontend tls
  bind 127.0.0.1:{front} ssl crt {pem} alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  option forwardfor
  default_backend application
backend application
  server application 127.0.0.1:{port}
"""


@contextlib.contextmanager
def running(
    command: list[str] | str, log: Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a session of its own; afterwards end that session, and the daemons that left it."""
    # Orphans then become children of this process, where they can be found, instead of init's.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before = _children(os.getpid())
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, shell=isinstance(command, str), executable="/bin/bash" if isinstance(command, str) else None,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            for pid in _children(os.getpid()) - before:
                for each in {pid, *_children(pid)}:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(6)


def _children(pid: int) -> set[int]:
    """The processes that a process started or has inherited."""
    with contextlib.suppress(OSError):
        return {int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()}
    return set()


@contextlib.contextmanager
def front(url: str, port: int, folder: Path) -> Iterator[int]:
    """Give the port that the browser is to be sent to: HAProxy's for an https `url`, else the application's own."""
    if not url.startswith("https:"):
        yield port
        return
    pem, configuration, listening = folder / "front.pem", folder / "haproxy.cfg", port + 20_000
    host = urlsplit(url).hostname
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={host}", "-keyout", pem, "-out", pem.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text(pem.read_text() + pem.with_suffix(".crt").read_text())
    configuration.write_text(_HAPROXY.format(front=listening, pem=pem, port=port))
    with running(["/usr/sbin/haproxy", "-db", "-f", str(configuration)], folder / "haproxy.log"):
        yield listening


@contextlib.asynccontextmanager
async def chromium(url: str, port: int, log: Path, choice: random.Random) -> AsyncIterator[str]:
    """Run a fresh Chromium that finds the host of `url` at `port` of this machine and no other host; give its DevTools address."""
    split = urlsplit(url)
    public = split.port or (443 if split.scheme == "https" else 80)
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = [
            "nice", "-n", "3", CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--ignore-certificate-errors", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--window-size=1440,1000",
            f"--host-resolver-rules=MAP {split.hostname}:{public} 127.0.0.1:{port},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1",
            f"--user-agent=Mozilla/5.0 ({choice.choice(_PLATFORMS)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
            f"--accept-lang={choice.choice(_LANGUAGES)}", "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
            "about:blank",
        ]  # fmt: skip
        with running(command, log):
            told = Path(profile) / "DevToolsActivePort"
            for _ in range(300):
                if told.exists() and len(told.read_text().splitlines()) == 2:
                    break
                await asyncio.sleep(0.1)
            number, path = told.read_text().splitlines()
            yield f"ws://127.0.0.1:{number}{path}"
