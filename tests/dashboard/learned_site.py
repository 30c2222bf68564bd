"""A served control plane that has learned from requests: the API of sensors, with real traffic in a real store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from conftest import settings_for
from dashboard.conftest import Site, served
from hauberk.storage.models import now
from sensor_site import HOST, OPERATIONS, SensorClients, Sent, recorded

MIN_REQUESTS = 200


class LearnedSite(Site):
    """Its operations are saved, and schemas of them learned."""

    ids: dict[str, str]

    @classmethod
    @contextmanager
    def serve(cls, first_state: Path, folder: Path, requests: int = 3000) -> Iterator[LearnedSite]:
        state = Path(shutil.copytree(first_state, folder / "state"))
        settings = settings_for(state, "127.0.0.1:8080")
        settings = settings.model_copy(update={"learning": settings.learning.model_copy(update={"min_requests": MIN_REQUESTS})})
        with served(settings) as site:
            made = cls(site.url, site.plane, site.rest, site.zone_id)
            bodies = [{"method": method, "host": HOST, "endpoint": endpoint} for method, endpoint in sorted(OPERATIONS)]
            saved = made.ask("POST", made.v4("api_gateway/operations"), bodies)
            made.ids = {f"{one['method']} {one['endpoint']}": one["operation_id"] for one in saved}
            hour_ago = now() - timedelta(hours=1)
            made.record(*(recorded(sent, hour_ago) for sent in SensorClients(1).requests(requests)))
            made.learn()
            yield made

    def ask(self, method: str, path: str, json: Any = None, **query: Any) -> Any:
        return self.rest.request(method, path, json=json, params=query).raise_for_status().json()["result"]

    def record(self, *lines: bytes) -> None:
        self.plane.traffic.import_rows(lines)

    def learn(self) -> None:
        """As the background does it, when asked."""
        self.plane.learning.request(self.zone_id)
        assert self.plane.learning.run(self.zone_id) is not None


def with_page(page: str, caller: int = 7, **members: Any) -> bytes:
    """A request that is new enough to be tried."""
    return recorded(Sent(caller, "GET", f"/sensors?page={page}", {"Accept": "application/json"}), now(), **members)
