"""`hauberk schema`: OpenAPI documents that requests must follow, and what happens to those that do not."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import alerts, files, learned, trial
from hauberk.cli.failure import Failure, Refused
from hauberk.cli.output import Output, printable
from hauberk.cli.remote import AsJson, Remote, remote
from hauberk.mitigation import MitigationAction

app = typer.Typer(no_args_is_help=True, help="OpenAPI documents that requests must follow.")

app.add_typer(learned.app, name="learned")
app.command("trial")(trial.trial)
app.command("relax")(trial.relax)
app.command("restore")(trial.restore)
app.command("relaxed")(trial.relaxed)
app.command("alerts")(alerts.alerts)

SchemaArgument = Annotated[str, typer.Argument(metavar="SCHEMA", help="Its id or its name.", show_default=False)]


class Override(StrEnum):
    """The switch above all actions."""

    NONE = "none"
    OFF = "off"


@app.command("upload")
@remote()
def upload(
    plane: Remote,
    file: Annotated[Path, typer.Argument(help="An OpenAPI 3.0 or 3.1 document, JSON or YAML; '-' is standard input.", show_default=False)],
    host: Annotated[str | None, typer.Option(help="The host it describes, if its servers name none.", show_default=False)] = None,
    name: Annotated[str | None, typer.Option(help="What to call it. Default: the file's name.", show_default=False)] = None,
    operations: Annotated[
        bool, typer.Option("--operations/--no-operations", help="Save the operations it declares; others are not validated.")
    ] = True,
    enabled: Annotated[bool, typer.Option("--enabled/--disabled", help="Validate by it from now on.")] = True,
    action: Annotated[
        MitigationAction | None, typer.Option(help="What happens to requests that break it. Default: as the zone says.", show_default=False)
    ] = None,
) -> None:
    """
    Upload an OpenAPI document; gateways validate by it within two seconds.

    A document with errors is refused, and all of them are listed with their place.

    \b
    Examples:
      hauberk schema upload openapi.yaml --host api.example.com --action block
      hauberk schema upload openapi.yaml --action log && hauberk events --follow
    """
    source = files.read_text(file)
    zone = plane.zone(host)
    title = name or (file.stem if file != files.STANDARD else "schema")
    body = {"kind": "openapi_v3", "name": title, "source": source, "validation_enabled": enabled}
    path = f"/client/v4/zones/{zone['id']}/schema_validation/schemas"
    try:
        envelope = plane.client.envelope(path, body, save_operations=operations, host=host)
    except Refused as error:
        details = error.body.get("upload_details")
        problems = [p for kind in ("critical", "errors", "warnings") for p in details.get(kind) or []] if isinstance(details, dict) else []
        if not problems:
            raise
        print_problems(plane.out, problems)
        raise Failure(
            f"{file}: refused, with {len(problems)} problem{'s' * (len(problems) != 1)}", f"'hauberk schema check {file}' lists them too"
        ) from None
    schema = envelope["result"]
    saved = _operations_of(plane, zone, schema["schema_id"])
    if action is not None:
        changes = {operation["operation_id"]: {"mitigation_action": action.value} for operation in saved if operation.get("operation_id")}
        if changes:
            plane.client.patch(f"/client/v4/zones/{zone['id']}/schema_validation/settings/operations", changes)
    warnings = [dict(message) for message in envelope.get("messages") or []]
    print_problems(plane.out, warnings)
    plane.out.done(
        f"Uploaded {title} ({schema['schema_id']}): {len(saved)} operation{'s' * (len(saved) != 1)}"
        + (f", violations lead to '{action.value}'" if action is not None else ""),
        {key: value for key, value in schema.items() if key != "source"} | {"operations": saved, "warnings": warnings},
        then="hauberk status --wait" if action is not None else "hauberk schema default-action block",
    )


@app.command("list")
@remote()
def list_schemas(plane: Remote) -> None:
    """
    List uploaded documents.

    \b
    Example:
      hauberk schema list
    """
    schemas = list(plane.client.pages(plane.zone_path("schema_validation", "schemas"), omit_source=True))
    columns = {"NAME": "name", "ENABLED": "validation_enabled", "UPLOADED": "created_at", "ID": "schema_id"}
    plane.out.table(schemas, columns, empty="no schemas yet: 'hauberk schema upload FILE' uploads one")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="An OpenAPI 3.0 or 3.1 document, JSON or YAML; '-' is standard input.", show_default=False)],
    request: Annotated[
        str | None,
        typer.Option(metavar="'METHOD /PATH?QUERY'", help="Judge this request by the document, too, and list all its violations."),
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A header of the request; repeat it for more.")
    ] = None,
    body: Annotated[
        Path | None,
        typer.Option(help="File with the body of the request; '-' is standard input. JSON, unless a header names another type."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    List all problems of an OpenAPI document with their place. Needs no server; exits with 1 if an upload would be refused, or if the
    request departs from the document.

    \b
    Examples:
      hauberk schema check openapi.yaml
      hauberk schema check openapi.yaml --request 'POST /temps' --body reading.json
      hauberk schema check openapi.yaml --request 'GET /temps?from=yesterday' -H 'X-Sensor: 7'
    """
    from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

    out = Output(as_json=as_json)
    if request is not None:
        _check_request(out, file, request, header or [], body)
        return
    if header or body:
        raise Failure("--header and --body belong to a request", "name it: --request 'POST /temps'")
    report = _native.check_document(files.read_bytes(file))
    problems = report["problems"]
    if as_json:
        out.json(report)
    else:
        print_problems(out, problems, data=True)
    if not report["ok"]:
        raise Failure(f"{file}: would be refused", "warnings alone would not: they tell what cannot be enforced")
    count = len(report["operations"])
    out.say(
        f"{file}: good, OpenAPI {printable(report['openapi_version'])}, {count} operation{'s' * (count != 1)}"
        + (f", {len(problems)} to look at" if problems else "")
    )


