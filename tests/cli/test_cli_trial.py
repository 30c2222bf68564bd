"""`hauberk schema trial`, `relax`, `restore`, `relaxed` and `alerts`, against a live control plane that has learned from real requests."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from command_line import Run, hauberk, run  # noqa: F401 - fixtures

from conftest import LiveControlPlane
from hauberk.learning.drift import Departure
from hauberk.storage.alerts import Refreshed, raise_alerts
from hauberk.storage.models import Operation, now
from sensor_site import HOST, OPERATIONS, SensorClients

CHANGES = [{"kind": "maximum", "where": f"GET {HOST}/sensors query/page", "what": "maximum 100 removed", "breaking": False}]


@pytest.fixture
def taught(hauberk: Run, control_plane: LiveControlPlane) -> Run:  # noqa: F811 - the fixture
    plane = control_plane.plane
    for method, endpoint in sorted(OPERATIONS):
        hauberk("operation", "save", method, HOST, endpoint)
    lines = []
    for sent in [*SensorClients(1).requests(3000)]:
        row = {
            "host": HOST,
            "method": sent.method,
            "url": f"https://{HOST}{sent.target}",
            "status": 200,
            "client": f"192.0.2.{sent.caller}",
        }
        headers = [[name, value] for name, value in sent.headers.items() if name != "Authorization"]
        row |= {"request_headers": headers, "session": f"{sent.caller:016x}", "time": (now() - timedelta(hours=1)).isoformat()}
        lines.append(json.dumps(row | ({"request_body": sent.body.decode()} if sent.body is not None else {})).encode())
    plane.traffic.import_rows(lines)
    plane.learning.settings = plane.learning.settings.model_copy(update={"min_requests": 200})
    plane.learning.run(control_plane.zone_id)
    odd = {
        "host": HOST,
        "method": "GET",
        "url": f"https://{HOST}/sensors?page=first",
        "status": 200,
        "client": "192.0.2.7",
        "request_headers": [],
    }
    plane.traffic.import_rows([json.dumps(odd | {"time": now().isoformat()}).encode()])
    return hauberk


def test_a_trial_and_its_relaxation(taught: Run) -> None:
    ran = taught("schema", "trial")
    assert "would have refused 1 of " in ran.err
    assert "next: hauberk schema trial --relax 'query/page type'" in ran.err
    assert "another type than integer" in ran.out
    assert taught("schema", "trial", "--operation", f"GET {HOST} /temps", "--json").json["successful"]["refused"] == 0
    wrong = taught("schema", "trial", "--relax", "query/page maximum", ok=False)
    assert "no request that breaks" in wrong.err
    ran = taught("schema", "trial", "--host", HOST, "--relax", "query/page type")
    assert f"Relaxed 'query/page type' of GET {HOST}/sensors: version 2, not in force yet" in ran.err
    assert "would have refused 0 of " in taught("schema", "trial").err
    assert "query/page type" in taught("schema", "relaxed").out
    assert "Restored" in taught("schema", "restore", "query/page type", "GET", HOST, "/sensors").err
    assert "no rule is relaxed" in taught("schema", "relaxed").err


def test_alerts(taught: Run, control_plane: LiveControlPlane) -> None:
    assert "no alerts" in taught("schema", "alerts").err
    departed = Departure("outside", "query/page", "maximum", 20, 4, True, "goes above maximum, which is 100")
    with control_plane.plane.database.write() as session:
        operation = session.query(Operation).filter_by(method="GET", endpoint="/sensors").one()
        (alert,) = raise_alerts(session, operation, [departed], Refreshed(1, 2, CHANGES))
        alert_id = alert.id
    assert "goes above maximum, which is 100" in taught("schema", "alerts").out
    shown = taught("schema", "alerts", alert_id).out
    assert f"looser: GET {HOST}/sensors query/page maximum 100 removed" in shown
    assert "Acknowledged 1 alert" in taught("schema", "alerts", "--acknowledge").err
    assert "no alerts" in taught("schema", "alerts").err
    assert alert_id in taught("schema", "alerts", "--all").out
