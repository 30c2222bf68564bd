"""The gateway's process: the runner in a thread, signals and metrics beside it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hauberk import _native
from hauberk.config import Settings
from hauberk.gateway import GatewayRunner
from hauberk.serve.listening import bind, server

log = logging.getLogger(__name__)


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
        metrics = server(_gateway_app(runner))
        threading.Thread(target=metrics.run, kwargs={"sockets": [metrics_socket]}, name="metrics", daemon=True).start()
    _on_signal(runner.stop)
    log.info("gateway listens", extra={"https": runner.core.https_addresses, "http": runner.core.http_addresses})
    serving = threading.Thread(target=runner.run, name="gateway")
    serving.start()
    while serving.is_alive():  # the main thread stays in Python, where signal handlers run
        serving.join(0.2)


def _on_signal(stop: Callable[[], None]) -> None:
    def handle(_number: int, _frame: object) -> None:
        # A thread, since a handler must not wait: stopping takes as long as the requests under way.
        threading.Thread(target=stop, name="stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


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
