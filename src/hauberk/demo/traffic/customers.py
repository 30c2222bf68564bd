"""The shop's app on customers' telephones: signs in, looks, buys. After the release it also asks for badges and sends notes with orders."""

from __future__ import annotations

import random
from collections.abc import Callable

from hauberk.demo.traffic import catalogue, pages
from hauberk.demo.traffic.callers import Caller, Moment
from hauberk.demo.traffic.exchange import API, Sent

AGENTS = ("ExampleShop/5.2 (iPhone; iOS 19.1)", "ExampleShop/5.2 okhttp/5.1 Android 16", "ExampleShop/5.1 okhttp/4.12 Android 14")
QUERIES = ("lamp", "oak chair", "kettle", "gift for ben", "kite", "sensor", "blue glass", "garden tools", "cork", "shelf 40 cm")

Make = Callable[[Caller, Moment], Sent]


def customers() -> list[Caller]:
    """Make the customers."""
    return [
        Caller(
            f"app-{number}",
            f"127.0.{10 + number // 200}.{1 + number % 200}",
            API,
            {
                "User-Agent": AGENTS[number % len(AGENTS)],
                "Accept": "application/json",
                "Accept-Language": random.Random(number).choice(("de-DE", "en-GB", "sv-SE")),
                "Authorization": f"Bearer {catalogue.customer_token(number)}",
            },
        )
        for number in range(catalogue.CUSTOMERS)
    ]


def ask(caller: Caller, moment: Moment) -> list[Sent]:
    """Make a request of a customer's app."""
    (make,) = moment.chance.choices(list(_SHARES), list(_SHARES.values()))
    return [make(caller, moment)]


def _some_sku(moment: Moment) -> str:
    # Few products are looked at often.
    return catalogue.sku(int(catalogue.PRODUCTS * moment.chance.random() ** 2))


def _sign_in(caller: Caller, moment: Moment) -> Sent:
    number = int(caller.name.removeprefix("app-"))
    password = "open sesame" if moment.chance.random() < 0.95 else "open barley"
    return caller.asks("POST", "/v1/session", None, {"customer_number": 10_000 + number, "password": password, "remember": True})


def _products(caller: Caller, moment: Moment) -> Sent:
    chance = moment.chance
    query: dict[str, object] = {"page": chance.randint(1, 12)}
    if chance.random() < 0.6:
        query["category"] = chance.choice(catalogue.CATEGORIES)
    if chance.random() < 0.4:
        query["sort"] = chance.choice(catalogue.SORTS)
    if moment.released and chance.random() < 0.5:
        query["badge"] = chance.choice(("sale", "new"))
    return caller.asks("GET", "/v1/products", query)


def _product(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", f"/v1/products/{_some_sku(moment)}")


def _reviews(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", f"/v1/products/{_some_sku(moment)}/reviews", {"page": moment.chance.randint(1, 3)})


def _review(caller: Caller, moment: Moment) -> Sent:
    chance = moment.chance
    body = {"stars": chance.randint(1, 5), "text": ", ".join(chance.sample(catalogue.WORDS, chance.randint(1, 3)))}
    return caller.asks("POST", f"/v1/products/{_some_sku(moment)}/reviews", None, body)


def _search(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", "/v1/search", {"q": moment.chance.choice(QUERIES), "page": moment.chance.randint(1, 2)})


def _add(caller: Caller, moment: Moment) -> Sent:
    body = {"sku": _some_sku(moment), "quantity": moment.chance.randint(1, 4)}
    return caller.asks("POST", "/v1/cart/items", None, body)


def _change(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("PATCH", f"/v1/cart/items/{moment.chance.randint(100, 1800)}", None, {"quantity": moment.chance.randint(1, 6)})


def _take_out(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("DELETE", f"/v1/cart/items/{moment.chance.randint(100, 1800)}")


def _order(caller: Caller, moment: Moment) -> Sent:
    chance = moment.chance
    body: dict[str, object] = {
        "lines": [{"sku": _some_sku(moment), "quantity": chance.randint(1, 3)} for _ in range(chance.randint(1, 3))],
        "payment": chance.choice(("card", "invoice", "wallet")),
        "address": {
            "name": chance.choice(catalogue.FIRST_NAMES),
            "city": chance.choice(("Berlin", "Lyon", "Gothenburg")),
            "post_code": "10115",
        },
    }
    if moment.released and chance.random() < 0.5:
        body["gift_note"] = chance.choice(("Happy birthday", "See you soon", "Get well"))
    return caller.asks("POST", "/v1/orders", None, body)


def _one_order(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", f"/v1/orders/{moment.chance.randrange(100, catalogue.ORDERS)}")


def _cancel(caller: Caller, moment: Moment) -> Sent:
    body = {"reason": moment.chance.choice(("too late", "changed my mind", "wrong size"))}
    return caller.asks("POST", f"/v1/orders/{moment.chance.randrange(100, catalogue.ORDERS)}/cancel", None, body)


def _orders(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", "/v1/orders", {"page": moment.chance.randint(1, 2), "per_page": moment.chance.choice((6, 12))})


def _upload(caller: Caller, moment: Moment) -> Sent:
    boundary = f"part-{moment.chance.getrandbits(64):016x}"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="photo.gif"\r\nContent-Type: image/gif\r\n\r\n'
    body = head.encode() + pages.PIXEL * moment.chance.randint(20, 400) + f"\r\n--{boundary}--\r\n".encode()
    return caller.asks("POST", "/v1/uploads", None, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


def _picture(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", f"/v1/uploads/{moment.chance.getrandbits(64):016x}")


def _favour(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("PUT", f"/v1/favourites/{_some_sku(moment)}", None, {"notify": moment.chance.random() < 0.5})


def _push_token(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("PUT", "/v1/push-token", None, {"token": f"{moment.chance.getrandbits(128):032x}", "platform": "ios"})


def _plain(method: str, path: str) -> Make:
    return lambda caller, _moment: caller.asks(method, path)


def _rename(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("PATCH", "/v1/me", None, {"newsletter": moment.chance.random() < 0.5})


_SHARES: dict[Make, float] = {
    _sign_in: 5,
    _products: 16,
    _product: 15,
    _reviews: 6,
    _review: 3,
    _search: 8,
    _plain("GET", "/v1/categories"): 4,
    _plain("GET", "/v1/recommendations"): 4,
    _plain("GET", "/v1/cart"): 6,
    _add: 6,
    _change: 3,
    _take_out: 3,
    _order: 9,
    _orders: 5,
    _one_order: 6,
    _cancel: 2,
    _upload: 1,
    _picture: 3,
    _plain("GET", "/v1/favourites"): 3,
    _favour: 3,
    _plain("GET", "/v1/me"): 4,
    _rename: 2,
    _push_token: 2,
    _plain("DELETE", "/v1/session"): 1,
}
