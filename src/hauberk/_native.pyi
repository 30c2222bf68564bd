"""hauberk's Rust core, compiled from `crates/native`."""

from pathlib import Path
from typing import Any, Literal, Self, TypedDict, final, type_check_only

class ExpressionError(ValueError):
    """
    A rule's expression does not compile.

    Attributes:
        column: Where, in characters from 1.

        found: What stands there.

        expected: What would be right there.
    """

    column: int
    found: str
    expected: str

class CaptureError(ValueError):
    """
    A capture that cannot be read at all: its format is not known.

    Attributes:
        is_mitmproxy_flows: It is a flow file of mitmproxy, which only mitmproxy itself can read.
    """

    is_mitmproxy_flows: bool

class GatewayError(Exception):
    """The gateway cannot start, e.g. because an address is in use; the message names it."""

class RefusedError(Exception):
    """A snapshot is refused; the message says what is wrong with it. What was enforced before stays in force."""

def check_document(source: bytes) -> dict[str, Any]:
    """
    Read an OpenAPI document and tell all that is wrong with it, and the operations it declares.

    Args:
        source: JSON or YAML text of an OpenAPI 3.0 or 3.1 document.

    Returns:
        `{"ok": bool, "title": str | None, "openapi_version": str | None, "problems": […], "operations": […]}`. A problem is
        `{"severity": "critical" | "error" | "warning", "code": int, "message": str, "locations": [str]}`; an operation
        `{"method", "path", "hosts": [str], "endpoint", "operation_id": str | None}`, where `endpoint` has the server's base path and
        `{varN}` for variables, and `hosts` is empty if the document names no absolute server.
    """

def document_as_json(source: bytes) -> str:
    """
    Give an OpenAPI document, JSON or YAML, as JSON text; nothing of OpenAPI is checked.

    Raises:
        ValueError: If it cannot be read, or is over the limits.
    """

def check_request(source: bytes, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None) -> dict[str, Any]:
    """
    Judge one request by an OpenAPI document, as strictly as a gateway does by default.

    Args:
        source: JSON or YAML text of an OpenAPI 3.0 or 3.1 document.

        method: E.g. `POST`.

        target: Path and query, base path of the document's servers included, percent-encoded as it would be sent.

        headers: Names and values.

        body: `None` if the request has none.

    Returns:
        `{"method", "endpoint", "violations": [{"location", "target", "error_class", "error_detail", "rule"}]}`, the violations in the
        order they are found, at most 100; none of them holds a value of the request.

    Raises:
        ValueError: If the document is refused, or a header cannot be sent.

        LookupError: If no operation of the document is for the request.
    """

def check_expression(expression: str) -> None:
    """
    Compile a rule's expression and throw the result away.

    Raises:
        ExpressionError: If it does not compile.
    """

def expression_tree(expression: str) -> str:
    """
    Give a rule's expression as data.

    Returns:
        JSON text of its canonical tree: `{"all": […]}`, `{"any": […]}` and `{"not": …}` over others, `{"constant": bool}`, and
        `{"field", "operator", "values"}` with the operators `eq`, `ne`, `in`, `not in`, or, of a field that is true or false, `true`
        and `false` without values.

    Raises:
        ExpressionError: If it does not compile.
    """

def expression_fields() -> list[tuple[str, bool, str]]:
    """List the fields an expression may name: the name, whether its value is text (else true or false), and what it is."""

def merge_sketches(sketches: list[str]) -> str:
    """
    Put sketches together; the order does not matter.

    Raises:
        ValueError: If one of them is no sketch.
    """

def sketch_quantiles(sketches: list[str], quantiles: list[float]) -> list[float | None]:
    """
    Give quantiles of all that sketches have counted together, each within 2 % of the value that stands there.

    Args:
        sketches: As gateways write them, e.g. `237:12 240:1`.

        quantiles: From 0 to 1.

    Returns:
        A value for each quantile, in the unit that was counted; `None` if nothing was.

    Raises:
        ValueError: If one of them is no sketch.
    """

