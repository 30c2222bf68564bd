"""Alerts are raised once for each change, and rules stay relaxed until that is taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hauberk.alerting.message import message
from hauberk.errors import InvalidRequest, NotFound
from hauberk.learning.drift import Departure
from hauberk.storage import alerts
from hauberk.storage.database import Database
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.relaxed_rules import MAX_RULES, relax, relaxed_rules, restore

pytestmark = pytest.mark.both_databases

NEW = Departure("new_parameter", "query/b", "closed", 20, 4, True, "is new")
CHANGES = [{"kind": "enum", "where": "query/a", "what": "also 'gold'", "breaking": False}]


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    database = open_database()
    with database.write() as session:
        zone = Zone(id="z", name="example.com")
        session.add(zone)
        session.flush()
        for name in ("o", "p"):
            session.add(Operation(operation_id=name, zone_id="z", method="GET", host="api.example.com", endpoint=f"/{name}"))
    return database


def raised(database: Database, *departed: Departure, operation: str = "o", version: int = 1) -> list[str]:
    """Raise what is new, and give the pointers and summaries of it."""
    with database.write() as session:
        new = alerts.raise_alerts(session, session.get_one(Operation, operation), departed, alerts.Refreshed(version, version + 1, CHANGES))
        return [f"{alert.pointer} {alert.summary}" for alert in new]


def value(key: str) -> Departure:
    return Departure("new_value", "query/a", "enum", 20, 4, True, "has a value that is not in its enumeration", key)


def test_a_change_is_told_once(database: Database) -> None:
    assert raised(database, NEW) == ["query/b is new"]
    more = Departure(NEW.kind, NEW.pointer, NEW.keyword, 900, 80, True, NEW.told)
    assert raised(database, more, version=7) == []
    assert raised(database, NEW, operation="p") == ["query/b is new"]
    other = Departure("new_parameter", "query/c", "closed", 20, 4, True, "is new")
    assert raised(database, NEW, other) == ["query/c is new"]


def test_a_change_is_not_told_again_when_its_alert_is_gone(database: Database) -> None:
    raised(database, NEW)
    with database.write() as session:
        for alert in session.scalars(alerts.alerts_of("z")):
            session.delete(alert)
    assert raised(database, NEW) == []


def test_values_at_one_place_are_one_alert_and_each_new_one_is_told(database: Database) -> None:
    assert raised(database, value("x"), value("y")) == ["query/a has a value that is not in its enumeration (2 of them)"]
    assert raised(database, value("x")) == []
    assert raised(database, value("x"), value("z")) == ["query/a has a value that is not in its enumeration"]


def test_a_flood_comes_in_parts(database: Database) -> None:
    many = [Departure("new_parameter", f"query/{n}", "closed", 20, 4, True, "is new") for n in range(50)]
    counts = [len(raised(database, *many)) for _ in range(4)]
    assert counts == [20, 20, 10, 0]


def test_alerts_are_listed_acknowledged_and_delivered(database: Database) -> None:
    raised(database, NEW, value("x"))
    with database.write() as session:
        listed = list(session.scalars(alerts.alerts_of("z")))
        assert len(list(session.scalars(alerts.alerts_of("z", kind="new_value")))) == 1
        assert not list(session.scalars(alerts.alerts_of("z", operation_id="p")))
        assert alerts.open_alerts(session) == {"new_parameter": 1, "new_value": 1}
        alerts.acknowledge([listed[0]])
        first = listed[0].acknowledged_at
        alerts.acknowledge([listed[0]])
        assert listed[0].acknowledged_at == first
        session.flush()
        assert [alert.id for alert in session.scalars(alerts.alerts_of("z", acknowledged=False))] == [listed[1].id]
        assert sum(alerts.open_alerts(session).values()) == 1
        hour_ago = now() - timedelta(hours=1)
        assert len(alerts.undelivered(session, hour_ago, 10)) == 2
        alerts.mark_delivered(session, listed[0].id)
        assert [alert.id for alert in alerts.undelivered(session, hour_ago, 10)] == [listed[1].id]
        assert alerts.alert_of(session, "z", listed[0].id) is listed[0]
        with pytest.raises(NotFound):
            alerts.alert_of(session, "other", listed[0].id)


def test_the_webhook_is_told_no_value(database: Database) -> None:
    raised(database, value("'gold'"))
    with database.read() as session:
        (alert,) = session.scalars(alerts.alerts_of("z"))
        told = message(alert, "example.com")
    assert told["text"] == "GET api.example.com/o: query/a has a value that is not in its enumeration"
    assert told["schema"] == {
        "version": 1,
        "refreshed_version": 2,
        "breaking": False,
        "changes": [{"kind": "enum", "where": "query/a", "breaking": False}],
    }
    assert "gold" not in str(told)


def test_rules_are_relaxed_and_restored(database: Database) -> None:
    with database.write() as session:
        assert relax(session, "o", ["query/a maximum", "query/a maximum", "body closed"]) == ["query/a maximum", "body closed"]
        assert relax(session, "o", ["query/a maximum"]) == []
        assert {row.rule for row in relaxed_rules(session, "o")} == {"query/a maximum", "body closed"}
        assert not relaxed_rules(session, "p")
        restore(session, "o", "query/a maximum")
        assert [row.rule for row in relaxed_rules(session, "o")] == ["body closed"]
        with pytest.raises(NotFound):
            restore(session, "o", "query/a maximum")
        assert relax(session, "o", ["query/b format"], {"query/b format": ["query/b enum", "query/b pattern"]}) == ["query/b format"]
        assert relax(session, "o", ["query/b enum"]) == ["query/b enum"]  # it is meant itself now, and stays when the other goes
        restore(session, "o", "query/b format")
        assert {row.rule for row in relaxed_rules(session, "o")} == {"body closed", "query/b enum"}
        with pytest.raises(NotFound):
            restore(session, "o", "query/b pattern")
        with pytest.raises(InvalidRequest):
            relax(session, "o", [f"query/a{n} maximum" for n in range(MAX_RULES)])
        with pytest.raises(InvalidRequest):
            relax(session, "o", ["x" * 5000])
