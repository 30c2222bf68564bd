"""
A small API to put hauberk in front of: devices report temperatures, each caller reads back its own five most recent.

A caller is known by the SHA-256 fingerprint of its client certificate, which the gateway forwards as `Cf-Client-Cert-Sha256`, else by its
address. The gateway strips that header from what clients send, so it can be believed as long as nobody reaches this API past the gateway:
hence it listens on 127.0.0.1. The address behind the gateway is the one uvicorn takes from `X-Forwarded-For`, which it believes from
127.0.0.1 alone.

    python app.py --port 9000 --database temperatures.db
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from pydantic import AwareDatetime, BaseModel

KEPT = 5


class Reading(BaseModel):
    """One temperature, in degrees Celsius, and when it was taken."""

    temperature: float
    time: AwareDatetime


class Readings:
    """
    The most recent readings of each caller, in SQLite.

    Args:
        database: The file; made if it is missing.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        with self._open() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS readings (caller TEXT, temperature REAL, time TEXT)")
            connection.execute("CREATE INDEX IF NOT EXISTS readings_by_caller ON readings (caller, time)")

    def add(self, caller: str, reading: Reading) -> None:
        """Keep a reading, and forget the caller's oldest beyond five."""
        with self._open() as connection:
            connection.execute("INSERT INTO readings VALUES (?, ?, ?)", (caller, reading.temperature, _utc(reading.time)))
            connection.execute(
                "DELETE FROM readings WHERE caller = ?1 AND rowid NOT IN "
                "(SELECT rowid FROM readings WHERE caller = ?1 ORDER BY time DESC, rowid DESC LIMIT ?2)",
                (caller, KEPT),
            )

    def of(self, caller: str) -> list[Reading]:
        """List a caller's readings, the newest first."""
        with self._open() as connection:
            rows = connection.execute("SELECT temperature, time FROM readings WHERE caller = ? ORDER BY time DESC, rowid DESC", (caller,))
            return [Reading(temperature=temperature, time=time) for temperature, time in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def create_app(database: Path) -> FastAPI:
    """Make the API over a database file."""
    app = FastAPI(title="Temperatures")
    readings = Readings(database)

    @app.post("/temps", status_code=201)
    def add(reading: Reading, request: Request) -> Reading:
        readings.add(_caller(request), reading)
        return reading

    @app.get("/temps")
    def list_recent(request: Request) -> list[Reading]:
        return readings.of(_caller(request))

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _caller(request: Request) -> str:
    fingerprint = request.headers.get("cf-client-cert-sha256")
    if fingerprint:
        return f"certificate {fingerprint.lower()}"
    return f"address {request.client.host if request.client else 'unknown'}"


def _utc(time: datetime) -> str:
    """Write times so that their order as text is their order in time."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def main() -> None:
    """Serve it on 127.0.0.1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--database", type=Path, default=Path("temperatures.db"))
    arguments = parser.parse_args()
    uvicorn.run(create_app(arguments.database), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