API_THRESHOLD: float
"""From this likelihood on a transaction counts as an API call."""

@final
class Discovery:
    """
    Groups the paths of successful requests into operations. Its cost grows with different paths, not with requests.

    Args:
        max_paths: About how many different paths are told apart, over all hosts; beyond that, values of variables are summed up.
    """

    def __new__(cls, max_paths: int) -> Discovery: ...
    def observe(self, rows: list[tuple[str, str, str, int, float, int, int | None, int | None]]) -> None:
        """
        Take in counted paths.

        Args:
            rows: Host, method, path, requests, their mean likelihood to be API calls, how many carried a session identifier, and when
                the first and the last came, in Unix seconds. What can be no operation is left out.
        """

    def operations(self, rules_json: str) -> str:
        """
        Give the operations as a JSON array: `method`, `host`, `endpoint`, `requests`, `score`, `with_session`, `distinct_paths`,
        `first_seen`, `last_seen`, `examples`.

        Args:
            rules_json: The owner's rules: `{"pins": [{"host", "method", "endpoint"}], "splits": [{…, "segment"}]}`.

        Raises:
            ValueError: If a rule cannot be followed.
        """

    def explain(self, host: str, method: str, path: str, rules_json: str) -> str | None:
        """
        Tell as JSON why a path, or an endpoint, has its template; `None` if nothing like it was seen.

        Raises:
            ValueError: If a rule cannot be followed.
        """

@final
class Survey:
    """
    Reads captures and groups the paths of their successful requests into operations.

    Args:
        session_identifiers: E.g. `["header:authorization"]`; at most 10.

        hosts: Only these count, with or without their port; none means all.

        scored: Whether the classifier looks at transactions; without it all are taken for API calls.

        max_paths: As for `Discovery`.

    Raises:
        ValueError: If a session identifier is none.
    """

    def __new__(cls, *, session_identifiers: list[str], hosts: list[str], scored: bool, max_paths: int) -> Survey: ...
    def read(
        self,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        max_row_bytes: int | None = None,
    ) -> CaptureReport:
        """
        Read a capture to its end and take its transactions in.

        The arguments, and what is raised, are those of `Capture`.
        """

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes and transactions were read so far; for another thread."""

    def tally(self) -> str:
        """Tell as JSON how many `transactions` were seen, `of_hosts`, `counted` (successful), `left_out`, `api` and `with_session`."""

    def operations(self, rules_json: str) -> str:
        """Give the operations, as `Discovery.operations` does."""

    def explain(self, host: str, method: str, path: str, rules_json: str) -> str | None:
        """Tell why a path has its template, as `Discovery.explain` does."""

@final
class Learner:
    """
    Learns what requests of operations look like: reads captures or lines of the traffic store, and sums up for each operation where
    values stand and of what form they are.

    Learned from are requests that were answered with 2xx and not blocked; a browser's preflights are not. What is known of an operation
    is the same in whatever order its requests came, and whether one learner saw them or several that were put together.

    Args:
        operations: Method, host and endpoint, e.g. `("GET", "api.example.com", "/users/{var1}")`. Labels of a host may be variables
            (`{hostVar1}.example.com`); a host without a port stands for it on any port.

        session_identifiers: E.g. `["header:authorization"]`; at most 10. For transactions that do not tell their session.

        only: Whose requests teach: everybody's (`all`), those with a session or a client certificate (`identified`), or those with a
            client certificate that was verified (`certificate`).

        trusted: Sessions and certificates, as transactions tell them, whose requests alone teach; none means all.

        held_back: Whether to leave out about every tenth session, certificate or client; always the same ones. They are kept for trials.

        behind_proxy: Whether clients' addresses tell nothing, since a proxy stands before the gateway: then they do not cap what callers
            with a session or a certificate count.

    Raises:
        ValueError: If a session identifier is none, an endpoint is no path template, or an operation is there twice.
    """

    def __new__(
        cls,
        *,
        operations: list[tuple[str, str, str]],
        session_identifiers: list[str],
        only: Literal["all", "identified", "certificate"],
        trusted: list[str],
        held_back: bool,
        behind_proxy: bool = False,
    ) -> Learner: ...
    def read(
        self,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        max_row_bytes: int | None = None,
    ) -> CaptureReport:
        """
        Read a capture to its end and learn from its transactions.

        The arguments, and what is raised, are those of `Capture`.
        """

    def feed(self, lines: bytes) -> int:
        """
        Learn from transactions as lines of JSON, as the traffic store and `Capture` have them.

        Returns:
            From how many of them was learned. Lines that are no transactions are counted in `tally`.
        """

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes and transactions `read` has read so far; for another thread."""

    def operations(self) -> list[tuple[str, str, str]]:
        """Give method, host and endpoint of the operations with at least one request, in order."""

    def profile(self, method: str, host: str, endpoint: str) -> str:
        """
        Tell what is known of an operation, as JSON; its members are told in `docs/learning.md`.

        Raises:
            LookupError: If no request of it was learned from.
        """

    def dump(self, method: str, host: str, endpoint: str) -> bytes:
        """
        Give what is known of an operation, to be kept or given to another learner: the same bytes for the same requests, in any order
        and over however many learners they were spread.

        Raises:
            LookupError: If no request of it was learned from.
        """

    def load(self, blob: bytes) -> None:
        """
        Take in what another learner has dumped, also of an operation that this one was not told of.

        Raises:
            ValueError: If it is no dump, a damaged one, or one of another version; nothing of it is taken in then.
        """

    def tally(self) -> str:
        """
        Tell as JSON how many `transactions` were seen, how many were `learned` from, and why others were not: `unsuccessful` (no 2xx,
        blocked, preflight), `of_others` (of no operation), `untrusted`, `held_back`; and how many lines were `bad`.
        """

