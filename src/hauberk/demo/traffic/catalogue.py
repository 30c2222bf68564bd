"""What the demo's shop knows: products, customers, orders, devices; all of it follows from numbers, so nothing has to be kept."""

from __future__ import annotations

import hashlib
import random
import uuid
from typing import Any

PRODUCTS = 400
CUSTOMERS = 160
PARTNERS = 12
DEVICES = 40
ORDERS = 20_000

CATEGORIES = ("garden", "kitchen", "lighting", "sensors", "tools", "toys")
SORTS = ("newest", "price", "rating")
WAREHOUSES = ("BER", "GOT", "LYS")
MATERIALS = ("Oak", "Steel", "Linen", "Glass", "Copper", "Cork")
THINGS = ("lamp", "chair", "kettle", "watering can", "thermometer", "screwdriver", "kite", "shelf")
FIRST_NAMES = ("Anna", "Ben", "Carla", "Deniz", "Emil", "Fatma", "Greta", "Hugo", "Ines", "Jan", "Kim", "Lea", "Milan", "Nora", "Otto")
WORDS = ("sturdy", "bright", "small", "arrived late", "lovely", "as described", "a present", "too heavy", "works", "again any time")


def sku(number: int) -> str:
    """Name a product, e.g. `KI-10042`."""
    return f"{CATEGORIES[number % len(CATEGORIES)][:2].upper()}-{10_000 + number:05d}"


def product_number(name: str) -> int | None:
    """Tell which product a name stands for, if one does."""
    digits = name[3:]
    number = int(digits) - 10_000 if digits.isascii() and digits.isdigit() else -1
    return number if 0 <= number < PRODUCTS and sku(number) == name else None


def product(number: int) -> dict[str, Any]:
    """Describe a product."""
    chance = random.Random(number)
    return {
        "sku": sku(number),
        "name": f"{chance.choice(MATERIALS)} {chance.choice(THINGS)}",
        "category": CATEGORIES[number % len(CATEGORIES)],
        "price": {"amount": round(chance.uniform(4, 240), 2), "currency": "EUR"},
        "rating": round(chance.uniform(2.5, 5), 1),
        "in_stock": chance.random() < 0.9,
    }


def customer_token(number: int) -> str:
    """Give the token a customer's app got at sign-in."""
    return hashlib.sha256(f"demo customer {number}".encode()).hexdigest()[:40]


def partner_token(number: int) -> str:
    """Give a partner's token."""
    return hashlib.sha256(f"demo partner {number}".encode()).hexdigest()[:48]


CUSTOMER_TOKENS = {customer_token(number): number for number in range(CUSTOMERS)}
PARTNER_TOKENS = {partner_token(number): number for number in range(PARTNERS)}


def device_id(number: int) -> str:
    """Name a device, e.g. `dev-00a7f3`."""
    return f"dev-{random.Random(number).randrange(16**6):06x}"


DEVICE_IDS = {device_id(number): number for number in range(DEVICES)}


def shipment_id(number: int) -> str:
    """Name a shipment: a UUID."""
    return str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4))


def order(number: int) -> dict[str, Any]:
    """Describe an order."""
    chance = random.Random(number)
    return {
        "id": number,
        "state": chance.choice(("paid", "packed", "shipped", "delivered")),
        "lines": [{"sku": sku(chance.randrange(PRODUCTS)), "quantity": chance.randint(1, 4)} for _ in range(chance.randint(1, 4))],
        "total": {"amount": round(chance.uniform(5, 600), 2), "currency": "EUR"},
    }
