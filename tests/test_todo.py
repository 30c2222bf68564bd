"""What to do next: urgent things first, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hauberk.todo import Standing, steps

CALM = Standing(
    hosts=1,
    gateways=2,
    gateways_refusing=0,
    gateways_lost=0,
    gateways_behind=0,
    requests=100,
    unassociated_hosts=(),
    undemanding_hosts=(),
    candidates=0,
    operations=5,
    learned=0,
    quiet=0,
    loud=0,
    certificates_expiring=0,
    drift_alerts=0,
)
FRESH = replace(CALM, hosts=0, gateways=0, requests=0, operations=0)


def test_where_all_is_done_nothing_is_left() -> None:
    assert steps(CALM) == []


@pytest.mark.parametrize(
    ("change", "code", "count", "title"),
    [
        ({"gateways_refusing": 1}, "gateways_refusing", 1, "Repair what 1 gateway will not enforce"),
        ({"gateways_lost": 2}, "gateways_lost", 2, "See why 2 gateways cannot be heard"),
        ({"gateways_behind": 1}, "gateways_behind", 1, "Wait for 1 gateway"),
        ({"gateways": 0}, "no_gateway", 0, "Start a gateway"),
        ({"requests": 0}, "no_requests", 0, "Send requests through the gateway"),
        ({"candidates": 12}, "review_candidates", 12, "Review 12 discovered endpoints"),
        ({"operations": 0}, "no_operation", 0, "Save the endpoints of your API"),
        ({"learned": 3}, "apply_learned", 3, "Apply 3 learned schemas"),
        ({"quiet": 4120}, "block_quiet", 4120, "Let 4,120 operations block"),
        ({"loud": 1}, "violations_logged", 1, "Look at what 1 operation logged"),
        ({"certificates_expiring": 1}, "certificates_expiring", 1, "Renew 1 client certificate"),
        ({"drift_alerts": 2}, "drift_alerts", 2, "Look at 2 changes of your API"),
        ({"unassociated_hosts": ("a.example.com",)}, "associate_hosts", 1, "Require client certificates on a.example.com"),
        ({"undemanding_hosts": ("a", "b")}, "demand_certificates", 2, "Require the certificates that are asked for on 2 hosts"),
    ],
)
def test_each_thing_to_do_is_a_step(change: dict[str, object], code: str, count: int, title: str) -> None:
    (step,) = steps(replace(CALM, **change))
    assert (step.code, step.count, step.title) == (code, count, title)
    assert step.why.endswith(".")
    assert set(step.as_json()) == {"code", "count", "title", "why", "urgency", "parameters"}


def test_a_fresh_installation_begins_with_a_host() -> None:
    assert [step.code for step in steps(FRESH)] == ["no_host"]
    assert [step.code for step in steps(replace(FRESH, hosts=1, unassociated_hosts=("a",)))] == [
        "no_gateway",
        "no_operation",
        "associate_hosts",
    ]


def test_urgent_things_come_first() -> None:
    busy = replace(CALM, gateways_behind=1, gateways_refusing=1, certificates_expiring=1, drift_alerts=1, candidates=1, quiet=1, loud=1)
    order = [step.urgency for step in steps(busy)]
    assert order == sorted(order, key=["now", "soon", "next"].index)
