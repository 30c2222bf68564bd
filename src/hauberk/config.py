"""
Settings: declared once here, with unit and default; `hauberk.toml`, the environment, `hauberk init` and the docs page follow from it.

Order: file < environment (`HAUBERK_STATE_DIR`, `HAUBERK_CONTROL_PLANE__LISTEN`, …: two underscores step into a table) < flags.
A bad value is reported with its key; an unknown key with the nearest known one.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hauberk.errors import ConfigurationError

ENVIRONMENT_PREFIX = "HAUBERK_"
# Read where it is used, never kept in the settings: a passphrase does not belong in a file or a dump of settings.
PASSPHRASE_VARIABLE = "HAUBERK_CA_PASSPHRASE"  # noqa: S105 - the variable's name
WEBHOOK_SECRET_VARIABLE = "HAUBERK_WEBHOOK_SECRET"  # noqa: S105 - as above
OTHER_VARIABLES = frozenset(
    {PASSPHRASE_VARIABLE, WEBHOOK_SECRET_VARIABLE, "HAUBERK_CONFIG", "HAUBERK_URL", "HAUBERK_TOKEN", "HAUBERK_ZONE", "HAUBERK_DATA"}
)


# Nothing but what the gateway connects to: no user, path, query or white space. Names in other alphabets are written as Punycode.
UPSTREAM = re.compile(r"https?://(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))(?::(?P<port>[0-9]{1,5}))?/?")


def split_address(address: str) -> tuple[str, int]:
    """
    Split `127.0.0.1:8080` or `[::1]:8080`.

    Raises:
        ValueError: If it is not an IP address and a port from 0 to 65535.
    """
    host, colon, port = address.rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        number = -1
    if not colon or not 0 <= number <= 65535:
        raise ValueError("must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080")
    return host.removeprefix("[").removesuffix("]"), number


def _address(address: str) -> str:
    split_address(address)
    return address


def host_name(name: str) -> str:
    """
    Normalise a host name: lower case, no final dot; `*.` may stand in front.

    Raises:
        ValueError: If it is no host name.
    """
    name = name.lower().removesuffix(".")
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or any(
        not label
        or len(label) > 63
        or label.strip("-") != label
        or not label.replace("-", "a").replace("_", "a").isalnum()
        or not label.isascii()
        for label in labels
    ):
        raise ValueError("must be a host name such as api.example.com or *.example.com")
    return name


def upstream_url(url: str) -> str:
    """
    Check an origin's address, `http://HOST[:PORT]` or `https://HOST[:PORT]`.

    Raises:
        ValueError: If it is something else; a path has no meaning here, since requests keep theirs.
    """
    match = UPSTREAM.fullmatch(url)
    if match is None or (match["port"] and not 0 < int(match["port"]) <= 65535):
        raise ValueError("must be http://HOST[:PORT] or https://HOST[:PORT], without a path")
    if match["address"]:
        try:
            IPv6Address(match["address"])
        except ValueError:
            raise ValueError("must be http://HOST[:PORT] or https://HOST[:PORT], with an IPv6 address between brackets") from None
    return url.rstrip("/")


def _proxy(address: str) -> str:
    try:
        return str(ip_network(address))
    except ValueError:
        raise ValueError("must be an IP address or a network, such as 10.0.0.7 or 10.0.0.0/24") from None


Address = Annotated[str, AfterValidator(_address)]
HostName = Annotated[str, AfterValidator(host_name)]
ProxyAddress = Annotated[str, AfterValidator(_proxy)]
UpstreamUrl = Annotated[str, AfterValidator(upstream_url)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class ControlPlaneSettings(_Table):
    """The REST API, the certificate authority and the database."""

    listen: Address = Field("127.0.0.1:8080", description="Address and port of the REST API.")
    certificate: Path | None = Field(None, description="Server certificate (PEM file) of the REST API; without one it speaks plain HTTP.")
    private_key: Path | None = Field(None, description="Private key (PEM file) to it.")
    public_url: str | None = Field(
        None, description="How clients reach the REST API; written into certificates as the place of the CRL. Default: from `listen`."
    )
    admin_email: str = Field("admin@localhost", description="Owner of the token made at first start: `X-Auth-Email` beside `X-Auth-Key`.")
    database_url: str | None = Field(
        None,
        description="sqlite:////FOLDER/FILE, or postgresql://USER@HOST/DATABASE where hauberk[postgres] is installed. "
        "Default: the SQLite file hauberk.db in the state folder.",
    )
    max_upload_bytes: int = Field(32 * 2**20, ge=1024, description="Largest body of a REST request, in bytes.")
    trusted_proxies: list[ProxyAddress] = Field(
        [],
        description="Addresses or networks of reverse proxies in front of the REST API and the dashboard: only their `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed.",
    )


class DashboardSettings(_Table):
    """The pages for people."""

    session_idle_hours: float = Field(8, gt=0, le=24 * 31, description="A session ends after so long without a request, in hours.")
    session_days: float = Field(7, gt=0, le=366, description="A session ends this long after signing in, whatever happens, in days.")


class AuthoritySettings(_Table):
    """The managed certificate authority, made at first start; later changes of these do not touch it."""

    common_name: str = Field("hauberk managed CA", min_length=1, max_length=64, description="Common name of its subject.")
    organization: str = Field("hauberk", min_length=1, max_length=64, description="Organization of its subject.")
    validity_days: int = Field(7300, ge=1, le=36500, description="Its life, in days; no client certificate outlives it.")


class GatewaySettings(_Table):
    """The reverse proxy's own: where it listens, how it runs."""

    https: list[Address] = Field(["0.0.0.0:8443"], description="TLS listeners, address and port.")
    http: list[Address] = Field([], description="Plain listeners: behind another proxy, or for benchmarks. No client certificates there.")
    threads: int = Field(0, ge=0, le=1024, description="Worker threads; 0 = one per core.")
    max_connections: int = Field(20_000, ge=1, le=2**20, description="Open connections; beyond it new ones are closed at once and counted.")
    metrics: Address | None = Field("127.0.0.1:9090", description="Address of /metrics, /healthz and /readyz of the gateway.")
    poll_seconds: float = Field(0.5, ge=0.1, le=60, description="How often the control plane is asked for a newer snapshot, in seconds.")
    grace_seconds: float = Field(
        5.0, ge=0, le=3600, description="How long requests under way may take to end when the gateway stops, in seconds."
    )


