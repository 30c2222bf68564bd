"""The shop's pages and what belongs to them: what browsers and crawlers load, and no API."""

from __future__ import annotations

import base64

from hauberk.demo.traffic import catalogue
from hauberk.demo.traffic.exchange import Answer

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
ASSETS = ("/assets/app.js", "/assets/site.css", "/assets/logo.svg", "/assets/body.woff2")
_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "webp": "image/webp",
    "ico": "image/x-icon",
}
_FILES = {
    "/robots.txt": Answer(200, b"User-agent: *\nDisallow: /account\n", "text/plain", {}, 0.001),
    "/sitemap.xml": Answer(200, b"<urlset/>", "application/xml", {}, 0.005),
}


def answer(path: str) -> Answer:
    """Give a page, or something that a page needs; 404 with a page for everything else."""
    suffix = path.rpartition(".")[2]
    if (path.startswith(("/assets/", "/images/")) or path == "/favicon.ico") and suffix in _TYPES:
        return Answer(200, f"/* {path} */".encode() * 60, _TYPES[suffix], {"Cache-Control": "public, max-age=86400"}, 0.002)
    if path in _FILES:
        return _FILES[path]
    match path.strip("/").split("/"):
        case [("" | "about" | "imprint" | "account" | "basket") as name]:
            title = name.title() or "Welcome"
        case ["c", category] if category in catalogue.CATEGORIES:
            title = category.title()
        case ["p", name] if catalogue.product_number(name) is not None:
            title = name
        case _:
            return _page("There is no such page", 404)
    return _page(title)


def _page(title: str, status: int = 200) -> Answer:
    text = (
        f"<!doctype html><html lang=en><title>{title}</title><link rel=stylesheet href=/assets/site.css><h1>{title}</h1>" + "<p>…</p>" * 80
    )
    return Answer(status, text.encode(), "text/html; charset=utf-8", {}, 0.03)
