"""
Takes the pictures of the dashboard that README and docs show: `make screenshots`.

A seeded `hauberk demo --traffic` runs for a minute or two; then Debian's Chromium looks at it, 1280 by 800, light and dark. Pictures get a
palette if pngquant is installed.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SETTLE_SECONDS = 75
MAX_BYTES = 150_000

# Name, page of the zone, theme.
PICTURES = (
    ("overview", "", "light"),
    ("overview-dark", "", "dark"),
    ("discovery", "discovery", "light"),
    ("endpoints", "endpoints?order=requests&direction=desc", "dark"),
    ("endpoint", "endpoints/{operation}", "light"),
    ("schemas", "schemas/learned", "light"),
    ("certificates", "certificates", "light"),
    ("rules", "rules", "dark"),
    ("events", "events", "light"),
    ("settings", "settings/sessions", "light"),
)


def main() -> None:
    """Start the demo, wait until it has something to show, and take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("error: chromium is not installed: apt-get install chromium")
    folder = Path(tempfile.mkdtemp(prefix="hauberk-pictures-")) / "demo"
    command = [sys.executable, "-m", "hauberk.cli", "demo", "--traffic", "--seed", "7", "--folder", str(folder)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        url, link = _addresses(demo)
        time.sleep(SETTLE_SECONDS)
        operation = _an_operation(url, (folder / "state" / "admin-token").read_text().strip())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(link)
            if "/once/" in page.url:
                page.get_by_role("button").first.click()
            for name, path, theme in PICTURES:
                _take(page, f"{url}/zones/example.com/{path.format(operation=operation)}".rstrip("/"), theme, HERE / f"{name}.png")
            browser.close()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)
        shutil.rmtree(folder.parent)


def _addresses(demo: subprocess.Popen[str]) -> tuple[str, str]:
    url = link = ""
    for line in demo.stdout or ():
        words = line.split()
        if line.startswith("The dashboard"):
            url = words[-1].rstrip("/")
        if line.startswith("Sign in"):
            link = words[-1]
        if "hauberk discovery list" in line:
            return url, link
    sys.exit("error: the demo did not start")


def _an_operation(url: str, token: str) -> str:
    """Find one with a variable in its path and a schema that was learned of a body."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as rest:
        zone_id = rest.get("/client/v4/zones").json()["result"][0]["id"]
        saved = rest.get(f"/client/v4/zones/{zone_id}/api_gateway/operations", params={"per_page": 500}).json()["result"]
    return next(str(one["operation_id"]) for one in saved if (one["method"], one["endpoint"]) == ("POST", "/v1/orders"))


def _take(page: Page, address: str, theme: str, file: Path) -> None:
    base = "/".join(address.split("/")[:3])
    page.context.add_cookies([{"name": "hauberk_theme", "value": theme, "url": base}])
    page.goto(address)
    page.wait_for_timeout(500)
    page.screenshot(path=file)
    if (program := shutil.which("pngquant")) is not None:
        subprocess.run(  # noqa: S603 - a program of the system
            [program, "--force", "--strip", "--ext", ".png", "128", str(file)], check=True
        )
    size = file.stat().st_size
    sys.stdout.write(f"{file.name}: {size / 1000:.0f} kB{' (too large: install pngquant)' if size > MAX_BYTES else ''}\n")


if __name__ == "__main__":
    main()