class LimitSettings(_Table):
    """What a gateway accepts and how long it waits; part of the snapshot, so a change needs a restart of the control plane only."""

    max_body_bytes: int = Field(2**20, ge=0, le=2**30, description="Largest body that is held to be validated, in bytes.")
    max_stream_bytes: int = Field(
        2**30,
        ge=0,
        le=2**50,
        description="Largest body that is validated while it streams (multipart forms, binary content with bounds), in bytes.",
    )
    oversize_body: Literal["reject", "pass"] = Field(
        "reject", description="A larger body of either kind on a validated operation: `reject` (413) or `pass` unvalidated."
    )
    max_held_bytes: int = Field(
        256 * 2**20,
        ge=2**20,
        le=2**40,
        description="All bodies held at a time and what is held of streams, together, in bytes; beyond it 503, or unvalidated in log mode.",
    )
    max_header_bytes: int = Field(65536, ge=1024, le=2**20, description="All request headers together, in bytes.")
    max_header_count: int = Field(100, ge=8, le=1000, description="Request headers, counted.")
    header_timeout_seconds: int = Field(
        10, ge=1, le=3600, description="For the request's headers to arrive, and before them for a new connection's TLS hello, in seconds."
    )
    body_timeout_seconds: int = Field(
        30,
        ge=1,
        le=3600,
        description="Between two parts of a request's body, in seconds. All of a body that is held to be validated: ten times that.",
    )
    upstream_connect_timeout_seconds: int = Field(5, ge=1, le=3600, description="For an upstream to accept a connection, in seconds.")
    upstream_response_timeout_seconds: int = Field(60, ge=1, le=3600, description="Between two parts of an upstream's answer, in seconds.")
    idle_timeout_seconds: int = Field(
        60, ge=1, le=86400, description="A kept-alive connection may wait this long for its next request, in seconds."
    )
    lookalike_paths: Literal["refuse", "pass"] = Field(
        "refuse",
        description="A path that is no saved operation's or rule's, but another spelling of one (case, trailing slash, `;parameters`): "
        "`refuse`, as the operation's action or the rule says, or `pass`.",
    )
    method_override_headers: Literal["refuse", "pass"] = Field(
        "refuse",
        description="`X-HTTP-Method-Override` and its kin with another method than the request's, on hosts that have operations or rules: "
        "`refuse` (400) or `pass`.",
    )
    undeclared_query: Literal["reject", "allow"] = Field(
        "reject", description="A query parameter the schema does not declare: `reject` or `allow`."
    )
    undeclared_body: Literal["reject", "allow"] = Field("reject", description="A body where the schema declares none: `reject` or `allow`.")
    repeated_parameters: Literal["reject", "allow"] = Field(
        "reject", description="A parameter or cookie with one value that comes twice: `reject`, or `allow` if each value conforms."
    )
    strict_numbers: bool = Field(
        True, description="Whether a number in a parameter has one spelling: `10`; not `010`, `+10`, or `1e1` for an integer."
    )
    content_encoding: Literal["refuse", "unpack"] = Field(
        "refuse", description="A body with a content coding on a validated operation: `refuse`, or `unpack` a copy and validate that."
    )
    max_unpacked_bytes: int = Field(2**20, ge=0, le=2**30, description="Largest body after unpacking, in bytes.")
    max_unpack_ratio: int = Field(100, ge=1, le=10_000, description="How many times larger a body may become by unpacking.")
    xml: Literal["refuse", "pass"] = Field("refuse", description="An XML body the schema declares: `refuse`, or `pass` unvalidated.")
    read_only: Literal["allow", "refuse"] = Field(
        "allow", description="Properties the schema calls `readOnly`, in a request: `allow` or `refuse`."
    )
    max_json_depth: int = Field(64, ge=1, le=256, description="Deepest nesting of arrays and objects in a body.")
    max_json_members: int = Field(
        10_000, ge=1, le=10_000_000, description="Array items, object members and form fields of a body, together."
    )
    max_parts: int = Field(100, ge=1, le=100_000, description="Parts of a multipart body.")
    response_validation: float = Field(
        0.0, ge=0, le=1, description="Share of responses on validated operations that is judged, to log what departs: 0 is none, 1 is all."
    )


