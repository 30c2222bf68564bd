"""Why requests score as they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hauberk.discovery.contributions import MAX_TOGETHER, Record, reasons
from hauberk.pipeline import _score

CALL: dict[str, Any] = {
    "host": "api.example.com",
    "method": "POST",
    "url": "https://api.example.com/v1/users?page=2",
    "request_headers": [
        ["accept", "application/json"],
        ["content-type", "application/json"],
        ["authorization", "Bearer h:1"],
        ["user-agent", "curl/8"],
    ],
    "request_body": "{}",
    "status": 201,
    "response_headers": [["content-type", "application/json"], ["x-request-id", "h:2"]],
    "response_body_size": 120,
    "response_content_type": "application/json",
}
PAGE: dict[str, Any] = {
    "host": "www.example.com",
    "method": "GET",
    "url": "https://www.example.com/about/team.html",
    "request_headers": [
        ["accept", "text/html"],
        ["sec-fetch-dest", "document"],
        ["sec-fetch-mode", "navigate"],
        ["user-agent", "Mozilla/5.0"],
    ],
    "status": 200,
    "response_headers": [["content-type", "text/html; charset=utf-8"]],
    "response_body_size": 48_000,
    "response_content_type": "text/html; charset=utf-8",
}


def by_type(records: Sequence[Record]) -> list[float]:
    """Score by the answer's media type alone."""
    return [0.9 if record.get("response_content_type") == "application/json" else 0.2 for record in records]


def test_a_part_does_what_the_score_loses_without_it() -> None:
    told = reasons([CALL, CALL, CALL, PAGE], by_type, 0.6)
    assert told.requests == 4
    assert told.score == pytest.approx(0.725)
    assert [part.part for part in told.parts] == ["response_type"]
    only = told.parts[0]
    assert (only.share, only.without, only.by) == (1.0, pytest.approx(0.2), pytest.approx(0.525))
    assert only.says == "Its answers are application/json."


def test_nothing_recorded_says_nothing() -> None:
    assert reasons([], by_type, 0.6).score is None


def test_with_the_real_classifier() -> None:
    call, page = reasons([CALL] * 3, _score, 0.6), reasons([PAGE] * 3, _score, 0.6)
    assert call.score is not None
    assert page.score is not None
    assert call.score > 0.9 > 0.1 > page.score
    assert call.parts or page.parts
    sizes = [abs(part.by) for part in (*call.parts, *page.parts)]
    assert all(size >= 0.0005 for size in sizes)
    assert [abs(part.by) for part in page.parts] == sorted((abs(part.by) for part in page.parts), reverse=True)
    # All that is taken away leads to the other judgement, or to the end of what there is.
    assert call.together[-1].without < 0.6 or len(call.together) == MAX_TOGETHER
    assert [part.without for part in call.together] == sorted((part.without for part in call.together), reverse=True)
    assert page.together[-1].without > page.score


def test_no_value_is_told() -> None:
    told = reasons([CALL | {"request_headers": [["accept", "application/json"], ["cookie", "sid=s3cr3t"]]}] * 2, _score, 0.6)
    assert "s3cr3t" not in str(told)
