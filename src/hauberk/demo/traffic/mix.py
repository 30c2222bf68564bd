"""All callers together, in the shares in which they come: chance in, requests out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hauberk.demo.traffic import attackers, customers, machines, visitors
from hauberk.demo.traffic.callers import Caller, Moment
from hauberk.demo.traffic.exchange import Sent


@dataclass(frozen=True)
class _Group:
    callers: list[Caller]
    ask: Callable[[Caller, Moment], list[Sent]]
    share: float
    """Of visits; one is one request or more."""
    by_day: bool = False
    """Sleeps at night."""


class Mix:
    """
    Requests of everybody.

    Args:
        seed: Makes the chance: the same seed, the same requests.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._groups = [
            _Group(customers.customers(), customers.ask, 46, by_day=True),
            _Group(machines.devices(), machines.report, 24),
            _Group(machines.partners(), machines.trade, 14, by_day=True),
            _Group(visitors.browsers(), visitors.browse, 5, by_day=True),
            _Group(visitors.crawlers(), visitors.crawl, 2),
            _Group(machines.probes(), machines.probe, 2),
            _Group(attackers.scanners(), attackers.scan, 1.5),
            _Group(attackers.attackers(), attackers.attack, 3),
        ]

    def visit(self, now: datetime, *, released: bool = False, awake: float = 1) -> list[Sent]:
        """
        Make what one caller sends at a time.

        Args:
            now: When that is.

            released: Whether the app's new release is out.

            awake: Share of the people who are.
        """
        shares = [group.share * (awake if group.by_day else 1) for group in self._groups]
        (group,) = self.chance.choices(self._groups, shares)
        return group.ask(self.chance.choice(group.callers), Moment(self.chance, now, released))

    def callers(self) -> list[Caller]:
        """List everybody."""
        return [caller for group in self._groups for caller in group.callers]


def awake(now: datetime) -> float:
    """Tell which share of the people is awake, from 0.15 at four in the morning to 1."""
    return 0.15 + 0.85 * max(0.0, 1 - ((now.hour + now.minute / 60 - 16) / 12) ** 2)
