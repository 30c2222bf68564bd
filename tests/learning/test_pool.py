"""What operations of a host know of each other."""

from __future__ import annotations

from typing import Any

import pytest
from tests.learning.profiles import profile_of, row

from hauberk.learning import LearnOptions, Pool, learn
from hauberk.learning.pool import prefixes


def profiles(**endpoints: list[str]) -> dict[str, Any]:
    """Make profiles of operations that were asked for by these targets."""
    return {endpoint: profile_of([row(target=target) for target in targets], endpoint) for endpoint, targets in endpoints.items()}


def type_of(found: dict[str, Any], endpoint: str) -> str:
    operation = learn(found[endpoint], LearnOptions(), (), Pool.of(found.values()))
    schema: dict[str, Any] = operation.operation["parameters"][0]["schema"]
    return str(schema.get("type"))


@pytest.mark.parametrize(
    ("endpoint", "wanted"),
    [
        ("/repos/{owner}/{repo}", ["/repos/{}", "/repos/{}/{}"]),
        ("/compare/{base}...{head}", ["/compare/{}", "/compare/{}...{}"]),
        ("/user", []),
    ],
)
def test_a_variable_is_known_by_the_path_up_to_it(endpoint: str, wanted: list[str]) -> None:
    assert prefixes(endpoint) == wanted


def test_a_variable_of_many_operations_is_what_it_is_in_all_of_them() -> None:
    found = profiles(
        **{
            "/items/{var1}": [f"/items/{number}" for number in range(100, 160)],
            "/items/{var1}/parts": ["/items/7/parts"],
            "/gists/{var1}": [f"/gists/{number:x}" for number in range(100, 160)],
            "/gists/{var1}/star": ["/gists/7/star"],
        }
    )
    assert type_of(found, "/items/{var1}/parts") == "integer"
    assert type_of(found, "/gists/{var1}/star") == "string"


def test_where_words_stand_beside_a_number_more_of_them_may_come() -> None:
    numbers = [f"/user/{number}" for number in range(100, 160)]
    words = {f"/user/{word}": [f"/user/{word}"] for word in ("keys", "emails", "teams")}
    assert type_of(profiles(**{"/user/{var1}": numbers}), "/user/{var1}") == "integer"
    assert type_of(profiles(**{"/user/{var1}": numbers, **words}), "/user/{var1}") == "None"


def test_a_route_that_stands_where_a_number_does_is_no_number_out_of_place() -> None:
    numbers = [f"/issues/{number}" for number in range(100, 160)]
    found = profiles(**{"/issues/{var1}": numbers, "/issues/comments/{var1}": [f"/issues/comments/{number}" for number in range(40)]})
    operation = learn(found["/issues/{var1}"], LearnOptions(), (), Pool.of(found.values()))
    schema = operation.operation["parameters"][0]["schema"]
    assert [branch["type"] for branch in schema["anyOf"]] == ["integer", "string"]
    assert schema["anyOf"][1]["enum"] == ["comments"]


def test_the_order_of_profiles_does_not_matter() -> None:
    found = list(profiles(**{"/items/{var1}": ["/items/1", "/items/2"], "/items/{var1}/a": ["/items/x/a"]}).values())
    assert Pool.of(found) == Pool.of(reversed(found))
