"""Operations as OpenAPI documents: what is written is what our own reader reads."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk import _native
from hauberk.discovery.openapi import Listed, documents
from hauberk.operation import METHODS, OperationKey

segments = st.sampled_from(["users", "{var1}", "a b", "{var1}.json", ""])
paths = st.lists(segments, max_size=3).map(lambda parts: "/" + "/".join(parts))


def test_each_host_has_its_document() -> None:
    keys = [
        OperationKey("GET", "b.example.com", "/users/{var1}"),
        OperationKey("DELETE", "b.example.com", "/users/{var1}"),
        OperationKey("POST", "{hostVar1}.example.com", "/login"),
        OperationKey("CONNECT", "b.example.com", "/tunnel"),
    ]
    b, tenants = documents([Listed(key, {"x-more": 1}) for key in keys], title="Operations of")
    assert b["info"]["title"] == "Operations of b.example.com"
    assert list(b["paths"]) == ["/users/{var1}"]
    assert set(b["paths"]["/users/{var1}"]) == {"get", "delete"}
    assert b["paths"]["/users/{var1}"]["get"]["x-more"] == 1
    assert tenants["servers"] == [{"url": "https://{hostVar1}.example.com", "variables": {"hostVar1": {"default": "hostVar1"}}}]


@given(st.sets(st.tuples(st.sampled_from(METHODS), st.just("api.example.com"), paths), max_size=8))
@settings(max_examples=50, deadline=None)
def test_our_reader_finds_the_same_operations(keys: set[tuple[str, str, str]]) -> None:
    from hauberk.operation import normalise_endpoint  # noqa: PLC0415 - near its use

    wanted = {OperationKey(method, host, normalise_endpoint(endpoint)) for method, host, endpoint in keys if method != "CONNECT"}
    for document in documents([Listed(key, {}) for key in wanted], title="T"):
        report = _native.check_document(json.dumps(document).encode())
        assert report["ok"], report["problems"]
        assert {(entry["method"], entry["endpoint"]) for entry in report["operations"]} == {(key.method, key.endpoint) for key in wanted}
