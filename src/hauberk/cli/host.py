"""`hauberk host`: the host names the gateways serve, and what becomes of requests that no saved operation matches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files, rules
from hauberk.cli.client import route
from hauberk.cli.failure import Failure
from hauberk.cli.output import printable
from hauberk.cli.remote import Remote, remote
from hauberk.mitigation import MitigationAction

app = typer.Typer(no_args_is_help=True, help="Host names the gateways serve.")

HostArgument = Annotated[str, typer.Argument(metavar="HOST", help="The host name, e.g. api.example.com.", show_default=False)]


@app.command("list")
@remote()
def list_hosts(plane: Remote) -> None:
    """
    List hosts, where their requests go, and whether their server certificate is self-signed.

    \b
    Example:
      hauberk host list
    """
    hosts = list(plane.client.pages(plane.own_zone_path("hosts")))
    columns: dict[str, Any] = {
        "HOST": "name",
        "UPSTREAMS": "upstreams",
        "CERTIFICATE": lambda host: "self-signed" if host["self_signed"] else "given",
        "DECLARED": lambda host: "hauberk.toml" if host["from_file"] else "REST",
    }
    plane.out.table(hosts, columns, empty="no hosts yet: 'hauberk host add HOST --upstream URL' makes one")


@app.command("add")
@remote()
def add_host(
    plane: Remote,
    host: HostArgument,
    upstream: Annotated[list[str], typer.Option(metavar="URL", help="Where requests go; several take turns.", show_default=False)],
    certificate: Annotated[
        Path | None, typer.Option(help="Server certificate (PEM, leaf first). Left out: a self-signed one is made.", show_default=False)
    ] = None,
    private_key: Annotated[Path | None, typer.Option(help="Private key (PEM) to it.", show_default=False)] = None,
) -> None:
    """
    Serve a host; gateways do so within two seconds. A host that exists gets these upstreams and this certificate.

    \b
    Example:
      hauberk host add api.example.com --upstream http://127.0.0.1:9000
    """
    if (certificate is None) != (private_key is None):
        raise Failure("--certificate and --private-key go together; one of them is missing", status=2)
    body: dict[str, Any] = {"upstreams": upstream}
    if certificate is not None and private_key is not None:
        body |= {"certificate_pem": files.read_text(certificate), "private_key_pem": files.read_text(private_key)}
    zone = plane.zone(_below(host))
    path = route("hauberk/v1/zones", zone["id"], "hosts")
    known = any(other["name"] == host.lower() for other in plane.client.pages(path))
    if known:
        made = plane.client.put(route("hauberk/v1/zones", zone["id"], "hosts", host), body)
    else:
        made = plane.client.post(path, {"name": host, **body})
    for warning in made.get("warnings") or []:
        plane.out.say(f"warning: {printable(warning)}")
    what = "Changed" if known else "Added"
    plane.out.done(f"{what} {made['name']} in zone {zone['name']}", made, then=f"hauberk mtls require {made['name']}")


@app.command("certificate")
@remote()
def show_certificate(
    plane: Remote,
    host: HostArgument,
    out: Annotated[Path, typer.Option(help="File to write; '-' is standard output.")] = files.STANDARD,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """
    Print a host's server certificate, so that clients can be told to trust a self-signed one. Its key never leaves the control plane.

    \b
    Example:
      hauberk host certificate api.example.com --out server.pem
      curl --cacert server.pem https://api.example.com:8443/
    """
    found = _find(plane, host)
    if plane.out.as_json:
        plane.out.json({"name": found["name"], "certificate_pem": found["certificate_pem"], "self_signed": found["self_signed"]})
    elif out == files.STANDARD:
        plane.out.line(found["certificate_pem"].rstrip("\n"))
    if out != files.STANDARD:
        files.write(out, found["certificate_pem"], force=force)
        plane.out.say(f"Wrote the certificate of {found['name']} to {out}")


@app.command("remove")
@remote()
def remove_host(plane: Remote, host: HostArgument) -> None:
    """
    Take a host out of service. Its saved operations stay.

    \b
    Example:
      hauberk host remove api.example.com
    """
    result = plane.client.delete(plane.own_zone_path("hosts", host, host=_below(host)))
    plane.out.done(f"Removed {host}: gateways answer 404 for it within two seconds", result)


@app.command("fallthrough")
@remote()
def fallthrough(
    plane: Remote,
    host: HostArgument,
    action: Annotated[MitigationAction, typer.Argument(help="none: pass; log: pass and record an event; block: 403.", show_default=False)],
) -> None:
    """
    Decide what becomes of requests that no saved operation matches. Keeps one rule for the host, after all others.

    Save every operation first, HEAD and OPTIONS too if browsers call the API: 'log' shows what 'block' would refuse.

    \b
    Example:
      hauberk host fallthrough api.example.com log
      hauberk events --host api.example.com
      hauberk host fallthrough api.example.com block
    """
    name = rules.exact_host(host)
    warn_unless_served(plane, name)
    path = plane.own_zone_path("fallthrough", host=name)
    made = plane.client.put(path, {"hosts": {name: action.value}})
    before = made["before"]["hosts"][name]
    if action is MitigationAction.NONE:
        text = f"Requests to {name} outside of saved operations pass" + (", as before" if before == action.value else "")
        plane.out.done(text, {"host": name, **made["hosts"][name]})
        return
    verb = "are logged" if action is MitigationAction.LOG else "are refused with 403"
    plane.out.done(
        f"Requests to {name} outside of saved operations {verb}",
        {"host": name, **made["hosts"][name]},
        then="hauberk status --wait",
    )


def _find(plane: Remote, host: str) -> dict[str, Any]:
    for found in plane.client.pages(plane.own_zone_path("hosts", host=_below(host))):
        if found["name"] == host.lower():
            return found
    raise Failure(f"there is no host '{host}'", "'hauberk host list' shows those there are")


def warn_unless_served(plane: Remote, host: str) -> None:
    """Say so if a rule is made for a host that no gateway serves: it may be a slip of the pen, and the real host stays open."""
    wildcard = f"*.{host.partition('.')[2]}"
    if not any(known["name"] in {host, wildcard} for known in plane.client.pages(plane.own_zone_path("hosts", host=host))):
        plane.out.say(f"warning: no gateway serves '{host}'; 'hauberk host list' shows those that are")


def _below(host: str) -> str:
    """Give the name that tells the zone: a wildcard's zone is that of the names below it."""
    return host.lower().removeprefix("*.")
