"""The worked example, in the order an owner would go."""

from __future__ import annotations

import importlib.util
import shutil
from datetime import UTC, datetime, timedelta

from hauberk.demo.kept_alive import KeptAlive
from hauberk.demo.shell import Shell
from hauberk.demo.stage import HOST, Stage

REFUSED_WITHIN_SECONDS = 2.0
DEVICE = "--cert device.pem --key device-key.pem"


def walk(shell: Shell, stage: Stage) -> None:
    """Go through all steps; the shell keeps what differed."""
    _keys(shell)
    _certificates(shell, stage)
    _mutual_tls(shell)
    _schema(shell)
    _good_requests(shell, stage)
    _requests_without_a_good_certificate(shell, stage)
    _requests_that_break_the_schema(shell, stage)
    _fallthrough(shell, stage)
    _revocation(shell, stage)
    _bundle(shell, stage)
    shell.step("What was refused is on record, without any value from a request")
    shell.run("hauberk events --source apiShieldSchemaValidation")


def _keys(shell: Shell) -> None:
    shell.step("1. A device makes its key and a certificate request; the key never leaves it")
    if shutil.which("cfssl") and shutil.which("cfssljson"):
        shell.run("cfssl genkey -loglevel=3 csr.json | cfssljson -bare device")
    else:
        subject = "/C=DE/ST=Bavaria/L=Munich/O=Temperature Testers/OU=Field devices/CN=sensor-001.devices.example.com"
        shell.run(_openssl_request("device", subject))
    shell.run(_openssl_request("phone", "/O=Temperature Testers/CN=phone-001.devices.example.com"))


def _certificates(shell: Shell, stage: Stage) -> None:
    shell.step("2. The owner has the requests signed, here by REST with curl, then by the official cloudflare SDK")
    with stage.client() as client:
        zone_id = client.get("/client/v4/zones")[0]["id"]
    shell.run("hauberk zone list")
    # awk writes line ends as \n, which is how JSON wants them.
    shell.run("""printf '{"validity_days": 365, "csr": "%s"}' "$(awk '{printf "%s\\\\n", $0}' device.csr)" > request.json""")
    shell.request(
        "curl -sS -H 'X-Auth-Email: admin@localhost' -H \"X-Auth-Key: $(cat state/admin-token)\" \\\n"
        "  -H 'Content-Type: application/json' -d @request.json -o issued.json -w '%{http_code}\\n' \\\n"
        f"  {stage.api}/client/v4/zones/{zone_id}/client_certificates",
        200,
        what="the device's request is signed",
    )
    shell.run("""python -c 'import json; print(json.load(open("issued.json"))["result"]["certificate"], end="")' > device.pem""")
    if importlib.util.find_spec("cloudflare") is not None:
        shell.run(f"python issue_with_sdk.py --url {stage.api} --csr phone.csr --out phone.pem")
    else:
        shell.say("  (the SDK is not installed: 'pip install cloudflare'; the command line does the same)")
        shell.run("hauberk cert issue --csr phone.csr --days 365")
    shell.run("hauberk cert list")


def _mutual_tls(shell: Shell) -> None:
    shell.step("3. The host asks for certificates, and a rule refuses callers without a verified, unrevoked one")
    shell.run(f"hauberk mtls require {HOST}")


def _schema(shell: Shell) -> None:
    shell.step("4. The OpenAPI document says what a request may look like; others are blocked")
    shell.run("hauberk schema check openapi.yaml")
    shell.run(f"hauberk schema upload openapi.yaml --host {HOST}")
    shell.run("hauberk schema default-action block")
    shell.run("hauberk status --wait")


def _good_requests(shell: Shell, stage: Stage) -> None:
    shell.step("5. Known devices with proper requests get through")
    # The server certificate is self-signed, so callers are told to trust it.
    shell.run(f"hauberk host certificate {HOST} --out server.pem")
    if importlib.util.find_spec("requests") is not None:
        command = f"python iot_device.py --url {stage.url}/temps \\\n  {DEVICE} --ca server.pem --connect-to 127.0.0.1"
        shell.request(command, 201, what="the device reports a temperature (Python requests)")
    else:
        shell.say("  (Python's requests is not installed, so curl stands in for the device)")
    shell.request(_post(stage, _reading(36.6), DEVICE), 201, what="and another one, with curl")
    shell.request(_get(stage, "/temps", DEVICE), 200, '"temperature"', what="it reads back what it reported")
    phone = "--cert phone.pem --key phone-key.pem"
    shell.request(_get(stage, "/temps", phone), 200, "[]", what="the phone has another certificate, so other readings: none yet")


def _requests_without_a_good_certificate(shell: Shell, stage: Stage) -> None:
    shell.step("   Callers without a good certificate do not", "The rule answers, not the handshake: so they learn why.")
    shell.request(_post(stage, _reading(36.6), ""), 403, "certificate", what="no certificate")

    shell.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \\\n"
        "  -subj '/CN=Somebody else' -keyout other-ca-key.pem -out other-ca.pem 2>/dev/null"
    )
    shell.run(
        "openssl x509 -req -in device.csr -days 30 -CA other-ca.pem -CAkey other-ca-key.pem \\\n"
        "  -CAcreateserial -out foreign.pem 2>/dev/null"
    )
    foreign = "--cert foreign.pem --key device-key.pem"
    shell.request(_post(stage, _reading(36.6), foreign), 403, "certificate", what="a certificate of another authority")

    shell.say("  # REST signs for a day at least: an expired one is made with the authority's own key, as its owner can")
    _write_expired(stage)
    expired = "--cert expired.pem --key device-key.pem"
    shell.request(_post(stage, _reading(36.6), expired), 403, "certificate", what="a certificate that ended ten seconds ago")

    shell.run("hauberk cert issue --generate --common-name lost-001")
    shell.run("hauberk cert revoke lost-001.pem")
    shell.run("hauberk status --wait")
    lost = "--cert lost-001.pem --key lost-001-key.pem"
    shell.request(_post(stage, _reading(36.6), lost), 403, "revoked", what="a revoked certificate")


