"""The worked example: run as the demo runs it, and once more set up by the official SDK alone, looked at more closely."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cloudflare
import pytest
import requests

from conftest import require_tool
from hauberk.demo.kept_alive import KeptAlive
from hauberk.demo.stage import HOST, Stage

EXAMPLE = Path(__file__).parents[1] / "examples" / "temperature"
RULE = f'(http.host eq "{HOST}" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'
PHASE = "http_request_firewall_custom"


def load_connect_to() -> type[requests.adapters.HTTPAdapter]:
    """Take the adapter out of the device's script, which is no module of ours."""
    spec = importlib.util.spec_from_file_location("iot_device", EXAMPLE / "iot_device.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ConnectTo  # type: ignore[no-any-return]


def reading(**changes: Any) -> dict[str, Any]:
    return {"temperature": 36.6, "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} | changes


def is_running(folder: Path) -> list[str]:
    """Commands that run in a folder or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in command or (process / "cwd").resolve() == folder:
                found.append(command)
        except OSError:
            continue
    return found


def test_the_demo_walks_the_example_and_leaves_nothing_running(tmp_path: Path) -> None:
    for tool in ("curl", "openssl", "cfssl", "cfssljson"):
        require_tool(tool)
    folder = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "hauberk.cli", "demo", "--check", "--state", folder],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert "DIFFERS" not in done.stdout
    assert done.stderr == ""
    for promised in (
        "cfssl genkey",
        "issue_with_sdk.py",
        "iot_device.py",
        "X-Auth-Key",
        "phone.p12",
        "an extra field",
        "still from local port",
    ):
        assert promised in done.stdout
    token = (folder / "state" / "admin-token").read_text().strip()
    assert token not in done.stdout
    assert is_running(folder) == []


def test_the_demo_leaves_a_folder_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = subprocess.run(
        [sys.executable, "-m", "hauberk.cli", "demo", "--check", "--state", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}: is not empty")
    assert (tmp_path / "mine").read_text() == "precious"


@dataclass
class Protected:
    """The example behind a gateway, set up by the SDK."""

    stage: Stage
    client: cloudflare.Cloudflare
    zone_id: str

    @property
    def url(self) -> str:
        return self.stage.url

    def file(self, name: str) -> str:
        return str(self.stage.folder / name)

    def issue(self, name: str) -> Any:
        """Make a key with cfssl and have its request signed."""
        folder = self.stage.folder
        request = json.loads((EXAMPLE / "csr.json").read_text()) | {"CN": name}
        made = subprocess.run([require_tool("cfssl"), "genkey", "-"], input=json.dumps(request), capture_output=True, text=True, check=True)
        subprocess.run([require_tool("cfssljson"), "-bare", name], input=made.stdout, cwd=folder, text=True, check=True)
        csr = (folder / f"{name}.csr").read_text()
        certificate = self.client.client_certificates.create(zone_id=self.zone_id, csr=csr, validity_days=30)
        assert certificate is not None
        (folder / f"{name}.pem").write_text(certificate.certificate or "")
        return certificate

    def session(self, name: str | None = None) -> requests.Session:
        session = requests.Session()
        session.mount("https://", load_connect_to()(HOST, "127.0.0.1"))  # type: ignore[call-arg]
        session.trust_env = False
        session.verify = self.file("server.pem")
        if name is not None:
            session.cert = (self.file(f"{name}.pem"), self.file(f"{name}-key.pem"))
        return session

    def until(self, condition: Callable[[], bool], seconds: float) -> float:
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < seconds, f"not within {seconds} s"
            time.sleep(0.02)
        return time.monotonic() - begin


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected]:
    with Stage(tmp_path_factory.mktemp("example") / "stage") as stage:
        stage.start()
        token = (stage.state / "admin-token").read_text().strip()
        with cloudflare.Cloudflare(api_token=token, base_url=f"{stage.api}/client/v4", max_retries=0) as client:
            zone_id = next(iter(client.zones.list())).id
            client.certificate_authorities.hostname_associations.update(zone_id=zone_id, hostnames=[HOST])
            client.rulesets.phases.update(PHASE, zone_id=zone_id, rules=[{"action": "block", "expression": RULE}])
            source = (EXAMPLE / "openapi.yaml").read_text()
            client.schema_validation.schemas.create(
                zone_id=zone_id, kind="openapi_v3", name="temps", source=source, validation_enabled=True
            )
            operations = [{"method": method, "host": HOST, "endpoint": "/temps"} for method in ("GET", "POST")]
            client.api_gateway.operations.bulk_create(zone_id=zone_id, body=operations)  # type: ignore[arg-type]
            client.schema_validation.settings.edit(zone_id=zone_id, validation_default_mitigation_action="block")
            with stage.client() as own:
                host = own.get(f"/hauberk/v1/zones/{zone_id}/hosts")[0]
                (stage.folder / "server.pem").write_text(host["certificate_pem"])
                newest = own.get("/hauberk/v1/status")["version"]
                made = Protected(stage, client, zone_id)
                made.until(lambda: own.get("/hauberk/v1/status")["gateways"][0]["version"] >= newest, 5)
            made.issue("sensor")
            yield made


def test_a_known_device_is_answered_and_only_its_five_newest_readings_are_kept(protected: Protected) -> None:
    protected.issue("logger")
    begin = datetime.now(UTC).replace(microsecond=0)
    with protected.session("logger") as device:
        for minute in (3, 0, 6, 1, 5, 2, 4):
            body = reading(temperature=30 + minute, time=(begin + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ"))
            assert device.post(f"{protected.url}/temps", json=body, timeout=10).status_code == 201
        kept = device.get(f"{protected.url}/temps", timeout=10).json()
    assert [item["temperature"] for item in kept] == [36, 35, 34, 33, 32]


def test_callers_see_their_own_readings_and_cannot_pass_for_another(protected: Protected) -> None:
    fingerprint = protected.issue("first").fingerprint_sha256
    protected.issue("second")
    with protected.session("first") as first, protected.session("second") as second:
        first.post(f"{protected.url}/temps", json=reading(), timeout=10).raise_for_status()
        spoofed = {"Cf-Client-Cert-Sha256": fingerprint, "cf-client-cert-sha256": fingerprint}
        assert second.get(f"{protected.url}/temps", headers=spoofed, timeout=10).json() == []
        assert len(first.get(f"{protected.url}/temps", timeout=10).json()) == 1


BAD_BODIES = [
    ({"admin": True}, "$.admin", "constraint_violation", "forbidden_value"),
    ({"temperature": "36.6"}, "$.temperature", "invalid_type", "expected:number"),
    ({"temperature": None}, "$.temperature", "invalid_type", "expected:number"),
    ({"temperature": 1000}, "$.temperature", "constraint_violation", "number_too_big"),
    ({"temperature": -41}, "$.temperature", "constraint_violation", "number_too_small"),
    ({"time": "yesterday"}, "$.time", "constraint_violation", "format_violation:date-time"),
]


@pytest.mark.parametrize(("changes", "target", "error_class", "error_detail"), BAD_BODIES)
def test_a_body_that_breaks_the_schema_is_refused_with_its_place(
    protected: Protected, changes: dict[str, Any], target: str, error_class: str, error_detail: str
) -> None:
    with protected.session("sensor") as device:
        answer = device.post(f"{protected.url}/temps", json=reading(**changes), timeout=10)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["violation"] == {
        "location": "body",
        "target": target,
        "error_class": error_class,
        "error_detail": error_detail,
    }
    for value in changes.values():
        if isinstance(value, str | float) and not isinstance(value, bool):
            assert f'"{value}"' not in answer.text


def test_an_undeclared_query_parameter_is_refused_without_its_value(protected: Protected) -> None:
    with protected.session("sensor") as device:
        answer = device.post(f"{protected.url}/temps?debug=s3cret", json=reading(), timeout=10)
    assert answer.status_code == 403
    assert (answer.json()["violation"]["location"], answer.json()["violation"]["target"]) == ("query", "debug")
    assert "s3cret" not in answer.text


def test_without_a_certificate_the_refusal_says_so(protected: Protected) -> None:
    with protected.session() as nobody:
        answer = nobody.post(f"{protected.url}/temps", json=reading(), timeout=10)
    assert answer.status_code == 403
    assert answer.json()["client_certificate"] == "none"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("tls", [[], ["--tls-max", "1.2"]])
def test_curl_gets_through_whatever_it_speaks(protected: Protected, version: str, tls: list[str]) -> None:
    command = [require_tool("curl"), "-sS", version, *tls, "--resolve", f"{HOST}:{protected.stage.https_port}:127.0.0.1"]
    command += ["--cacert", "server.pem", "-H", "Content-Type: application/json", "-d", json.dumps(reading())]
    command += ["-o", "/dev/null", "-w", "%{http_code} %{http_version}", f"{protected.url}/temps"]
    identity = ["--cert", "sensor.pem", "--key", "sensor-key.pem"]
    number = "2" if version == "--http2" else "1.1"
    for extra, status in ((identity, 201), ([], 403)):
        done = subprocess.run([*command, *extra], cwd=protected.stage.folder, capture_output=True, text=True, check=True)
        assert done.stdout == f"{status} {number}"


def test_revocation_reaches_a_connection_that_stays_open(protected: Protected) -> None:
    certificate = protected.issue("stolen")
    files = [protected.stage.folder / name for name in ("server.pem", "stolen.pem", "stolen-key.pem")]
    body = json.dumps(reading())
    with KeptAlive(HOST, protected.stage.https_port, *files) as connection:
        assert connection.post(body) == 201
        protected.client.client_certificates.delete(certificate.id, zone_id=protected.zone_id)
        assert connection.post_until(403, body, timeout=2) is not None
        protected.client.client_certificates.edit(certificate.id, zone_id=protected.zone_id, reactivate=True)
        assert connection.post_until(201, body, timeout=2) is not None


def test_a_path_outside_the_schema_passes_until_the_owner_decides_otherwise(protected: Protected) -> None:
    client, zone_id = protected.client, protected.zone_id
    ruleset = client.rulesets.phases.get(PHASE, zone_id=zone_id)
    with protected.session("sensor") as device:

        def status() -> int:
            return device.get(f"{protected.url}/health", timeout=10).status_code

        assert status() == 200
        template = client.post(f"/zones/{zone_id}/api_gateway/expression-template/fallthrough", cast_to=object, body={"hosts": [HOST]})
        expression = template["result"]["expression"]  # type: ignore[index]
        client.rulesets.rules.create(ruleset.id, zone_id=zone_id, action="block", expression=expression)
        try:
            protected.until(lambda: status() == 403, 2)
            # What is saved still passes.
            assert device.post(f"{protected.url}/temps", json=reading(), timeout=10).status_code == 201
        finally:
            last = client.rulesets.phases.get(PHASE, zone_id=zone_id).rules[-1]
            client.rulesets.rules.delete(last.id or "", zone_id=zone_id, ruleset_id=ruleset.id)
        protected.until(lambda: status() == 200, 2)


def test_what_was_refused_is_on_record_without_values(protected: Protected) -> None:
    with protected.session("sensor") as device:
        answer = device.post(f"{protected.url}/temps", json=reading(temperature=4711), timeout=10)
    request_id = answer.json()["request_id"]
    path = f"/client/v4/zones/{protected.zone_id}/security_events"
    with protected.stage.client() as own:
        protected.until(lambda: bool(own.get(path, request_id=request_id)), 5)
        [event] = own.get(path, request_id=request_id)
    assert (event["action"], event["source"], event["status"]) == ("block", "apiShieldSchemaValidation", 403)
    assert event["violation"]["target"] == "$.temperature"
    written = (protected.stage.state / "events.jsonl").read_text()
    assert request_id in written
    assert "4711" not in written