class EventSettings(_Table):
    """Security events: a JSON-lines file beside each gateway, and the control plane's table."""

    file: Path | None = Field(None, description="The file. Default: events.jsonl in the state folder.")
    rotate_bytes: int = Field(64 * 2**20, ge=4096, description="The file is turned over at this size, in bytes.")
    keep_files: int = Field(5, ge=1, le=1000, description="Turned-over files that are kept.")
    keep_days: int = Field(30, ge=1, le=3650, description="How long the control plane keeps events, in days.")
    keep_count: int = Field(
        1_000_000, ge=1, description="How many events the control plane keeps at most, about 2 kB each; the oldest go first."
    )


class DiscoverySettings(_Table):
    """Discovery: how operations are found in the traffic, and what it takes to be shown as one."""

    window_days: int = Field(10, ge=1, le=90, description="How far back traffic is looked at, in days.")
    min_requests: int = Field(500, ge=1, le=2**31 - 1, description="Successful requests in the window that make an operation a candidate.")
    min_score: float | None = Field(
        None, ge=0, le=1, description="Mean likelihood of its requests to be API calls, from 0 to 1. Default: the model's own threshold."
    )
    refresh_seconds: int = Field(60, ge=1, le=86400, description="How often the control plane looks at the traffic, in seconds.")
    max_paths: int = Field(
        1_000_000, ge=1000, le=100_000_000, description="Different paths of a zone that are told apart at a time; it bounds the memory."
    )
    automatic_session_identifier: bool = Field(
        True,
        description="Take the header `Authorization` for the session identifier of a zone that has none, once more than 1 % of its "
        "successful requests carry it. Never after the owner has set or cleared the identifiers.",
    )


