"""
Use a web application as a curious person would: follow links, open menus and tabs, search, fill in and send forms.

Nothing here knows an application; what one needs beyond curiosity (a log-in, the pages to begin with) is in its entry
of the table. Choices are drawn from a seeded generator, so a run can be repeated as far as the application allows.
"""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from cdp import Wire
from playwright.async_api import BrowserContext, Error, Frame, Page

_LEAVE_ALONE = re.compile(
    r"log\s?-?out|sign\s?-?out|log\s?off|shut\s?down|restart|reboot|\bquit\b|\bexit\b|stop server|deactivate|terminate|(change|reset) password"
    r"|delete (my )?account|unsubscribe|uninstall|factory|disconnect|upgrade|disable",
    re.IGNORECASE,
)
_WORDS = ("report", "north", "invoice 2024", "alpha", "test", "summary", "a", "budget", "weather", "data")
_TITLES = ("Quarterly report", "North wind", "Launch notes", "Inventory 7", "Sensor room 12", "Blue heron", "Meeting minutes")
_BY_TYPE = {
    "email": "mara.lind@fjord.example",
    "number": "7",
    "date": "2024-05-17",
    "time": "10:30",
    "url": "https://fjord.example/page",
    "tel": "+46 8 123456",
    "datetime-local": "2024-05-17T10:30",
    "color": "#336699",
    "password": "Sommer-2024!x",
    "range": "3",
    "month": "2024-05",
}

# Keeps what it finds in the page (`__found`), since elements of shadow trees have no selector.
_FIND = """() => {
  const found = []; window.__found = found; const out = [];
  const wanted = 'a[href],button,summary,select,input[type=submit],input[type=button],input[type=checkbox],input[type=radio],[role=button],' +
    '[role=menuitem],[role=tab],[role=option],[role=treeitem],[role=link],[role=switch],[role=row],[onclick],[tabindex="0"],[draggable=true]';
  const visit = root => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      if (found.length > 400 || !el.matches(wanted)) continue;
      const box = el.getBoundingClientRect();
      if (box.width < 4 || box.height < 4 || el.disabled) continue;
      const style = getComputedStyle(el);
      if (style.visibility === 'hidden' || style.display === 'none') continue;
      out.push({tag: el.tagName, text: (el.innerText || el.value || el.getAttribute('aria-label') || el.title || '').trim().slice(0, 60),
        href: el.href && el.href.baseVal === undefined ? el.href : '', target: el.target || '', download: el.hasAttribute('download')});
      found.push(el);
    }
  };
  visit(document); return out;
}"""
_FIELDS = """() => {
  const found = []; window.__fields = found; const out = [];
  const visit = root => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      if (found.length > 25 || !el.matches('input,textarea,[contenteditable=true],[role=textbox],[role=searchbox]')) continue;
      const type = (el.type || 'text').toLowerCase();
      if (['hidden','submit','button','checkbox','radio','file','image','reset'].includes(type)) continue;
      const box = el.getBoundingClientRect();
      if (box.width < 4 || box.height < 4 || el.disabled || el.readOnly) continue;
      out.push({type, name: [el.name, el.id, el.placeholder, el.getAttribute('aria-label')].join(' '), filled: !!el.value, form: !!el.form});
      found.push(el);
    }
  };
  visit(document); return out;
}"""


