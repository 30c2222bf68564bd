"""The record's noun."""

from __future__ import annotations

import pytest

from hauberk.transaction import Transaction


def test_a_record_is_taken_as_it_is_and_foreign_members_are_left_out() -> None:
    line = '{"host": "a", "method": "GET", "url": "/x", "status": 204, "time": null, "request_headers": [["A", "1"]], "label": "api"}'
    assert Transaction.from_line(line) == Transaction(host="a", method="GET", url="/x", status=204, request_headers=(("A", "1"),))


@pytest.mark.parametrize(
    ("url", "target"),
    [("https://a.example/x?y=1", "/x?y=1"), ("https://a.example", "/"), ("https://a.example?y=/", "?y=/"), ("/x", "/x"), ("", "/")],
)
def test_the_target_is_path_and_query(url: str, target: str) -> None:
    assert Transaction(host="a", method="GET", url=url).target == target


def test_a_record_without_host_is_refused() -> None:
    with pytest.raises(KeyError):
        Transaction.from_line('{"method": "GET", "url": "/"}')
