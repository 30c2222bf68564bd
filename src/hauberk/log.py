"""Logs on standard error: a JSON object a line for machines, or a plain line a person reads when it is a terminal."""

from __future__ import annotations

import logging
import sys

import structlog

# Local variables may hold what came from traffic, or a password.
_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def log_to_stderr(level: str = "info", *, json: bool | None = None) -> None:
    """
    Send all logging there; calling it again replaces what was set.

    Args:
        level: `debug`, `info`, `warning` or `error`.

        json: One JSON object a line; default: unless standard error is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(_TRACEBACKS), structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These tell each migration step, each outgoing call with its URL, and each step of a start that we tell ourselves.
    for name in ("alembic", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
