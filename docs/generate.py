"""
Writes the reference pages that follow from the code: settings, REST routes, error codes.

Run `make docs` after a change of one of them; `tests/test_docs.py` fails while a page is older than the code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hauberk import config, errors

DOCS = Path(__file__).parent


def settings_page() -> str:
    """Write a table for each table of `hauberk.toml`."""
    lines = [
        "# Settings",
        "",
        "<!-- Made by docs/generate.py: edit src/hauberk/config.py instead. -->",
        "",
        "All settings are in one file, `hauberk.toml`; `hauberk init` writes one with every key explained. The environment wins over the",
        "file (`HAUBERK_STATE_DIR`, `HAUBERK_GATEWAY__THREADS`: two underscores step into a table; lists as JSON), and flags win over both.",
        "Relative paths are relative to the file's folder. An unknown key is refused, with the nearest known one.",
        "",
        f"`{config.PASSPHRASE_VARIABLE}` is no setting but an environment variable alone: the passphrase that encrypts the authority's private key.",
        f"`{config.WEBHOOK_SECRET_VARIABLE}` is one too: the secret that signs what the webhook of `[alerts]` is sent; it wins over the file.",
        "",
    ]
    plain = {name: field for name, field in config.Settings.model_fields.items() if not _table(field.annotation)}
    lines += ["## Top level", "", *_settings_table({k: v for k, v in plain.items() if k != "zones"}), ""]
    for name, field in config.Settings.model_fields.items():
        table = _table(field.annotation)
        if table is not None:
            lines += [f"## `[{name}]`", "", _sentence(table), "", *_settings_table(table.model_fields), ""]
    for name, table in (("[[zones]]", config.ZoneSettings), ("[[zones.hosts]]", config.HostSettings)):
        fields = {k: v for k, v in table.model_fields.items() if k != "hosts"}
        lines += [f"## `{name}`", "", _sentence(table), "", *_settings_table(fields), ""]
    return "\n".join(lines)


def _table(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _sentence(table: type[BaseModel]) -> str:
    return (table.__doc__ or "").strip().splitlines()[0]


def _settings_table(fields: dict[str, Any]) -> Iterator[str]:
    yield "| Key | Default | Meaning |"
    yield "|---|---|---|"
    for name, field in fields.items():
        if field.is_required():
            default = "(required)"
        elif field.default is None:
            default = ""
        else:
            default = f"`{str(field.default) if isinstance(field.default, Path) else field.default!r}`".replace("'", '"')
        yield f"| `{name}` | {default} | {field.description} |"


def rest_page() -> str:
    """Write a table of all routes with the first sentence of each, and the error codes."""
    from hauberk.api.app import create_app  # noqa: PLC0415 - the settings page is made without it

    class Plane:
        settings = config.Settings()
        database = None
        metrics = None

    app = create_app(Plane())  # type: ignore[arg-type] - routes are only listed, nothing is called
    lines = [
        "# REST",
        "",
        "<!-- Made by docs/generate.py: edit the routes in src/hauberk/api instead. -->",
        "",
        "`/client/v4` answers what the official `cloudflare` SDKs send, `/hauberk/v1` is what only hauberk has. The control plane shows the same with",
        "all parameters at `/docs`, and as an OpenAPI document at `/openapi.json`.",
        "",
        "Send `Authorization: Bearer TOKEN`, or `X-Auth-Email` and `X-Auth-Key` (the same token, and its owner's address). Scopes: `read` may GET,",
        "`edit` may change, `gateway` may fetch snapshots and report. The first tokens are in `admin-token` and `gateway-token` of the state folder.",
        "",
        "Every answer is an envelope: `success`, `errors`, `messages`, `result`, and `result_info` for lists. `page` counts from 1, `per_page` goes up to",
        "5000; beyond the last page `result` is `[]`.",
        "",
    ]
    routes: dict[str, list[tuple[str, str, str]]] = {}
    for path, methods in app.openapi()["paths"].items():
        for method, described in methods.items():
            sentence = " ".join(str(described.get("description", "")).split("\n\n")[0].split()).replace("|", "\\|")
            routes.setdefault(str((described.get("tags") or ["other"])[0]), []).append((method.upper(), path, sentence))
    for tag in sorted(routes):
        lines += [f"## {tag.capitalize()}", "", "| Call | |", "|---|---|"]
        lines += [f"| `{method} {path}` | {sentence} |" for method, path, sentence in sorted(routes[tag], key=lambda row: (row[1], row[0]))]
        lines += [""]
    lines += ["## Error codes", "", "| Code | Status | Meaning |", "|---|---|---|"]
    lines += [f"| {cls.code} | {cls.status} | {_first(cls)} |" for cls in sorted(error_classes(), key=lambda cls: cls.code)]
    lines += ["| 7000 | 404, 405 | No route for this URI, or not with this method. |", ""]
    return "\n".join(lines)


def _first(cls: type) -> str:
    text = (cls.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split())


def error_classes() -> list[type[errors.HauberkError]]:
    """List the errors that can be seen over REST."""
    found = [errors.HauberkError]
    for cls in found:
        found += cls.__subclasses__()
    hidden = {errors.HauberkError, errors.ConfigurationError, errors.SnapshotRefused}
    return [cls for cls in found if cls not in hidden and cls.__module__ == "hauberk.errors"]


PAGES = {"settings.md": settings_page, "rest.md": rest_page}


def main() -> None:
    """Write all pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
        sys.stderr.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