def _check_request(out: Output, file: Path, request: str, headers: list[str], body: Path | None) -> None:
    from hauberk import _native  # noqa: PLC0415 - as above

    method, _, target = request.strip().partition(" ")
    target = target.strip()
    if not target.startswith("/"):
        raise Failure(f"'{printable(request)}' is no request", "method and path are expected, e.g. --request 'POST /temps'")
    pairs = []
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon:
            raise Failure(
                f"'{printable(name)}' is no header", "name and value are expected, e.g. --header 'Content-Type: application/json'"
            )
        pairs.append((name.strip(), value.strip()))
    if file == body == files.STANDARD:
        raise Failure("standard input holds the document or the body, not both", "keep one of them in a file")
    content = files.read_bytes(body) if body else None
    if content is not None and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("content-type", "application/json"))
    try:
        report = _native.check_request(files.read_bytes(file), method.upper(), target, pairs, content)
    except ValueError as error:
        raise Failure(f"{file}: {error}", f"'hauberk schema check {file}' lists all problems of the document") from None
    except LookupError as error:
        raise Failure(f"{file}: {error.args[0]}", f"'hauberk schema check {file} --json' lists its operations") from None
    violations = report["violations"]
    if out.as_json:
        out.json(report)
    else:
        for violation in violations:
            detail = f" ({violation['error_detail']})" if violation["error_detail"] else ""
            out.line(
                printable(f"{violation['location']} {violation['target']}: {violation['error_class']}{detail}, see {violation['rule']}")
            )
    operation = printable(f"{report['method']} {report['endpoint']}")
    if violations:
        count = len(violations)
        raise Failure(f"{operation}: the request would be refused, with {count} violation{'s' * (count != 1)}")
    out.say(f"{operation}: the request conforms")


@app.command("enable")
@remote()
def enable(plane: Remote, schema: SchemaArgument) -> None:
    """
    Validate requests by a document that was disabled.

    \b
    Example:
      hauberk schema enable temps
    """
    _switch(plane, schema, enabled=True)


@app.command("disable")
@remote()
def disable(plane: Remote, schema: SchemaArgument) -> None:
    """
    Stop validating requests by a document; it stays, and so do its operations.

    \b
    Example:
      hauberk schema disable temps
    """
    _switch(plane, schema, enabled=False)


