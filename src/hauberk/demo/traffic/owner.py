"""What the shop's owner has done so far: each step is a call of the REST API that a page or a command makes as well."""

from __future__ import annotations

import importlib.resources
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from hauberk.cli.client import Client, route
from hauberk.cli.failure import Failure
from hauberk.demo.traffic import catalogue, machines
from hauberk.demo.traffic.exchange import API, DEVICES, PARTNERS, SHOP
from hauberk.demo.traffic.history import Past, counts, requests_by_minute
from hauberk.rule import ENFORCED_PHASE

WAIT_SECONDS = 120
METRICS_AT_ONCE = 2000

# By the beginning of their path, as an owner decides: what is left is in review.
IGNORED = ((API, "/health"), (SHOP, "/ajax/beacon"))
IN_REVIEW = ((API, "/v1/uploads"), (API, "/v1/favourites"), (API, "/v1/push-token"), (DEVICES, "/v2/firmware"), (SHOP, "/"))
# Learned, and looked at by nobody yet.
NOT_APPLIED = ("/v1/search", "/v1/recommendations", "/v1/cart")
# Where the owner is sure already.
BLOCKED = (("GET", "/v1/orders/"), ("PATCH", "/v1/me"), ("POST", "/v2/readings"))


class Owner:
    """
    The owner of the demo's installation.

    Args:
        client: Speaks with the control plane.

        gateway_token: Reports what gateways count.
    """

    def __init__(self, client: Client, gateway_token: str) -> None:
        self.client = client
        self._gateway_token = gateway_token
        self._zone_id = str(client.get("/client/v4/zones")[0]["id"])

    def says_who_is_calling(self) -> None:
        """Name the header that tells callers apart."""
        self.client.put(self._zone("api_gateway/configuration"), {"auth_id_characteristics": [{"type": "header", "name": "authorization"}]})

    def issues_certificates(self, folder: Path) -> None:
        """Give every device a certificate but one; one is short-lived, and one is revoked."""
        folder.mkdir(mode=0o700, exist_ok=True)
        # Those that are special come last, so that they stand first where the newest does.
        special = (machines.EXPIRING_DEVICE, machines.REVOKED_DEVICE)
        for number in [*(one for one in range(catalogue.DEVICES) if one not in special), *special]:
            if (name := machines.certificate_name(number)) is None:
                continue
            subject = {"common_name": name, "organization": "Example Shop", "organizational_unit": "Warehouse"}
            days = 9 if number == machines.EXPIRING_DEVICE else 365
            made = self.client.post(self._own("client_certificates/generate"), {"subject": subject, "validity_days": days})
            (folder / f"{name}.pem").write_text(made["certificate"])
            (folder / f"{name}.key").touch(0o600)
            (folder / f"{name}.key").write_text(made["private_key"])
            if number == machines.REVOKED_DEVICE:
                self.client.delete(self._zone("client_certificates", made["id"]))

    def writes_rules(self) -> None:
        """Require certificates of devices, keep debug pages shut, and log what is no saved operation."""
        self.client.post(self._own("mutual-tls/require"), {"hosts": [DEVICES]})
        ruleset = self.client.get(self._zone(f"rulesets/phases/{ENFORCED_PHASE}/entrypoint"))
        rule = {
            "expression": f'(http.host eq "{API}" and http.request.uri.path eq "/v1/debug/vars")',
            "action": "block",
            "description": "Debug pages are shut",
        }
        self.client.post(self._zone("rulesets", ruleset["id"], "rules"), rule)
        self.client.put(self._own("fallthrough"), {"hosts": {API: "log"}})

    def uploads_a_schema(self) -> None:
        """Upload what partners may call, save its operations, and refuse what departs from it."""
        text = (importlib.resources.files("hauberk.demo.traffic") / "partners.yaml").read_text()
        body = {"kind": "openapi_v3", "name": "partners", "source": text, "validation_enabled": True}
        self.client.post(self._zone("schema_validation/schemas"), body)
        declared = [
            ("GET", "/stock"),
            ("PUT", "/stock/{var1}"),
            ("POST", "/shipments"),
            ("GET", "/shipments/{var1}"),
            ("PATCH", "/shipments/{var1}"),
        ]
        saved = self._save([{"method": method, "host": PARTNERS, "endpoint": endpoint} for method, endpoint in declared])
        self._act(saved, "block")
        self.client.patch(self._zone("schema_validation/settings"), {"validation_default_mitigation_action": "log"})

    def looks_at_what_was_found(self) -> None:
        """Have the traffic looked at; save what is clear, ignore what is not wanted, and leave the rest in review."""
        self._wait_for(self._own("discovery/refresh"))
        found = list(self.client.pages(self._zone("api_gateway/discovery/operations"), state="review"))
        ignored = [one for one in found if _is_one_of(one, IGNORED)]
        saved = [one for one in found if not _is_one_of(one, (*IGNORED, *IN_REVIEW))]
        if ignored:
            self.client.patch(self._zone("api_gateway/discovery/operations"), {one["id"]: {"state": "ignored"} for one in ignored})
        self._save([{name: one[name] for name in ("method", "host", "endpoint")} for one in saved])

    def brings_counts(self, past: Sequence[Past]) -> None:
        """Report what of the past was counted, as the gateway would have."""
        self._report("operation-metrics", counts(past, self._operations()))
        self._report("request-counts", requests_by_minute(past, self._zone_id))

    def _report(self, what: str, counted: Sequence[Mapping[str, Any]]) -> None:
        with httpx.Client(base_url=self.client.url, headers={"Authorization": f"Bearer {self._gateway_token}"}, trust_env=False) as gateway:
            for at in range(0, len(counted), METRICS_AT_ONCE):
                batch = {"batch_id": uuid.uuid4().hex, "metrics": counted[at : at + METRICS_AT_ONCE]}
                gateway.post(f"/hauberk/v1/gateways/demo-past/{what}", json=batch, timeout=60).raise_for_status()

    def applies_learned_schemas(self) -> None:
        """Have schemas learned; put most of them in force, a few so that they refuse."""
        self._wait_for(self._own("learning"), self._own("learning/run"))
        learned = self.client.pages(self._own("learning/operations"))
        some = [one for one in learned if one["state"] == "schema_learned" and not one["endpoint"].startswith(NOT_APPLIED)]
        of_host = [one["operation_id"] for one in some if one["host"] in {API, DEVICES}]
        if of_host:
            self.client.post(self._own("learning/apply"), {"operation_ids": of_host, "mitigation_action": "log"})
        sure = [
            one["operation_id"]
            for one in some
            if any((one["method"] == method and one["endpoint"].startswith(path)) for method, path in BLOCKED)
        ]
        self._act(sure, "block")

    def tries_what_is_not_applied(self) -> None:
        """Ask what the learned schemas that are in nobody's way yet would have refused."""
        ids = [one["operation_id"] for one in self._operations() if one["endpoint"].startswith(NOT_APPLIED)]
        if ids:
            self.client.post(self._own("learning/trials"), {"operation_ids": ids})

    def _operations(self) -> list[dict[str, Any]]:
        return list(self.client.pages(self._zone("api_gateway/operations")))

    def _save(self, operations: Sequence[Mapping[str, str]]) -> list[str]:
        saved = self.client.post(self._zone("api_gateway/operations"), list(operations)) if operations else []
        return [str(one["operation_id"]) for one in saved]

    def _act(self, operation_ids: Sequence[str], action: str) -> None:
        if operation_ids:
            actions = {operation_id: {"mitigation_action": action} for operation_id in operation_ids}
            self.client.patch(self._zone("schema_validation/settings/operations"), actions)

    def _wait_for(self, status: str, start: str | None = None) -> None:
        """Ask for work in the background and wait until it is done, the owner's asking included."""
        before = self.client.post(start or status, {})
        until = time.monotonic() + WAIT_SECONDS
        while (now := self.client.get(status))["state"] in {"requested", "running"} or now["finished_at"] == before["finished_at"]:
            if time.monotonic() > until:
                raise Failure(f"the demo's control plane did not finish in {WAIT_SECONDS} s: {now['error'] or now['state']}")
            time.sleep(0.1)

    def _zone(self, *segments: str) -> str:
        return route("client/v4/zones", self._zone_id) + "/" + "/".join(segments)

    def _own(self, *segments: str) -> str:
        return route("hauberk/v1/zones", self._zone_id) + "/" + "/".join(segments)


def _is_one_of(found: Mapping[str, Any], paths: Sequence[tuple[str, str]]) -> bool:
    return any(found["host"] == host and found["endpoint"].startswith(path) for host, path in paths)
