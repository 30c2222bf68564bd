"""Names as long as they may be, in one word: pages stay within a screen of 1280 pixels, with their buttons in sight."""

from __future__ import annotations

import json

from dashboard.conftest import Site, Visit

WIDTH = 1280


def fill(site: Site) -> list[str]:
    """Make one of everything with a long name; the answer is the pages that show it."""

    def made(path: str, body: object, method: str = "POST") -> dict[str, object]:
        answer = site.rest.request(method, path, json=body)
        assert answer.is_success, answer.text
        result: dict[str, object] = answer.json()["result"]
        return result

    host = ".".join(["x" * 63] * 3) + ".example.com"
    made(site.own("hosts"), {"name": host, "upstreams": ["http://127.0.0.1:9"]})
    made(site.own("client_certificates/generate"), {"subject": {"common_name": "W" * 64}, "validity_days": 5})
    rule = {"action": "log", "expression": f'http.request.uri.path eq "/{"y" * 1500}"', "description": "d" * 400}
    made(site.v4("rulesets/phases/http_request_firewall_custom/entrypoint"), {"rules": [rule]}, "PUT")
    document = {"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "servers": [{"url": f"https://{host}"}]}
    document["paths"] = {f"/{'p' * 900}": {"get": {"responses": {"200": {"description": "x"}}}}}
    schema = made(
        site.own("schemas"), {"name": "S" * 120, "source": json.dumps(document), "validation_enabled": True, "save_operations": True}
    )
    user = made("/hauberk/v1/users", {"name": "U" * 64, "password": "correct horse battery", "role": "viewer"})
    made("/hauberk/v1/tokens", {"name": "t" * 60, "scope": "read", "email": "e" * 100 + "@example.com"})
    [operation] = site.rest.get(site.v4("api_gateway/operations")).json()["result"]
    names = ["", "certificates", "certificates/hosts", "rules", "schemas", "endpoints", "settings", f"settings/hosts/{host}"]
    names += [f"schemas/uploaded/{schema['schema_id']}", f"endpoints/{operation['operation_id']}", f"certificates/require?host={host}"]
    return [*map(site.page, names), *(f"{site.url}/settings/{name}" for name in ("users", "tokens", f"users/{user['id']}"))]


def test_long_names_break_no_page(site: Site, visit: Visit) -> None:
    addresses = fill(site)
    page = visit.signed_in()
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, address
        beyond = page.evaluate(
            """width => [...document.querySelectorAll("main button, main .badge, main select, main td.num")]
                .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > width).map(one => one.textContent.trim())""",
            WIDTH,
        )
        assert not beyond, (address, beyond)
