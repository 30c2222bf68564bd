"""
The demo's origin: a shop with an API for its apps, one for partners, one for devices, and pages for browsers.

`answer` is all of it: a request in, an answer out. It trusts its callers as origins do: what is odd about a request is left to the gateway.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hauberk.demo.traffic import catalogue, pages
from hauberk.demo.traffic.exchange import API, DEVICES, PARTNERS, SHOP, Answer, as_json, problem

FAILS = 0.004
"""Share of requests that end in 500, as happens."""

SLOW = 0.01
"""Share of requests that take many times as long as they should."""


@dataclass(frozen=True)
class Asked:
    """A request as a route reads it."""

    variables: tuple[str, ...]
    """What stands in the path."""

    query: Mapping[str, str]
    token: str
    body: bytes
    content_type: str
    chance: random.Random

    def json(self) -> Any:
        """Read the body; what is no JSON is nothing."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def number(self, name: str, default: int) -> int:
        """Read a number from the query; what is none is the default."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


Maker = Callable[[Asked], Answer]


@dataclass(frozen=True)
class Route:
    """An operation of the shop."""

    method: str
    host: str
    endpoint: str
    make: Maker
    tokens: Mapping[str, int] | None
    """Who may call it; `None`: everybody."""
    milliseconds: float
    """How long it takes, about."""
    path: re.Pattern[str]


ROUTES: list[Route] = []


def _route(
    method: str, host: str, endpoint: str, tokens: Mapping[str, int] | None = None, milliseconds: float = 12
) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        ROUTES.append(Route(method, host, endpoint, make, tokens, milliseconds, re.compile(re.sub(r"\{\w+\}", "([^/]+)", endpoint))))
        return make

    return add


def answer(method: str, host: str, target: str, headers: Mapping[str, str], body: bytes, chance: random.Random) -> Answer:
    """
    Answer a request.

    Args:
        headers: Their names in lower case.

        chance: Decides what takes long and what fails.
    """
    parts = urlsplit(target)
    of_path = [(route, found) for route in ROUTES if route.host == host and (found := route.path.fullmatch(parts.path))]
    if not of_path:
        return pages.answer(parts.path) if host == SHOP else problem(404, "nothing is here")
    for route, found in of_path:
        if route.method in {method, {"HEAD": "GET"}.get(method)}:
            return _timed(route, _made(route, found, parts.query, headers, body, chance), chance)
    return problem(405, "not with this method")


def _made(
    route: Route, found: re.Match[str], query: str, headers: Mapping[str, str], body: bytes, chance: random.Random
) -> Answer:  # fmt: skip
    token = headers.get("authorization", "").removeprefix("Bearer ")
    if route.tokens is not None and token not in route.tokens:
        return problem(401, "sign in first")
    if chance.random() < FAILS:
        return problem(500, "something went wrong")
    texts = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    variables = tuple(unquote(text) for text in found.groups())
    return route.make(Asked(variables, texts, token, body, headers.get("content-type", ""), chance))


def _timed(route: Route, made: Answer, chance: random.Random) -> Answer:
    milliseconds = route.milliseconds * chance.lognormvariate(0, 0.4) * (12 if chance.random() < SLOW else 1)
    return replace(made, seconds=milliseconds / 1000)


def _signed_in(method: str, endpoint: str, milliseconds: float = 12) -> Callable[[Maker], Maker]:
    return _route(method, API, endpoint, catalogue.CUSTOMER_TOKENS, milliseconds)


def _of_partners(method: str, endpoint: str, milliseconds: float = 25) -> Callable[[Maker], Maker]:
    return _route(method, PARTNERS, endpoint, catalogue.PARTNER_TOKENS, milliseconds)


def _of_devices(method: str, endpoint: str, milliseconds: float = 5) -> Callable[[Maker], Maker]:
    return _route(method, DEVICES, endpoint, None, milliseconds)


def _known_product(asked: Asked, make: Callable[[int], Answer]) -> Answer:
    number = catalogue.product_number(asked.variables[0])
    return problem(404, "no such product") if number is None else make(number)


def _page_of(asked: Asked, numbers: range, make: Callable[[int], Any], name: str) -> Answer:
    page = max(1, asked.number("page", 1))
    size = max(1, min(50, asked.number("per_page", 20)))
    some = numbers[(page - 1) * size : page * size]
    return as_json({name: [make(number) for number in some], "page": page, "total": len(numbers)})


@_route("GET", API, "/health", None, 1)
@_route("GET", SHOP, "/health", None, 1)
def _health(_asked: Asked) -> Answer:
    return as_json({"status": "ok"})


@_route("POST", API, "/v1/session", None, 60)
def _sign_in(asked: Asked) -> Answer:
    body = asked.json()
    number = body.get("customer_number") if isinstance(body, dict) else None
    if not isinstance(number, int) or not 10_000 <= number < 10_000 + catalogue.CUSTOMERS or body.get("password") != "open sesame":
        return problem(401, "name or password is wrong")
    return as_json({"token": catalogue.customer_token(number - 10_000), "expires_in": 86_400}, 201)


@_signed_in("DELETE", "/v1/session")
def _sign_out(_asked: Asked) -> Answer:
    return Answer(204)


@_signed_in("GET", "/v1/me")
@_signed_in("PATCH", "/v1/me")
def _me(asked: Asked) -> Answer:
    number = catalogue.CUSTOMER_TOKENS[asked.token]
    name = catalogue.FIRST_NAMES[number % len(catalogue.FIRST_NAMES)]
    return as_json({"customer_number": 10_000 + number, "name": name, "newsletter": number % 3 == 0})


@_route("GET", API, "/v1/categories", None, 4)
def _categories(_asked: Asked) -> Answer:
    return as_json({"categories": list(catalogue.CATEGORIES)})


@_route("GET", API, "/v1/products", None, 30)
def _products(asked: Asked) -> Answer:
    return _page_of(asked, range(catalogue.PRODUCTS), catalogue.product, "products")


@_route("GET", API, "/v1/products/{sku}", None, 10)
def _product(asked: Asked) -> Answer:
    return _known_product(asked, lambda number: as_json(catalogue.product(number)))


@_route("GET", API, "/v1/products/{sku}/reviews", None, 18)
def _reviews(asked: Asked) -> Answer:
    def some(number: int) -> Answer:
        chance = random.Random(number)
        texts = [{"stars": chance.randint(1, 5), "text": chance.choice(catalogue.WORDS)} for _ in range(chance.randint(0, 6))]
        return as_json({"reviews": texts})

    return _known_product(asked, some)


@_signed_in("POST", "/v1/products/{sku}/reviews", 35)
def _review(asked: Asked) -> Answer:
    return _known_product(asked, lambda number: as_json({"id": number * 7 + 1, "state": "waiting"}, 201))


@_route("GET", API, "/v1/search", None, 45)
def _search(asked: Asked) -> Answer:
    first = sum(asked.query.get("q", "").encode()) % catalogue.PRODUCTS
    return _page_of(asked, range(first, min(first + 24, catalogue.PRODUCTS)), catalogue.product, "products")


@_signed_in("GET", "/v1/recommendations", 80)
def _recommendations(asked: Asked) -> Answer:
    first = catalogue.CUSTOMER_TOKENS[asked.token] * 2
    return as_json({"products": [catalogue.product(number % catalogue.PRODUCTS) for number in range(first, first + 6)]})


@_signed_in("GET", "/v1/cart")
@_signed_in("POST", "/v1/cart/items", 20)
@_signed_in("PATCH", "/v1/cart/items/{item}", 18)
def _cart(asked: Asked) -> Answer:
    number = catalogue.CUSTOMER_TOKENS[asked.token]
    return as_json({"items": [{"item": number * 11 + at, "sku": catalogue.sku(number + at), "quantity": 1} for at in range(number % 4)]})


@_signed_in("DELETE", "/v1/cart/items/{item}", 15)
def _take_out(_asked: Asked) -> Answer:
    return Answer(204)


@_signed_in("GET", "/v1/favourites")
def _favourites(asked: Asked) -> Answer:
    return as_json({"skus": [catalogue.sku(catalogue.CUSTOMER_TOKENS[asked.token] + at) for at in range(3)]})


@_signed_in("PUT", "/v1/favourites/{sku}")
def _favour(asked: Asked) -> Answer:
    return _known_product(asked, lambda _number: Answer(204))


@_signed_in("GET", "/v1/orders", 40)
def _orders(asked: Asked) -> Answer:
    first = catalogue.CUSTOMER_TOKENS[asked.token] * 100
    return _page_of(asked, range(first, first + 12), catalogue.order, "orders")


@_signed_in("POST", "/v1/orders", 120)
def _order(asked: Asked) -> Answer:
    body = asked.json()
    if not isinstance(body, dict) or not body.get("lines"):
        return problem(422, "an order has lines")
    return as_json(catalogue.order(asked.chance.randrange(catalogue.ORDERS)), 201)


@_signed_in("GET", "/v1/orders/{order}", 15)
def _one_order(asked: Asked) -> Answer:
    text = asked.variables[0]
    if not (text.isascii() and text.isdigit() and int(text[:9]) < catalogue.ORDERS):
        return problem(404, "no such order")
    return as_json(catalogue.order(int(text)))


@_signed_in("POST", "/v1/orders/{order}/cancel", 90)
def _cancel(asked: Asked) -> Answer:
    return problem(409, "it is shipped already") if asked.chance.random() < 0.3 else as_json({"state": "cancelled"})


@_signed_in("POST", "/v1/uploads", 150)
def _upload(asked: Asked) -> Answer:
    if not asked.content_type.startswith("multipart/form-data"):
        return problem(415, "pictures come as a form")
    return as_json({"id": f"{asked.chance.getrandbits(64):016x}", "bytes": len(asked.body)}, 201)


@_route("GET", API, "/v1/uploads/{upload}", None, 20)
def _picture(_asked: Asked) -> Answer:
    return Answer(200, pages.PIXEL, "image/gif")


@_signed_in("PUT", "/v1/push-token")
def _push_token(_asked: Asked) -> Answer:
    return Answer(204)


@_of_devices("POST", "/v2/readings")
@_of_devices("POST", "/v2/devices/{device}/events")
def _taken(_asked: Asked) -> Answer:
    return as_json({"taken": True}, 202)


@_of_devices("GET", "/v2/time", 1)
def _time(_asked: Asked) -> Answer:
    return as_json({"leap_seconds": 27})


@_of_devices("GET", "/v2/devices/{device}")
@_of_devices("GET", "/v2/devices/{device}/config")
@_of_devices("PUT", "/v2/devices/{device}/status")
def _device(asked: Asked) -> Answer:
    number = catalogue.DEVICE_IDS.get(asked.variables[0])
    return problem(404, "no such device") if number is None else as_json({"device": asked.variables[0], "interval_seconds": 30 + number})


@_of_devices("GET", "/v2/firmware/{version}", 40)
def _firmware(_asked: Asked) -> Answer:
    return Answer(200, bytes(2048), "application/octet-stream")


@_of_partners("GET", "/stock")
def _stock(asked: Asked) -> Answer:
    return _page_of(asked, range(catalogue.PRODUCTS), lambda number: {"sku": catalogue.sku(number), "count": number * 7 % 90}, "stock")


@_of_partners("PUT", "/stock/{sku}")
def _set_stock(asked: Asked) -> Answer:
    return _known_product(asked, lambda number: as_json({"sku": catalogue.sku(number), "count": number}))


@_of_partners("GET", "/orders/export", 600)
def _export(_asked: Asked) -> Answer:
    lines = ["order,total", *(f"{number},{number * 1.25:.2f}" for number in range(120))]
    return Answer(200, "\n".join(lines).encode(), "text/csv")


@_of_partners("POST", "/shipments", 60)
@_of_partners("GET", "/shipments/{shipment}")
@_of_partners("PATCH", "/shipments/{shipment}")
def _shipment(asked: Asked) -> Answer:
    name = asked.variables[0] if asked.variables else catalogue.shipment_id(asked.chance.randrange(5000))
    return as_json({"id": name, "state": "on its way"}, 200 if asked.variables else 201)


@_of_partners("GET", "/invoices/{invoice}", 70)
def _invoice(asked: Asked) -> Answer:
    return as_json({"invoice": asked.variables[0], "paid": True})


@_of_partners("PUT", "/webhooks/{event}")
def _webhook(asked: Asked) -> Answer:
    return as_json({"event": asked.variables[0]})


@_route("GET", SHOP, "/ajax/suggest", None, 15)
def _suggest(asked: Asked) -> Answer:
    return as_json({"suggestions": [f"{asked.query.get('q', '')} {thing}" for thing in catalogue.THINGS[:4]]})


@_route("POST", SHOP, "/ajax/basket", None, 20)
def _basket(_asked: Asked) -> Answer:
    return as_json({"count": 2})


@_route("POST", SHOP, "/ajax/beacon", None, 2)
def _beacon(_asked: Asked) -> Answer:
    return Answer(204)