class LearningSettings(_Table):
    """Schema learning: what a good request of each saved operation looks like, learned from successful ones."""

    enabled: bool = Field(
        True, description="Whether the control plane learns in the background. What is learned is not enforced before it is applied."
    )
    window_days: int = Field(7, ge=1, le=60, description="From how many days of traffic is learned, besides the present one.")
    min_requests: int = Field(
        1000,
        ge=1,
        le=2**31 - 1,
        description="Successful requests in the window from which on names and types of an operation are learned. Bounds, enumerations "
        "and patterns come as the statistics dare, from about 10,000 on.",
    )
    refresh_seconds: int = Field(
        300, ge=1, le=86400, description="How often the control plane reads the traffic that has come meanwhile, in seconds."
    )
    version_hours: float = Field(
        24,
        ge=0,
        le=24 * 90,
        description="How long the newest learned version stands at least before another follows it, in hours. One that was asked for "
        "(`hauberk schema learned run`), or that rests on twice as many requests, follows at once.",
    )
    keep_versions: int = Field(10, ge=2, le=1000, description="Learned versions of an operation that are kept, besides the one in force.")
    confidence: float = Field(0.999, ge=0.5, lt=1, description="How sure each bound has to be, as a probability.")
    budget: float = Field(
        0.001, gt=0, le=0.5, description="Share of an operation's legitimate requests that its learned bounds together may refuse at most."
    )
    only: Literal["all", "identified", "certificate"] = Field(
        "all",
        description="Whose requests teach: `all`, those `identified` by session or client certificate, or those with a good client "
        "`certificate`.",
    )
    trusted: list[str] = Field(
        [],
        description="If there are any, only these teach: sessions as recorded traffic names them, and fingerprints of client certificates.",
    )
    behind_proxy: bool = Field(
        False,
        description="Requests reach the gateways through a proxy or load balancer, so that all have its address. Then what a caller "
        "teaches is bounded by session and client certificate alone; otherwise by 64 requests of an operation from each address, too.",
    )
    held_back: bool = Field(
        True, description="Leave about every tenth caller out, so that a learned schema can be tried on requests it has not seen."
    )
    trial_seconds: int = Field(
        600,
        ge=1,
        le=86400,
        description="How long a trial in the background may take, in seconds; what it has judged until then is its result.",
    )
    keep_trials: int = Field(20, ge=1, le=1000, description="Trials in the background whose results are kept, for each zone.")


