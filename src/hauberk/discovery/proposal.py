"""
Proposes what should identify sessions, by looking at what requests carry.

Values are compared for equality alone, so masked ones do. What is kept of them while counting are their hashes, and not even those leave.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hauberk.discovery.carriers import Carrier, Transaction, carried, handed_out, has_header, succeeded
from hauberk.discovery.known_names import Verdict, about_name

# One successful request in a hundred with Authorization is enough to take that header for the identity.
AUTHORIZATION_SHARE = 0.01
# With fewer requests a share says nothing.
MIN_REQUESTS = 100

MAX_TRANSACTIONS = 100_000
# Names come from callers: a caller who invents a header for each request must not fill the memory.
MAX_CARRIERS = 1000
MAX_SHOWN = 30
# Rarer than this, a carrier is no identity of a zone's sessions.
MIN_SHARE = 0.01
MIN_CARRYING = 20

NEARLY_ONE_REQUEST = 1.2
MANY_VALUES_PER_CLIENT = 5.0
MANY_CLIENTS_PER_VALUE = 20.0
MOSTLY = 0.5


@dataclass(frozen=True)
class Finding:
    """What was seen of one carrier."""

    carrier: Carrier
    requests: int

    share: float
    """Of the successful requests that were looked at, from 0 to 1."""

    distinct_values: int
    requests_per_value: float

    clients: int | None
    """Different client addresses that sent it; `None` where addresses are not known."""

    values_per_client: float | None
    clients_per_value: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is good, doubtful or bad."""

    def as_json(self) -> dict[str, Any]:
        """Give the form in which it is answered; numbers rounded for people."""
        rounded = {
            name: None if value is None else round(value, 4)
            for name, value in (
                ("share", self.share),
                ("requests_per_value", self.requests_per_value),
                ("values_per_client", self.values_per_client),
                ("clients_per_value", self.clients_per_value),
            )
        }
        return {
            "type": self.carrier.type,
            "name": self.carrier.name,
            "requests": self.requests,
            "distinct_values": self.distinct_values,
            "clients": self.clients,
            **rounded,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True)
class Proposal:
    """What was looked at, and what is proposed."""

    transactions: int
    successful: int

    recommended: Carrier | None
    """The one to take, if there is a good one."""

    authorization_share: float
    """Of the successful requests, from 0 to 1."""

    findings: tuple[Finding, ...]
    """The best first; at most `MAX_SHOWN`."""

    @property
    def takes_authorization(self) -> bool:
        """Whether `Authorization` is on enough successful requests to be set without asking."""
        return self.successful >= MIN_REQUESTS and self.authorization_share > AUTHORIZATION_SHARE

    def as_json(self) -> dict[str, Any]:
        """Give the form in which it is answered."""
        return {
            "transactions": self.transactions,
            "successful": self.successful,
            "authorization_share": round(self.authorization_share, 4),
            "recommended": self.recommended and {"type": self.recommended.type, "name": self.recommended.name},
            "candidates": [finding.as_json() for finding in self.findings],
        }


@dataclass
class _Tally:
    requests: int = 0
    values: Counter[int] = field(default_factory=Counter)
    pairs: set[tuple[int, int]] = field(default_factory=set)
    handed_to_anyone: int = 0
    handed_at_login: int = 0


def propose(transactions: Iterable[Transaction]) -> Proposal:
    """
    Look at what requests carry and propose a session identifier.

    Args:
        transactions: At most `MAX_TRANSACTIONS` of them are looked at. Masked values do; of masked bearer tokens no claims can be read.
    """
    tallies: dict[Carrier, _Tally] = defaultdict(_Tally)
    seen = successful = with_authorization = 0
    for transaction in islice(transactions, MAX_TRANSACTIONS):
        seen += 1
        if not succeeded(transaction):
            continue
        successful += 1
        authorized = has_header(transaction, "authorization")
        with_authorization += authorized
        _count(tallies, transaction, authorized=authorized)
    judged = [_judge(carrier, tally, successful) for carrier, tally in tallies.items() if tally.requests]
    shown = [f for f in judged if f.requests >= MIN_CARRYING and f.share >= MIN_SHARE] or ([] if successful >= MIN_REQUESTS else judged)
    shown.sort(key=_rank)
    recommended = next((f.carrier for f in shown if f.verdict == "good"), None) if successful >= MIN_REQUESTS else None
    share = with_authorization / successful if successful else 0.0
    return Proposal(seen, successful, recommended, share, tuple(shown[:MAX_SHOWN]))


def warnings_about(carriers: Sequence[Carrier], proposal: Proposal) -> list[str]:
    """Say what looks wrong with identifiers that are set, or about to be, as far as traffic and names show it."""
    found = {finding.carrier: finding for finding in proposal.findings}
    told: list[str] = []
    for carrier in carriers:
        finding = found.get(carrier)
        if finding is not None and finding.verdict != "good":
            told += [f"{carrier.type} {carrier.name}: {reason}" for reason in finding.reasons]
        elif finding is None:
            name = about_name(carrier)
            told += [f"{carrier.type} {carrier.name}: {name[1]}"] if name is not None and name[0] != "good" else []
            if proposal.successful >= MIN_REQUESTS and carrier.type != "jwt":
                told.append(f"{carrier.type} {carrier.name}: hardly any of the {proposal.successful} requests looked at carries it")
    return told


