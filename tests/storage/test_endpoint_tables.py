"""What the list of endpoints is made from, in a database of before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select

from hauberk.operation import OperationKey
from hauberk.schema import DeclaredOperation, UploadedDocument
from hauberk.storage import database as database_module
from hauberk.storage.database import Database
from hauberk.storage.endpoint_tables import OperationLatency, SchemaOperation
from hauberk.storage.models import Zone, now
from hauberk.storage.operation_latency import refresh_latency
from hauberk.storage.operation_metrics import Counted, hour_of, store_metrics
from hauberk.storage.operations import save_operations
from hauberk.storage.schemas import add_schema

pytestmark = pytest.mark.both_databases

KEYS = [OperationKey("GET", "api.example.com", "/users/{var1}"), OperationKey("POST", "api.example.com", "/users")]


def test_a_database_of_before_is_filled(open_database: Callable[[], Database]) -> None:
    database = open_database()
    hour = hour_of(now())
    with database.write() as session:
        session.add(Zone(id="z", name="example.com"))
        session.flush()
        ids = save_operations(session, "z", KEYS)
        declared = tuple(DeclaredOperation(key, key.endpoint) for key in KEYS)
        schema_id = add_schema(session, "z", "s", UploadedDocument("t", "{}", declared, ()), validation_enabled=True).schema_id
        at = hour - timedelta(hours=2)
        store_metrics(session, "0" * 32, [Counted(ids[0], at, 1, 0, 0, at, "100:1"), Counted(ids[0], hour, 2, 0, 0, hour, "100:2")])
    with database.engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database_module.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0011")
        connection.commit()
        assert not inspect(connection).has_table("schema_operations")
    again = open_database()
    with again.write() as session:
        assert refresh_latency(session, hour) == 1
    with again.read() as session:
        declared_now = {(row.schema_id, row.operation_id) for row in session.scalars(select(SchemaOperation))}
        assert declared_now == {(schema_id, id_) for id_ in ids}
        (latency,) = session.scalars(select(OperationLatency)).all()
        assert (latency.operation_id, latency.sketch, latency.until) == (ids[0], "100:3", hour)