def _webhook(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        good = False
    if not good or any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("must be an address such as https://alerts.example.com/hauberk, without a user name")
    return url


class AlertSettings(_Table):
    """Alerts on drift: requests show what the learned schema in force does not say."""

    enabled: bool = Field(True, description="Whether requests of now are compared with the learned schema in force.")
    min_samples: int = Field(
        10, ge=1, le=64, description="Requests that must show a change; of one session or client only so many count, equal ones once."
    )
    min_sources: int = Field(
        3, ge=1, le=32, description="Different sessions or clients that must show it, so that one alone raises nothing."
    )
    silent_days: int = Field(7, ge=1, le=60, description="Days without a request after which an operation is told to have disappeared.")
    silent_requests: int = Field(100, ge=1, description="Requests it must have had before.")
    webhook_url: Annotated[str, AfterValidator(_webhook)] | None = Field(
        None, description="Where each alert is posted, as JSON. Default: nowhere; the log, the metrics and the REST API tell of it anyway."
    )
    webhook_secret_file: Path | None = Field(
        None, description="File with the secret that signs what is posted; the variable `HAUBERK_WEBHOOK_SECRET` wins over it."
    )
    webhook_timeout_seconds: float = Field(10, gt=0, le=300, description="How long the receiver may take, in seconds.")
    webhook_tries: int = Field(6, ge=1, le=20, description="How often it is tried, each time after a longer wait.")
    webhook_queue: int = Field(
        1000, ge=1, le=100_000, description="Alerts that wait to be posted; beyond it they are not posted, and counted."
    )


def _store(store: str) -> str:
    if not store or "\0" in store:
        raise ValueError("must be a folder, or a URL such as s3://bucket/folder?region=eu-central-1")
    return store


class TrafficSettings(_Table):
    """Recorded traffic: what a gateway samples, where it is kept and for how long."""

    sample_rate: float = Field(1.0, ge=0, le=1, description="Share of exchanges that is recorded: 0 is none, 1 is all.")
    max_per_second: float = Field(50.0, ge=0, le=1e6, description="Exchanges recorded in a second at most, by each gateway; 0 is none.")
    bodies: Literal["none", "json"] = Field(
        "none", description="Request bodies that are recorded: `none`, or `json` for JSON and forms; secrets in them are hashed first."
    )
    max_body_bytes: int = Field(65_536, ge=0, le=16 * 2**20, description="Largest request body that is recorded, in bytes.")
    queue_bytes: int = Field(
        32 * 2**20,
        ge=2**16,
        le=2**34,
        description="Recorded exchanges that wait to be written, in bytes; beyond it they are dropped and counted.",
    )
    store: Annotated[str, AfterValidator(_store)] | None = Field(
        None,
        description="Where segments are kept: a folder, or a URL that pyarrow knows (`file://`, `s3://`). "
        "Default: the folder traffic in the state folder.",
    )
    segment_bytes: int = Field(
        8 * 2**20, ge=2**10, le=2**30, description="A segment is written once so much has gathered, in bytes of JSON."
    )
    flush_seconds: float = Field(30.0, ge=0.1, le=3600, description="And after so long at the latest, in seconds: what a kill loses.")
    keep_days: int = Field(30, ge=1, le=3650, description="How long recorded traffic is kept, in days.")
    max_bytes: int = Field(5 * 2**30, ge=2**20, description="All segments together, in bytes; beyond it the oldest hours go first.")
    max_import_bytes: int = Field(
        2 * 2**30,
        ge=2**10,
        le=2**50,
        description="Largest capture that is imported over REST, in bytes, as it is sent and unpacked.",
    )
    metrics_keep_days: int = Field(
        14, ge=1, le=3650, description="How long the control plane keeps metrics per operation and hour, in days."
    )


class HostSettings(_Table):
    """A host name the gateway serves."""

    name: HostName = Field(description="The host name, or *.example.com for all names one label below.")
    upstreams: list[UpstreamUrl] = Field(
        min_length=1, description="Where requests go: http://HOST:PORT or https://HOST:PORT; several take turns."
    )
    certificate: Path | None = Field(None, description="Server certificate (PEM file, leaf first). Left out: a self-signed one is made.")
    private_key: Path | None = Field(None, description="Private key (PEM file) to it.")


class ZoneSettings(_Table):
    """A domain and its hosts."""

    name: HostName = Field(description="The domain.")
    hosts: list[HostSettings] = Field([], description="Hosts at or below it.")


class Settings(_Table):
    """All of `hauberk.toml`."""

    state_dir: Path = Field(Path("./state"), description="Folder of the database, the authority's key, tokens and snapshots; mode 0700.")
    control_plane: ControlPlaneSettings = ControlPlaneSettings()
    dashboard: DashboardSettings = DashboardSettings()
    authority: AuthoritySettings = AuthoritySettings()
    gateway: GatewaySettings = GatewaySettings()
    limits: LimitSettings = LimitSettings()
    events: EventSettings = EventSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    learning: LearningSettings = LearningSettings()
    alerts: AlertSettings = AlertSettings()
    traffic: TrafficSettings = TrafficSettings()
    zones: list[ZoneSettings] = Field([], description="What is served.")

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.control_plane.database_url or f"sqlite:///{self.state_dir.absolute() / 'hauberk.db'}"

    @property
    def control_plane_url(self) -> str:
        """How this machine reaches the REST API."""
        host, port = split_address(self.control_plane.listen)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        scheme = "https" if self.control_plane.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def events_file(self) -> Path:
        """Where the gateway writes security events."""
        return self.events.file or self.state_dir / "events.jsonl"

    @property
    def traffic_store(self) -> str:
        """Where recorded traffic is kept: a folder or a URL."""
        return self.traffic.store or str(self.state_dir / "traffic")


def load(file: Path | None, environment: Mapping[str, str] = os.environ, flags: Mapping[str, Any] | None = None) -> Settings:
    """
    Join file, environment and flags into one checked object.

    Args:
        file: `hauberk.toml`, or `None` for the defaults. Relative paths in it are relative to its folder.

        environment: Variables; those with the prefix `HAUBERK_` count.

        flags: Dotted keys, e.g. `{"gateway.threads": 1}`; `None` values are left out.

    Raises:
        ConfigurationError: If the file cannot be read or a key or value is wrong; the message lists every one.
    """
    values = _read(file) if file is not None else {}
    for path, text in _from_environment(environment):
        _put(values, path, text)
    for key, value in (flags or {}).items():
        if value is not None:
            _put(values, key.split("."), value)
    where = str(file) if file is not None else "the settings"
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: " + "; ".join(_explain(problem) for problem in error.errors())) from None
    return _with_absolute_paths(_consistent(settings, where), file.absolute().parent if file is not None else Path.cwd())


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: there is no such file; 'hauberk init' writes one") from None
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is not valid TOML: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[list[str], Any]]:
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in OTHER_VARIABLES:
            continue
        key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        try:  # lists and numbers as JSON, e.g. HAUBERK_GATEWAY__HTTPS='["0.0.0.0:443"]'
            value = json.loads(text)
        except ValueError:
            value = text
        yield key, value if not isinstance(value, str | dict) else text


