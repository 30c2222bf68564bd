"""Candidates and session identifiers as values: their spelling, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.candidate import Candidate, without_port
from hauberk.session_identifier import SessionIdentifier, checked, repeated

CONFIGURATION = "d5c0b1a2-0000-4000-8000-0123456789ab"


def candidate(**changes: Any) -> Candidate:
    values: dict[str, Any] = {
        "method": "GET",
        "host": "api.example.com",
        "endpoint": "/users/{var1}",
        "origins": ("ML",),
        "requests": 10,
        "score": 0.9,
        "distinct_paths": 3,
        "first_seen": None,
        "last_seen": None,
        "examples": (),
    }
    return Candidate(**values | changes)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.example.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com"),
        ("api.example.com:", "api.example.com"),
        ("[2001:db8::1]:8443", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("{hostVar1}.example.com:443", "{hostVar1}.example.com"),
    ],
)
def test_a_host_loses_its_port(host: str, name: str) -> None:
    assert without_port(host) == name


def test_a_candidate_is_spelt_as_the_operation_it_would_be() -> None:
    spelt = candidate(host="API.example.com:8443", endpoint="/users/{id}/%7efiles/{name}").normalised()
    assert spelt.key == ("GET", "api.example.com", "/users/{var1}/~files/{var2}")
    assert spelt.normalised() == spelt


@pytest.mark.parametrize(
    "changes", [{"method": "BREW"}, {"host": "a b"}, {"endpoint": "x"}, {"endpoint": "/" + "x" * 5000}, {"host": "ä.de"}]
)
def test_what_cannot_be_saved_is_no_candidate(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        candidate(**changes).normalised()


def test_what_is_known_of_one_operation_in_two_places_is_joined() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    one = candidate(requests=30, score=1.0, first_seen=early, last_seen=early, examples=("/users/1", "/users/2"))
    other = candidate(
        requests=10, score=0.6, origins=("SessionIdentifier",), first_seen=late, last_seen=late, examples=("/users/2", "/users/3")
    )
    joined = one.joined(other)
    assert (joined.requests, joined.origins) == (40, ("ML", "SessionIdentifier"))
    assert joined.score == pytest.approx(0.9)
    assert (joined.first_seen, joined.last_seen) == (early, late)
    assert joined.examples == ("/users/1", "/users/2", "/users/3")
    assert one.joined(candidate(requests=0, score=None)).score == 1.0
    assert candidate(score=None).joined(candidate(score=None)).score is None


scores = st.none() | st.floats(0, 1)
somes = st.builds(candidate, requests=st.integers(0, 10**9), score=scores, distinct_paths=st.integers(0, 10**6))


@given(somes, somes)
def test_joining_is_commutative_in_all_it_counts(one: Candidate, other: Candidate) -> None:
    a, b = one.joined(other), other.joined(one)
    assert (a.requests, a.distinct_paths, a.origins) == (b.requests, b.distinct_paths, b.origins)
    assert a.score == pytest.approx(b.score) if a.score is not None and b.score is not None else a.requests == b.requests


GOOD = [
    ("header", "Authorization", "authorization"),
    ("header", "X-Api-Key", "x-api-key"),
    ("cookie", "SID", "SID"),
    ("jwt", "Authorization:$.sub", "authorization:$['sub']"),
    ("jwt", f"{CONFIGURATION}:$.sub", f"{CONFIGURATION}:$['sub']"),
    ("jwt", f"{CONFIGURATION}:$['user']['id']", f"{CONFIGURATION}:$['user']['id']"),
    ("jwt", f'{CONFIGURATION}:$["a b"][0].c', f"{CONFIGURATION}:$['a b'][0]['c']"),
    ("jwt", f'{CONFIGURATION}:$["it\'s"]', f"{CONFIGURATION}:$['it\\'s']"),
    ("jwt", f"{CONFIGURATION}:$['it\\'s']", f"{CONFIGURATION}:$['it\\'s']"),
]


@pytest.mark.parametrize(("kind", "name", "normal"), GOOD)
def test_good_session_identifiers_keep_their_spelling_and_have_a_normal_one(kind: str, name: str, normal: str) -> None:
    identifier = checked(kind, name)
    assert identifier.name == name
    assert identifier.normalised().name == normal
    assert identifier.normalised().normalised() == identifier.normalised()


@pytest.mark.parametrize(
    ("kind", "name", "part"),
    [
        ("query", "token", "type"),
        ("header", "", "name"),
        ("header", "a b", "name"),
        ("header", "x" * 129, "128"),
        ("header", "cookie", "one cookie"),
        ("header", "Cookie", "one cookie"),
        ("cookie", "a;b", "name"),
        ("cookie", "a=b", "name"),
        ("cookie", "ä", "name"),
        ("jwt", "$.sub", "token configuration"),
        ("jwt", f"{CONFIGURATION}:sub", "token configuration"),
        ("jwt", f"{CONFIGURATION}:$", "no claim"),
        ("jwt", f"{CONFIGURATION}:$..sub", "several"),
        ("jwt", f"{CONFIGURATION}:$.*", "several"),
        ("jwt", f"{CONFIGURATION}:$[*]", "several"),
        ("jwt", f"{CONFIGURATION}:$[-1]", "several"),
        ("jwt", f"{CONFIGURATION}:$[0:2]", "several"),
        ("jwt", f"{CONFIGURATION}:$['a','b']", "several"),
        ("jwt", f"{CONFIGURATION}:$[?@.a]", "several"),
        ("jwt", f"{CONFIGURATION}:$.sub ", "several"),
        ("jwt", "a b:$.sub", "token configuration"),
        ("jwt", f"{CONFIGURATION}:$" + ".a" * 300, "512"),
        ("jwt", f"{CONFIGURATION}:$" + ".a" * 33, "32 steps"),
        ("jwt", f"{CONFIGURATION}:$" + ".aaaa" * 60, "512"),
    ],
)
def test_bad_session_identifiers_are_refused_with_what_would_be_right(kind: str, name: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        checked(kind, name)


def test_two_spellings_of_one_identifier_are_the_same() -> None:
    assert repeated([checked("header", "X-A"), checked("cookie", "x-a")]) is None
    assert repeated([checked("cookie", "a"), checked("cookie", "A")]) is None
    assert repeated([checked("header", "X-A"), checked("header", "x-a")]) == SessionIdentifier("header", "x-a")
    assert repeated([checked("jwt", f"{CONFIGURATION}:$.sub"), checked("jwt", f"{CONFIGURATION}:$['sub']")]) is not None


@given(st.sampled_from(["header", "cookie", "jwt"]), st.text(max_size=60))
def test_no_name_does_more_than_be_refused(kind: str, name: str) -> None:
    for text in (name, f"{CONFIGURATION}:${name}"):
        try:
            identifier = checked(kind, text)
        except ValueError:
            continue
        assert checked(kind, identifier.normalised().name).normalised() == identifier.normalised()