def _count(tallies: dict[Carrier, _Tally], transaction: Transaction, *, authorized: bool) -> None:
    client = transaction.get("client")
    sent: set[str] = set()
    for carrier, value in carried(transaction):
        sent.add(carrier.name)
        if carrier not in tallies and len(tallies) >= MAX_CARRIERS:
            continue
        tally = tallies[carrier]
        tally.requests += 1
        tally.values[hash(value)] += 1
        if isinstance(client, str):
            tally.pairs.add((hash(value), hash(client)))
    for name in handed_out(transaction) if not authorized else ():
        carrier = Carrier("cookie", name)
        if name not in sent and (carrier in tallies or len(tallies) < MAX_CARRIERS):
            tallies[carrier].handed_to_anyone += transaction.get("method") == "GET"
            tallies[carrier].handed_at_login += transaction.get("method") == "POST"


def _judge(carrier: Carrier, tally: _Tally, successful: int) -> Finding:
    distinct = len(tally.values)
    clients = len({client for _, client in tally.pairs}) if tally.pairs else None
    finding = Finding(
        carrier=carrier,
        requests=tally.requests,
        share=tally.requests / successful,
        distinct_values=distinct,
        requests_per_value=tally.requests / distinct,
        clients=clients,
        values_per_client=len(tally.pairs) / clients if clients else None,
        clients_per_value=len(tally.pairs) / distinct if clients else None,
        verdict="good",
        reasons=(),
    )
    verdict, reasons = _verdict(finding, tally)
    return Finding(**{**finding.__dict__, "verdict": verdict, "reasons": reasons})


def _verdict(finding: Finding, tally: _Tally) -> tuple[Verdict, tuple[str, ...]]:
    """Look for what is wrong; the worst found is the verdict."""
    told = [reason for reason in (_by_counts(finding), _by_origin(finding, tally), _by_name(finding, tally)) if reason is not None]
    order: tuple[Verdict, ...] = ("bad", "doubtful", "good")
    verdict: Verdict = min((kind for kind, _ in told), key=order.index, default="good")
    reasons = [reason for kind, reason in told if kind == verdict]
    if verdict == "good":
        reasons.append(f"{finding.distinct_values} values with {finding.requests_per_value:.1f} requests each")
    return verdict, tuple(reasons)


def _by_counts(finding: Finding) -> tuple[Verdict, str] | None:
    if finding.requests < MIN_CARRYING:
        return "doubtful", f"only {finding.requests} requests carry it, which is too few to judge it by"
    if finding.distinct_values == 1:
        return "bad", "all requests carry the same value, so it tells no two callers apart"
    if finding.requests_per_value < NEARLY_ONE_REQUEST:
        return "bad", "nearly every request carries a value of its own, so no two requests would belong together"
    if finding.clients_per_value is not None and finding.clients_per_value > MANY_CLIENTS_PER_VALUE:
        return "doubtful", f"each value comes from {finding.clients_per_value:.0f} clients on average: a key that many share, or a setting"
    if finding.values_per_client is not None and finding.values_per_client > MANY_VALUES_PER_CLIENT:
        return (
            "doubtful",
            f"each client sends {finding.values_per_client:.0f} values on average: a token that is renewed, or a shared address",
        )
    return None


def _by_name(finding: Finding, tally: _Tally) -> tuple[Verdict, str] | None:
    """Say what its name tells; without that, only what is given in answer to a POST, as a login is, is taken for a caller's."""
    known = about_name(finding.carrier)
    if known is None and tally.handed_at_login and not tally.handed_to_anyone:
        return "good", "it is given in answer to a POST, as by a login"
    return known or ("doubtful", "nothing tells that it is a caller's: take it only if you know that it is")


def _by_origin(finding: Finding, tally: _Tally) -> tuple[Verdict, str] | None:
    """Look whether a cookie is an anonymous session: given to whoever comes, before any login."""
    if finding.carrier.type != "cookie" or not tally.handed_to_anyone:
        return None
    if tally.handed_to_anyone >= MOSTLY * finding.distinct_values:
        return "doubtful", "it is handed out to whoever sends a first request, so it also names visitors who never log in"
    return None


def _rank(finding: Finding) -> tuple[int, int, float, str]:
    verdicts = {"good": 0, "doubtful": 1, "bad": 2}
    # A claim outlives the token it is in; a header is sent on purpose; a cookie goes along with every image.
    stability = {"jwt": 0, "header": 1, "cookie": 2}
    name = about_name(finding.carrier)
    kind = stability[finding.carrier.type] if name is not None and name[0] == "good" else 3
    return verdicts[finding.verdict], kind, -finding.share, finding.carrier.name
