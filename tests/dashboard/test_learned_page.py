"""The pages of learned schemas, of trials and of drift alerts: real requests, real statistics, each change taken back."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from conftest import PATIENCE_SECONDS, eventually
from dashboard.conftest import Visit, csrf_of
from dashboard.learned_site import LearnedSite, with_page
from hauberk.learning.drift import Departure
from hauberk.storage.alert_tables import DriftAlert, DriftChange
from hauberk.storage.alerts import Refreshed, raise_alerts
from hauberk.storage.models import Operation, now
from hauberk.traffic.hours import RecordedHour, RecordedHours
from sensor_site import HOST, OPERATIONS, Sent, recorded

SENSORS = "GET /sensors"
HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def site(first_state: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LearnedSite]:
    with LearnedSite.serve(first_state, tmp_path_factory.mktemp("learned")) as served_site:
        yield served_site


@pytest.fixture(autouse=True)
def withdrawn(site: LearnedSite) -> Iterator[None]:
    """After each test no schema is in force, nothing relaxed, and no alert raised."""
    yield
    site.ask("PUT", site.own("learning/in_force"), {id_: {"version": None, "mitigation_action": None} for id_ in site.ids.values()})
    for one in site.ask("GET", site.own("learning/relaxed")):
        site.ask("DELETE", site.own(f"learning/operations/{one['operation_id']}/relaxed"), rule=one["rule"])
    with site.plane.database.write() as session:
        for table in (DriftAlert, DriftChange):
            session.query(table).delete()


def post(client: httpx.Client, site: LearnedSite, path: str, form_at: str, **fields: Any) -> httpx.Response:
    answer = client.post(site.page(path), data={"csrf": csrf_of(client.get(site.page(form_at))), **fields})
    assert answer.status_code in {200, 400, 404, 409}, words(answer)
    return answer


def undo(client: httpx.Client, site: LearnedSite, answer: httpx.Response) -> str:
    found = re.search(r'action="(/undo/[^"]+)"', answer.text)
    assert found is not None, f"there is nothing to undo: {words(answer)}"
    seen = words(client.post(site.url + found[1], data={"csrf": csrf_of(answer)}))
    assert "Taken back" in seen
    return seen


def words(answer: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def in_force(site: LearnedSite) -> dict[str, tuple[int, str | None]]:
    rows = site.ask("GET", site.own("learning/operations"))
    return {f"{one['method']} {one['endpoint']}": (one["applied_version"], one["mitigation_action"]) for one in rows if one["in_force"]}


def first_versions(site: LearnedSite) -> None:
    """Put in force what was learned first, whatever other tests have relaxed since."""
    site.ask("PUT", site.own("learning/in_force"), {id_: {"version": 1, "mitigation_action": "log"} for id_ in site.ids.values()})


def tried(client: httpx.Client, site: LearnedSite) -> httpx.Response:
    """Try what is in force, to the end."""
    answer = post(client, site, "schemas/trial", "schemas/trial", document="in_force")
    where = str(answer.url)
    eventually(lambda: 'aria-labelledby="progress-title"' not in client.get(where).text)
    return client.get(where)


def test_the_table_tells_how_far_each_operation_is(site: LearnedSite) -> None:
    with site.signed_in() as client:
        extra = site.ask("POST", site.v4("api_gateway/operations/item"), {"method": "GET", "host": HOST, "endpoint": "/few"})
        site.record(*(recorded(Sent(n, "GET", "/few", {}), now()) for n in range(12)))
        site.learn()
        everything = client.get(site.page("schemas/learned"))
        assert "12 of about 200" in words(everything)
        assert f"Ready to apply {len(OPERATIONS)}" in words(everything)
        assert "Learning 1" in words(everything)
        for query, seen in ({"state": "learning"}, 1), ({"state": "ready"}, 5), ({"endpoint": "few"}, 1), ({"host": "x.test"}, 0), ({}, 6):
            answer = client.get(site.page("schemas/learned"), params=query)
            assert len(re.findall(r'name="operation_id" value="', answer.text)) == seen
        assert "page 2 of 3" in words(client.get(site.page("schemas/learned"), params={"page": 2, "per_page": 2}))
        site.rest.delete(site.v4(f"api_gateway/operations/{extra['operation_id']}")).raise_for_status()


def test_one_some_and_all_are_applied_and_taken_back(site: LearnedSite) -> None:
    with site.signed_in() as client:
        one = post(client, site, "schemas/learned/apply", "schemas/learned", one=site.ids[SENSORS])
        assert "1 learned schema is in force now." in words(one)
        assert {name: action for name, (_, action) in in_force(site).items()} == {SENSORS: "log"}
        undo(client, site, one)
        assert in_force(site) == {}
        two = [site.ids["GET /temps"], site.ids["POST /temps"]]
        some = post(client, site, "schemas/learned/apply", "schemas/learned", operation_id=two, action="block")
        assert set(in_force(site)) == {"GET /temps", "POST /temps"}
        assert {action for _, action in in_force(site).values()} == {"block"}
        all_ready = post(client, site, "schemas/learned/apply", "schemas/learned", all="1", action="log")
        assert f"{len(OPERATIONS) - 2} learned schemas are in force now." in words(all_ready)
        assert len(in_force(site)) == len(OPERATIONS)
        assert in_force(site)["GET /temps"][1] == "block"
        undo(client, site, all_ready)
        undo(client, site, some)
        assert in_force(site) == {}
        assert "no operation was chosen" in words(post(client, site, "schemas/learned/apply", "schemas/learned"))


def test_a_host_applies_by_itself_and_not_any_more(site: LearnedSite) -> None:
    with site.signed_in() as client:
        answer = post(client, site, "schemas/learned/automatic", "schemas/learned", host=HOST, automatic="1")
        assert "5 at once" in words(answer)
        assert len(in_force(site)) == len(OPERATIONS)
        undo(client, site, answer)
        assert (in_force(site), site.ask("GET", site.own("learning/hosts"))[0]["auto_apply"]) == ({}, False)


def test_a_run_is_asked_for_and_cancelled(site: LearnedSite) -> None:
    with site.signed_in() as client:
        assert 'data-live="1"' in post(client, site, "schemas/learned/run", "schemas/learned").text
        part = client.get(site.page("schemas/learned/run"))
        assert ('id="run"' in part.text, "Waiting to begin" in words(part)) == (True, True)
        assert "is being cancelled" in words(post(client, site, "schemas/learned/cancel", "schemas/learned"))
        assert "nothing to cancel" in words(post(client, site, "schemas/learned/cancel", "schemas/learned"))
        assert "data-live" not in client.get(site.page("schemas/learned/run")).text


def test_a_trial_relaxes_blocks_and_takes_both_back(site: LearnedSite) -> None:
    first_versions(site)
    site.record(with_page("first"), with_page("no", status=404))
    before = in_force(site)
    with site.signed_in() as client:
        result = tried(client, site)
        assert "Would have refused 1 of" in words(result)
        assert "query/page type" in words(result)
        path = str(result.url).removeprefix(f"{site.url}/zones/example.com/")
        relaxed = post(client, site, f"{path}/relax", path, operation_id=site.ids[SENSORS], rule="query/page type")
        assert "Relaxed query/page type of GET api.example.com/sensors" in words(relaxed)
        assert in_force(site)[SENSORS][0] > before[SENSORS][0]
        assert "query/page type" in words(client.get(site.page("schemas/learned")))
        undo(client, site, relaxed)
        assert (in_force(site), site.ask("GET", site.own("learning/relaxed"))) == (before, [])
        unknown = post(client, site, f"{path}/relax", path, operation_id=site.ids[SENSORS], rule="query/none type")
        assert "Not relaxed" in words(unknown)
        # Only operations of which none was refused are switched, whatever the form says.
        both = [site.ids[SENSORS], site.ids["GET /temps"]]
        blocked = post(client, site, f"{path}/block", path, operation_id=both)
        assert "1 operation refuses requests" in words(blocked)
        assert in_force(site) == {**before, "GET /temps": (1, "block")}
        undo(client, site, blocked)
        assert in_force(site) == before
        post(client, site, "schemas/learned/restore", path, operation_id=site.ids[SENSORS], rule="query/page type")


def test_a_trial_tells_how_far_it_is_and_can_be_cancelled(site: LearnedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on, waits = threading.Event(), threading.Event()
    site.record(with_page("3"))

    def slowly(self: RecordedHours, hour: RecordedHour, *, successful: bool = True) -> Iterator[bytes]:
        for batch in lines(self, hour, successful=successful):
            yield batch
            waits.set()
            assert may_go_on.wait(PATIENCE_SECONDS)

    lines = RecordedHours.lines
    monkeypatch.setattr(RecordedHours, "lines", slowly)
    with site.signed_in() as client:
        begun = post(client, site, "schemas/trial", "schemas/trial", document="learned", everything="1", host=HOST)
        path = str(begun.url).removeprefix(f"{site.url}/zones/example.com/")
        assert waits.wait(PATIENCE_SECONDS)
        seen = client.get(str(begun.url))
        assert ('data-live="1"' in seen.text, "<progress" in seen.text) == (True, True)
        second = post(client, site, "schemas/trial", "schemas/trial", document="next")
        assert "a trial of this zone is running" in words(second)
        assert "Cancelling" in words(post(client, site, f"{path}/cancel", path))
        may_go_on.set()
        eventually(lambda: "data-live" not in client.get(str(begun.url)).text.partition('id="trial"')[2])
        assert "It was cancelled: older requests were not looked at." in words(client.get(str(begun.url)))
        assert "has ended already" in words(post(client, site, f"{path}/cancel", path))


def alert(site: LearnedSite, pointer: str, **members: Any) -> str:
    departed = Departure("new_parameter", pointer, "closed", 20, 4, True, members.get("told", "is new"), key=pointer)
    changes = [
        {"kind": "parameter-added", "where": f"GET {HOST}/sensors {pointer}", "what": HOSTILE, "breaking": members.get("breaking", False)}
    ]
    with site.plane.database.write() as session:
        (raised,) = raise_alerts(session, session.get_one(Operation, site.ids[SENSORS]), [departed], Refreshed(1, 2, changes))
    return str(raised.id)


def test_alerts_are_filtered_acknowledged_and_opened_again(site: LearnedSite) -> None:
    first, second = alert(site, "query/a", breaking=True), alert(site, "query/b")

    def listed(client: httpx.Client, **query: Any) -> set[str]:
        return set(re.findall(r'/schemas/alerts/([0-9a-f]{32})"', client.get(site.page("schemas/alerts"), params=query).text))

    with site.signed_in() as client:
        assert listed(client) == {first, second}
        assert (listed(client, breaking="1"), listed(client, kind="missing"), listed(client, state="acknowledged")) == (
            {first},
            set(),
            set(),
        )
        assert (listed(client, operation_id=site.ids[SENSORS]), listed(client, operation_id=site.ids["GET /temps"])) == (
            {first, second},
            set(),
        )
        assert words(client.get(site.page("schemas/alerts"))).count("breaking") == 1
        answer = post(client, site, "schemas/alerts/acknowledge", "schemas/alerts", id=[first])
        assert (listed(client), listed(client, state="acknowledged")) == ({second}, {first})
        undo(client, site, answer)
        assert listed(client) == {first, second}
        answer = post(client, site, "schemas/alerts/acknowledge", "schemas/alerts", all="1")
        assert "2 alerts are acknowledged." in words(answer)
        undo(client, site, answer)
        one = post(client, site, f"schemas/alerts/{first}/acknowledge", f"schemas/alerts/{first}")
        assert "Open it again" in words(one)
        undo(client, site, one)
        post(client, site, f"schemas/alerts/{first}/acknowledge", f"schemas/alerts/{first}")
        post(client, site, f"schemas/alerts/{first}/open", f"schemas/alerts/{first}")
        assert listed(client) == {first, second}
        seen = words(client.get(site.page(f"schemas/alerts/{first}")))
        assert "20 requests of 4 callers" in seen
        assert "breaking: refuses more query/a" in seen
        assert client.get(site.page("schemas/alerts/unknown")).status_code == 404


def test_names_from_traffic_are_text(site: LearnedSite) -> None:
    site.record(recorded(Sent(9, "GET", "/sensors?%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE=1", {"Accept": "application/json"}), now()))
    first_versions(site)
    id_ = alert(site, f"query/{HOSTILE}", told=HOSTILE)
    with site.signed_in() as client:
        answers = [tried(client, site), client.get(site.page("schemas/alerts")), client.get(site.page(f"schemas/alerts/{id_}"))]
        for answer in answers:
            assert "<script>alert" not in answer.text
            assert "\u202e" not in answer.text
            assert "<script>alert(1)</script>\\u202e" in html.unescape(answer.text)


def test_a_viewer_sees_results_and_changes_nothing(site: LearnedSite) -> None:
    first_versions(site)
    before, id_ = in_force(site), alert(site, "query/c")
    with site.signed_in() as editor:
        shared = str(tried(editor, site).url)
    with site.signed_in(site.new_token("read")) as client:
        for path in ("schemas/learned", "schemas/trial", "schemas/alerts", f"schemas/alerts/{id_}"):
            assert client.get(site.page(path)).status_code == 200
        seen = client.get(shared)
        assert "Would have refused" in words(seen)
        csrf = csrf_of(seen)
        for path in ("learned/apply", "learned/run", "trial", f"alerts/{id_}/acknowledge"):
            fields = {"csrf": csrf, "one": site.ids[SENSORS], "document": "next"}
            answer = client.post(site.page(f"schemas/{path}"), data=fields)
            assert answer.status_code == 403, path
    assert in_force(site) == before


def test_apply_and_undo_in_a_browser(visit: Visit, site: LearnedSite, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.page("schemas/learned"))
    accessible(page)
    chosen = page.get_by_role("button", name=re.compile(r"Apply to \d+ chosen"))
    expect(chosen).to_be_disabled()
    page.get_by_label("Choose GET api.example.com/temps").check()
    expect(chosen).to_have_text("Apply to 1 chosen")
    chosen.click()
    expect(page.get_by_text("1 learned schema is in force now.")).to_be_visible()
    assert in_force(site) == {"GET /temps": (1, "log")}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert in_force(site) == {}


def test_trial_relax_and_trial_again_in_a_browser(visit: Visit, site: LearnedSite, accessible: Callable[[Page], None]) -> None:
    first_versions(site)
    site.record(with_page("<script>alert(1)</script>"))
    page = visit.signed_in()
    page.goto(site.page("schemas/trial"))
    accessible(page)
    page.locator("select[name=document]").select_option("in_force")
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Would have refused [1-9]"))).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    accessible(page)
    rule = page.get_by_role("row").filter(has_text="query/page type")
    rule.get_by_role("button", name="Relax").click()
    expect(page.get_by_text("Relaxed query/page type")).to_be_visible()
    others = page.get_by_role("button", name="Relax", exact=True)
    while others.count():  # rules that requests of other tests break
        left = others.count() - 1
        others.first.click()
        expect(others).to_have_count(left)
    page.get_by_role("link", name="Another trial").click()
    page.locator("select[name=document]").select_option("in_force")
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.get_by_role("heading", name="Would have refused none")).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
