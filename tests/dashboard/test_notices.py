"""What visitors are told after a change: each change is taken back once, by who made it, and memory has its bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from dashboard.conftest import ZONE_NAME, Site, csrf_of
from hauberk.dashboard.notices import KEEP_SECONDS, MAX_CHARACTERS, MAX_NOTICES, Notice, Notices, Undo


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def told(body: str = "") -> Notice:
    return Notice("Done.", "ok", None, Undo.call("PUT", "/client/v4/x", {"body": body}), "/")


def kept(notices: Notices) -> int:
    return len(notices._kept)


def test_a_notice_belongs_to_its_session() -> None:
    notices = Notices()
    key = notices.add("mine", told())
    assert notices.find("another", key) is None
    assert notices.take("another", key) is None
    assert notices.find("mine", key) is not None


def test_an_undo_is_taken_once() -> None:
    notices = Notices()
    key = notices.add("mine", told())
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: notices.take("mine", key), range(50)))
    assert sum(one is not None for one in taken) == 1
    found = notices.find("mine", key)
    assert found is not None
    assert found.undo is None


def test_what_is_too_old_is_not_kept() -> None:
    clock = Clock()
    notices = Notices(clock)
    old = notices.add("mine", told("x" * 1000))
    clock.seconds += KEEP_SECONDS
    assert notices.find("mine", old) is None
    assert notices.take("mine", old) is None
    notices.add("mine", told())
    assert kept(notices) == 1


def test_memory_has_its_bounds() -> None:
    notices = Notices()
    for _ in range(MAX_NOTICES + 10):
        notices.add("mine", told())
    assert kept(notices) == MAX_NOTICES
    part = "x" * (MAX_CHARACTERS // 4)
    keys = [notices.add("mine", told(part)) for _ in range(6)]
    assert kept(notices) == 3
    for key in keys[3:]:
        assert notices.take("mine", key) is not None
    # What was taken is not held any more.
    keys = [notices.add("mine", told(part)) for _ in range(3)]
    assert all(notices.take("mine", key) is not None for key in keys)


def test_two_clicks_take_a_change_back_once(site: Site) -> None:
    path = site.v4("rulesets/phases/http_request_firewall_custom/entrypoint")
    for name in ("first", "second"):
        body = {"rules": [{"action": "log", "expression": 'http.host eq "a"', "description": name}]}
        ruleset = site.rest.put(path, json=body).raise_for_status().json()["result"]
    with site.signed_in() as editor:
        csrf = csrf_of(editor.get("/account"))
        editor.follow_redirects = False
        fields = {"csrf": csrf, "do": f"delete:{ruleset['rules'][0]['id']}", "version": ruleset["version"]}
        notice = httpx.URL(editor.post(f"/zones/{ZONE_NAME}/rules", data=fields).headers["location"]).params["notice"]

        def undone(_: int) -> str:
            headers = {"Origin": site.url}
            with httpx.Client(base_url=site.url, cookies=editor.cookies, headers=headers, timeout=30, follow_redirects=True) as client:
                return client.post(f"/undo/{notice}", data={"csrf": csrf}).text

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(undone, range(4)))
    assert sum("Taken back" in answer for answer in answers) == 1
    assert sum("cannot be taken back any more" in answer for answer in answers) == 3
