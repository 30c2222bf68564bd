"""
What the owner of a zone should do next, in order: first what keeps gateways from their work, then what ends soon, then what protects more.

Values in, values out; `storage/standing.py` counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

QUIET_DAYS = 7
"""An operation that logged nothing for so long, under traffic, is ready to block."""

EXPIRING = timedelta(days=30)

Urgency = Literal["now", "soon", "next"]


@dataclass(frozen=True)
class Standing:
    """How a zone stands: what the steps follow from."""

    hosts: int
    gateways: int
    """Those heard of within a day."""
    gateways_refusing: int
    gateways_lost: int
    gateways_behind: int
    requests: int
    """In the last 24 hours."""
    unassociated_hosts: tuple[str, ...]
    """On which no client certificate is asked for."""
    undemanding_hosts: tuple[str, ...]
    """On which certificates are asked for, and no rule refuses requests without one."""
    candidates: int
    """Discovered and not yet reviewed."""
    operations: int
    learned: int
    """Operations whose newest learned schema is not in force."""
    quiet: int
    """Operations that only log, and had requests but no violation for `QUIET_DAYS`."""
    loud: int
    """Operations that only log, and logged something in the last 24 hours."""
    certificates_expiring: int
    """Within `EXPIRING`."""
    drift_alerts: int
    """That nobody has acknowledged."""


@dataclass(frozen=True)
class Step:
    """Something to do."""

    code: str
    """Stable; the dashboard knows by it which page leads on."""
    count: int
    title: str
    why: str
    urgency: Urgency
    parameters: dict[str, Any]
    """What the page needs to show just this, such as `{"hosts": […]}`."""

    def as_json(self) -> dict[str, Any]:
        """Render it."""
        return {name: getattr(self, name) for name in ("code", "count", "title", "why", "urgency", "parameters")}


def steps(zone: Standing) -> list[Step]:
    """Give what is to be done for a zone, the first thing first."""
    return [*_gateways(zone), *_beginning(zone), *_ending(zone), *_protection(zone)]


def _gateways(zone: Standing) -> Iterator[Step]:
    if zone.gateways_refusing:
        title = f"Repair what {_many(zone.gateways_refusing, 'gateway')} will not enforce"
        yield _step(
            "gateways_refusing", zone.gateways_refusing, title, "They stay with what they have, so no later change reaches them.", "now"
        )
    if zone.gateways_lost:
        title = f"See why {_many(zone.gateways_lost, 'gateway')} cannot be heard"
        yield _step("gateways_lost", zone.gateways_lost, title, "They serve what they know, but hear of no revocation or change.", "now")


def _beginning(zone: Standing) -> Iterator[Step]:
    if not zone.hosts:
        why = "A host is the name your clients ask for and where its requests are forwarded to."
        yield _step("no_host", 0, "Add a host", why, "now")
        return
    if not zone.gateways:
        yield _step("no_gateway", 0, "Start a gateway", "Without one nothing is forwarded, counted or refused.", "now")
    elif not zone.requests:
        why = "Nothing came in the last 24 hours. Point the host's name, or a client, at the gateway."
        yield _step("no_requests", 0, "Send requests through the gateway", why, "next")


def _ending(zone: Standing) -> Iterator[Step]:
    if zone.certificates_expiring:
        title = f"Renew {_many(zone.certificates_expiring, 'client certificate')}"
        why = f"Active, and ending within {EXPIRING.days} days: their clients will be refused then."
        yield _step("certificates_expiring", zone.certificates_expiring, title, why, "soon", days=EXPIRING.days)
    if zone.drift_alerts:
        title = f"Look at {_many(zone.drift_alerts, 'change')} of your API"
        yield _step("drift_alerts", zone.drift_alerts, title, "Requests have come to differ from the schema in force.", "soon")
    if zone.loud:
        title = f"Look at what {_many(zone.loud, 'operation')} logged"
        why = "Requests violate their schemas and go on: attacks to block, or rules to relax."
        yield _step("violations_logged", zone.loud, title, why, "soon")


def _protection(zone: Standing) -> Iterator[Step]:
    if zone.candidates:
        title = f"Review {_many(zone.candidates, 'discovered endpoint')}"
        yield _step("review_candidates", zone.candidates, title, "Saved ones are counted, learned and can be protected.", "next")
    elif zone.hosts and not zone.operations:
        why = "Discovery offers endpoints once they had enough requests; a schema or a capture brings them at once."
        yield _step("no_operation", 0, "Save the endpoints of your API", why, "next")
    if zone.learned:
        title = f"Apply {_many(zone.learned, 'learned schema')}"
        yield _step("apply_learned", zone.learned, title, "They are ready. Applied, they log at first and refuse nothing.", "next")
    if zone.quiet:
        title = f"Let {_many(zone.quiet, 'operation')} block"
        why = f"They only log, and had requests but no violation for {QUIET_DAYS} days."
        yield _step("block_quiet", zone.quiet, title, why, "next", days=QUIET_DAYS)
    for code, hosts, title, why in (
        (
            "demand_certificates",
            zone.undemanding_hosts,
            "Require the certificates that are asked for",
            "Callers without one are let in as well.",
        ),
        (
            "associate_hosts",
            zone.unassociated_hosts,
            "Require client certificates",
            "Only clients you gave a certificate to are let in then.",
        ),
    ):
        if hosts:
            where = f"on {hosts[0]}" if len(hosts) == 1 else f"on {_many(len(hosts), 'host')}"
            yield _step(code, len(hosts), f"{title} {where}", why, "next", hosts=list(hosts[:100]))
    if zone.gateways_behind:
        title = f"Wait for {_many(zone.gateways_behind, 'gateway')}"
        yield _step("gateways_behind", zone.gateways_behind, title, "The newest version is on its way; it takes seconds.", "next")


def _step(code: str, count: int, title: str, why: str, urgency: Urgency, **parameters: Any) -> Step:
    return Step(code, count, title, why, urgency, parameters)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
