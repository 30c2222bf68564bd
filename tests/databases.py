"""
The databases that tests run on: SQLite, and a PostgreSQL server of the tests' own.

Tests marked `both_databases` run once on each. All others run on SQLite, or on PostgreSQL if `HAUBERK_TEST_DATABASE=postgresql`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL

from hauberk.storage.database import Database

KINDS = ("sqlite", "postgresql")
USUAL_KIND = os.environ.get("HAUBERK_TEST_DATABASE", "sqlite")
START_SECONDS = 60

MARK = "test-database"
"""A file in a state folder that is on PostgreSQL: where the server's socket is, and which database its own begins as a copy of."""


def missing(message: str) -> NoReturn:
    """Skip a user's test for want of something, and fail CI's."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


class Databases:
    """
    The databases of a PostgreSQL server.

    Args:
        folder: Where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Execute a statement outside of any transaction."""
        with psycopg.connect(host=str(self.folder), user="hauberk", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def url(self, database: str) -> str:
        """Give the URL of a database, as an owner would write it."""
        url = URL.create("postgresql", username="hauberk", database=database, query={"host": str(self.folder)})
        return url.render_as_string(hide_password=False)

    def create(self, template: str = "template1", name: str | None = None) -> str:
        """Make a database as a copy of another one that nobody uses, and give its name."""
        name = name or f"test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def has(self, name: str) -> bool:
        """Tell whether there is a database of this name."""
        return bool(self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


class PostgresServer(Databases):
    """
    A PostgreSQL server in a temporary folder, on a socket there and nowhere else.

    What must outlast a power cut need not in tests, so it waits for no disk. Its time zone is another than ours.
    """

    def __init__(self) -> None:
        self._programs = _programs()
        super().__init__(Path(tempfile.mkdtemp(prefix="hauberk-postgresql-")))
        self._account: dict[str, Any] = {}
        if os.getuid() == 0:  # as whom the server refuses to run
            accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
            account = accounts.get("postgres") or accounts["nobody"]
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--no-sync", "--auth=trust", "--username=hauberk", "--encoding=UTF8", "--locale=C", "--pgdata", self._data)
        self.start()

    def start(self) -> None:
        """Start it, again if it was stopped."""
        relaxed = [f"-c{name}=off" for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")]
        options = ["-D", self._data, "-k", self.folder, "-clisten_addresses=", "-ctimezone=Asia/Tokyo", *relaxed]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *options], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._account
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL did not start"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it at once; connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run([self._programs / program, *arguments], cwd="/", capture_output=True, check=False, **self._account)
        assert done.returncode == 0, done.stderr.decode()


def _programs() -> Path:
    """Find the newest PostgreSQL; Debian's programs are in no folder of the PATH."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        missing("PostgreSQL is not installed: .ci/packages.txt names the package that has it")
    return max(folders, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)


@cache
def server() -> PostgresServer:
    """Give this test process its server, started when it is first needed."""
    return PostgresServer()


def end_server() -> None:
    """Stop that, if it was started."""
    if server.cache_info().currsize:
        server().remove()
        server.cache_clear()
        _migrated.cache_clear()


@cache
def _migrated() -> str:
    name = server().create(name="migrated")
    Database(server().url(name)).close()
    return name


def new_database_url(kind: str, folder: Path) -> str:
    """Make a database, which is empty but for what its first opening makes, and give its URL; SQLite's file is in the folder."""
    return f"sqlite:///{folder / 'hauberk.db'}" if kind == "sqlite" else server().url(server().create(_migrated()))


def mark(state_dir: Path, template: str) -> None:
    """Have a state folder and its copies use PostgreSQL, each a database of its own that begins as a copy of this one."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state_dir / MARK).write_text(f"{server().folder}\n{template}")


def name_of(state_dir: Path) -> str:
    """Give the name that a state folder's database has on PostgreSQL."""
    return f"state_{hashlib.sha256(str(state_dir.absolute()).encode()).hexdigest()[:16]}"


def url_of(state_dir: Path) -> str | None:
    """Give the URL of a state folder's database on PostgreSQL, made if it is not there yet; `None` if it is on SQLite."""
    if USUAL_KIND == "postgresql" and not (state_dir / MARK).exists():
        mark(state_dir, "template1")
    if not (state_dir / MARK).exists():
        return None
    folder, template = (state_dir / MARK).read_text().split("\n")
    databases, name = Databases(Path(folder)), name_of(state_dir)
    if not databases.has(name):
        databases.create(template, name)
    return databases.url(name)
