"""`hauberk traffic`: captures of traffic, as they are kept: with their secrets masked."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk import config
from hauberk.cli.failure import Failure
from hauberk.cli.output import Output, printable
from hauberk.cli.remote import DEFAULT_CONFIG, AsJson, ConfigFile
from hauberk.traffic import files
from hauberk.traffic.masking_key import masking_key
from hauberk.transaction import Transaction

app = typer.Typer(no_args_is_help=True, help="Captures of traffic: HAR files, access logs, JSON lines.")

MAX_URL_CHARACTERS = 100
MAX_BAD_SHOWN = 5
# A table needs all of its rows at once; after so many another one begins.
SHOWN_TOGETHER = 1000
COLUMNS = {title: title for title in ("row", "time", "method", "url", "status", "type", "size")}

# Where nobody says how callers are told apart.
AUTHORIZATION = "header:authorization"

Captures = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Captures, plain or packed by gzip or zstd; '-' is standard input.", show_default=False),
]
FormatName = Annotated[
    str | None, typer.Option("--format", help=f"{', '.join(files.FORMATS)}. Default: told from the content.", show_default=False)
]
FieldNames = Annotated[
    list[str] | None,
    typer.Option(
        "--field", metavar="NAME=MEMBER", help="For json-log: the member that says a field, e.g. method=req.verb.", show_default=False
    ),
]
DefaultHost = Annotated[
    str | None, typer.Option(help="Host of transactions whose log does not tell it. Default: unknown.invalid.", show_default=False)
]


def read_options(
    format_name: str | None, field_names: Sequence[str] | None, default_host: str | None, masking_key: bytes | None = None
) -> files.ReadOptions:
    """
    Join the options that all commands with captures have.

    Raises:
        Failure: If one is wrong.
    """
    if format_name is not None and format_name not in files.FORMATS:
        raise Failure(f"--format: there is no format '{format_name}'", f"it is one of {', '.join(files.FORMATS)}", status=2)
    fields = {}
    for text in field_names or []:
        name, equals, member = text.partition("=")
        if not equals or not member:
            raise Failure(f"--field: '{text}' is not NAME=MEMBER", "for example --field method=req.verb", status=2)
        fields[name] = member
    return files.ReadOptions(format=format_name, fields=fields, default_host=default_host, masking_key=masking_key)


def settings_of(file: Path | None) -> config.Settings:
    """Load the settings; commands on files do without hauberk.toml."""
    return config.load(file or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None))


@app.command("show")
def show(
    captures: Captures,
    format_name: FormatName = None,
    host: Annotated[list[str] | None, typer.Option(help="Only transactions of this host; may be repeated.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many transactions; 0: show all.")] = 50,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    settings: ConfigFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print whole records, one a line, as they would be kept.")] = False,
) -> None:
    """
    Show the transactions of captures as they would be kept: secrets are replaced by hashes (h:…), client addresses by pseudonyms (c:…).

    The key of the hashes is made at first use: traffic.key in the state folder. Lines that cannot be read are counted and told with
    their place; they keep their row number, which is counted from 0 over all files.

    \b
    Examples:
      hauberk traffic show page.har
      hauberk traffic show access.log.*.gz --default-host shop.example.com --limit 0
      hauberk traffic show page.har --host api.example.com --json
    """
    out = Output(as_json=as_json)
    key = masking_key(settings_of(settings).state_dir)
    options = read_options(format_name, field_names, default_host, key)
    reports: list[files.FileReport] = []
    hosts = {name.lower() for name in host or []}
    shown = 0
    rows: list[dict[str, Any]] = []
    try:
        with closing(_transactions(captures, options, reports, hosts)) as found:
            for row, line in found:
                shown += 1
                if as_json:
                    out_line(line)
                else:
                    rows.append(_row(row, Transaction.from_line(line)))
                if len(rows) == SHOWN_TOGETHER:
                    out.table(rows, COLUMNS, empty="")
                    rows.clear()
                if shown == limit:
                    break
    except ValueError as error:
        raise Failure(str(error), status=2) from None
    if not as_json and (rows or not shown):
        out.table(rows, COLUMNS, empty="No transactions.")
    summarise(out, reports)
    if shown == limit:
        out.say(f"Stopped after {limit} transaction{'s' * (limit != 1)}; --limit 0 shows all")


@app.command("import")
def import_(
    captures: Captures,
    format_name: FormatName = None,
    session_identifier: Annotated[
        list[str] | None,
        typer.Option(
            "--session-identifier",
            "-s",
            metavar="TYPE:NAME",
            help="Where requests carry who is calling: header:NAME, cookie:NAME or jwt:HEADER:$.CLAIM; repeat it for more.",
            show_default=False,
        ),
    ] = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    settings: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """
    Put the transactions of captures into the traffic store, where discovery finds them as if they had passed the gateway.

    The store is the one that the settings name. Secrets are hashed before anything is written; each transaction is scored. What has no time
    counts from now on.

    \b
    Examples:
      hauberk traffic import page.har access.log.gz
      hauberk traffic import --config /etc/hauberk/hauberk.toml --session-identifier cookie:sid shop.ndjson.zst
    """
    # Arrow takes a while to load.
    from hauberk.traffic.store import TrafficStore  # noqa: PLC0415

    known = settings_of(settings)
    key = masking_key(known.state_dir)
    options = read_options(format_name, field_names, default_host, key)
    options = replace(options, session_identifiers=session_identifier or [AUTHORIZATION])
    store = TrafficStore(known.traffic_store, keep_days=known.traffic.keep_days, max_bytes=known.traffic.max_bytes)
    out = Output(as_json=as_json)
    reports: list[files.FileReport] = []
    try:
        with closing(files.read(captures, options, reports)) as batches:
            written = store.import_rows(batch.lines for batch in batches)
    except ValueError as error:
        raise Failure(str(error), status=2) from None
    summarise(out, reports)
    if lost := store.dropped + store.waiting:
        raise Failure(f"{lost} transactions could not be written to the traffic store; {written} were written")
    text = f"Imported {written} transaction{'s' * (written != 1)} into {known.traffic_store}"
    out.done(text, {"transactions": written, "store": str(known.traffic_store)}, then="hauberk discovery refresh")


def summarise(out: Output, reports: Sequence[files.FileReport]) -> None:
    """Tell on stderr what was read of each file, and where lines could not be read."""
    for report in reports:
        text = f"{report.file}: {report.transactions} transaction{'s' * (report.transactions != 1)} ({report.format})"
        if report.skipped:
            text += f", {report.skipped} row{'s' * (report.skipped != 1)} without a request"
        text += f", {report.bad} bad row{'s' * (report.bad != 1)}" if report.bad else ""
        out.say(printable(text))
        for bad in report.first_bad[:MAX_BAD_SHOWN]:
            out.say(f"  {bad}")
        if report.bad > MAX_BAD_SHOWN:
            out.say(f"  and {report.bad - MAX_BAD_SHOWN} more")
        if report.cut_short:
            out.say(f"  {report.cut_short}")


def out_line(line: bytes) -> None:
    """Print a record as it is."""
    sys.stdout.write(line.decode() + "\n")


def _transactions(
    captures: Sequence[Path], options: files.ReadOptions, reports: list[files.FileReport], hosts: set[str]
) -> Generator[tuple[int, bytes], None, None]:
    with closing(files.read(captures, options, reports)) as batches:
        for batch in batches:
            for row, line in batch:
                if not hosts or json.loads(line)["host"] in hosts:
                    yield row, line


def _row(row: int, transaction: Transaction) -> dict[str, Any]:
    url = transaction.url if "://" in transaction.url else transaction.host + transaction.url
    return {
        "row": row,
        "time": (transaction.time or "")[:19].replace("T", " ") or None,
        "method": transaction.method,
        "url": url if len(url) <= MAX_URL_CHARACTERS else url[: MAX_URL_CHARACTERS - 1] + "…",
        "status": transaction.status or None,
        "type": (transaction.response_content_type or "").partition(";")[0] or None,
        "size": transaction.response_body_size,
    }
