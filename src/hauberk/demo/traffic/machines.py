"""Programs that call the shop: devices in its warehouses, each with a client certificate, and those of partners."""

from __future__ import annotations

from hauberk.demo.traffic import catalogue
from hauberk.demo.traffic.callers import Caller, Moment
from hauberk.demo.traffic.exchange import API, DEVICES, PARTNERS, Sent

REVOKED_DEVICE = 7
"""It was stolen: its certificate is revoked, and it calls on."""

UNKNOWN_DEVICE = 11
"""It has no certificate."""

EXPIRING_DEVICE = 4
"""Its certificate ends within days."""

KINDS = ("temperature", "humidity", "door", "vibration")


def certificate_name(number: int) -> str | None:
    """Name a device's certificate."""
    return None if number == UNKNOWN_DEVICE else f"device-{number:02d}"


def devices() -> list[Caller]:
    """Make the devices."""
    return [
        Caller(
            f"device-{number}",
            f"127.0.30.{1 + number}",
            DEVICES,
            {"User-Agent": "warehouse-sensor/2.4", "Accept": "application/json", "X-Device": catalogue.device_id(number)},
            certificate_name(number),
        )
        for number in range(catalogue.DEVICES)
    ]


def partners() -> list[Caller]:
    """Make the partners' programs."""
    return [
        Caller(
            f"partner-{number}",
            f"127.0.40.{1 + number}",
            PARTNERS,
            {
                "User-Agent": ("python-requests/2.32", "Java-http-client/21", "Go-http-client/2.0")[number % 3],
                "Accept": "*/*",
                "Authorization": f"Bearer {catalogue.partner_token(number)}",
            },
        )
        for number in range(catalogue.PARTNERS)
    ]


def probes() -> list[Caller]:
    """Make the load balancer's probe."""
    return [Caller("probe", "127.0.90.1", API, {"User-Agent": "balancer-probe/1"})]


def probe(caller: Caller, _moment: Moment) -> list[Sent]:
    """Ask whether the shop is well."""
    return [caller.asks("GET", "/health")]


def report(caller: Caller, moment: Moment) -> list[Sent]:
    """Make a request of a device."""
    chance, device = moment.chance, caller.headers["X-Device"]
    match chance.choices(range(7), (60, 8, 6, 10, 6, 3, 7))[0]:
        case 0:
            body: dict[str, object] = {
                "device": device,
                "kind": chance.choice(KINDS),
                "value": round(chance.uniform(-20, 60), 1),
                "time": moment.iso(),
            }
            if chance.random() < 0.4:
                body["battery"] = chance.randint(5, 100)
            made = caller.asks("POST", "/v2/readings", None, body)
        case 1:
            body = {"code": chance.choice(("E01", "E07", "W03")), "time": moment.iso()}
            made = caller.asks("POST", f"/v2/devices/{device}/events", None, body)
        case 2:
            made = caller.asks("GET", f"/v2/devices/{device}")
        case 3:
            made = caller.asks("GET", f"/v2/devices/{device}/config")
        case 4:
            body = {"firmware": "2.4.1", "uptime_seconds": chance.randint(60, 900_000), "signal": chance.randint(-90, -30)}
            made = caller.asks("PUT", f"/v2/devices/{device}/status", None, body)
        case 5:
            made = caller.asks("GET", f"/v2/firmware/2.{chance.randint(3, 5)}.{chance.randint(0, 9)}")
        case _:
            made = caller.asks("GET", "/v2/time")
    return [made]


def trade(caller: Caller, moment: Moment) -> list[Sent]:
    """Make a request of a partner's program."""
    chance = moment.chance
    shipment = f"/shipments/{catalogue.shipment_id(chance.randrange(5000))}"
    match chance.choices(range(8), (24, 26, 4, 12, 16, 8, 6, 4))[0]:
        case 0:
            made = caller.asks("GET", "/stock", {"warehouse": chance.choice(catalogue.WAREHOUSES), "page": chance.randint(1, 8)})
        case 1:
            body: dict[str, object] = {"count": chance.randint(0, 400), "warehouse": chance.choice(catalogue.WAREHOUSES)}
            made = caller.asks("PUT", f"/stock/{catalogue.sku(chance.randrange(catalogue.PRODUCTS))}", None, body)
        case 2:
            made = caller.asks("GET", "/orders/export", {"from": "2026-11-01", "to": "2026-11-30"})
        case 3:
            body = {
                "order": chance.randrange(catalogue.ORDERS),
                "carrier": chance.choice(("post", "bike", "van")),
                "parcels": chance.randint(1, 3),
            }
            made = caller.asks("POST", "/shipments", None, body)
        case 4:
            made = caller.asks("GET", shipment)
        case 5:
            made = caller.asks("PATCH", shipment, None, {"state": chance.choice(("handed over", "delivered", "returned"))})
        case 6:
            made = caller.asks("GET", f"/invoices/2026-{chance.randint(1, 900):04d}")
        case _:
            event = chance.choice(("order", "return", "stock"))
            made = caller.asks("PUT", f"/webhooks/{event}", None, {"url": "https://erp.example.net/in"})
    return [made]
