"""Client certificates on pages: issue, look, revoke, restore; a key made here is shown once; names from strangers are only text."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from conftest import require_tool
from dashboard.conftest import Site, Visit, csrf_of
from hauberk.certificate import Subject
from hauberk.pki.authority import Authority
from hauberk.pki.generate import generate_request

SCRIPT = "<script>alert(1)</script>"


def csr(name: str) -> str:
    return generate_request(Subject.of(common_name=name, organization="Example")).csr_pem


def issue(site: Site, name: str, days: int = 365) -> dict[str, Any]:
    answer = site.rest.post(site.v4("client_certificates"), json={"csr": csr(name), "validity_days": days})
    return dict(answer.raise_for_status().json()["result"])


def status(site: Site, certificate_id: str) -> str:
    return str(site.rest.get(site.v4(f"client_certificates/{certificate_id}")).json()["result"]["status"])


def test_a_request_is_taken_from_its_file_looked_at_issued_revoked_and_restored(visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(visit.site.page("certificates"))
    expect(page.get_by_role("heading", name="No certificate yet")).to_be_visible()
    accessible(page)
    page.get_by_role("main").get_by_role("link", name="Issue a certificate…").first.click()
    page.get_by_label("Certificate request, PEM").fill("not a request")
    expect(page.get_by_role("alert")).to_contain_text("csr:")
    request = {"name": "device.csr", "mimeType": "application/pkcs10", "buffer": csr("sensor-7").encode()}
    page.get_by_label("Or take it from a file").set_input_files(request)
    expect(page.locator("#csr-says")).to_contain_text("ECDSA P-256")
    expect(page.locator("#csr-says")).to_contain_text("sensor-7")
    accessible(page)
    page.get_by_role("button", name="Issue", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("sensor-7")
    expect(page.get_by_role("status")).to_contain_text("is issued")
    accessible(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download", exact=True).click()
    assert downloading.value.suggested_filename == "sensor-7.pem"
    page.get_by_role("button", name="Revoke…").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("The certificate of sensor-7 is revoked.")
    expect(page.get_by_role("status")).to_contain_text("No gateway is connected")
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    expect(page.locator(".purpose")).to_contain_text("active")
    page.get_by_role("link", name="All client certificates").click()
    expect(page.get_by_role("row", name="sensor-7")).to_contain_text("active")


def test_a_key_made_here_is_shown_once_and_its_file_opens_with_the_password(visit: Visit, tmp_path: Path) -> None:
    page = visit.signed_in()
    page.goto(visit.site.page("certificates/issue"))
    page.get_by_label("Common name (CN)").fill("Ann's phone")
    page.locator("select[name=format]").select_option("pkcs12")
    page.get_by_label("Password of the file").fill("right")
    page.get_by_label("Again").fill("wrong")
    visit.expected.append("400")
    page.get_by_role("button", name="Make key and certificate").click()
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    page.get_by_label("Password of the file").fill("right")
    page.get_by_label("Again").fill("right")
    page.get_by_role("button", name="Make key and certificate").click()
    expect(page.locator("#key")).to_contain_text("BEGIN PRIVATE KEY")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download Ann_s_phone.p12").click()
    assert downloading.value.suggested_filename == "Ann_s_phone.p12"
    downloading.value.save_as(tmp_path / "phone.p12")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download Ann_s_phone-key.pem").click()
    # The address stays in the browser's list of downloads.
    assert downloading.value.url.startswith("blob:")
    assert downloading.value.path().read_text() == page.locator("#key").text_content()
    openssl = [require_tool("openssl"), "pkcs12", "-in", "phone.p12", "-nodes", "-passin"]
    opened = subprocess.run([*openssl, "pass:right"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert opened.stdout.count("BEGIN CERTIFICATE") == 2
    assert subprocess.run([*openssl, "pass:wrong"], cwd=tmp_path, capture_output=True, check=False).returncode != 0
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("no second one was made")
    expect(page.locator("body")).not_to_contain_text("PRIVATE KEY")
    assert count(visit.site, "Ann's phone") == 1


def count(site: Site, search: str) -> int:
    answer = site.rest.get(site.own("client_certificates"), params={"search": search}).json()
    return int(answer["result_info"]["total_count"])


def test_the_key_is_in_no_cache_and_no_second_form_issues_again(site: Site) -> None:
    with site.signed_in() as client:
        form = client.get(site.page("certificates/issue"))
        identity = re.search(r'name="id" value="([^"]+)"', form.text)
        assert identity is not None
        sent = {
            "csrf": csrf_of(form),
            "id": identity[1],
            "common_name": "once",
            "validity_days": "5",
            "key_type": "ed25519",
            "format": "pem",
        }
        first = client.post(site.page("certificates/generate"), data=sent)
        assert first.headers["cache-control"] == "no-store"
        assert "BEGIN PRIVATE KEY" in first.text
        second = client.post(site.page("certificates/generate"), data=sent)
        assert second.url.path.endswith(identity[1])
        assert "PRIVATE KEY" not in second.text
        refused = client.post(site.page("certificates/generate"), data=sent | {"id": str(uuid4()), "country": "Germany"})
        assert refused.status_code == 400
        assert "country" in refused.text
    assert count(site, "once") == 1


def test_several_are_revoked_by_selection_and_had_back(visit: Visit, accessible: Callable[[Page], None]) -> None:
    made = [issue(visit.site, f"batch-{number}") for number in range(3)]
    page = visit.signed_in()
    page.goto(visit.site.page("certificates?search=batch-&order=common_name&direction=asc"))
    expect(page.get_by_role("button", name="Revoke…")).to_be_disabled()
    page.get_by_label("Select batch-0").check()
    page.get_by_label("Select batch-2").check()
    expect(page.locator("[data-selected]").first).to_have_text("2")
    page.get_by_role("button", name="Revoke…").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("2 certificates revoked.")
    expect(page).to_have_url(re.compile("search=batch-"))
    assert [status(visit.site, one["id"]) for one in made] == ["revoked", "active", "revoked"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert {status(visit.site, one["id"]) for one in made} == {"active"}


def test_names_from_strangers_are_only_text(visit: Visit) -> None:
    for name in (SCRIPT, "שלום", "a\u200bb"):
        issue(visit.site, name)
    page = visit.signed_in()
    page.goto(visit.site.page("certificates"))
    expect(page.get_by_role("link", name=SCRIPT)).to_be_visible()
    expect(page.get_by_role("link", name="a\\u200bb")).to_be_visible()
    page.get_by_role("link", name=SCRIPT).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    page.goto(visit.site.page("certificates?search=%3Cscript%3E%22"))
    expect(page.get_by_role("heading", name="None found")).to_be_visible()


@pytest.mark.parametrize(("query", "shown"), [("show=ending", ["short"]), ("show=revoked", ["gone"]), ("search=gone", ["gone"])])
def test_the_list_is_narrowed(site: Site, query: str, shown: list[str]) -> None:
    if not count(site, "gone"):
        issue(site, "short", 3)
        site.rest.delete(site.v4(f"client_certificates/{issue(site, 'gone')['id']}"))
    with site.signed_in() as client:
        text = client.get(site.page(f"certificates?{query}")).text
    assert [name for name in ("short", "gone") if f">{name}</bdi>" in text] == shown


def test_a_viewer_sees_and_may_not(site: Site) -> None:
    made = issue(site, "seen")
    with site.signed_in(site.new_token("read")) as client:
        for path in ("certificates", f"certificates/{made['id']}", "certificates/hosts", "certificates/authorities", "certificates/issue"):
            answer = client.get(site.page(path))
            assert answer.status_code == 200
            assert "Revoke…" not in answer.text
        refused = client.post(site.page(f"certificates/{made['id']}/revoke"), data={"csrf": csrf_of(client.get(site.page("certificates")))})
        assert refused.status_code == 403
    assert status(site, made["id"]) == "active"


def test_an_unknown_certificate_is_no_page(site: Site) -> None:
    with site.signed_in() as client:
        assert client.get(site.page(f"certificates/{uuid4()}")).status_code == 404
        for odd in ("counts", "..%2Fcounts", f"{uuid4()}%3Fx=1", "x" * 300, "%00"):
            assert client.get(site.page(f"certificates/{odd}")).status_code == 404, odd


def test_authorities_are_shown_uploaded_refused_and_deleted(site: Site) -> None:
    from_managed = httpx.get(f"{site.url}/crl/{site.plane.authority_id}.crl").content
    with site.signed_in() as client:
        page = client.get(site.page("certificates/authorities"))
        assert "hauberk managed CA" in page.text
        assert client.get(site.page("certificates/authorities/managed.crl")).content == from_managed
        assert client.get(site.page("certificates/authorities/managed.pem")).text == site.plane.authority.certificate_pem
        form = {"csrf": csrf_of(page), "name": "factory"}
        refused = client.post(site.page("certificates/authorities"), data=form | {"certificates": site.plane.authority.certificate_pem})
        assert refused.status_code == 409
        assert "managed one" in refused.text
        file = {"file": ("ca.pem", factory_ca(), "application/x-pem-file")}
        uploaded = client.post(site.page("certificates/authorities"), data=form, files=file)
        assert "The authority factory is uploaded" in uploaded.text
        account = site.rest.get("/client/v4/accounts").json()["result"][0]["id"]
        [one] = site.rest.get(f"/client/v4/accounts/{account}/mtls_certificates").json()["result"]
        deleted = client.post(site.page(f"certificates/authorities/{one['id']}/delete"), data=form)
        assert "is deleted" in deleted.text
    assert site.rest.get(f"/client/v4/accounts/{account}/mtls_certificates").json()["result"] == []


def factory_ca() -> str:
    return Authority.create(Subject.of(common_name="factory"), 30, datetime.now(UTC)).certificate_pem