def _requests_that_break_the_schema(shell: Shell, stage: Stage) -> None:
    shell.step("   Known devices with requests that break the schema do not")
    now = _now()
    cases = [
        ("an extra field", f'{{"temperature": 36.6, "time": "{now}", "admin": true}}', ""),
        ("a wrong type", f'{{"temperature": "36.6", "time": "{now}"}}', ""),
        ("a temperature out of range", _reading(1000), ""),
        ("a query parameter nobody declared", _reading(36.6), "?debug=1"),
    ]
    for what, body, query in cases:
        shell.request(_post(stage, body, DEVICE, query), 403, '"violation"', what=what)


def _fallthrough(shell: Shell, stage: Stage) -> None:
    shell.step("   A path outside the schema passes, until the owner decides otherwise")
    shell.request(_get(stage, "/health", DEVICE), 200, what="fallthrough none")
    shell.run(f"hauberk host fallthrough {HOST} block")
    shell.run("hauberk status --wait")
    shell.request(_get(stage, "/health", DEVICE), 403, what="fallthrough block")
    shell.run(f"hauberk host fallthrough {HOST} none")
    shell.run("hauberk status --wait")


def _revocation(shell: Shell, stage: Stage) -> None:
    shell.step("6. The device is stolen: its certificate is revoked, and refused on the connection it has open, too")
    files = [stage.folder / name for name in ("server.pem", "device.pem", "device-key.pem")]
    with KeptAlive(HOST, stage.https_port, *files) as connection:
        shell.say(f"  # Python's http.client keeps one connection open, from local port {connection.local_port}")
        shell.compare("kept-alive connection before the revocation", "201", str(connection.post(_reading(36.6))))
        shell.run("hauberk cert revoke device.pem")
        seconds = connection.post_until(403, _reading(36.6), timeout=REFUSED_WITHIN_SECONDS)
        _tell_swap(shell, "refused", seconds, connection)
        shell.run("hauberk cert restore device.pem")
        seconds = connection.post_until(201, _reading(36.6), timeout=REFUSED_WITHIN_SECONDS)
        _tell_swap(shell, "accepted again", seconds, connection)


def _tell_swap(shell: Shell, what: str, seconds: float | None, connection: KeptAlive) -> None:
    expected = f"{what} within {REFUSED_WITHIN_SECONDS:g} s on the same connection"
    told = f"after {seconds:.2f} s, still from local port {connection.local_port}" if seconds is not None else ""
    shell.compare(expected, expected, expected if seconds is not None else "not in time", told)


def _bundle(shell: Shell, stage: Stage) -> None:
    shell.step("7. A phone imports key, certificate and authority as one PKCS #12 file under a password")
    shell.run("openssl rand -hex 16 > password.txt")
    shell.run("hauberk cert bundle phone.pem --key phone-key.pem --out phone.p12 --password-file password.txt")
    shell.run("openssl pkcs12 -in phone.p12 -passin file:password.txt -nokeys -info 2>&1 | grep -E '^(MAC|PKCS7|subject)' | head -5")
    phone = '--cert-type P12 --cert "phone.p12:$(cat password.txt)"'
    shell.request(_get(stage, "/temps", phone), 200, "[]", what="the bundle opens the API")


def _openssl_request(name: str, subject: str) -> str:
    return (
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
        f"'{subject}' \\\n  -keyout {name}-key.pem -out {name}.csr 2>/dev/null"
    )


def _post(stage: Stage, body: str, certificate: str, query: str = "") -> str:
    options = f"{certificate} " if certificate else ""
    return (
        f"{stage.curl} \\\n  {options}-H 'Content-Type: application/json' \\\n"
        f"  -d '{body}' -w '\\n%{{http_code}}\\n' '{stage.url}/temps{query}'"
    )


def _get(stage: Stage, path: str, certificate: str) -> str:
    return f"{stage.curl} \\\n  {certificate} -w '\\n%{{http_code}}\\n' {stage.url}{path}"


def _reading(temperature: float) -> str:
    return f'{{"temperature": {temperature}, "time": "{_now()}"}}'


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_expired(stage: Stage) -> None:
    """Sign the device's request as it would have been signed a day and ten seconds ago, for one day."""
    from hauberk.config import AuthoritySettings  # noqa: PLC0415 - loads cryptography, which the rest of the demo does without
    from hauberk.pki.key_store import open_managed_authority  # noqa: PLC0415
    from hauberk.pki.request import parse_request  # noqa: PLC0415

    authority = open_managed_authority(stage.state, AuthoritySettings())
    request = parse_request((stage.folder / "device.csr").read_text())
    then = datetime.now(UTC) - timedelta(days=1, seconds=10)
    signed = authority.sign(request, 1, then, f"{stage.api}/crl/demo.crl")
    (stage.folder / "expired.pem").write_text(signed.certificate_pem)
