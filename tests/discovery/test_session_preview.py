"""What session identifiers would tell, before they are set."""

from __future__ import annotations

from typing import Any

from hauberk.discovery.carriers import Carrier
from hauberk.discovery.session_preview import preview

HEADER, COOKIE, CLAIM = Carrier("header", "authorization"), Carrier("cookie", "sid"), Carrier("jwt", "$.sub")


def request(status: int = 200, **headers: str) -> dict[str, Any]:
    return {"status": status, "method": "GET", "request_headers": [list(pair) for pair in headers.items()]}


def test_requests_and_sessions_are_counted() -> None:
    some = [request(Authorization=f"Bearer h:{n % 3}") for n in range(9)] + [request(Cookie="sid=1; lang=en"), request(), request(404)]
    seen = preview(some, [HEADER, COOKIE])
    assert (seen.transactions, seen.successful, seen.with_session, seen.sessions) == (12, 11, 10, 4)
    assert seen.each == ((HEADER, 9), (COOKIE, 1))
    told = seen.as_json()
    assert (told["share"], told["requests_per_session"]) == (0.9091, 2.5)


def test_the_values_of_all_identifiers_together_are_a_session() -> None:
    both = [request(Authorization="Bearer h:1", Cookie=f"sid={n}") for n in range(4)]
    assert preview(both, [HEADER, COOKIE]).sessions == 4
    assert preview(both, [HEADER]).sessions == 1


def test_of_masked_tokens_no_claims_are_told() -> None:
    assert preview([request(Authorization="Bearer h:1")], [CLAIM]).as_json()["identifiers"][0]["requests"] is None


def test_nothing_recorded_is_no_share_at_all() -> None:
    told = preview([], [HEADER]).as_json()
    assert (told["share"], told["requests_per_session"]) == (0.0, None)
