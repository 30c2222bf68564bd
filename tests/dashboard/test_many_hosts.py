"""A zone with more hosts than anybody reads: pages show those that matter, and find the others."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from dashboard.conftest import Site
from dashboard.reported import bring_counts
from hauberk.storage.models import Host

HOSTS = 120
BUSY = f"h{HOSTS - 1:03}.example.com"


@pytest.fixture(scope="module")
def wide(site: Site) -> Site:
    """More hosts than a page shows, of which only the last by name has requests."""
    with site.plane.database.write() as session:
        one = session.scalars(select(Host)).first()
        assert one is not None
        kept = {"certificate_pem": one.certificate_pem, "private_key_pem": one.private_key_pem, "upstreams": one.upstreams}
        made = {"zone_id": site.zone_id, "self_signed": True, "from_file": False, **kept}
        session.add_all(Host(name=f"h{number:03}.example.com", **made) for number in range(HOSTS))
    bring_counts(site, BUSY, passed=3)
    return site


def test_the_overview_shows_the_busiest(wide: Site) -> None:
    with wide.signed_in() as client:
        few = client.get(wide.page()).text
        assert f"<code>{BUSY}</code>" in few
        assert f"Show all {HOSTS + 1}" in few
        assert len(re.findall(r"<code>h\d{3}\.example\.com</code>", few)) <= 50
        assert len(set(re.findall(r"<code>(h\d{3}\.example\.com)</code>", client.get(wide.page() + "?hosts=all").text))) == HOSTS


def test_rules_find_a_host(wide: Site) -> None:
    with wide.signed_in() as client:
        assert f"<code>{BUSY}</code>" not in client.get(wide.page("rules")).text
        found = client.get(wide.page("rules") + f"?host={BUSY[:4].upper()}").text
        assert f"<code>{BUSY}</code>" in found
        assert "1 of 1 shown" in found
        assert "No host is like this" in client.get(wide.page("rules") + "?host=elsewhere").text
