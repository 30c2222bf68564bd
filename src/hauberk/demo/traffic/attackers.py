"""Who nobody has asked to come: scanners that try what is often there, and attackers who know the API and bend it."""

from __future__ import annotations

from collections.abc import Callable

from hauberk.demo.traffic import catalogue
from hauberk.demo.traffic.callers import Caller, Moment
from hauberk.demo.traffic.exchange import API, DEVICES, PARTNERS, SHOP, Sent

SCANNED = (
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/phpmyadmin/index.php",
    "/actuator/env",
    "/admin",
    "/v1/admin/users",
    "/v1/internal/metrics",
    "/api/swagger.json",
    "/server-status",
    "/backup.zip",
    "/v1/users",
)
INJECTIONS = ("' OR '1'='1", "1; DROP TABLE orders--", "lamp' UNION SELECT password FROM users--", "<script>alert(1)</script>", "$(id)")


def scanners() -> list[Caller]:
    """Make the scanners; each looks at one host."""
    agents = ("Mozilla/5.0 zgrab/0.x", "python-requests/2.31", "Nuclei - Open-source project", "curl/8.5.0")
    return [
        Caller(f"scanner-{number}", f"127.0.70.{1 + number}", (API, SHOP, PARTNERS, API)[number % 4], {"User-Agent": agents[number % 4]})
        for number in range(8)
    ]


def attackers() -> list[Caller]:
    """Make the attackers: customers, by their tokens."""
    return [
        Caller(
            f"attacker-{number}",
            f"127.0.80.{1 + number}",
            API,
            {"User-Agent": "okhttp/4.12", "Accept": "*/*", "Authorization": f"Bearer {catalogue.customer_token(150 + number)}"},
        )
        for number in range(6)
    ]


def scan(caller: Caller, moment: Moment) -> list[Sent]:
    """Try what is often there."""
    return [caller.asks("GET", path) for path in moment.chance.sample(SCANNED, 3)]


def attack(caller: Caller, moment: Moment) -> list[Sent]:
    """Bend the API in one of the ways of the trade."""
    return [moment.chance.choice(_WAYS)(caller, moment)]


def _in_search(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", "/v1/products", {"page": moment.chance.choice(INJECTIONS)})


def _in_path(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", f"/v1/orders/{moment.chance.randint(1, 99)}%27%20OR%201=1")


def _as_administrator(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("PATCH", "/v1/me", None, {"newsletter": True, moment.chance.choice(("role", "is_admin", "credit")): "admin"})


def _wrong_types(caller: Caller, _moment: Moment) -> Sent:
    return caller.asks("POST", "/v1/orders", None, {"lines": {"sku": ["$ne", None]}, "payment": {"$gt": ""}})


def _forced_browsing(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("GET", moment.chance.choice(("/v1/admin/orders", "/v1/orders/export", "/v1/me/../admin", "/v1/debug/vars")))


def _huge_quantity(caller: Caller, moment: Moment) -> Sent:
    return caller.asks("POST", "/v1/cart/items", None, {"sku": moment.chance.choice(INJECTIONS), "quantity": -1e9})


def _other_spelling(caller: Caller, _moment: Moment) -> Sent:
    return caller.asks("GET", "/V1/Orders/")


def _forged_reading(caller: Caller, moment: Moment) -> Sent:
    forged = Caller(f"{caller.name}-devices", caller.address, DEVICES, {"User-Agent": "curl/8.5.0"})
    return forged.asks("POST", "/v2/readings", None, {"device": "dev-000000", "value": "hot", "debug": True, "time": moment.iso()})


def _partner_scan(caller: Caller, moment: Moment) -> Sent:
    forged = Caller(
        f"{caller.name}-partners",
        caller.address,
        PARTNERS,
        {"Authorization": f"Bearer {catalogue.partner_token(0)}", "User-Agent": "curl/8.5.0"},
    )
    return forged.asks("GET", "/stock", {"warehouse": moment.chance.choice(INJECTIONS), "debug": "1"})


_WAYS: tuple[Callable[[Caller, Moment], Sent], ...] = (
    _in_search,
    _in_path,
    _as_administrator,
    _wrong_types,
    _forced_browsing,
    _huge_quantity,
    _other_spelling,
    _forged_reading,
    _partner_scan,
)
