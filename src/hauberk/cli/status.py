"""`hauberk status`: which gateways there are, and whether each enforces the newest version."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote

_POLL_SECONDS = 0.1


@remote(zone=False)
def status(
    plane: Remote,
    wait: Annotated[bool, typer.Option("--wait", help="Return when every live gateway enforces what is newest now.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="How long --wait waits, in seconds.")] = 30,
) -> None:
    """
    Show gateways and the version of the snapshot each enforces.

    State: current; behind, for a second or so after a change; refused, with the reason, while the version before stays in force; lost, when
    it has not been heard of for a while. With --wait the exit status is 1 if a gateway refuses, or the time is over.

    \b
    Examples:
      hauberk status
      hauberk cert revoke sensor.pem && hauberk status --wait
    """
    seen = plane.client.get("/hauberk/v1/status")
    if wait:
        seen = _wait(plane, seen, timeout)
    if plane.out.as_json:
        plane.out.json(seen)
        return
    if wait:
        count = sum(gateway["state"] != "lost" for gateway in seen["gateways"])
        plane.out.say(f"{count} gateway{'s' if count != 1 else ''} enforce{'s' if count == 1 else ''} version {seen['version']}")
        return
    columns: dict[str, Any] = {
        "GATEWAY": "name",
        "STATE": "state",
        "VERSION": "version",
        "LAST SEEN": "last_seen",
        "EVENTS DROPPED": "events_dropped",
        "TRAFFIC DROPPED": "transactions_dropped",
        "ID": "id",
    }
    plane.out.say(f"newest version: {seen['version']}")
    plane.out.table(seen["gateways"], columns, empty="no gateway has reported yet: 'hauberk up' or 'hauberk gateway' runs one")
    for gateway in seen["gateways"]:
        if gateway["state"] == "refused":
            plane.out.say(f"warning: {_refusal(gateway)}")


def _wait(plane: Remote, seen: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Poll until all live gateways enforce the version that was newest when the waiting began, or a later one."""
    wanted, deadline = seen["version"], time.monotonic() + timeout
    while True:
        live = [gateway for gateway in seen["gateways"] if gateway["state"] != "lost"]
        behind = [gateway for gateway in live if (gateway["version"] or 0) < wanted]
        if live and not behind:
            return seen
        refusing = next((gateway for gateway in behind if gateway["state"] == "refused"), None)
        if refusing is not None:
            raise Failure(_refusal(refusing), "the version before stays in force: undo the last change, or repair what is named")
        if time.monotonic() >= deadline:
            if not live:
                raise Failure("no gateway is running", "'hauberk up' or 'hauberk gateway' runs one")
            names = ", ".join(f"{printable(gateway['name'])} enforces {gateway['version']}" for gateway in behind)
            raise Failure(f"after {timeout:g} s not every gateway enforces version {wanted}: {names}", "look at the gateway's log")
        time.sleep(_POLL_SECONDS)
        seen = plane.client.get("/hauberk/v1/status")


def _refusal(gateway: dict[str, Any]) -> str:
    return f"gateway {printable(gateway['name'])} refused version {gateway['refused_version']}: {printable(gateway['refused_reason'])}"
