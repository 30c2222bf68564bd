"""`hauberk ca`: the managed certificate authority's certificate and its list of revoked certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hauberk.cli import files
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="The certificate authority: its certificate, its revocation list.")

Out = Annotated[Path, typer.Option(help="File to write; '-' is standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


@app.command("export")
@remote(zone=False)
def export(plane: Remote, out: Out = files.STANDARD, force: Force = False) -> None:
    """
    Print the authority's certificate (PEM), for whoever else verifies client certificates. Its private key never leaves the state folder.

    \b
    Example:
      hauberk ca export --out authority.pem
      openssl verify -CAfile authority.pem device.pem
    """
    authority = plane.client.get("/hauberk/v1/authority")
    if plane.out.as_json:
        plane.out.json(authority)
    elif out == files.STANDARD:
        plane.out.line(authority["certificate"].rstrip("\n"))
    if out != files.STANDARD:
        files.write(out, authority["certificate"], force=force)
        plane.out.say(f"Wrote the certificate of '{authority['name']}' to {out}")


@app.command("crl")
@remote(zone=False)
def crl(plane: Remote, out: Out = files.STANDARD, force: Force = False) -> None:
    """
    Print the signed list of revoked certificates (CRL, PEM), for verifiers other than hauberk's gateways, which need none.

    The same list is public at /crl/{authority id}.crl in DER, which is what certificates name as their distribution point.

    \b
    Example:
      hauberk ca crl --out authority.crl
      openssl crl -in authority.crl -noout -text
    """
    content = plane.client.content("/hauberk/v1/authority/crl", format="pem").decode("ascii")
    if plane.out.as_json:
        plane.out.json({"crl": content})
    elif out == files.STANDARD:
        plane.out.line(content.rstrip("\n"))
    if out != files.STANDARD:
        files.write(out, content, force=force)
        plane.out.say(f"Wrote the revocation list to {out}")
