"""
Record the traffic of real web applications in a real browser.

    python record.py --apps FOLDER --out FOLDER [NAME ...]

Each named application (all by default) is installed under the first folder if it is not there yet, started, used for a
while in headless Chromium, and stopped; its records go to `<out>/<name>.ndjson.zst`, their counts to `COUNTS.md`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from application import Application, Step
from assemble import Record, assemble, distinct
from browser import chromium, front, running
from cdp import Wire
from counts import write_counts
from explore import Explorer, watch_windows
from playwright.async_api import Error, Page, async_playwright
from table import APPLICATIONS

HERE = Path(__file__).parent
MAX_RECORDS = 600
MAX_ALIKE = 40
_NOWHERE = "http://127.0.0.1:9"
_NUMBERS = re.compile(r"[0-9a-f]{8}[0-9a-f-]{8,}|\d+")


def environment(app: Application, folder: Path) -> dict[str, str]:
    """The environment of everything that runs for an application: its own tools first, its own home."""
    path = f"{folder}/venv/bin:{folder}/node_modules/.bin:/usr/sbin:{os.environ['PATH']}"
    own = {"PATH": path, "HOME": str(folder), "PORT": str(app.port), "HERE": str(HERE), "APP": str(folder), "NODE_ENV": "production"}
    return {**{name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}, **own}


def install(app: Application, folder: Path) -> None:
    """Install an application's packages and make its data, once; a folder with `ready` in it is taken as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "ready").exists():
        return
    env = environment(app, folder)
    python = Path.home() / f".pyenv/versions/{app.python}/bin/python"
    commands: list[list[str]] = []
    if app.kind == "uv" and not (folder / "ok").exists():
        commands = [
            ["uv", "venv", "-q", "--clear", "--python", str(python), "venv"],
            ["uv", "pip", "install", "-q", "--python", "venv/bin/python", *app.packages],
        ]
    elif app.kind == "npm" and not (folder / "ok").exists():
        (folder / "package.json").write_text(json.dumps({"name": "recorded", "private": True, "overrides": dict(app.overrides)}))
        commands = [["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *app.packages]]
    elif app.kind == "apt" and subprocess.run(["dpkg-query", "-W", *app.packages], check=False, capture_output=True).returncode:
        commands = [["apt-get", "install", "-y", "-qq", "--no-install-recommends", *app.packages]]
        env["DEBIAN_FRONTEND"] = "noninteractive"
    if app.setup:
        commands.append(["bash", "-e", "-c", app.setup])
    with (folder / "install.log").open("ab") as log:
        for command in commands:
            install_env = {**env, "HOME": os.environ["HOME"]} if command[0] in {"uv", "npm", "apt-get"} else env
            subprocess.run(["nice", "-n", "5", *command], check=True, cwd=folder, env=install_env, stdout=log, stderr=log, timeout=400)
    (folder / "ready").touch()


def wait_until_answering(app: Application, process: subprocess.Popen[bytes]) -> None:
    """Wait for the first HTTP answer, of whatever status."""
    split = urlsplit(app.url)
    request = urllib.request.Request(f"http://127.0.0.1:{app.port}{split.path or '/'}", headers={"Host": split.netloc})
    end = time.monotonic() + app.wait_seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{app.name} ended with {process.returncode} before it answered; see its start.log")
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except urllib.error.HTTPError as answer:
            if answer.code not in {502, 503}:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"{app.name} did not answer within {app.wait_seconds} s")


async def follow(page: Page, explorer: Explorer, home: str, steps: tuple[Step, ...]) -> None:
    """Carry out a script's steps; one that cannot be done is told of, and the next is tried."""
    for step in steps:
        try:
            match step:
                case ("open", path):
                    await explorer.open(urljoin(home, path))
                case ("fill", selector, text):
                    await page.locator(selector).first.fill(text, timeout=4_000)
                case ("click", selector):
                    await page.locator(selector).first.click(timeout=4_000)
                case ("select", selector, value):
                    await page.locator(selector).first.select_option(value, timeout=4_000)
                case ("press", selector, key):
                    await page.locator(selector).first.press(key, timeout=4_000)
                case ("key", key):
                    await page.keyboard.press(key)
                case ("type", text):
                    await page.keyboard.type(text, delay=20)
                case ("upload", selector, path):
                    await page.locator(selector).first.set_input_files(path, timeout=4_000)
                case ("wait", seconds):
                    await asyncio.sleep(float(seconds))
                case _:
                    raise ValueError(f"unknown step {step}")
        except Error as error:
            print(f"  {page.url[:60]} step {step} failed: {str(error).splitlines()[0]}")
        await explorer.settle(4)


async def browse(app: Application, port: int, folder: Path) -> Wire:
    """Use an application that is running; give what went over the wire."""
    choice, wire = random.Random(app.name), Wire()
    async with chromium(app.url, port, folder / "chromium.log", choice) as address, async_playwright() as playwright:
        await wire.open(address)
        browser = await playwright.chromium.connect_over_cdp(address)
        context = browser.contexts[0]
        page = await context.new_page()
        explorer = Explorer(page, wire, app.url, choice)
        watch_windows(context, page, explorer)
        with contextlib.suppress(Error):
            await explorer.open(app.url)
            await follow(page, explorer, app.url, app.login)
            await page.screenshot(path=folder / "after-login.png", timeout=5_000)
            await follow(page, explorer, app.url, app.script)
            await explorer.run(app.seeds, app.seconds)
            await page.screenshot(path=folder / "at-end.png", timeout=5_000)
        await wire.close()
        with contextlib.suppress(Error):
            await browser.close()
    return wire


def write(records: list[Record], path: Path) -> None:
    """Write the capture under a temporary name first, so that readers of the folder see whole files alone."""
    lines = "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records)
    temporary = path.with_name(f".{path.name}.new")
    subprocess.run(["zstd", "-q", "-12", "-f", "-o", temporary], input=lines.encode(), check=True)
    temporary.rename(path)


def select(records: list[Record]) -> list[Record]:
    """Keep variety: few of what differs only in numbers, and both calls and page parts when there are too many."""
    shapes: Counter[tuple[str, str, str, int]] = Counter()
    kept: tuple[list[int], list[int]] = ([], [])
    for number, each in enumerate(records):
        shape = (each["resource_type"], each["method"], _NUMBERS.sub("0", each["url"].partition("?")[0]), each["status"])
        shapes[shape] += 1
        if shapes[shape] <= MAX_ALIKE:
            kept[each["label"] == "web"].append(number)
    share = max(MAX_RECORDS // 2, MAX_RECORDS - min(len(numbers) for numbers in kept))
    chosen = [
        numbers[round(step * len(numbers) / count)] for numbers in kept if (count := min(share, len(numbers))) for step in range(count)
    ]
    return [records[number] for number in sorted(chosen)]


def record(app: Application, apps: Path, out: Path) -> None:
    """Install, start, use and stop one application; write its capture and counts."""
    folder = apps / app.name
    install(app, folder)
    # Some applications look for updates or load pages of their own choosing; a proxy that is not there stops them.
    no_way_out = {"http_proxy": _NOWHERE, "https_proxy": _NOWHERE, "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE}
    env = {**environment(app, folder), **no_way_out, "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1,localhost"}
    with running(app.start, folder / "start.log", folder, env) as process:
        wait_until_answering(app, process)
        with front(app.url, app.port, folder) as port:
            wire = asyncio.run(browse(app, port, folder))
    records = select(list(distinct(assemble(wire, app.name, "browse"))))
    write(records, out / f"{app.name}.ndjson.zst")
    write_counts(APPLICATIONS, out, HERE)


def main() -> int:
    """Record the applications named on the command line, telling how each one went."""
    parser = argparse.ArgumentParser(description="Record the traffic of real web applications in a real browser.")
    parser.add_argument("--apps", type=Path, required=True, help="folder that the applications are installed under")
    parser.add_argument("--out", type=Path, required=True, help="folder that the captures are written to")
    parser.add_argument("--seconds", type=int, help="explore each application for so long, instead of what its entry says")
    parser.add_argument("names", nargs="*", help="applications to record; all by default")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(APPLICATIONS)
    if unknown:
        parser.error(f"no such application: {', '.join(sorted(unknown))}; there are {', '.join(APPLICATIONS)}")
    failed = 0
    for name in arguments.names or APPLICATIONS:
        begun = time.monotonic()
        try:
            record(APPLICATIONS[name], arguments.apps, arguments.out)
            print(f"{name}: recorded in {time.monotonic() - begun:.0f} s", flush=True)
        except Exception as error:  # noqa: BLE001 - one application that does not work must not end the round
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
