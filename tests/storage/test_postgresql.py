"""What only PostgreSQL can do to us: sorting and encoding of its own, a server that goes away, a driver that is not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text

from conftest import LiveControlPlane, serve_control_plane
from databases import PostgresServer, server
from hauberk.errors import ConfigurationError, StorageError
from hauberk.storage.database import Database
from hauberk.storage.models import Zone


@pytest.fixture
def postgresql() -> PostgresServer:
    return server()


@pytest.fixture
def url(postgresql: PostgresServer) -> Iterator[str]:
    name = postgresql.create()
    yield postgresql.url(name)
    postgresql.drop(name)


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"its driver is not installed: install hauberk\[postgres\]"):
        Database("postgresql://hauberk@localhost/hauberk")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_the_url(url: str, scheme: str) -> None:
    with closing(Database(url.replace("postgresql:", f"{scheme}:", 1))) as database, database.read() as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"/hauberk cannot be used: .* failed.* See that the server runs") as raised:
        Database(f"postgresql://hauberk:hunter2@/hauberk?host={tmp_path}&sslpassword=hunter2")
    assert "hunter2" not in str(raised.value)


def test_a_user_who_may_make_no_tables_is_told(postgresql: PostgresServer, url: str) -> None:
    name = url.rpartition("/")[2].partition("?")[0]
    postgresql.execute("CREATE ROLE guest LOGIN")
    try:
        with pytest.raises(StorageError, match=r"cannot be used: permission denied for schema public.* may make tables.* changed nothing"):
            Database(url.replace("hauberk@", "guest@"))
        assert postgresql.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    finally:
        postgresql.execute("DROP ROLE guest")


def test_a_database_that_cannot_hold_every_text_is_refused(postgresql: PostgresServer) -> None:
    postgresql.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with pytest.raises(StorageError, match="cannot be used: its encoding is LATIN1"):
            Database(postgresql.url("latin"))
    finally:
        postgresql.drop("latin")


def test_a_writer_that_went_silent_lets_the_others_write(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one whose machine is gone: nobody tells the server."""
    monkeypatch.setattr("hauberk.storage.engines.SILENT_SECONDS", 0.1)
    with closing(Database(url)) as silent, closing(Database(url)) as other:
        silent_writer = silent.write()
        silent_writer.__enter__().add(Zone(name="silent.example"))
        with other.write() as session:  # waits until the server has ended the other
            session.add(Zone(name="other.example"))
        with pytest.raises(StorageError, match="the change was not stored"):
            silent_writer.__exit__(None, None, None)
        with other.read() as session:
            assert session.scalars(select(Zone.name)).all() == ["other.example"]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_while_the_server_is_away_that_is_told_and_then_all_is_well(state_dir: Path, postgresql: PostgresServer) -> None:
    with serve_control_plane(state_dir) as live, live.client() as client:
        assert client.get("/readyz").status_code == 200
        postgresql.stop()
        try:
            assert_unavailable(live, client)
        finally:
            postgresql.start()
        assert client.get("/readyz").status_code == 200
        assert client.post("/hauberk/v1/zones", json={"name": "example.org"}).status_code == 200


def assert_unavailable(live: LiveControlPlane, client: httpx.Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/metrics").status_code == 200
    for answer in (client.get(live.zone), client.post("/hauberk/v1/zones", json={"name": "example.org"})):
        assert answer.status_code == 503
        (error,) = answer.json()["errors"]
        assert error["code"] == 1503
        assert "/" not in error["message"]  # neither the address nor the user of the database
