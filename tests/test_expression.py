"""Expressions as rows, and what is certain of them beforehand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk import _native
from hauberk.expression import FLAG_OPERATORS, Condition, Rows, fields_of, holds, rows_of, tree_of

MTLS = '(http.host eq "a.example.com" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'
FIELDS = _native.expression_fields()
TEXTS = [name for name, is_text, _ in FIELDS if is_text and name != "http.host"]  # a host's case is folded
FLAGS = [name for name, is_text, _ in FIELDS if not is_text]

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
CONDITIONS = st.one_of(
    st.builds(Condition, st.sampled_from(FLAGS), st.sampled_from(FLAG_OPERATORS)),
    st.builds(Condition, st.sampled_from(TEXTS), st.sampled_from(["eq", "ne"]), st.tuples(VALUES)),
    st.builds(
        Condition,
        st.sampled_from(TEXTS),
        st.sampled_from(["in", "not in"]),
        st.sets(VALUES, min_size=1, max_size=3).map(lambda values: tuple(sorted(values, key=str.encode))),
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["all", "any"]), st.lists(st.lists(CONDITIONS, min_size=1, max_size=3).map(tuple), min_size=2, max_size=4).map(tuple)
)
def test_rows_come_back_from_the_text_they_make(match: str, groups: tuple[tuple[Condition, ...], ...]) -> None:
    rows = Rows("all" if match == "all" else "any", groups)
    assert rows_of(tree_of(str(rows))) == rows


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        (
            MTLS,
            'http.host eq "a.example.com" and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)',
        ),
        ("cf.tls_client_auth.cert_verified", "cf.tls_client_auth.cert_verified"),
        ('not (http.host eq "a" or http.host eq "b")', 'http.host ne "a" and http.host ne "b"'),
        (
            'http.host eq "a" or (http.host eq "b" and not (http.request.method eq "GET"))',
            'http.host eq "a" or (http.host eq "b" and http.request.method ne "GET")',
        ),
        ("true", None),
        ('http.host eq "a" and (http.host eq "b" or (http.host eq "c" and cf.tls_client_auth.cert_verified))', None),
    ],
)
def test_an_expression_is_rows_where_two_levels_do(expression: str, rows: str | None) -> None:
    found = rows_of(tree_of(expression))
    assert (None if found is None else str(found)) == rows


@pytest.mark.parametrize(
    ("expression", "known", "answer"),
    [
        (MTLS, {"http.host": "a.example.com", "cf.tls_client_auth.cert_verified": False}, True),
        (MTLS, {"http.host": "b.example.com"}, False),
        (MTLS, {"http.host": "a.example.com"}, None),
        (MTLS, {"http.host": "a.example.com", "cf.tls_client_auth.cert_verified": True, "cf.tls_client_auth.cert_revoked": False}, False),
        ('http.request.method in {"GET"} or true', {}, True),
        ('not http.request.method in {"GET"}', {"http.request.method": "GET"}, False),
        ('http.request.method ne "GET" and http.request.uri.path eq "/"', {"http.request.method": "PUT"}, None),
    ],
)
def test_what_is_certain_before_a_request_comes(expression: str, known: dict[str, str | bool], answer: bool | None) -> None:
    assert holds(tree_of(expression), known) is answer


def test_the_fields_of_an_expression_are_named() -> None:
    assert fields_of(tree_of(MTLS)) == {"http.host", "cf.tls_client_auth.cert_verified", "cf.tls_client_auth.cert_revoked"}
    assert fields_of(tree_of("true")) == set()
