"""A request and its answer, as the demo's clients send them and its shop answers them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

API = "api.example.com"
DEVICES = "devices.example.com"
PARTNERS = "partners.example.com"
SHOP = "shop.example.com"
HOSTS = (API, DEVICES, PARTNERS, SHOP)

JSON = "application/json"


@dataclass(frozen=True)
class Sent:
    """A request of one caller."""

    caller: str
    """Who sends it; requests of one caller share a connection."""

    address: str
    """Where the caller's connection comes from; all of 127.0.0.0/8 is this machine."""

    method: str

    host: str

    target: str
    """Path and query."""

    headers: Mapping[str, str]

    body: bytes | None = None

    certificate: str | None = None
    """Name of the caller's client certificate, if it shows one."""


@dataclass(frozen=True)
class Answer:
    """What the shop answers."""

    status: int

    body: bytes = b""

    content_type: str = JSON

    headers: Mapping[str, str] = field(default_factory=dict)

    seconds: float = 0.0
    """How long it takes to come."""


def as_json(value: Any, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status, json.dumps(value).encode())


def problem(status: int, title: str) -> Answer:
    """Answer that something is wrong."""
    return Answer(status, json.dumps({"title": title, "status": status}).encode(), "application/problem+json")