@app.command("delete")
@remote()
def delete(plane: Remote, schema: SchemaArgument) -> None:
    """
    Delete a document; its operations stay saved.

    \b
    Example:
      hauberk schema delete temps
    """
    zone, found = _find(plane, schema)
    plane.client.delete(f"/client/v4/zones/{zone['id']}/schema_validation/schemas/{found['schema_id']}")
    plane.out.done(f"Deleted {found['name']}", {"schema_id": found["schema_id"]})


@app.command("default-action")
@remote()
def default_action(
    plane: Remote,
    action: Annotated[MitigationAction | None, typer.Argument(help="none, log or block. Left out: show it.", show_default=False)] = None,
) -> None:
    """
    Show or set what happens to requests that break a schema, where the operation has no action of its own.

    \b
    Examples:
      hauberk schema default-action
      hauberk schema default-action block
    """
    path = plane.zone_path("schema_validation", "settings")
    if action is not None:
        settings = plane.client.patch(path, {"validation_default_mitigation_action": action.value})
        plane.out.done(f"Violations lead to '{action.value}' by default", settings, then="hauberk status --wait")
    else:
        _show_settings(plane, plane.client.get(path))


@app.command("override-action")
@remote()
def override_action(
    plane: Remote,
    switch: Annotated[
        Override | None, typer.Argument(help="none: validate nothing; off: as usual. Left out: show it.", show_default=False)
    ] = None,
) -> None:
    """
    Show or turn the emergency switch: 'none' stops all validation in the zone, 'off' takes that back.

    \b
    Examples:
      hauberk schema override-action none
      hauberk schema override-action off
    """
    path = plane.zone_path("schema_validation", "settings")
    if switch is None:
        _show_settings(plane, plane.client.get(path))
        return
    settings = plane.client.patch(path, {"validation_override_mitigation_action": "none" if switch is Override.NONE else None})
    text = "No request of the zone is validated now" if switch is Override.NONE else "Requests are validated as usual"
    plane.out.done(text, settings, then="hauberk schema override-action off, when the trouble is over" if switch is Override.NONE else None)


def print_problems(out: Output, problems: list[dict[str, Any]], *, data: bool = False) -> None:
    """Print problems of a document, each with its places; they are data when the document was only checked."""
    tell = out.line if data else out.say
    for problem in problems:
        tell(f"{printable(problem.get('severity', 'warning'))} {problem.get('code', '')}: {printable(problem['message'])}")
        for location in problem.get("locations") or []:
            tell(f"  at {printable(location)}")


def _show_settings(plane: Remote, settings: dict[str, Any]) -> None:
    plane.out.object(
        settings, {"default action": "validation_default_mitigation_action", "override": "validation_override_mitigation_action"}
    )


def _switch(plane: Remote, schema: str, *, enabled: bool) -> None:
    zone, found = _find(plane, schema)
    result = plane.client.patch(
        f"/client/v4/zones/{zone['id']}/schema_validation/schemas/{found['schema_id']}", {"validation_enabled": enabled}
    )
    plane.out.done(
        f"{'Enabled' if enabled else 'Disabled'} {found['name']}", {key: value for key, value in result.items() if key != "source"}
    )


def _find(plane: Remote, wanted: str) -> tuple[dict[str, Any], dict[str, Any]]:
    zone = plane.zone()
    schemas = list(plane.client.pages(f"/client/v4/zones/{zone['id']}/schema_validation/schemas", omit_source=True))
    found = [schema for schema in schemas if schema["schema_id"] == wanted] or [schema for schema in schemas if schema["name"] == wanted]
    if not found:
        raise Failure(f"there is no schema '{wanted}'", "'hauberk schema list' shows those there are")
    if len(found) > 1:
        raise Failure(
            f"{len(found)} schemas are named '{wanted}'", "name one by its id: " + ", ".join(schema["schema_id"] for schema in found)
        )
    return zone, found[0]


def _operations_of(plane: Remote, zone: dict[str, Any], schema_id: str) -> list[dict[str, Any]]:
    path = f"/client/v4/zones/{zone['id']}/api_gateway/user_schemas/{schema_id}/operations"
    return [dict(operation) for operation in plane.client.pages(path)]
