"""`hauberk up`, `hauberk control-plane`, `hauberk gateway`: the processes themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hauberk import config
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output
from hauberk.cli.remote import ConfigFile, TokenFile, read_token, settings_file

GATEWAY_TOKEN_FILE = "gateway-token"  # noqa: S105 - a file's name

Supervised = Annotated[bool, typer.Option("--supervised", hidden=True, help="End when standard input closes: the parent is gone.")]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def up(settings: ConfigFile = None, log_level: LogLevel = "info", supervised: Supervised = False) -> None:
    """
    Run control plane and gateway together, until Ctrl-C or SIGTERM.

    Both are children of this process: they stop with it, requests under way are let end, and one that dies is started again.

    \b
    Example:
      hauberk up --config hauberk.toml
    """
    from hauberk import supervise  # noqa: PLC0415 - only this command runs children

    file = settings_file(settings)
    checked = config.load(file)
    _begin(log_level, supervised=supervised)
    out = Output()
    hosts = [host.name for zone in checked.zones for host in zone.hosts]
    out.say(f"control plane  {checked.control_plane_url}  (dashboard, REST API, its reference at /docs)")
    out.say(f"gateway        {', '.join([*checked.gateway.https, *checked.gateway.http])}  for {', '.join(hosts) or 'no host yet'}")
    out.say(f"admin token    {checked.state_dir / 'admin-token'}")
    raise typer.Exit(supervise.run(file, checked, log_level))


def control_plane(settings: ConfigFile = None, log_level: LogLevel = "info", supervised: Supervised = False) -> None:
    """
    Run the control plane alone: REST API, certificate authority, database.

    \b
    Example:
      hauberk control-plane --config hauberk.toml
    """
    checked = config.load(settings_file(settings))
    _begin(log_level, supervised=supervised)
    from hauberk.serve.control_plane import run_control_plane  # noqa: PLC0415 - loads the server, which other commands do without

    run_control_plane(checked)


def gateway(
    control_plane: Annotated[
        str | None, typer.Option(envvar="HAUBERK_URL", help="The control plane's address. Default: from hauberk.toml.", show_default=False)
    ] = None,
    token_file: TokenFile = None,
    token: Annotated[
        str | None, typer.Option(envvar="HAUBERK_TOKEN", help="The token; better given by the variable or a file.", show_default=False)
    ] = None,
    settings: ConfigFile = None,
    log_level: LogLevel = "info",
    supervised: Supervised = False,
) -> None:
    """
    Run a gateway alone, with snapshots from a control plane here or elsewhere.

    It needs a token of scope 'gateway'. What it listens on is in [gateway] of hauberk.toml, or in variables such as HAUBERK_GATEWAY__HTTPS.

    \b
    Examples:
      hauberk gateway --config hauberk.toml
      hauberk token create gateway-2 --scope gateway --out gateway-token
      hauberk gateway --control-plane https://control.example.com:8080 --token-file gateway-token
    """
    alone = control_plane is not None and settings is None and not Path("hauberk.toml").exists()
    checked = config.load(None if alone else settings_file(settings))
    url = control_plane or checked.control_plane_url
    if token is None:
        if token_file is None and control_plane is not None:
            raise Failure(
                f"no token for {control_plane}", "give one in HAUBERK_TOKEN or --token-file: 'hauberk token create NAME --scope gateway'"
            )
        token = read_token(token_file or checked.state_dir / GATEWAY_TOKEN_FILE)
    _begin(log_level, supervised=supervised)
    from hauberk.serve.gateway import run_gateway  # noqa: PLC0415 - loads the compiled part, which other commands do without

    run_gateway(checked, url, token)


def _begin(log_level: str, *, supervised: bool) -> None:
    from hauberk.log import log_to_stderr  # noqa: PLC0415 - only processes that stay write a log
    from hauberk.supervise import end_with_parent  # noqa: PLC0415

    if log_level.lower() not in {"debug", "info", "warning", "error"}:
        raise Failure(f"--log-level {log_level}: is none", "use debug, info, warning or error", status=2)
    log_to_stderr(log_level.lower())
    if supervised:
        end_with_parent()