@dataclass
class Explorer:
    """Explores one site, from `home`, within its origin."""

    page: Page
    wire: Wire
    home: str
    random: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    links: dict[str, int] = field(default_factory=dict)

    async def run(self, seeds: tuple[str, ...], seconds: float) -> None:
        """Open the `seeds` (paths below the home page), then explore until the time is up."""
        end = time.monotonic() + seconds
        for seed in seeds:
            await self.open(urljoin(self.home, seed))
            await self._gather_links()
        while time.monotonic() < end:
            with contextlib.suppress(Error, TimeoutError):
                await asyncio.wait_for(self._act(), 20)

    async def open(self, url: str) -> None:
        """Go to a page and wait until it is quiet; a page that does not come is left at that."""
        self.links[url] = self.links.get(url, 0) + 1
        with contextlib.suppress(Error):
            await self.page.goto(url, timeout=15_000, wait_until="domcontentloaded")
        await self.settle(6)

    async def settle(self, limit: float = 2.5) -> None:
        """Wait until the network has been quiet for 0.4 s, at most `limit` seconds."""
        end, quiet, heard = time.monotonic() + limit, 0, len(self.wire.events)
        while time.monotonic() < end and quiet < 4:
            await asyncio.sleep(0.1)
            quiet, heard = (quiet + 1, heard) if len(self.wire.events) == heard else (0, len(self.wire.events))

    async def _act(self) -> None:
        if not self._is_ours(self.page.url):
            await self.open(self.home)
        chance = self.random.random()
        if chance < 0.2:
            unseen = [url for url, times in self.links.items() if times == 0] or list(self.links) or [self.home]
            await self.open(self.random.choice(unseen))
        elif chance < 0.42 and await self._fill():
            pass
        elif not await self._click():
            await self.open(self.home)
        await self._gather_links()

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.home)[:2]

    def _frame(self) -> Frame:
        frames = [frame for frame in self.page.frames if self._is_ours(frame.url)]
        return self.random.choice([*frames, self.page.main_frame])

    async def _gather_links(self) -> None:
        with contextlib.suppress(Error):
            found = await self.page.evaluate(
                "() => [...document.querySelectorAll('a[href]')].slice(0, 300).map(a => [a.href + '', a.innerText])"
            )
            for address, text in found:
                url = urldefrag(address)[0] if "#/" not in address else address
                if self._is_ours(url) and len(self.links) < 2_000 and not _LEAVE_ALONE.search(f"{text} {url}".replace("_", " ")):
                    self.links.setdefault(url, 0)

    async def _click(self) -> bool:
        frame = self._frame()
        candidates: list[dict[str, Any]] = await frame.evaluate(_FIND)
        choices = []
        for number, each in enumerate(candidates):
            if _LEAVE_ALONE.search(f"{each['text']} {each['href']}") or (
                each["href"].startswith("http") and not self._is_ours(each["href"])
            ):
                continue
            key = re.sub(r"\d+", "0", f"{each['tag']}|{each['text']}|{each['href']}")
            choices.append((self.seen[key] + self.random.random(), number, key))
        if not choices:
            return False
        _, number, key = min(choices)
        self.seen[key] += 1
        handle = (await frame.evaluate_handle("n => window.__found[n]", number)).as_element()
        if handle is None:
            return False
        if candidates[number]["tag"] == "SELECT":
            options = await handle.evaluate("s => [...s.options].map(o => o.value)")
            if options:
                await handle.select_option(self.random.choice(options), timeout=1_500)
        else:
            try:
                await handle.click(timeout=1_500)
            except Error:
                await self.page.keyboard.press("Escape")
        await self.settle()
        return True

    async def _fill(self) -> bool:
        frame = self._frame()
        fields: list[dict[str, Any]] = await frame.evaluate(_FIELDS)
        if not fields:
            return False
        # A lone field is mostly a search box; several are filled together, as a form wants it.
        together = self.random.random() < 0.6
        chosen = list(range(len(fields))) if together else [self.random.randrange(len(fields))]
        handle = None
        for number in chosen[:12]:
            handle = (await frame.evaluate_handle("n => window.__fields[n]", number)).as_element() or handle
            if handle is not None:
                with contextlib.suppress(Error):
                    await handle.fill(self._value(fields[number]), timeout=800)
        await self.settle(1.2)
        if handle is not None:
            with contextlib.suppress(Error):
                await self._send_form(frame, handle)
        await self.settle()
        return True

    async def _send_form(self, frame: Frame, handle: Any) -> None:
        buttons = "button[type=submit],input[type=submit],button:has-text('Save'),button:has-text('Create'),button:has-text('Add'),button:has-text('OK')"
        if self.random.random() < 0.6:
            shown = [button for button in await frame.query_selector_all(buttons) if await button.is_visible()]
            if shown and not _LEAVE_ALONE.search(await shown[-1].inner_text()):
                await shown[-1].click(timeout=1_200)
                return
        await handle.press("Enter", timeout=800)

    def _value(self, each: dict[str, Any]) -> str:
        if each["type"] in _BY_TYPE:
            return _BY_TYPE[each["type"]]
        name = each["name"].lower()
        if "mail" in name:
            return _BY_TYPE["email"]
        if "search" in name or "filter" in name or "query" in name or each["type"] == "search":
            return self.random.choice(_WORDS)
        if any(word in name for word in ("slug", "key", "id", "user")):
            return f"item-{self.random.randrange(1000)}"
        return f"{self.random.choice(_TITLES)} {self.random.randrange(100)}"


def watch_windows(context: BrowserContext, page: Page, explorer: Explorer) -> None:
    """Close windows that the site opens, after they have loaded, and note their addresses for later."""

    async def close(other: Page) -> None:
        with contextlib.suppress(Error):
            await other.wait_for_load_state("domcontentloaded", timeout=5_000)
            await asyncio.sleep(1.5)
            if explorer._is_ours(other.url):
                explorer.links.setdefault(other.url, 1)
            await other.close()

    running = set()

    def opened(other: Page) -> None:
        if other is not page:
            task = asyncio.get_running_loop().create_task(close(other))
            running.add(task)
            task.add_done_callback(running.discard)

    context.on("page", opened)
    page.on("dialog", lambda dialog: asyncio.get_running_loop().create_task(dialog.accept()))
