"""`hauberk learn`: from captured traffic to OpenAPI documents that can be enforced, without a server."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from hauberk.cli import files
from hauberk.cli.captures import spooled
from hauberk.cli.failure import Failure
from hauberk.cli.learning_sources import Learning, LearningFromFiles, LearningFromStore, as_operation, local_engine, profile_of, store_in
from hauberk.cli.output import Cell, Output, printable
from hauberk.cli.remote import AsJson
from hauberk.cli.surveyed import MIN_REQUESTS, AllTraffic, Hosts, MinRequests, MinScore, Pins, SessionIdentifiers, pinned
from hauberk.cli.traffic import DefaultHost, FieldNames, FormatName, read_options
from hauberk.cli.written import is_standard
from hauberk.learned_schema import LearnedOperation
from hauberk.learning import LearnOptions, Pool, documents
from hauberk.learning import learn as learn_operation
from hauberk.store_learning.engine import LearnerPlan
from hauberk.template_rule import owner_rules

MAX_NAME_CHARACTERS = 120


class Version(StrEnum):
    """Of OpenAPI."""

    V30 = "3.0.3"
    V31 = "3.1.0"


class Teachers(StrEnum):
    """Whose requests count."""

    ALL = "all"
    IDENTIFIED = "identified"
    CERTIFICATE = "certificate"


class EngineName(StrEnum):
    """Who reads a store."""

    LOCAL = "local"
    SPARK = "spark"


def learn(
    captures: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...|STORE",
            help="Captures, plain or packed by gzip or zstd, '-' is standard input; or the folder of a traffic store, or its URL.",
            show_default=False,
        ),
    ],
    host: Hosts = None,
    session_identifier: SessionIdentifiers = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the document to this file; '-' is standard output. With several hosts a folder, which gets a file for each.",
            show_default=False,
        ),
    ] = None,
    min_requests: MinRequests = MIN_REQUESTS,
    min_score: MinScore = None,
    all_traffic: AllTraffic = False,
    only: Annotated[
        Teachers,
        typer.Option(help="Whose requests are learned from: all, those with a session or certificate, or those with a certificate alone."),
    ] = Teachers.ALL,
    pin: Pins = None,
    confidence: Annotated[
        float,
        typer.Option(help="A statement is made if the next good request keeps it with this probability, from 0.5 to below 1."),
    ] = LearnOptions().confidence,
    openapi: Annotated[Version, typer.Option("--openapi", help="Version of the documents.")] = Version.V30,
    evidence: Annotated[bool, typer.Option("--evidence/--no-evidence", help="Write down what each statement rests on.")] = True,
    engine: Annotated[
        EngineName, typer.Option(help="Who reads a store: this process, or Spark (pip install 'hauberk[spark]').")
    ] = EngineName.LOCAL,
    format_name: FormatName = None,
    field_names: FieldNames = None,
    default_host: DefaultHost = None,
    as_json: AsJson = False,
) -> None:
    """
    Learn what good requests look like, and write OpenAPI documents that a gateway can enforce. Needs no server.

    Operations are found as by 'hauberk discover'. Then all is read once more, and for each operation is stated what the next good request
    keeps with great confidence: parameters, types, bounds, enumerations, formats, members. What is not sure yet stays open; NEEDS tells how
    many more requests it takes, from the statement that needs the least to the one that needs the most. Only requests that were answered
    with 2xx count, and one session or client counts only so much.

    Without --host, and if the captures are of several hosts, -o names a folder that gets a document for each; other files in it stay.

    \b
    Examples:
      hauberk learn capture.har
      hauberk learn traffic.ndjson.zst --host api.example.com -o openapi.json
      hauberk learn access.log capture.har --all-traffic -o learned/
      hauberk learn /var/lib/hauberk/traffic --engine spark -o learned/
    """
    to_standard = output is not None and is_standard(output)
    if to_standard and as_json:
        raise Failure("standard output holds the document or the JSON of --json, not both", "give a file's name to -o", status=2)
    out = Output(as_json=as_json, aside=to_standard)
    try:
        options = LearnOptions(confidence=confidence)
    except ValueError as error:
        raise Failure(f"--confidence: {error}", status=2) from None
    if output is not None and not to_standard:
        files.refuse_inputs(output, captures)
    plan = LearnerPlan(tuple(session_identifier or ()), only.value)
    rules = owner_rules([pinned(text) for text in pin or []])
    read = read_options(format_name, field_names, default_host)
    store = store_in(captures)
    if store is None and engine is EngineName.SPARK:
        raise Failure("--engine spark reads a traffic store", "name its folder; files are read by this process", status=2)
    with spooled(captures) as copies:
        source: Learning
        if store is None:
            source = LearningFromFiles(copies, read, host, plan, scored=not all_traffic)
        else:
            source = LearningFromStore(_engine(engine, store, host or []), scored=not all_traffic)
        found = [as_operation(candidate) for candidate in source.candidates(rules, min_requests, min_score)]
        try:
            learner = source.learner(found, plan)
        except ValueError as error:
            raise Failure(str(error), "e.g. --session-identifier header:authorization", status=2) from None
    learned = _learned(learner, options)
    written = documents(learned, version=openapi.value, evidence=evidence)
    for of_host, document in written:
        _check(of_host, document)
    if to_standard:
        _write_to_standard(out, written)
    where = _write(output, written, is_folder=host is None and len(written) > 1) if output is not None and not to_standard else []
    _tell(out, learned)
    out.say(source.summary(len(learned)))
    for file in where:
        out.say(f"written to {file}")
    if where and not as_json:
        out.say(f"next: hauberk validate --schema {output} FILE…, or hauberk schema upload {where[0]} --action log")


def _learned(learner: Any, options: LearnOptions) -> list[LearnedOperation]:
    """Learn operation by operation, those of a host from each other."""
    pools = {
        host: Pool.of(profile_of(learner, operation) for operation in operations)
        for host, operations in groupby(sorted(learner.operations(), key=_host_of), key=_host_of)
    }
    return [learn_operation(profile_of(learner, operation), options, (), pools[_host_of(operation)]) for operation in learner.operations()]


def _host_of(operation: tuple[str, str, str]) -> str:
    return operation[1]


def _engine(name: EngineName, store: str, hosts: Sequence[str]) -> Any:
    engine = local_engine(store, hosts)
    if name is EngineName.LOCAL:
        return engine
    from hauberk.store_learning.spark import SparkEngine, SparkMissing  # noqa: PLC0415 - an extra that few have

    try:
        return SparkEngine(store, hosts)
    except SparkMissing as error:
        raise Failure(str(error), "pip install 'hauberk[spark]', and have a Java that it runs on") from None


def _check(host: str, document: dict[str, Any]) -> None:
    """See that a document would be accepted; that it would not is a mistake of ours, and nobody should find out in production."""
    from hauberk import _native  # noqa: PLC0415 - the compiled part, which commands that only speak REST do without

    report = _native.check_document(json.dumps(document).encode())
    if not report["ok"]:
        first = next(iter(report["problems"]), {"message": "it cannot be read"})
        raise Failure(f"the document for {printable(host)} would be refused: {printable(first['message'])}", "this is a mistake in hauberk")


def _write_to_standard(out: Output, written: Sequence[tuple[str, dict[str, Any]]]) -> None:
    if len(written) > 1:
        hosts = ", ".join(printable(host) for host, _ in written[:5])
        raise Failure(
            f"standard output holds one document, and there are {len(written)}: {hosts}", "choose one with --host, or name a folder"
        )
    for _, document in written:
        out.json(document)


def _write(output: Path, written: Sequence[tuple[str, dict[str, Any]]], *, is_folder: bool) -> list[Path]:
    """Write the documents, and tell where; other files stay."""
    if not written:
        return []
    if is_folder or output.is_dir() or len(written) > 1:
        if output.exists() and not output.is_dir():
            raise Failure(
                f"{output}: is a file, and there are documents for {len(written)} hosts", "choose one with --host, or name a folder"
            )
        targets = [output / name for name in file_names(host for host, _ in written)]
    else:
        targets = [output]
    for target, (_, document) in zip(targets, written, strict=True):
        files.write(target, json.dumps(document, indent=2, ensure_ascii=False) + "\n", force=True)
    return targets


def file_names(hosts: Iterable[str]) -> list[str]:
    """
    Name a file for each host, with nothing in it that means something to a file system or a shell.

    Example:
        >>> file_names(["api.example.com", "localhost:3000", "{hostVar1}.example.com", ".."])
        ['api.example.com.json', 'localhost_3000.json', 'hostVar1.example.com.json', 'host-d2c61d93.json']
    """
    names: list[str] = []
    for host in hosts:
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", host.replace("{", "").replace("}", "")).strip("._-")
        if not safe or len(safe) > MAX_NAME_CHARACTERS or f"{safe.lower()}.json" in {name.lower() for name in names}:
            digest = hashlib.sha256(host.encode(errors="surrogatepass")).hexdigest()[:8]
            safe = f"{safe[:MAX_NAME_CHARACTERS] or 'host'}-{digest}"
        names.append(f"{safe}.json")
    return names


def _tell(out: Output, learned: Sequence[LearnedOperation]) -> None:
    if out.as_json:
        out.json([_as_json(operation) for operation in learned])
        return
    columns: dict[str, Cell] = {
        "OPERATION": lambda row: f"{row['method']} {row['host']}{row['endpoint']}",
        "REQUESTS": "requests",
        "SAMPLES": "samples",
        "PARAMETERS": "parameters",
        "BODY": lambda row: ", ".join(row["bodies"]),
        "STATED": "stated",
        "OPEN": "open",
        "NEEDS": lambda row: _needs(row["needs"]),
    }
    out.table([_row(operation) for operation in learned], columns, empty="no operation was found")


def _row(operation: LearnedOperation) -> dict[str, Any]:
    needs = sorted(statement.evidence.needs for statement in operation.statements if statement.evidence.needs is not None)
    content = operation.operation.get("requestBody", {}).get("content", {})
    return {
        "method": operation.key.method,
        "host": operation.key.host,
        "endpoint": operation.key.endpoint,
        "requests": operation.requests,
        "samples": operation.samples,
        "parameters": len(operation.operation.get("parameters", [])),
        "bodies": sorted(content),
        "stated": len(operation.statements) - len(needs),
        "open": len(needs),
        "needs": [needs[0], needs[-1]] if needs else None,
        "probability": operation.probability,
    }


def _as_json(operation: LearnedOperation) -> dict[str, Any]:
    statements = [
        {
            "pointer": statement.pointer,
            "keyword": statement.keyword,
            "value": statement.value,
            "is_made": statement.is_made,
            "evidence": statement.evidence.as_json(),
        }
        for statement in operation.statements
    ]
    return _row(operation) | {"statements": statements}


def _needs(needs: list[int] | None) -> str:
    if needs is None:
        return ""
    least, most = needs
    return f"{least:,} more" if least == most else f"{least:,} to {most:,} more"
