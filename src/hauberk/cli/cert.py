"""`hauberk cert`: client certificates, from issue to revocation, and as a bundle for a phone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from hauberk.certificate import Subject, file_name
from hauberk.cli import files
from hauberk.cli.certificates import FIELDS, find, find_or_load, row
from hauberk.cli.failure import Failure
from hauberk.cli.remote import Remote, remote

app = typer.Typer(no_args_is_help=True, help="Client certificates.")

DEFAULT_DAYS = 365

Certificate = Annotated[
    str,
    typer.Argument(metavar="CERTIFICATE", help="Its id, serial number, fingerprint, common name, or its PEM file.", show_default=False),
]


@app.command("issue")
@remote()
def issue(
    plane: Remote,
    csr: Annotated[
        Path | None, typer.Option(help="A certificate request (PEM) the device made; '-' is standard input.", show_default=False)
    ] = None,
    generate: Annotated[bool, typer.Option("--generate", help="Make a key (ECDSA P-256) and a request here instead.")] = False,
    common_name: Annotated[str | None, typer.Option(help="With --generate: the subject's common name (CN).", show_default=False)] = None,
    organization: Annotated[str | None, typer.Option(help="With --generate: O.", show_default=False)] = None,
    organizational_unit: Annotated[str | None, typer.Option(help="With --generate: OU.", show_default=False)] = None,
    country: Annotated[str | None, typer.Option(help="With --generate: C, two letters.", show_default=False)] = None,
    state: Annotated[str | None, typer.Option(help="With --generate: ST.", show_default=False)] = None,
    location: Annotated[str | None, typer.Option(help="With --generate: L.", show_default=False)] = None,
    days: Annotated[int, typer.Option(min=1, max=5475, help="How long it is valid, in days.")] = DEFAULT_DAYS,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")] = Path(),
    name: Annotated[
        str | None, typer.Option(help="The files' name, without .pem. Default: the CSR's, or the common name.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there, a private key too.")] = False,
) -> None:
    """
    Give a device its certificate.

    The better way: the device makes its own key and a request, and only the request travels. With --generate the key is made on this
    machine and written to NAME-key.pem (mode 0600); it is sent nowhere.

    \b
    Examples:
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\
        -keyout sensor-key.pem -subj "/CN=sensor-001" -out sensor.csr
      hauberk cert issue --csr sensor.csr --days 365
      hauberk cert issue --generate --common-name sensor-002 --out ./devices
    """
    if generate == (csr is not None):
        raise Failure("one of --csr FILE and --generate is needed, and not both", "'hauberk cert issue --help' has examples", status=2)
    if generate and common_name is None:
        raise Failure("--generate needs --common-name, which tells certificates apart", "e.g. --common-name sensor-001", status=2)
    subject = Subject.of(
        common_name=common_name,
        organization=organization,
        organizational_unit=organizational_unit,
        country=country,
        state=state,
        location=location,
    )
    if csr is not None and subject.attributes:
        raise Failure("the subject comes from the CSR: --common-name and the like go with --generate", status=2)
    base = _file_name(name, csr, common_name)
    certificate_file, key_file = out / f"{base}.pem", out / f"{base}-key.pem"
    # Before anything is signed: a certificate that cannot be stored would be one more to revoke.
    files.refuse_existing([certificate_file, *([key_file] if generate else [])], force=force)
    private_key_pem: str | None = None
    if csr is not None:
        csr_pem = files.read_text(csr)
    else:
        private_key_pem, csr_pem = _generate(subject)
    made = plane.client.post(plane.zone_path("client_certificates"), {"csr": csr_pem, "validity_days": days})
    if private_key_pem is not None:
        files.write(key_file, private_key_pem, force=force, private=True)
    files.write(certificate_file, made["certificate"], force=force)
    written = {"certificate_file": str(certificate_file), "private_key_file": str(key_file) if generate else None}
    plane.out.done(
        f"Issued {row(made)['common_name'] or made['serial_number']}, valid until {made['expires_on']}\n  certificate  {certificate_file}"
        + (f"\n  private key  {key_file}  (keep it secret: it is nowhere else)" if generate else ""),
        made | written,
        then=f"curl --cert {certificate_file} --key {key_file if generate else 'KEY'} https://HOST:8443/…",
    )


@app.command("list")
@remote()
def list_certificates(
    plane: Remote,
    status: Annotated[str, typer.Option(help="all, active, revoked, pending_revocation or pending_reactivation.")] = "all",
    search: Annotated[
        str | None,
        typer.Option(help="Part of a common name, a serial number, or how a fingerprint begins.", show_default=False),
    ] = None,
    order: Annotated[Literal["issued_on", "expires_on", "common_name"], typer.Option(help="What to order by.")] = "issued_on",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many. Default: all.", show_default=False)] = None,
) -> None:
    """
    List client certificates, with subject, end and status: the newest first, or by end or name.

    \b
    Examples:
      hauberk cert list --status revoked
      hauberk cert list --search sensor- --order expires_on
    """
    direction = "desc" if order == "issued_on" else "asc"
    path = plane.own_zone_path("client_certificates")
    certificates = list(plane.client.pages(path, status=status, search=search, order=order, direction=direction, limit=limit))
    columns = {"COMMON NAME": "common_name", "STATUS": "status", "EXPIRES": "expires_on", "SERIAL NUMBER": "serial_number", "ID": "id"}
    plane.out.table(certificates, columns, empty="no client certificates yet: 'hauberk cert issue --help' tells how to make one")


@app.command("show")
@remote()
def show(
    plane: Remote,
    certificate: Certificate,
    pem: Annotated[bool, typer.Option("--pem", help="Print the certificate itself.")] = False,
) -> None:
    """
    Show one client certificate.

    \b
    Examples:
      hauberk cert show sensor-001
      hauberk cert show sensor.pem --json
    """
    found = find(plane, certificate)
    if pem and not plane.out.as_json:
        plane.out.line(str(found["certificate"]).rstrip("\n"))
    else:
        plane.out.object(found, FIELDS)


@app.command("revoke")
@remote()
def revoke(plane: Remote, certificate: Certificate) -> None:
    """
    Revoke a client certificate. Gateways refuse it within two seconds, on connections that are open too.

    \b
    Example:
      hauberk cert revoke sensor.pem
    """
    found = find(plane, certificate, prefer="active")
    revoked = plane.client.delete(plane.zone_path("client_certificates", found["id"]))
    plane.out.done(
        f"Revoked {row(found)['common_name']} (serial number {found['serial_number']})",
        revoked,
        then=f"hauberk cert restore {found['id']}, should you regret it",
    )


@app.command("restore")
@remote()
def restore(plane: Remote, certificate: Certificate) -> None:
    """
    Accept a revoked client certificate again.

    \b
    Example:
      hauberk cert restore sensor.pem
    """
    found = find(plane, certificate, prefer="revoked")
    restored = plane.client.patch(plane.zone_path("client_certificates", found["id"]), {"reactivate": True})
    plane.out.done(f"Restored {row(found)['common_name']} (serial number {found['serial_number']})", restored, then="hauberk status --wait")


@app.command("bundle")
@remote()
def bundle(
    plane: Remote,
    certificate: Certificate,
    key: Annotated[Path, typer.Option(help="Its private key (PEM).", show_default=False)],
    out: Annotated[Path, typer.Option(help="The file to write, e.g. phone.p12.", show_default=False)],
    password_file: Annotated[
        Path | None, typer.Option(help="File with the bundle's password; '-' is standard input. Default: ask.", show_default=False)
    ] = None,
    key_passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the key's own passphrase, if it has one.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the phone shows. Default: the common name.", show_default=False)] = None,
    legacy: Annotated[
        bool, typer.Option("--legacy", help="For Android before 13, iOS before 15, macOS before 12: triple DES. Weak: use a long password.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """
    Put certificate, private key and authority into one PKCS #12 file under a password, which phones and browsers import.

    \b
    Example:
      hauberk cert bundle phone.pem --key phone-key.pem --out phone.p12
    """
    from hauberk.pki.bundle import make_bundle  # noqa: PLC0415 - loads cryptography, which other commands do without

    files.refuse_existing([out], force=force)
    private_key_pem = files.read_text(key)
    passphrase = _secret(key_passphrase_file) if key_passphrase_file is not None else None
    found = find_or_load(plane, certificate)
    password = _secret(password_file) if password_file is not None else _ask_password()
    content = make_bundle(
        found["certificate"],
        private_key_pem,
        plane.client.get("/hauberk/v1/authority")["certificate"],
        friendly_name=name or row(found)["common_name"] or "client certificate",
        password=password,
        key_passphrase=passphrase,
        legacy=legacy,
    )
    files.write(out, content, force=force, private=True)
    plane.out.done(
        f"Wrote {out}: certificate, private key and authority",
        {"file": str(out)},
        then="bring the file and its password to the phone by different ways",
    )


def _generate(subject: Subject) -> tuple[str, str]:
    from hauberk.pki.generate import generate_request  # noqa: PLC0415 - loads cryptography, which other commands do without

    made = generate_request(subject)
    return made.private_key_pem, made.csr_pem


def _file_name(name: str | None, csr: Path | None, common_name: str | None) -> str:
    if name is not None:
        if Path(name).name != name or name in {"", ".", ".."}:
            raise Failure(f"--name {name}: a file's name without a folder is expected", "--out names the folder", status=2)
        return name
    if csr is not None:
        return csr.stem if csr != files.STANDARD else "certificate"
    return file_name(common_name)


def _secret(file: Path) -> str:
    lines: list[Any] = files.read_text(file).splitlines()
    if not lines or not lines[0]:
        raise Failure(f"{file}: the first line is empty; it should be the password")
    return str(lines[0])


def _ask_password() -> str:
    if not sys.stdin.isatty():
        raise Failure("the bundle needs a password, and there is no terminal to ask at", "give it in --password-file", status=2)
    return str(typer.prompt("Password for the bundle", hide_input=True, confirmation_prompt=True, err=True))
