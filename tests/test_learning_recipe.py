"""`docs/learning-recipe.md`, run as it stands: from a gateway that knows nothing to one that refuses attacks and none of the clients."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PATIENCE_SECONDS, eventually
from hauberk.traffic.store import TrafficStore
from installation import Installation, installation
from sensor_site import OPERATIONS, SensorClients, Sent, send

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "learning-recipe.md").read_text()
TAUGHT, IN_LOG, NEXT = 4000, 500, 10_000
GOOD = {200, 201}


def blocks(kind: str = "") -> list[str]:
    """Give the page's fenced blocks of a kind."""
    return [text for of, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if of == kind]


def step(marker: str) -> str:
    return next(text for text in blocks() if marker in text)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    (settings,) = blocks("toml")
    assert step("hauberk up") == "hauberk up\n"
    # All that the test sends is recorded, and looked at when it asks for it.
    variables = {
        "HAUBERK_TRAFFIC__MAX_PER_SECOND": "1000000",
        "HAUBERK_TRAFFIC__FLUSH_SECONDS": "0.1",
        "HAUBERK_DISCOVERY__MIN_REQUESTS": "100",
        "HAUBERK_DISCOVERY__REFRESH_SECONDS": "3600",
        "HAUBERK_LEARNING__MIN_REQUESTS": "300",
        "HAUBERK_LEARNING__REFRESH_SECONDS": "3600",
    }
    with installation(tmp_path, settings, **variables) as site:
        yield site


def ask(site: Installation, sent: Sent) -> int:
    (status,) = send(site.gateway, [sent])
    return status


def recorded(site: Installation, count: int) -> None:
    """Wait until so many requests are in the store."""
    store = TrafficStore(site.folder / "state" / "traffic")
    eventually(lambda: sum(seen.requests for seen in store.paths()) >= count, seconds=3 * PATIENCE_SECONDS)


def attacks() -> list[Sent]:
    """The page's attack, and others of its kind on each operation that takes a body or a variable."""
    headers = {"User-Agent": "curl/8", "Accept": "*/*"}
    (target,) = re.findall(r'^curl -k "https://[^/]+(/\S*)"$', PAGE, re.MULTILINE)
    found = [Sent(0, "GET", target, headers)]
    found += [Sent(0, "GET", "/sensors?page=-1%20UNION%20SELECT%20password", headers)]
    found += [Sent(0, "GET", "/sensors/..%252f..%252fetc%252fpasswd", headers)]
    reading = {"sensor": "sn-000001", "temperature": 20.5, "time": "2026-11-01T00:00:00.000Z"}
    sensor = {"name": "Roof 1, north", "kind": "indoor", "interval_seconds": 60, "enabled": True, "notes": None}
    bodies = [
        ("POST", "/temps", reading | {"temperature": "warm"}),
        ("POST", "/temps", reading | {"sensor": {"$ne": None}}),
        ("POST", "/temps", [reading]),
        ("PUT", "/sensors/sn-000001", sensor | {"kind": "admin'; --"}),
        ("PUT", "/sensors/sn-000001", sensor | {"interval_seconds": [1] * 1000}),
        ("PUT", "/sensors/sn-000001", sensor | {"alarm": {"above": "90; DROP TABLE sensors"}}),
    ]
    kind = {"Content-Type": "application/json"}
    return found + [Sent(0, method, path, headers | kind, json.dumps(body).encode()) for method, path, body in bodies]


def test_the_recipe_comes_out_as_told(site: Installation) -> None:
    clients = SensorClients(1)
    assert set(send(site.gateway, clients.requests(TAUGHT))) <= GOOD
    recorded(site, TAUGHT)

    told = site.run(step("hauberk discovery save"))
    for _, endpoint in OPERATIONS:
        assert endpoint in told.stdout
    assert f"Saved {len(OPERATIONS)} operations" in told.stderr

    told = site.run(step("hauberk schema learned run"))
    assert told.stdout.count("Schema learned from") == len(OPERATIONS)

    told = site.run(step("hauberk schema trial\n"))
    counts = re.search(r"would have refused (\S+) of (\S+) successful requests", told.stderr)
    assert counts is not None, told.stderr
    assert counts[1] == "0"
    assert int(counts[2].replace(",", "")) > TAUGHT / 40  # about every tenth caller was held back

    told = site.run(step("hauberk events"))
    assert "violations are logged" in told.stderr
    assert set(send(site.gateway, clients.requests(IN_LOG))) <= GOOD
    assert {ask(site, sent) for sent in attacks()} <= GOOD
    eventually(lambda: len(json.loads(site.run("hauberk events --json").stdout)) == len(attacks()))

    site.run(step("--action block"))
    assert {sent.target: ask(site, sent) for sent in attacks()} == {sent.target: 403 for sent in attacks()}
    statuses = send(site.gateway, clients.requests(NEXT))
    assert set(statuses) <= GOOD, statuses
    assert statuses.total() == NEXT

    # What passed while it was only logged is told again, and nothing else; what was refused since is told apart.
    recorded(site, TAUGHT + IN_LOG + NEXT)
    trial = json.loads(site.run("hauberk schema trial --json").stdout)
    assert trial["successful"]["refused"] == len(attacks())
    assert 0 < trial["others"]["refused"] <= len(attacks())
    assert trial["successful"]["requests"] >= NEXT + IN_LOG
    assert "no alerts" in site.run(step("hauberk schema alerts")).stderr
