#!/usr/bin/env python3
"""
Write the sign-up body: users with names, addresses, dates, roles and scores, the same bytes each time.

    signup.py 100 > signup.body.json      # 32 KB

`signup.json` is the document it conforms to. Both benchmarks, in-process and end to end, use what this prints.
"""

from __future__ import annotations

import json
import sys
from typing import Any

FIRST = ("Ada", "Grace", "Zoë", "Linus", "Edsger", "Barbara", "Tim", "Radia", "Ken", "Margaret", "Alan")
LAST = ("Lovelace", "Hopper", "Müller", "Torvalds", "Dijkstra", "Liskov", "Berners-Lee", "Perlman", "Thompson")
STREETS = ("Main Street", "Long Lane", "Old Church Road", "Station Square", "Harbour View")
CITIES = ("Utrecht", "Lyon", "Leipzig", "Ghent", "Aarhus", "Porto", "Kraków")
ROLES = ("viewer", "editor", "admin", "billing")
TAGS = ("beta", "newsletter", "mobile", "partner", "trial", "legacy")


def user(number: int) -> dict[str, Any]:
    """One user; neighbours differ in everything."""
    first, last = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
    mixed = number * 2_654_435_761 % 2**32
    return {
        "id": f"{mixed:08x}-9dad-41d1-80b4-{mixed * 48_271 % 2**48:012x}",
        "name": f"{first} {last}",
        "email": f"{first.lower().replace('ë', 'e')}.{number}@mail{number % 7}.example",
        "joined": f"20{10 + number % 15}-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:07Z",
        "phone": f"+31 {20 + number % 60} {1_000_000 + mixed % 9_000_000}",
        "age": 18 + number % 70,
        "score": round(mixed % 10_000 / 100, 2),
        "roles": [ROLES[number % 4], ROLES[(number + 1) % 4]][: 1 + number % 2],
        "address": {
            "street": f"{STREETS[number % len(STREETS)]} {1 + number % 199}",
            "zip": f"{10_000 + mixed % 90_000}",
            "city": CITIES[number % len(CITIES)],
            "country": ("NL", "FR", "DE")[number % 3],
        },
        "tags": [TAGS[(number + step) % len(TAGS)] for step in range(number % 4)],
        "active": number % 5 != 0,
    }


def body(users: int) -> str:
    """The body, compact, with characters beyond ASCII as they are."""
    return json.dumps({"users": [user(number) for number in range(users)]}, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.buffer.write(body(int(sys.argv[1])).encode())
