"""How much a form may send: what is held in memory has a limit, and captures, which are not, have their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import settings_for
from dashboard.conftest import ZONE_NAME, Site, csrf_of, served

LIMIT = 200_000
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane that takes little, but for captures."""
    tables = {"control_plane": {"max_upload_bytes": LIMIT}, "traffic": {"max_import_bytes": 50 * LIMIT}}
    with served(settings_for(tmp_path_factory.mktemp("small") / "state", "127.0.0.1:8080", **tables)) as site:
        yield site


def field(name: str, size: int) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + b"x" * size + b"\r\n"


@pytest.mark.parametrize("path", ["/undo/x", "/settings/users", f"/zones/{ZONE_NAME}/schemas/new"])
@pytest.mark.parametrize("told", [True, False])
def test_forms_end_at_the_limit_of_uploads(small: Site, path: str, told: bool) -> None:
    body = field("a", 2 * LIMIT) + b"--b--\r\n"
    with small.signed_in() as editor:
        answer = editor.post(path, content=body if told else iter([body]), headers=FORM)
    assert answer.status_code == 413
    assert "200.0 kB (200,000 bytes)" in answer.text
    assert "control_plane.max_upload_bytes" in answer.text
    assert '<nav class="side"' in answer.text


def test_a_capture_has_its_own_limit(small: Site) -> None:
    name = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.ndjson"\r\n\r\n'
    with small.signed_in() as editor:
        token = f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf_of(editor.get("/account"))}\r\n'.encode()
        body = token + name + b"\n" * (5 * LIMIT) + b"\r\n--b--\r\n"
        taken = editor.post(f"/zones/{ZONE_NAME}/discovery/imports", content=body, headers=FORM)
        assert "max_upload_bytes" not in taken.text
        assert "/discovery/imports/" in str(taken.url)


@pytest.mark.parametrize("path", ["/account/password", "/sign-out"])
def test_a_viewer_sends_no_more_than_passwords(small: Site, path: str) -> None:
    with small.signed_in(small.new_token("read")) as viewer:
        csrf = csrf_of(viewer.get("/account"))
        assert viewer.post(path, data={"csrf": csrf, "a": "x" * 50_000}).status_code == 400
        assert viewer.post(path, content=field("a", 50_000) + b"--b--\r\n", headers=FORM).status_code == 400
        assert viewer.post(path, data={"csrf": csrf, **{f"f{number}": "" for number in range(50)}}).status_code == 400
