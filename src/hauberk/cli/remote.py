"""
Which control plane a command talks to, with which token, about which zone.

Flags win over the environment, the environment over `hauberk.toml`. The admin token of the state folder is only ever sent to the control
plane of the same `hauberk.toml`.
"""

from __future__ import annotations

import functools
import inspect
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from hauberk import config
from hauberk.cli.client import Client, route
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output

DEFAULT_CONFIG = Path("hauberk.toml")
ADMIN_TOKEN_FILE = "admin-token"  # noqa: S105 - a file's name

P = ParamSpec("P")

CONNECTION_PANEL = "Connection"
Url = Annotated[
    str | None,
    typer.Option(
        envvar="HAUBERK_URL",
        help="The control plane's address. Default: from hauberk.toml.",
        rich_help_panel=CONNECTION_PANEL,
        show_default=False,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="HAUBERK_TOKEN",
        help="The token; better given by the variable or a file, since others on this machine can read arguments.",
        rich_help_panel=CONNECTION_PANEL,
        show_default=False,
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        help="File that holds the token. Default: admin-token in the state folder.", rich_help_panel=CONNECTION_PANEL, show_default=False
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="HAUBERK_CONFIG",
        help="The settings file. Default: hauberk.toml in this folder.",
        rich_help_panel=CONNECTION_PANEL,
        show_default=False,
    ),
]
ZoneName = Annotated[
    str | None,
    typer.Option(
        "--zone",
        envvar="HAUBERK_ZONE",
        help="The zone, by name or id. Default: the only one, or the one the host belongs to.",
        rich_help_panel=CONNECTION_PANEL,
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout.", show_default=False)]


class Remote:
    """
    The control plane at the other end of a command.

    Args:
        connect: Makes the client, when a command first needs it: so wrong usage is told before a missing control plane is.

        out: Where the command prints.

        zone_wanted: The zone that was asked for by name or id, if one was.
    """

    def __init__(self, connect: Callable[[], Client], out: Output, zone_wanted: str | None = None) -> None:
        self._connect = connect
        self.out = out
        self._zone_wanted = zone_wanted
        self._zones: list[dict[str, Any]] | None = None

    @functools.cached_property
    def client(self) -> Client:
        """Speaks with the control plane."""
        return self._connect()

    def zone(self, host: str | None = None) -> dict[str, Any]:
        """
        Find the zone a command is about.

        Args:
            host: A host name the command was given; it tells the zone when several exist.

        Raises:
            Failure: If there is none, or it is not clear which.
        """
        if self._zones is None:
            self._zones = list(self.client.pages("/client/v4/zones"))
        zones = self._zones
        names = ", ".join(sorted(zone["name"] for zone in zones))
        if self._zone_wanted is not None:
            wanted = self._zone_wanted.lower().removesuffix(".")
            for zone in zones:
                if wanted in {zone["id"], zone["name"]}:
                    return dict(zone)
            raise Failure(
                f"there is no zone '{self._zone_wanted}'", f"there are: {names}" if names else "'hauberk zone add NAME' makes one"
            )
        if not zones:
            raise Failure("there is no zone yet", "'hauberk zone add example.com' makes one, or name it in hauberk.toml")
        if host is not None:
            below = [zone for zone in zones if host == zone["name"] or host.endswith("." + zone["name"])]
            if below:
                return dict(max(below, key=lambda zone: len(zone["name"])))
            if len(zones) > 1:
                raise Failure(f"'{host}' is in none of the zones", f"there are: {names}")
        if len(zones) > 1:
            raise Failure("there are several zones", f"name one with --zone: {names}")
        return dict(zones[0])

    def zone_path(self, *segments: str, host: str | None = None) -> str:
        """Make a path below `/client/v4/zones/{zone}`."""
        return route("client/v4/zones", self.zone(host)["id"], *segments)

    def own_zone_path(self, *segments: str, host: str | None = None) -> str:
        """Make a path below `/hauberk/v1/zones/{zone}`."""
        return route("hauberk/v1/zones", self.zone(host)["id"], *segments)


def settings_file(given: Path | None) -> Path:
    """
    Find `hauberk.toml`.

    Raises:
        Failure: If none was named and there is none in this folder.
    """
    if given is not None:
        return given
    if DEFAULT_CONFIG.exists():
        return DEFAULT_CONFIG
    raise Failure("there is no hauberk.toml in this folder", "'hauberk init' writes one; --config names another")


def connect(url: str | None, token: str | None, token_file: Path | None, settings: Path | None) -> Client:
    """
    Join flags, environment and settings file into a client.

    Raises:
        Failure: If the address or the token is not known.
    """
    from_file: config.Settings | None = None
    if url is None:
        if settings is None and not DEFAULT_CONFIG.exists():
            raise Failure(
                "no control plane is known here",
                "run this beside hauberk.toml, name it with --config, or give --url and HAUBERK_TOKEN",
            )
        from_file = config.load(settings_file(settings))
    if token is None and token_file is None:
        if from_file is None:
            raise Failure(f"no token for {url}", "give one in HAUBERK_TOKEN or --token-file")
        token_file = from_file.state_dir / ADMIN_TOKEN_FILE
    address = url if url is not None else from_file.control_plane_url if from_file is not None else ""
    return Client(address, token if token is not None else read_token(token_file or Path()), tls=_pinned(from_file))


def read_token(file: Path) -> str:
    """
    Read a token from its file.

    Raises:
        Failure: If it cannot be read or is empty.
    """
    try:
        token = file.read_text("utf-8").strip()
    except FileNotFoundError:
        raise Failure(f"{file}: there is no such token file", "the control plane writes it at its first start: 'hauberk up'") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise Failure(
            f"{file}: the token file cannot be read: {reason}", "run this as the owner of the state folder, or set HAUBERK_TOKEN"
        ) from None
    if not token:
        raise Failure(f"{file}: the token file is empty", "give a token in HAUBERK_TOKEN")
    return token


def _pinned(settings: config.Settings | None) -> ssl.SSLContext | None:
    """Trust exactly the certificate that `hauberk.toml` names: this machine's address need not stand in it."""
    file = settings.control_plane.certificate if settings is not None else None
    if file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise Failure(f"{file}: the control plane's certificate cannot be read: {error}", "control_plane.certificate names it") from None
    return context


def remote(*, zone: bool = True) -> Callable[[Callable[Concatenate[Remote, P], None]], Callable[..., None]]:
    """
    Make a command of a function whose first parameter is the control plane.

    The flags that find it are added here, so that they are the same everywhere and can stand anywhere after the command's name.

    Args:
        zone: The command is about one zone, so it takes `--zone`.
    """

    def decorate(command: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
        shared = [_option("zone_wanted", ZoneName)] if zone else []
        shared += [_option("url", Url), _option("token", Token), _option("token_file", TokenFile), _option("settings", ConfigFile)]
        shared += [_option("as_json", AsJson, default=False)]

        # Typer passes the command's own arguments by name; how they fit its signature is checked when it reads that below.
        run_with: Callable[..., None] = command

        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            given = {parameter.name: arguments.pop(parameter.name) for parameter in shared}
            with ExitStack() as stack:

                def client() -> Client:
                    return stack.enter_context(connect(given["url"], given["token"], given["token_file"], given["settings"]))

                run_with(Remote(client, Output(as_json=given["as_json"]), given.get("zone_wanted")), **arguments)

        signature = inspect.signature(command, eval_str=True)
        parameters = [*list(signature.parameters.values())[1:], *shared]
        run.__signature__ = signature.replace(parameters=[p.replace(kind=p.KEYWORD_ONLY) for p in parameters])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return run

    return decorate


def _option(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
