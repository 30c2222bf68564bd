"""The learner in the extension: which requests teach, what is told of them, and that parts make the whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from hauberk._native import Learner

USERS = ("GET", "api.example.com", "/users/{var1}")
CREATE = ("POST", "api.example.com", "/users")
OPERATIONS = [USERS, CREATE]


def learner(**options: Any) -> Learner:
    """A learner of two operations that takes everybody's requests."""
    told: dict[str, Any] = {"operations": OPERATIONS, "session_identifiers": [], "only": "all", "trusted": [], "held_back": False}
    return Learner(**(told | options))


def transaction(number: int = 0, **members: Any) -> dict[str, Any]:
    """A request of a user, answered with 200."""
    return {
        "host": "api.example.com",
        "method": "GET",
        "url": f"https://api.example.com/users/{number}?page={number % 7}",
        "http_version": "HTTP/1.1",
        "request_headers": [["Accept", "*/*"], ["X-Tenant", "blue"]],
        "request_body": None,
        "status": 200,
        "response_headers": [],
        "response_body_size": 2,
        "response_content_type": "application/json",
        "time": "2026-11-20T10:00:00Z",
        "session": f"s:{number % 50:012x}",
    } | members


def creation(number: int = 0, **members: Any) -> dict[str, Any]:
    """A request that makes a user."""
    body = {"name": f"user {number}", "age": number % 90, "tags": ["a", "b"][: number % 3], "address": {"city": "Ulm"}}
    url = "https://api.example.com/users"
    headers = [["Content-Type", "application/json; charset=utf-8"]]
    return transaction(number, method="POST", url=url, request_headers=headers, request_body=json.dumps(body)) | members


