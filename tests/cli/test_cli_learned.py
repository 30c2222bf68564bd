"""Learned schemas by the command line: how far learning is, what was learned, putting it in force and going back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conftest import LiveControlPlane
from hauberk.operation import OperationKey
from hauberk.storage.learning_runs import take_lease
from hauberk.storage.learning_tables import LearningRun
from hauberk.storage.leases import end_lease
from hauberk.storage.models import now
from hauberk.storage.operations import save_operations
from learning_fakes import HOST, FakeStatistics, Recorder

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

USERS = ("GET", HOST, "/users/{id}")


class Traffic:
    """Requests that are recorded, and the learning that reads them."""

    def __init__(self, live: LiveControlPlane) -> None:
        self.recorder = Recorder(live.plane.settings.state_dir / "traffic")
        self.learning = live.plane.learning
        self.learning.settings = self.learning.settings.model_copy(update={"min_requests": 10})
        self.statistics = FakeStatistics()
        self.learning.parts = self.statistics.parts()
        keys = [OperationKey("GET", HOST, "/users/{var1}"), OperationKey("POST", HOST, "/orders")]
        with live.plane.database.write() as session:
            save_operations(session, live.zone_id, keys)
        self.learning.start()


@pytest.fixture
def traffic(control_plane: LiveControlPlane) -> Iterator[Traffic]:
    made = Traffic(control_plane)
    yield made
    made.learning.stop()


@pytest.fixture
def learned(hauberk: Run, traffic: Traffic) -> Run:
    """The command line, after 20 requests of one operation and 4 of another were learned from."""
    traffic.recorder.record(20, url="/users/1?page=1")
    traffic.recorder.record(4, url="/orders", method="POST")
    hauberk("schema", "learned", "run")
    return hauberk


def another(learned: Run, traffic: Traffic, name: str = "size") -> None:
    traffic.recorder.record(1, url=f"/users/1?{name}=1")
    learned("schema", "learned", "run")


def in_force(hauberk: Run) -> Any:
    return next(row for row in hauberk("schema", "learned", "list", "--json").json if row["method"] == "GET")["applied_version"]


def test_a_run_tells_what_came_of_it(hauberk: Run, traffic: Traffic) -> None:
    traffic.recorder.record(20)
    traffic.recorder.record(4, url="/orders", method="POST")
    ran = hauberk("schema", "learned", "run")
    assert "2 operations: 1 have a schema, 1 need more requests" in ran.err
    assert "next: hauberk schema learned list" in ran.err
    assert hauberk("schema", "learned", "run", "--no-wait", "--json").json["state"] in {"requested", "running"}


def test_a_run_is_cancelled(hauberk: Run, traffic: Traffic, control_plane: LiveControlPlane) -> None:
    traffic.learning.stop()
    assert "learning is not running" in hauberk("schema", "learned", "cancel", ok=False).err
    hauberk("schema", "learned", "run", "--no-wait")
    ran = hauberk("schema", "learned", "cancel")
    assert "Cancelled before it began" in ran.err
    with control_plane.plane.database.write() as session:
        take_lease(session, control_plane.zone_id, "another")
    assert "Cancelled: it ends within some seconds" in hauberk("schema", "learned", "cancel").err
    with control_plane.plane.database.write() as session:
        end_lease(session, LearningRun, control_plane.zone_id, "another")
        run = session.get_one(LearningRun, control_plane.zone_id)
        run.started_at = now() + timedelta(seconds=60)  # nothing begins meanwhile, and what is asked for is not waited for
    waited = hauberk("schema", "learned", "run", ok=False)
    assert waited.err.startswith("error: the run was cancelled")


def test_a_run_that_fails_says_why(hauberk: Run, traffic: Traffic, control_plane: LiveControlPlane) -> None:
    hauberk("schema", "learned", "run")
    traffic.learning.stop()
    with control_plane.plane.database.write() as session:
        run = session.query(LearningRun).one()
        run.error = "the store is away"
    assert hauberk("schema", "learned", "run", "--timeout", "1", ok=False).err.startswith("error: learning was not done in time")


def test_states_are_listed(learned: Run) -> None:
    ran = learned("schema", "learned", "list")
    users, orders = sorted(ran.out.splitlines()[1:])
    assert "Schema learned from 20 requests" in users
    assert "Learning: 4 of about 10 requests" in orders
    assert 'traffic.bodies to "json"' in ran.err
    assert [row["endpoint"] for row in learned("schema", "learned", "list", "--state", "learning", "--json").json] == ["/orders"]
    assert "no operation is saved" in learned("schema", "learned", "list", "--endpoint", "/none").err


def test_what_was_learned_is_shown_with_its_evidence(learned: Run) -> None:
    ran = learned("schema", "learned", "show", *USERS)
    assert "version 1, learned" in ran.err
    assert "makes 2 statements and leaves 1 open" in ran.err
    rows = {" ".join(line.split()[:2]): line.split() for line in ran.out.splitlines()[1:]}
    assert rows["query/page type"][2:] == ['"string"', "20", "1", "1", "0.0001", "-"]
    assert rows["query closed"][2:] == ["-", "20", "1", "1", "0.0001", "200"]
    document = json.loads(learned("schema", "learned", "show", *USERS, "--document").out)
    assert set(document["paths"]) == {"/users/{var1}"}
    assert learned("schema", "learned", "show", *USERS, "--json").json["version"] == 1
    assert "there is no learned version 7" in learned("schema", "learned", "show", *USERS, "--version", "7", ok=False).err
    assert "no schema was learned" in learned("schema", "learned", "show", "POST", HOST, "/orders", ok=False).err


def test_it_is_put_in_force_taken_back_and_withdrawn(learned: Run, traffic: Traffic) -> None:
    ran = learned("schema", "learned", "apply", *USERS)
    assert f"Applied version 1 to GET {HOST}/users/{{var1}}" in ran.err
    assert "violations are logged" in ran.err
    assert in_force(learned) == 1
    another(learned, traffic)
    learned("schema", "learned", "apply", *USERS, "--action", "block")
    assert in_force(learned) == 2
    assert "block" in learned("schema", "learned", "list").out
    listed = learned("schema", "learned", "versions", *USERS, "--json").json
    assert [(row["version"], row["in_force"]) for row in listed] == [(2, True), (1, False)]
    assert f"Version 1 of GET {HOST}/users/{{var1}} is in force again" in learned("schema", "learned", "rollback", *USERS).err
    assert "version 1, rolled back" in learned("schema", "learned", "list").out
    learned("schema", "learned", "apply", *USERS, "--version", "2", "--action", "keep")
    learned("schema", "learned", "withdraw", *USERS)
    assert in_force(learned) is None
    learned("schema", "learned", "withdraw", *USERS, ok=False)


def test_versions_are_compared(learned: Run, traffic: Traffic) -> None:
    learned("schema", "learned", "diff", *USERS, ok=False)
    another(learned, traffic)
    ran = learned("schema", "learned", "diff", *USERS)
    assert "version 1 to 2: only looser" in ran.err
    assert "query/size" in ran.out
    assert "version 2 to 1: breaking" in learned("schema", "learned", "diff", *USERS, "--before", "2", "--after", "1").err
    assert learned("schema", "learned", "diff", *USERS, "--json").json["breaking"] is False


def test_all_of_a_host_are_applied(learned: Run) -> None:
    ran = learned("schema", "learned", "apply", "--all")
    assert "Applied version 1 to GET" in ran.err
    assert f"note: POST {HOST}/orders: nothing was applied" in ran.err
    assert "Nothing was applied" in learned("schema", "learned", "apply", "--all", "--host", HOST).err
    for wrong in ([], [*USERS, "--all"], ["--all", "--version", "1"]):
        assert learned("schema", "learned", "apply", *wrong, ok=False).status == 2


def test_documents_are_exported(learned: Run, tmp_path: Path) -> None:
    printed = json.loads(learned("schema", "learned", "export").out)
    assert (printed["openapi"], set(printed["paths"])) == ("3.0.3", {"/users/{var1}"})
    file = tmp_path / "learned.json"
    learned("schema", "learned", "export", "-o", file, "--openapi", "3.1.0", "--no-evidence")
    assert "evidence" not in file.read_text()
    assert json.loads(file.read_text())["openapi"] == "3.1.0"
    assert "exists already" in learned("schema", "learned", "export", "-o", file, ok=False).err
    (tmp_path / "folder").mkdir()
    learned("schema", "learned", "export", "-o", tmp_path / "folder")
    assert (tmp_path / "folder" / f"{HOST}.json").exists()
    assert "nothing was learned yet" in learned("schema", "learned", "export", "--in-force", ok=False).err
    learned("schema", "upload", file, "--name", "frozen")
    assert "unaffected" in learned("schema", "learned", "apply", *USERS).err
    assert "uploaded" in learned("schema", "learned", "list").out


def test_hosts_that_apply_by_themselves(learned: Run, traffic: Traffic) -> None:
    assert learned("schema", "learned", "auto", "--json").json == [{"host": HOST, "auto_apply": False}]
    assert "1 learned schema at once" in learned("schema", "learned", "auto", "on", HOST).err
    another(learned, traffic)
    assert in_force(learned) == 2
    assert "when you say so" in learned("schema", "learned", "auto", "off", HOST).err
    assert learned("schema", "learned", "auto", "on", ok=False).status == 2


def test_relearning(learned: Run) -> None:
    assert "from this hour on" in learned("schema", "learned", "relearn", *USERS).err
    (users,) = (row for row in learned("schema", "learned", "list", "--json").json if row["method"] == "GET")
    assert (users["requests"], users["newest"]["version"]) == (0, 1)