def _put(values: dict[str, Any], key: list[str], value: Any) -> None:
    for table in key[:-1]:
        inner = values.setdefault(table, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(f"{'.'.join(key)}: {table} is not a table")
        values = inner
    values[key[-1]] = value


def _explain(problem: Any) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).removeprefix(".")
    if problem["type"] == "extra_forbidden":
        known = sorted(_table_at(problem["loc"][:-1]).model_fields)
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, 1, 0.5)
        return f"{key}: unknown key; " + (f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(known)}")
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"


def _table_at(path: tuple[int | str, ...]) -> type[BaseModel]:
    table: type[BaseModel] = Settings
    inner: dict[str, type[BaseModel]] = {
        "control_plane": ControlPlaneSettings,
        "authority": AuthoritySettings,
        "gateway": GatewaySettings,
        "limits": LimitSettings,
    }
    inner |= {
        "events": EventSettings,
        "traffic": TrafficSettings,
        "discovery": DiscoverySettings,
        "learning": LearningSettings,
        "alerts": AlertSettings,
    }
    inner |= {"zones": ZoneSettings, "hosts": HostSettings}
    for part in path:
        if isinstance(part, str):
            table = inner.get(part, table)
    return table


def _consistent(settings: Settings, where: str) -> Settings:
    """Check what one value cannot tell alone."""
    problems: list[str] = []
    seen: dict[str, str] = {}
    for z, zone in enumerate(settings.zones):
        if zone.name in seen:
            problems.append(f"zones[{z}].name: '{zone.name}' is there twice")
        seen[zone.name] = "zone"
        for h, host in enumerate(zone.hosts):
            key = f"zones[{z}].hosts[{h}]"
            if host.name != zone.name and not host.name.endswith(f".{zone.name}"):
                problems.append(f"{key}.name: '{host.name}' is not at or below the zone '{zone.name}'")
            if seen.get(f"host {host.name}"):
                problems.append(f"{key}.name: '{host.name}' is there twice")
            seen[f"host {host.name}"] = key
            if (host.certificate is None) != (host.private_key is None):
                problems.append(f"{key}: certificate and private_key go together; one of them is missing")
    if (settings.control_plane.certificate is None) != (settings.control_plane.private_key is None):
        problems.append("control_plane: certificate and private_key go together; one of them is missing")
    if settings.alerts.webhook_secret_file is not None and settings.alerts.webhook_url is None:
        problems.append("alerts: webhook_secret_file signs what is sent to webhook_url, which is missing")
    if not settings.gateway.https and not settings.gateway.http:
        problems.append("gateway: no listener is left; name one in https or http")
    if problems:
        raise ConfigurationError(f"{where}: " + "; ".join(problems))
    return settings


def _with_absolute_paths(settings: Settings, folder: Path) -> Settings:
    def absolute(model: BaseModel) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in type(model).model_fields:
            value = getattr(model, name)
            if isinstance(value, Path):
                found[name] = folder / value.expanduser()
            elif isinstance(value, BaseModel):
                found[name] = value.model_copy(update=absolute(value))
            elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
                found[name] = [item.model_copy(update=absolute(item)) for item in value]
        return found

    settings = settings.model_copy(update=absolute(settings))
    store = settings.traffic.store
    if store is not None and "://" not in store:
        traffic = settings.traffic.model_copy(update={"store": str(folder / Path(store).expanduser())})
        settings = settings.model_copy(update={"traffic": traffic})
    return settings
