"""The spelling of operations, which is what they are matched and compared by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.operation import METHODS, OperationKey, is_in_zone, normalise_endpoint, normalise_host, normalise_method


@pytest.mark.parametrize(
    ("endpoint", "wanted"),
    [
        ("/", "/"),
        ("/users/{id}/orders/{order}", "/users/{var1}/orders/{var2}"),
        ("/users/{var2}/orders/{var1}", "/users/{var1}/orders/{var2}"),
        ("/files/{name}.json", "/files/{var1}.json"),
        ("/compare/{base}...{head}", "/compare/{var1}...{var2}"),
        ("/%7euser/a%2fb", "/~user/a%2Fb"),
        ("/a b/é", "/a%20b/%C3%A9"),
        ("/100%/%zz", "/100%25/%25zz"),
        ("/%%411", "/%25A1"),
        ("/a//b/", "/a//b/"),
        ("/a/./b/../c", "/a/c"),
        ("/a/%2E%2e/c", "/c"),
        ("/..", "/"),
        ("/{a}/../{b}", "/{var1}"),
        ("/temps;v=1,2/(x)'!$&*+:@", "/temps;v=1,2/(x)'!$&*+:@"),
    ],
)
def test_equal_endpoints_have_one_spelling(endpoint: str, wanted: str) -> None:
    assert normalise_endpoint(endpoint) == wanted
    assert normalise_endpoint(wanted) == wanted


@pytest.mark.parametrize(
    ("endpoint", "part"),
    [
        ("", "begin with"),
        ("temps", "begin with"),
        ("https://api.example.com/temps", "begin with"),
        ("/temps?limit=1", "no query"),
        ("/temps#top", "no fragment"),
        ("/{", "do not pair"),
        ("/}", "do not pair"),
        ("/{a/b}", "do not pair"),
        ("/{{a}}", "do not pair"),
        ("/{}", "without a name"),
        ("/{a}{b}", "touch"),
        ("/a\0b", "control"),
        ("/a\nb", "control"),
        ("/x" * 129, "128 segments"),
        ("/" + "é" * 2000, "4096 characters"),
    ],
)
def test_an_endpoint_that_cannot_be_matched_is_refused_with_its_reason(endpoint: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        normalise_endpoint(endpoint)


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("API.Example.com.", "api.example.com"),
        ("{tenant}.example.com", "{hostVar1}.example.com"),
        ("{region}.{tenant}.example.com", "{hostVar2}.{hostVar1}.example.com"),
        ("foo.{x}.example.com", "foo.{hostVar1}.example.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::0001]", "[::1]"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_equal_hosts_have_one_spelling(host: str, wanted: str) -> None:
    assert normalise_host(host) == wanted
    assert normalise_host(wanted) == wanted


@pytest.mark.parametrize(
    ("host", "part"),
    [
        ("", "host name"),
        ("a..b", "host name"),
        ("a b", "host name"),
        ("api.example.com/x", "host name"),
        ("-a.example.com", "host name"),
        ("api.example.com:8443", "without a port"),
        ("*.example.com", r"\{hostVar1\}"),
        ("foo-{x}.example.com", "whole label"),
        ("{a}{b}.example.com", "whole label"),
        ("{.example.com", "whole label"),
        ("bücher.example", "xn--"),
        ("\u212aey.example", "xn--"),
        ("[::1]:443", "IPv6"),
        ("[nonsense]", "IPv6"),
        ("a" * 256, "255"),
    ],
)
def test_what_is_no_host_is_refused_with_its_reason(host: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        normalise_host(host)


def test_methods_are_upper_case_and_nine() -> None:
    assert [normalise_method(method.lower()) for method in METHODS] == list(METHODS)
    for method in ("", "FETCH", "PO\u017fT", "GET "):
        with pytest.raises(ValueError, match="must be one of GET"):
            normalise_method(method)


def test_an_id_follows_from_zone_method_host_and_endpoint_and_stays_the_same_for_ever() -> None:
    key = OperationKey("POST", "api.example.com", "/temps")
    assert key.operation_id("0" * 32) == "b33ff487-c84e-5bf6-8b96-7576a09faf37"
    others = {
        key.operation_id("1" * 32),
        key._replace(method="PUT").operation_id("0" * 32),
        key._replace(host="www.example.com").operation_id("0" * 32),
        key._replace(endpoint="/").operation_id("0" * 32),
    }
    assert len(others - {key.operation_id("0" * 32)}) == 4


def test_a_zone_holds_its_own_name_and_what_is_below() -> None:
    for host, inside in (("example.com", True), ("a.b.example.com", True), ("{hostVar1}.example.com", True), ("badexample.com", False)):
        assert is_in_zone(host, "example.com") is inside


@given(st.text(max_size=40).map(lambda text: "/" + text))
def test_normalising_an_endpoint_twice_is_normalising_it_once(endpoint: str) -> None:
    try:
        once = normalise_endpoint(endpoint)
    except ValueError:
        return
    assert normalise_endpoint(once) == once
    assert once.isascii()


@given(st.text(alphabet="aZ0-_.{}:[]", max_size=30))
def test_normalising_a_host_twice_is_normalising_it_once(host: str) -> None:
    try:
        once = normalise_host(host)
    except ValueError:
        return
    assert normalise_host(once) == once
