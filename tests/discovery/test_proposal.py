"""Session identifiers proposed from traffic: the right one is, and what is wrong with others is told."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.discovery.carriers import Carrier, carried
from hauberk.discovery.known_names import about_name
from hauberk.discovery.proposal import MAX_CARRIERS, Finding, Proposal, propose, warnings_about


def transaction(headers: dict[str, str], client: str | None = None, status: int = 200, **more: Any) -> dict[str, Any]:
    sent = [["Host", "api.example.com"], ["Accept", "*/*"], ["User-Agent", "x"], *([name, value] for name, value in headers.items())]
    return {"method": "GET", "host": "api.example.com", "status": status, "request_headers": sent, "client": client, **more}


def jwt(**claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer eyJhbGciOiJub25lIn0.{part}.c2ln"


def finding(proposal: Proposal, kind: str, name: str) -> Finding:
    return next(found for found in proposal.findings if found.carrier == (kind, name))


def users(headers: Any, requests: int = 400, sessions: int = 20) -> list[dict[str, Any]]:
    """Requests of users in turn; `headers` makes those of request `n` of user `u`."""
    return [transaction(headers(n, n % sessions), client=f"c{n % sessions}") for n in range(requests)]


def test_a_masked_token_per_user_is_recommended_with_its_numbers() -> None:
    proposal = propose(users(lambda n, u: {"Authorization": f"Bearer h:{u}", "X-Request-Id": str(n), "Cookie": f"_ga=GA{u}; lang=en"}))
    assert proposal.recommended == ("header", "authorization")
    assert proposal.takes_authorization
    best = finding(proposal, "header", "authorization")
    assert (best.share, best.distinct_values, best.requests_per_value, best.clients) == (1.0, 20, 20.0, 20)
    assert best.verdict == "good"
    assert [found.carrier.name for found in proposal.findings if found.verdict == "bad"] == ["_ga", "lang", "x-request-id"]


@pytest.mark.parametrize(
    ("headers", "carrier", "verdict", "part"),
    [
        (lambda n, u: {"X-Thing": str(n)}, ("header", "x-thing"), "bad", "a value of its own"),
        (lambda n, u: {"X-Thing": "same"}, ("header", "x-thing"), "bad", "the same value"),
        (lambda n, u: {"Authorization": "Basic same"}, ("header", "authorization"), "bad", "the same value"),
        (lambda n, u: {"Cookie": f"_ga=G{u}"}, ("cookie", "_ga"), "bad", "analytics"),
        (lambda n, u: {"Cookie": f"_ga_AB12=G{u}"}, ("cookie", "_ga_AB12"), "bad", "analytics"),
        (lambda n, u: {"Cookie": f"csrftoken=G{u}"}, ("cookie", "csrftoken"), "bad", "forged"),
        (lambda n, u: {"X-CSRF-Token": f"G{u}"}, ("header", "x-csrf-token"), "bad", "forged"),
        (lambda n, u: {"Cookie": f"__cf_bm=G{u}"}, ("cookie", "__cf_bm"), "bad", "bot filter"),
        (lambda n, u: {"Cookie": f"JSESSIONID=G{u}"}, ("cookie", "JSESSIONID"), "doubtful", "not logged in"),
        (lambda n, u: {"Cookie": f"remixstid=G{u}"}, ("cookie", "remixstid"), "doubtful", "nothing tells"),
        (lambda n, u: {"Cookie": f"WMF-Last-Access=G{u}"}, ("cookie", "WMF-Last-Access"), "doubtful", "nothing tells"),
        (lambda n, u: {"Cookie": f"app_auth_token=G{u}"}, ("cookie", "app_auth_token"), "good", "login"),
        (lambda n, u: {"X-Filter": f"G{u}"}, ("header", "x-filter"), "bad", "what is asked for"),
        (lambda n, u: {"X-Api-Key": f"k{n // 200}"}, ("header", "x-api-key"), "good", "who calls"),
        (lambda n, u: {"Authorization": f"Bearer h:{u}-{n // 100}"}, ("header", "authorization"), "good", "who calls"),
        (lambda n, u: {"Authorization": f"Bearer h:{u}-{n // 40}"}, ("header", "authorization"), "doubtful", "renewed"),
    ],
)
def test_what_is_wrong_with_a_carrier_is_told(headers: Any, carrier: tuple[str, str], verdict: str, part: str) -> None:
    found = finding(propose(users(headers)), *carrier)
    assert found.verdict == verdict
    assert part in "; ".join(found.reasons)


def test_a_key_that_many_clients_share_is_doubtful() -> None:
    requests = [transaction({"X-Thing": f"k{n % 3}"}, client=f"c{n}") for n in range(300)]
    found = finding(propose(requests), "header", "x-thing")
    assert found.verdict == "doubtful"
    assert "100 clients" in found.reasons[0]
    assert found.clients == 300


def test_a_cookie_given_to_whoever_comes_is_an_anonymous_session() -> None:
    first = [transaction({}, response_headers=[["Set-Cookie", f"who=v{n}; Path=/"]]) for n in range(50)]
    then = [transaction({"Cookie": f"who=v{n % 50}"}) for n in range(500)]
    found = finding(propose([*first, *then]), "cookie", "who")
    assert (found.verdict, found.reasons[0][:24]) == ("doubtful", "it is handed out to whoe")


def test_a_cookie_given_in_answer_to_a_post_is_a_logins() -> None:
    logins = [transaction({}, response_headers=[["Set-Cookie", f"who=v{n}; Path=/"]]) | {"method": "POST"} for n in range(50)]
    then = [transaction({"Cookie": f"who=v{n % 50}"}) for n in range(500)]
    assert propose([*logins, *then]).recommended == ("cookie", "who")


def test_a_claim_that_stays_is_better_than_the_token_that_changes() -> None:
    proposal = propose(users(lambda n, u: {"Authorization": jwt(sub=f"user{u}", jti=n, exp=n)}))
    assert proposal.recommended == ("jwt", "$.sub")
    assert finding(proposal, "header", "authorization").verdict == "bad"
    assert finding(proposal, "jwt", "$.jti").verdict == "bad"


def test_values_never_leave() -> None:
    text = json.dumps(propose(users(lambda n, u: {"Authorization": jwt(sub=f"secret-{u}"), "Cookie": f"sid=secret-{u}"})).as_json())
    assert "secret" not in text
    assert "user" not in text.replace("user_", "")


@pytest.mark.parametrize(
    ("with_it", "without", "taken"), [(2, 98, True), (1, 99, False), (1, 98, False), (3, 150, True), (99, 0, False), (0, 500, False)]
)
def test_authorization_is_taken_on_more_than_one_percent_of_successful_requests(with_it: int, without: int, taken: bool) -> None:
    failed = [transaction({"Authorization": "Bearer h:1"}, status=401)] * 500
    requests = [transaction({"Authorization": "Bearer h:1"})] * with_it + [transaction({})] * without
    assert propose([*failed, *requests]).takes_authorization is taken


def test_few_requests_recommend_nothing() -> None:
    proposal = propose(users(lambda n, u: {"Authorization": f"Bearer h:{u}"}, requests=40, sessions=4))
    assert proposal.recommended is None
    assert [found.carrier.name for found in proposal.findings] == ["authorization"]
    assert propose([]).findings == ()
    assert propose([transaction({"X-A": "b"}, status=500)]).findings == ()


def test_invented_names_do_not_fill_the_memory() -> None:
    generator = random.Random(7)
    requests = [transaction({f"X-{generator.random()}": "v", "X-Api-Key": f"k{n % 5}"}) for n in range(MAX_CARRIERS * 3)]
    assert propose(requests).recommended == ("header", "x-api-key")


def test_what_is_set_already_is_warned_of() -> None:
    proposal = propose(users(lambda n, u: {"Authorization": f"Bearer h:{u}", "Cookie": f"_ga=G{u}"}))
    assert warnings_about([Carrier("header", "authorization")], proposal) == []
    (told,) = warnings_about([Carrier("cookie", "_ga")], proposal)
    assert told.startswith("cookie _ga: a cookie of analytics")
    (absent,) = warnings_about([Carrier("header", "x-absent")], proposal)
    assert "hardly any" in absent


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"status": "200"},
        {"status": 200, "request_headers": None},
        {"status": 200, "request_headers": 7},
        {"status": 200, "request_headers": "ab"},
        {"status": 200, "request_headers": [["a"], 5, ["a", 3], ["Cookie", ";;=;a"], ["authorization", "Bearer a.b.c"]]},
        {"status": 200, "request_headers": [["Authorization", "Bearer eyJ.W10.x"], ["", ""]], "client": []},
        {"status": 200, "request_headers": [["Authorization", "Bearer x." + base64.urlsafe_b64encode(b"[" * 9000).decode() + ".y"]]},
    ],
)
def test_broken_records_are_passed_over(bad: dict[str, Any]) -> None:
    assert propose([bad] * 3).transactions == 3


@given(st.lists(st.fixed_dictionaries({"status": st.just(200), "request_headers": st.lists(st.tuples(st.text(), st.text()))}), max_size=20))
def test_no_headers_do_more_than_be_counted(requests: list[dict[str, Any]]) -> None:
    proposal = propose(requests)
    assert proposal.successful == len(requests)
    json.dumps(proposal.as_json())


@given(st.text(max_size=200))
def test_every_cookie_header_can_be_read(value: str) -> None:
    for carrier, content in carried({"request_headers": [["cookie", value]]}):
        assert carrier.name
        assert content


@pytest.mark.parametrize("name", ["a" * 5000, "_ga" * 2000, "x-" * 3000, "session" * 700])
def test_judging_a_name_takes_no_time(name: str) -> None:
    for kind in ("header", "cookie", "jwt"):
        about_name(Carrier(kind, name))  # type: ignore[arg-type]