def lines(*transactions: dict[str, Any]) -> bytes:
    """Transactions as the store has them."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in transactions)


def profile(one: Learner, operation: tuple[str, str, str]) -> dict[str, Any]:
    """What a learner knows of an operation."""
    told: dict[str, Any] = json.loads(one.profile(*operation))
    return told


def tally(one: Learner) -> dict[str, int]:
    """What a learner has counted."""
    told: dict[str, int] = json.loads(one.tally())
    return told


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, "learned"),
        ({"status": 204}, "learned"),
        ({"host": "API.example.com:8443"}, "learned"),
        ({"action": "logged"}, "learned"),
        ({"status": 404}, "unsuccessful"),
        ({"status": 302}, "unsuccessful"),
        ({"action": "blocked"}, "unsuccessful"),
        ({"host": "other.example.com"}, "of_others"),
        ({"url": "https://api.example.com/users/1/posts"}, "of_others"),
        ({"method": "DELETE"}, "of_others"),
        ({"method": "OPTIONS", "request_headers": [["Access-Control-Request-Method", "GET"]]}, "unsuccessful"),
    ],
)
def test_good_requests_of_the_operations_teach(members: dict[str, Any], reason: str) -> None:
    one = learner()
    assert one.feed(lines(transaction(1, **members))) == (reason == "learned")
    assert tally(one)[reason] == 1
    assert one.operations() == ([USERS] if reason == "learned" else [])


@pytest.mark.parametrize(
    ("options", "members", "teaches"),
    [
        ({"only": "identified"}, {"session": None}, False),
        ({"only": "identified"}, {}, True),
        ({"only": "identified"}, {"session": None, "certificate": "ab" * 32}, True),
        ({"only": "identified", "session_identifiers": ["header:x-tenant"]}, {"session": None}, True),
        ({"only": "certificate"}, {}, False),
        ({"only": "certificate"}, {"certificate": "ab" * 32}, True),
        ({"trusted": ["s:000000000001"]}, {}, True),
        ({"trusted": ["s:000000000002"]}, {}, False),
        ({"trusted": ["ab" * 32]}, {"certificate": "ab" * 32}, True),
        ({"trusted": ["ab" * 32]}, {"session": None}, False),
    ],
)
def test_only_those_teach_whom_the_owner_trusts(options: dict[str, Any], members: dict[str, Any], teaches: bool) -> None:
    one = learner(**options)
    assert one.feed(lines(transaction(1, **members))) == teaches
    assert tally(one)["untrusted"] == (not teaches)


def test_a_profile_tells_where_values_stand() -> None:
    one = learner()
    assert one.feed(lines(*map(transaction, range(20)), *map(creation, range(30)))) == 50
    assert one.operations() == [USERS, CREATE]
    users = profile(one, USERS)
    assert (users["method"], users["host"], users["endpoint"]) == USERS
    assert (users["requests"], users["identified"], users["left_out"]) == (20, 20, 0)
    assert users["path"][0]["node"]["value"]["kinds"].keys() == {"integer"}
    assert users["query"]["page"]["present"] == {"requests": 20, "samples": 20, "sources": 20}
    assert list(users["header"]) == ["x-tenant"]
    assert users["without_body"]["requests"] == 20
    assert sum(users["hours"]) == 20
    assert users["days"] == [[20777, 20]]
    body = profile(one, CREATE)["bodies"]["application/json"]
    assert body["charset"]["utf-8"]["requests"] == 30
    members = body["node"]["object"]["members"]
    assert list(members) == ["address", "age", "name", "tags"]
    assert members["address"]["node"]["object"]["members"]["city"]["present"]["requests"] == 30
    assert members["tags"]["node"]["items"]["value"]["kinds"]["string"]["requests"] == 30


def test_parts_make_the_whole_in_any_order() -> None:
    everything = [one for number in range(200) for one in (transaction(number), creation(number))]
    whole = learner()
    whole.feed(lines(*everything))
    merged = learner(operations=[])
    for start in (2, 0, 1):
        part = learner()
        part.feed(lines(*reversed(everything[start::3])))
        for operation in part.operations():
            merged.load(part.dump(*operation))
    for operation in OPERATIONS:
        assert merged.dump(*operation) == whole.dump(*operation)
        assert merged.profile(*operation) == whole.profile(*operation)


def test_a_capture_is_read_like_lines(tmp_path: Path) -> None:
    everything = lines(*map(creation, range(40)))
    path = tmp_path / "capture.ndjson"
    path.write_bytes(everything)
    read, fed = learner(), learner()
    report = read.read(path)
    fed.feed(everything)
    assert report["transactions"] == 40
    assert read.progress() == (len(everything), 40)
    assert read.dump(*CREATE) == fed.dump(*CREATE)


def test_about_every_tenth_session_is_held_back() -> None:
    everything = lines(*(transaction(number, session=f"s:{number % 1000:012x}") for number in range(3000)))
    one = learner(held_back=True)
    one.feed(everything)
    held_back = tally(one)["held_back"]
    assert 3000 * 0.06 < held_back < 3000 * 0.14
    # The same sessions again.
    one.feed(everything)
    assert tally(one)["held_back"] == 2 * held_back


def test_one_address_bounds_what_its_sessions_teach_unless_it_is_a_proxy_s() -> None:
    everything = lines(*(transaction(number, session=f"s:{number:012x}", client="c:000000000001") for number in range(500)))
    samples = []
    for behind_proxy in (False, True):
        one = learner(behind_proxy=behind_proxy)
        one.feed(everything)
        samples.append(json.loads(one.profile(*USERS))["samples"])
    assert samples[0] <= 70  # 64, estimated
    assert samples[1] >= 350


def test_what_is_no_dump_is_refused() -> None:
    one = learner()
    one.feed(lines(*map(creation, range(30))))
    dumped = one.dump(*CREATE)
    other = learner()
    for blob in (b"", b"HBKL", b"no dump", dumped[:-1], dumped[:40], dumped[:60] + b"\0\1\2" + dumped[63:]):
        with pytest.raises(ValueError, match="profile"):
            other.load(blob)
    with pytest.raises(ValueError, match="version 9"):
        other.load(dumped[:4] + b"\x09" + dumped[5:])
    assert other.operations() == []


def test_what_cannot_be_followed_is_told() -> None:
    with pytest.raises(ValueError, match="there already"):
        learner(operations=[USERS, ("GET", "api.example.com", "/users/{id}")])
    with pytest.raises(ValueError, match="begins with"):
        learner(operations=[("GET", "api.example.com", "users")])
    with pytest.raises(ValueError, match="session identifier"):
        learner(session_identifiers=["x"])
    with pytest.raises(ValueError, match="only"):
        learner(only="some")
    with pytest.raises(LookupError, match=r"GET api\.example\.com/users"):
        learner().profile(*USERS)
    with pytest.raises(LookupError):
        learner().dump(*USERS)


def test_lines_that_are_no_transactions_are_counted() -> None:
    one = learner()
    assert one.feed(b"\n{}\nnot json\n\xff\xfe\n" + lines(transaction())) == 1
    assert tally(one)["bad"] == 3


def test_secrets_of_captures_that_nobody_has_masked_are_not_learned() -> None:
    secret = "ghp_0123456789abcdefghij0123456789ABCDEF"
    body = json.dumps({"password": "correct horse", "pin": 4711, "note": f"use {secret}", "name": "Ada"})
    request = creation(
        1,
        url="https://api.example.com/users?access_token=s3cr3t&q=hello",
        request_headers=[["Content-Type", "application/json"], ["Cookie", "sid=s3cr3t; theme=s3cr3t"], ["X-Api-Key", "s3cr3t"]],
        request_body=body,
    )
    one = learner()
    one.feed(lines(request))
    told = one.profile(*CREATE)
    for hidden in ("s3cr3t", "correct horse", "4711", secret):
        assert hidden not in told
    for shown in ("access_token", "sid", "theme", "password", "hello", "Ada"):
        assert shown in told
