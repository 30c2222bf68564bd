"""The two ways compared: every operation is counted once, and the pictures show what was counted."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.candidate import Candidate, Origin
from hauberk.discovery.comparison import DIFFERENCES, compare
from hauberk.discovery.pictures import comparison_svg, histogram_text

ORIGINS: tuple[Origin, ...] = get_args(Origin)


def found(host: str, number: int, *origins: Origin) -> Candidate:
    return Candidate("GET", host, f"/{number}", origins, 1, 0.9, 1, None, None, ())


def host_with(name: str, ml: int, session: int) -> list[Candidate]:
    """A host where so many are found by each way, as many as possible by both."""
    both = min(ml, session)
    only = ml - both or session - both
    way: Origin = "ML" if ml > session else "SessionIdentifier"
    return [found(name, n, *ORIGINS) for n in range(both)] + [found(name, both + n, way) for n in range(only)]


@pytest.mark.parametrize(
    ("ml", "session", "category"),
    [
        (5, 5, "unchanged"),
        (6, 5, "gained_1_to_50"),
        (55, 5, "gained_1_to_50"),
        (56, 5, "gained_over_50"),
        (4, 5, "lost_1_to_50"),
        (0, 50, "lost_1_to_50"),
        (0, 51, "lost_over_50"),
    ],
)
def test_a_host_is_told_by_what_the_classifier_finds_more(ml: int, session: int, category: str) -> None:
    comparison = compare(host_with("a.example.com", ml, session))
    assert comparison.differences == {name: int(name == category) for name in DIFFERENCES}
    (host,) = comparison.hosts
    assert (host.ml, host.session_identifier, host.difference) == (ml, session, ml - session)


def test_hosts_without_a_session_identifier_are_listed_and_not_shared_in() -> None:
    report = compare([*host_with("a.example.com", 3, 0), *host_with("b.example.com", 2, 2)]).as_json(max_operations=1)
    assert report["comparable_hosts"] == 1
    assert report["differences"]["unchanged"] == {"hosts": 1, "share": 1.0}
    assert [(host["host"], host["category"]) for host in report["hosts"]] == [("a.example.com", None), ("b.example.com", "unchanged")]
    assert report["hosts"][0]["only_ml"] == {"count": 3, "operations": [{"method": "GET", "endpoint": "/0"}]}
    assert report["totals"] == {"both": 2, "only_ml": 3, "only_session_identifier": 0}


ways = st.sampled_from([("ML",), ("SessionIdentifier",), ORIGINS])
some = st.lists(st.builds(lambda host, number, origins: found(host, number, *origins), st.sampled_from("abc"), st.integers(0, 300), ways))


@given(some)
def test_every_operation_and_every_host_is_in_one_place(candidates: list[Candidate]) -> None:
    comparison = compare(candidates)
    assert comparison == compare(reversed(candidates))
    keys = [key for host in comparison.hosts for part in (host.both, host.only_ml, host.only_session_identifier) for key in part]
    assert sorted(keys) == sorted({candidate.key for candidate in candidates})
    assert sum(comparison.differences.values()) == len(comparison.comparable)
    assert sum(row["ml"] for row in comparison.counts) == len(comparison.hosts)
    assert sum(row["session_identifier"] for row in comparison.counts) == len(comparison.hosts)


def test_bars_leave_no_gap() -> None:
    rows = compare([]).counts
    assert rows[0]["from"] == 0
    assert all(after["from"] == before["to"] + 1 for before, after in itertools.pairwise(rows))
    assert rows[-1]["to"] is None


@given(some)
def test_pictures_are_well_formed_and_tell_the_counts(candidates: list[Candidate]) -> None:
    comparison = compare(candidates)
    tree = ElementTree.fromstring(comparison_svg(comparison))
    texts = [element.text or "" for element in tree.iter() if element.tag.endswith("text")]
    assert any(text.endswith(f"({comparison.differences['unchanged']})") for text in texts)
    assert f"of the {len(comparison.comparable)} hosts" in " ".join(texts)
    widths = [int(element.attrib["width"]) for element in tree.iter() if element.tag.endswith("rect")]
    assert max(widths) <= int(tree.attrib["width"])
    text = histogram_text(comparison)
    assert "unchanged" in text
    assert all(len(line) < 100 for line in text.splitlines())
