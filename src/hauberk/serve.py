"""The two processes: control plane and gateway, each until it is told to stop (SIGTERM or SIGINT)."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hauberk import _native
from hauberk.api.app import create_app
from hauberk.config import PASSPHRASE_VARIABLE, Settings, split_address
from hauberk.errors import ConfigurationError
from hauberk.gateway import GatewayRunner
from hauberk.pipeline import ControlPlane
from hauberk.storage.events import forget_events

log = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 3600


def bind(address: str, key: str) -> socket.socket:
    """
    Bind a listening socket before anything else starts.

    Args:
        address: E.g. `127.0.0.1:8080`.

        key: The setting it comes from, for the error.

    Raises:
        ConfigurationError: If it is in use, or not an address of this machine.
    """
    host, port = split_address(address)
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(f"{key}: {address} is in use by another process: stop it, or choose another port") from None
        raise ConfigurationError(f"{key}: {address} cannot be listened on: {error.strerror}") from None
    return bound


def run_control_plane(settings: Settings) -> None:
    """
    Run the control plane until a signal.

    Raises:
        HauberkError: If it cannot start.
    """
    bound = bind(settings.control_plane.listen, "control_plane.listen")
    plane = ControlPlane(settings, os.environ.get(PASSPHRASE_VARIABLE) or None)
    stopping = threading.Event()
    threading.Thread(target=_keep_house, args=(plane, stopping), name="housekeeping", daemon=True).start()
    tls = {"ssl_certfile": settings.control_plane.certificate, "ssl_keyfile": settings.control_plane.private_key}
    log.info("control plane listens", extra={"address": settings.control_plane.listen, "url": settings.control_plane_url})
    try:
        _server(create_app(plane), **tls).run(sockets=[bound])
    finally:
        stopping.set()
        plane.close()


def run_gateway(settings: Settings, control_plane_url: str, token: str) -> None:
    """
    Run a gateway until a signal.

    Args:
        settings: Checked settings.

        control_plane_url: Where snapshots come from.

        token: A token of scope `gateway`.

    Raises:
        HauberkError: If it cannot start.
    """
    _native.log_to_stderr("warn")
    metrics_socket = bind(settings.gateway.metrics, "gateway.metrics") if settings.gateway.metrics else None
    runner = GatewayRunner(settings, control_plane_url, token)
    if metrics_socket is not None:
        server = _server(_gateway_app(runner))
        threading.Thread(target=server.run, kwargs={"sockets": [metrics_socket]}, name="metrics", daemon=True).start()
    _on_signal(runner.stop)
    log.info("gateway listens", extra={"https": runner.core.https_addresses, "http": runner.core.http_addresses})
    serving = threading.Thread(target=runner.run, name="gateway")
    serving.start()
    while serving.is_alive():  # the main thread stays in Python, where signal handlers run
        serving.join(0.2)


def _server(app: Any, **options: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, **options)
    )


def _on_signal(stop: Callable[[], None]) -> None:
    def handle(_number: int, _frame: object) -> None:
        # A thread, since a handler must not wait: stopping takes as long as the requests under way.
        threading.Thread(target=stop, name="stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _keep_house(plane: ControlPlane, stopping: threading.Event) -> None:
    while True:
        try:
            with plane.database.write() as session:
                forget_events(session, plane.settings.events.keep_days)
        except Exception:
            log.exception("old events were not deleted")
        if stopping.wait(HOUSEKEEPING_SECONDS):
            return


def _gateway_app(runner: GatewayRunner) -> Starlette:
    def metrics(_request: Request) -> Response:
        return PlainTextResponse(runner.core.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_request: Request) -> Response:
        if runner.ready:
            return JSONResponse({"status": "ok", "version": runner.core.version})
        return JSONResponse({"status": "no snapshot yet"}, 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])
