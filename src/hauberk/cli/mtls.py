"""`hauberk mtls`: which hosts refuse callers without a good client certificate."""

from __future__ import annotations

from typing import Any

import typer

from hauberk.cli import rules
from hauberk.cli.host import HostArgument, warn_unless_served
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Mutual TLS: refuse callers without a good client certificate.")


@app.command("require")
@remote()
def require(plane: Remote, host: HostArgument) -> None:
    """
    Answer 403 on a host unless the caller shows a client certificate that verifies and is not revoked.

    Two things are made, once each: the association, which lets the gateway ask for a certificate in the TLS handshake, and a rule before
    all others that decides. Running it again changes nothing.

    \b
    Example:
      hauberk mtls require api.example.com
    """
    name = rules.exact_host(host)
    zone = plane.zone(name)
    warn_unless_served(plane, name)
    # First the association, then the rule: the other way round good callers would be refused until both are in force.
    hostnames = _associated(plane, zone)
    if name not in hostnames:
        hostnames = _associate(plane, zone, [*hostnames, name])
    rule = rules.ensure(
        plane.client,
        zone["id"],
        rules.Wanted(
            ref=rules.mtls_ref(name),
            expression=f'(http.host eq "{name}" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))',
            action="block",
            description=f"{name} requires a client certificate that is verified and not revoked",
            first=True,
        ),
    )
    plane.out.done(
        f"{name} now requires a client certificate that is verified and not revoked",
        {"host": name, "associated": hostnames, "rule": rule},
        then="hauberk cert issue --generate --common-name device-1",
    )


@app.command("show")
@remote()
def show(plane: Remote) -> None:
    """
    List the hosts on which certificates are asked for, and those whose rule refuses callers without one.

    \b
    Example:
      hauberk mtls show
    """
    zone = plane.zone()
    associated = _associated(plane, zone)
    required = {str(rule["ref"]).removeprefix(rules.mtls_ref("")): rule for rule in _mtls_rules(plane, zone)}
    rows = [
        {
            "host": host,
            "asked_for": host in associated,
            "required": host in required and bool(required[host].get("enabled")),
            "rule": required.get(host),
        }
        for host in sorted({*associated, *required})
    ]
    columns = {"HOST": "host", "ASKED FOR": "asked_for", "REQUIRED": "required"}
    plane.out.table(rows, columns, empty="no host asks for certificates: 'hauberk mtls require HOST' makes one do so")


@app.command("remove")
@remote()
def remove(plane: Remote, host: HostArgument) -> None:
    """
    Let callers without a certificate in again: delete the rule and the association that 'require' made.

    \b
    Example:
      hauberk mtls remove api.example.com
    """
    name = rules.exact_host(host)
    zone = plane.zone(name)
    removed = rules.remove(plane.client, zone["id"], rules.mtls_ref(name))
    hostnames = _associated(plane, zone)
    if name in hostnames:
        hostnames = _associate(plane, zone, [other for other in hostnames if other != name])
        removed = True
    text = f"{name} requires no client certificate any more" if removed else f"{name} required no client certificate"
    plane.out.done(text, {"host": name, "associated": hostnames, "rule": None})


def _path(zone: dict[str, Any]) -> str:
    return f"/client/v4/zones/{zone['id']}/certificate_authorities/hostname_associations"


def _associated(plane: Remote, zone: dict[str, Any]) -> list[str]:
    return list(plane.client.get(_path(zone)).get("hostnames") or [])


def _associate(plane: Remote, zone: dict[str, Any], hostnames: list[str]) -> list[str]:
    return list(plane.client.put(_path(zone), {"hostnames": hostnames}).get("hostnames") or [])


def _mtls_rules(plane: Remote, zone: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in rules.listed(plane.client, zone["id"]) if str(rule.get("ref", "")).startswith(rules.mtls_ref(""))]
