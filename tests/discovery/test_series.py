"""Which template a path belongs to."""

from __future__ import annotations

import re

import pytest

from hauberk.discovery.series import Templates, path_pattern, spread

ENDPOINTS = ["/", "/users", "/users/{var1}", "/users/me", "/users/{var1}/posts", "/files/{var1}.json", "/files/{var1}", "/{var1}/x"]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/", "/"),
        ("/users", "/users"),
        ("/users/4711", "/users/{var1}"),
        ("/users/me", "/users/me"),
        ("/users/me/posts", "/users/{var1}/posts"),
        ("/files/a.json", "/files/{var1}.json"),
        ("/files/a.json.gz", "/files/{var1}"),
        ("/users/x", "/users/{var1}"),
        ("/files/x", "/files/{var1}"),
        ("/elsewhere/x", "/{var1}/x"),
        ("/users/", None),
        ("/users/1/2/3", None),
        ("", "/"),
    ],
)
def test_words_go_before_variables(path: str, endpoint: str | None) -> None:
    templates = Templates([("a.example", "GET", known, known) for known in ENDPOINTS])
    found = templates.find("a.example", "GET", path)
    assert found == (endpoint if path else None)
    assert templates.find("b.example", "GET", path) is None
    if endpoint is not None and found is not None:
        assert re.fullmatch(path_pattern(endpoint), path)


def test_requests_add_up() -> None:
    templates = Templates([("a", "GET", "/u/{var1}", 7)])
    paths = [("a", "GET", "/u/1", [(0, 1), (2, 2)]), ("a", "GET", "/u/2", [(2, 3)]), ("a", "GET", "/v", [(1, 9)])]
    assert spread(templates, paths, 3) == {7: [1, 0, 5]}