@final
class Scorer:
    """
    Writes a score for each transaction of captures: `{"row": 0, "score": 0.987654, "api": true}`, a line each.

    Args:
        output: The file; what it holds is lost.

        threshold: From which score on `api` is true.

    Raises:
        OSError: If the file cannot be written.
    """

    def __new__(cls, output: str | Path, threshold: float = ...) -> Scorer: ...
    def read(
        self,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        max_row_bytes: int | None = None,
    ) -> CaptureReport:
        """
        Score a capture; rows are counted on from the capture before.

        The arguments, and what is raised, are those of `Capture`.
        """

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes and transactions were read so far; for another thread."""

    def finish(self) -> int:
        """Write out what is still held, and tell how many of the transactions look like API calls."""

@final
class Validator:
    """
    Judges captures by OpenAPI documents, as a gateway with default settings would.

    A document judges the hosts that its `servers` name, and every host if they name none. A port makes a difference only if a document
    names it. A HEAD is judged as a GET unless the document has it. Also told as violations, with an empty `rule`, is what a gateway refuses
    on hosts it guards whatever the document says; `error_detail` is then `ambiguous_path`, `lookalike_path`, `method_override` or
    `malformed_header`.

    A body that was recorded as left out is not judged, the rest of its request is. Of a request whose recorder kept no headers at all
    (access logs), path and query alone are judged. How large a body is, is not judged.

    Args:
        documents: OpenAPI 3.0 or 3.1, JSON or YAML. Of operations with the same method, host and endpoint the first one stands.

        output: A file for verdicts, a line of JSON for each row; what it holds is lost. `None`: rows are only counted.

    Raises:
        ValueError: If a document is refused; the message tells which, from 1, and the first problem.

        OSError: If the file cannot be written.
    """

    def __new__(cls, documents: list[bytes], *, output: str | Path | None = None) -> Validator: ...
    def read(
        self,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        max_row_bytes: int | None = None,
    ) -> CaptureReport:
        """
        Judge a capture and write the verdicts; rows are counted on from the capture before.

        A line is `{"row", "operation": "GET api.example.com/users/{var1}" | null, "verdict": "conforms" | "violates" | "not_evaluated",
        "violations": [{"location", "target", "error_class", "error_detail", "rule"}]}`. It holds no value of the request. A row that cannot
        be read has no line; a request for no operation is `not_evaluated`. So is one to which the document has
        no objection, but which a gateway refuses for encoded slashes in its path: that is told as the violation `ambiguous_path`.

        The arguments, and what is raised, are those of `Capture`.
        """

    def judge(self, lines: bytes) -> str:
        """
        Judge records in memory, a line of JSON each; the verdicts are counted, but not written.

        Returns:
            A JSON array of what `read` would write, with rows counted from 0.
        """

    def progress(self) -> tuple[int, int]:
        """Tell how many bytes and transactions `read` has read so far; for another thread."""

    def finish(self) -> str:
        """
        Write out what is still held, and tell as JSON what was counted until now.

        Returns:
            `{"conforms": 9, "violates": 1, "not_evaluated": 0, "operations": [{"operation": … | null, "conforms", "violates", "broken":
            [{"location", "error_class", "error_detail", "rule", "rows"}]}]}`: operations that had requests, as documents have them; last
            and with `null` what was refused and is for none. `broken` begins with what was broken most often; a row counts once for each.
        """

def log_to_stderr(level: str) -> None:
    """
    Write the gateway's log to standard error, a JSON object a line. Calling it again changes nothing.

    Args:
        level: `error`, `warn`, `info` or `debug`.
    """

@type_check_only
class BadRow(TypedDict):
    """A row that could not be read; it holds no value of the capture."""

    row: int
    line: int
    column: int
    offset: int
    problem: str

@type_check_only
class CaptureReport(TypedDict):
    """What reading a capture came to; `rows` is the sum of `transactions`, `skipped` and `bad`."""

    format: str
    rows: int
    transactions: int
    skipped: int
    bad: int
    first_bad: list[BadRow]
    bytes: int
    stopped: bool
    cut_short: str | None

@final
class Capture:
    """
    The transactions of a capture: iterating gives batches `(rows, lines)`, where `lines` are records as lines of JSON and `rows` their
    numbers, from 0. They are read by a thread of its own, which waits while two batches are waiting.

    Args:
        source: A file's path, its open descriptor (which is copied), or its content. It may be packed by gzip or zstd.

        format_name: `ndjson`, `har`, `access-log` or `json-log`; `None`: it is told from the content.

        fields: For `json-log`: which member says what, beyond those of known servers, e.g. `{"method": "req.verb"}`.

        default_host: The host of transactions whose log does not tell it.

        masking_key: 32 bytes; secrets become hashes under it. `None`: nothing is masked.

        session_identifiers: E.g. `["header:authorization"]`. With them, even none, and with a key, `session` and `score` are told.

        max_row_bytes: A longer line or entry is passed over and counted; default 16 MiB.

        batch_bytes: A batch is handed over when it has so many bytes.

    Raises:
        OSError: If the file cannot be opened; while iterating, if it cannot be read.

        ValueError: If there is no such format or field.

        CaptureError: While iterating, if the format is not told and cannot be recognised.
    """

    def __new__(
        cls,
        source: Path | str | int | bytes,
        *,
        format_name: str | None = None,
        fields: dict[str, str] | None = None,
        default_host: str | None = None,
        masking_key: bytes | None = None,
        session_identifiers: list[str] | None = None,
        max_row_bytes: int | None = None,
        batch_bytes: int = 1_048_576,
    ) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[list[int], bytes]: ...
    def close(self) -> None:
        """Read no further; `report` then tells what was read until now."""

    def report(self) -> CaptureReport | None:
        """Tell what reading came to; `None` before its end."""

@final
class Gateway:
    """
    A reverse proxy that enforces the newest snapshot it was given.

    The addresses are bound when it is made; connections wait until `run`. All methods may be called from any thread.

    Args:
        https: TLS listeners, e.g. `["0.0.0.0:8443"]`; port 0 asks for a free one.

        http: Plain listeners.

        threads: Worker threads; 0 is one per core.

        max_connections: Beyond so many open ones, new connections are closed at once and counted.

        event_queue: How many events wait for `take_events`; more are dropped and counted.

        upstream_ca_file: Authorities (PEM) that sign certificates of `https://` upstreams; `None` means the system's.

        traffic_queue_bytes: How many bytes of transactions wait for `take_transactions`; more are dropped and counted.

    Raises:
        GatewayError: If an address cannot be bound.
    """

    https_addresses: list[str]
    http_addresses: list[str]
    version: int | None
    events_dropped: int
    transactions_dropped: int

    def __new__(
        cls,
        *,
        https: list[str],
        http: list[str],
        threads: int = 0,
        event_queue: int = 10_000,
        max_connections: int = 20_000,
        upstream_ca_file: Path | None = None,
        traffic_queue_bytes: int = 33_554_432,
    ) -> Gateway: ...
    def apply_snapshot(self, data: bytes) -> list[str]:
        """
        Check a snapshot and enforce it from the next request on.

        Returns:
            Warnings: what was loaded but will not be enforced.

        Raises:
            RefusedError: If it is refused.
        """

    def run(self) -> None:
        """
        Serve until `stop`; blocks without the GIL.

        Raises:
            GatewayError: If it was run before, or threads cannot be had.
        """

    def stop(self, grace_seconds: float) -> None:
        """Accept nothing more, let requests under way end for so many seconds, then let `run` return."""

    def take_events(self, most: int, wait_seconds: float) -> list[str]:
        """Take the oldest events, at most so many, each a JSON text; wait so long for the first."""

    def sample(self, key: bytes | None, *, rate: float, max_per_second: float, max_body_bytes: int) -> None:
        """
        Sample traffic like this from the next exchange on; at first nothing is sampled.

        Args:
            key: 32 secret bytes under which sampled transactions are masked; `None` samples nothing.

            rate: The share of exchanges that is sampled, from 0 to 1; 0 samples nothing.

            max_per_second: Most exchanges sampled in a second, by all threads together; 0 samples nothing.

            max_body_bytes: Largest request body (JSON or form) that is recorded; 0 records none.

        Raises:
            ValueError: If the key has another length.
        """

    def take_transactions(self, most_bytes: int, wait_seconds: float) -> bytes:
        """
        Take the oldest sampled transactions, masked, each a line of JSON; wait so long for the first.

        Args:
            most_bytes: About how many bytes are taken; a transaction that is larger comes alone.

            wait_seconds: From 0 up.
        """

    def transactions_lost(self, count: int) -> None:
        """Count transactions that were taken and could not be kept, for the metrics."""

    def take_operation_metrics(self) -> str:
        """
        Take what was counted for saved operations since the last call: a JSON array, an entry for each operation and hour.

        Returns:
            `[{"operation_id", "hour", "requests", "client_errors", "server_errors", "last_seen", "latency"}]`, times in seconds since
            1970, `latency` a sketch of microseconds for `merge_sketches` and `sketch_quantiles`.
        """

    def take_request_metrics(self) -> str:
        """
        Take what was counted of requests since the last call: a JSON array, an entry for each host and minute.

        Returns:
            `[{"zone_id", "host", "minute", "requests", "passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema",
            "blocked_other", "protected", "with_certificate", "fallthrough", "client_errors", "server_errors"}]`, `minute` in seconds
            since 1970; the six counts from `passed` to `blocked_other` add up to `requests`.
        """

    def metrics(self) -> str:
        """Give the counters in the text format of Prometheus."""
