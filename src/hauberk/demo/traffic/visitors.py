"""People with browsers, who load pages with all that belongs to them, and crawlers, who load pages alone."""

from __future__ import annotations

from hauberk.demo.traffic import catalogue, pages
from hauberk.demo.traffic.callers import Caller, Moment
from hauberk.demo.traffic.exchange import SHOP, Sent

BROWSERS = 60
CRAWLERS = 4
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
)
_DESTINATIONS = {"js": "script", "css": "style", "svg": "image", "webp": "image", "woff2": "font", "ico": "image"}


def browsers() -> list[Caller]:
    """Make the people with browsers."""
    return [
        Caller(
            f"browser-{number}",
            f"127.0.50.{1 + number}",
            SHOP,
            {
                "User-Agent": _AGENTS[number % len(_AGENTS)],
                "Accept-Language": "en-GB,en;q=0.7",
                "Accept-Encoding": "gzip, deflate, br",
                "Cookie": f"sid={number * 7919 % 10**6:06d}{'0123456789abcdef' * 2}; theme=light",
            },
        )
        for number in range(BROWSERS)
    ]


def crawlers() -> list[Caller]:
    """Make the crawlers."""
    names = ("ExampleBot/1.2 (+https://bot.example.net)", "PriceSpider/3.0", "archiver/0.9 (+https://archive.example.org)", "FeedFetcher/2")
    return [
        Caller(f"crawler-{number}", f"127.0.60.{1 + number}", SHOP, {"User-Agent": names[number], "Accept": "text/html,*/*;q=0.1"})
        for number in range(CRAWLERS)
    ]


def browse(caller: Caller, moment: Moment) -> list[Sent]:
    """Open a page: the page, what it needs, and what its script asks."""
    chance = moment.chance
    page = _page(moment)
    page_headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    sent = [caller.asks("GET", page, headers=page_headers)]
    for path in [
        *chance.sample(pages.ASSETS, chance.randint(1, len(pages.ASSETS))),
        f"/images/{chance.randrange(catalogue.PRODUCTS)}.webp",
    ]:
        destination = _DESTINATIONS[path.rpartition(".")[2]]
        headers = {"Accept": "*/*", "Referer": f"https://{SHOP}{page}", "Sec-Fetch-Dest": destination, "Sec-Fetch-Mode": "no-cors"}
        sent.append(caller.asks("GET", path, headers=headers))
    script = {"Accept": "application/json", "Referer": f"https://{SHOP}{page}", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}
    if chance.random() < 0.5:
        sent.append(caller.asks("GET", "/ajax/suggest", {"q": chance.choice(catalogue.MATERIALS).lower()}, headers=script))
    if chance.random() < 0.3:
        body = {"sku": catalogue.sku(chance.randrange(catalogue.PRODUCTS)), "quantity": 1}
        sent.append(caller.asks("POST", "/ajax/basket", None, body, script))
    if chance.random() < 0.6:
        sent.append(caller.asks("POST", "/ajax/beacon", None, {"event": "view", "page": page}, script))
    return sent


def crawl(caller: Caller, moment: Moment) -> list[Sent]:
    """Load some pages, one after another."""
    first = moment.chance.choice(("/robots.txt", "/sitemap.xml", "/"))
    return [caller.asks("GET", path) for path in (first, _page(moment), _page(moment))]


def _page(moment: Moment) -> str:
    chance = moment.chance
    return chance.choice(
        (
            "/",
            "/about",
            "/basket",
            f"/c/{chance.choice(catalogue.CATEGORIES)}",
            f"/c/{chance.choice(catalogue.CATEGORIES)}",
            f"/p/{catalogue.sku(chance.randrange(catalogue.PRODUCTS))}",
        )
    )
