"""What session identifiers would tell, before anybody sets them: how many requests carry one, and how many sessions they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk.discovery.carriers import Carrier, Transaction, carried, succeeded


@dataclass(frozen=True)
class Preview:
    """What was seen of identifiers in successful requests."""

    transactions: int
    successful: int

    with_session: int
    """Of the successful requests, those that carry at least one of them."""

    sessions: int
    """Different values, or tuples of values where there are several identifiers."""

    each: tuple[tuple[Carrier, int | None], ...]
    """How many of the successful requests carry each. `None` for claims: recorded tokens are masked, so nobody can read them."""

    def as_json(self) -> dict[str, Any]:
        """Give the form in which it is answered."""
        return {
            "transactions": self.transactions,
            "successful": self.successful,
            "with_session": self.with_session,
            "share": _share(self.with_session, self.successful),
            "sessions": self.sessions,
            "requests_per_session": round(self.with_session / self.sessions, 2) if self.sessions else None,
            "identifiers": [
                {
                    "type": carrier.type,
                    "name": carrier.name,
                    "requests": count,
                    "share": None if count is None else _share(count, self.successful),
                }
                for carrier, count in self.each
            ],
        }


def preview(transactions: Iterable[Transaction], carriers: Sequence[Carrier]) -> Preview:
    """
    Count what identifiers would tell.

    Args:
        transactions: Recorded requests; masked values do, since they are only compared.

        carriers: The identifiers, in their order; headers in lower case.
    """
    wanted = {carrier: place for place, carrier in enumerate(carriers)}
    counts = Counter[Carrier]()
    sessions: set[int] = set()
    seen = successful = with_session = 0
    for transaction in transactions:
        seen += 1
        if not succeeded(transaction):
            continue
        successful += 1
        found = sorted((wanted[carrier], value) for carrier, value in carried(transaction) if carrier in wanted)
        counts.update(carriers[place] for place, _ in found)
        if found:
            with_session += 1
            sessions.add(hash(tuple(found)))
    each = tuple((carrier, None if carrier.type == "jwt" else counts[carrier]) for carrier in carriers)
    return Preview(seen, successful, with_session, len(sessions), each)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
