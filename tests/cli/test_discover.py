"""`hauberk discover`: operations in captures, without a server."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from hauberk.cli import main

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

CAPTURES = Path(__file__).parents[1] / "traffic" / "captures"
API = "api.example.com"
WWW = "www.example.com"


def row(method: str, host: str, path: str, *, user: int | None = None, cookie: str | None = None, **members: Any) -> str:
    headers = [["Accept", "application/json"]]
    headers += [["Authorization", f"Bearer s3cr3t-{user}"]] if user is not None else []
    headers += [["Cookie", cookie]] if cookie is not None else []
    content = {"status": 200, "response_content_type": "application/json", "request_headers": headers}
    return json.dumps({"host": host, "method": method, "url": f"https://{host}{path}"} | content | members)


def page(path: str, **members: Any) -> str:
    headers = [["Accept", "text/html"], ["Sec-Fetch-Dest", "document"]]
    return row("GET", WWW, path, **{"response_content_type": "text/html", "request_headers": headers, **members})


# A shop: users by number, a login without a session, an answer that failed, and the pages of its site.
SHOP = [
    *(row("GET", API, f"/users/{number}?full=1", user=number % 3) for number in range(70_001, 70_009)),
    *(row("POST", API, "/login") for _ in range(3)),
    *(row("DELETE", API, f"/users/{number}", user=1) for number in (70_001, 70_002)),
    row("GET", API, "/admin", user=1, status=404),
    *(page(path) for path in ("/", "/about", "/contact")),
]
WANTED = {
    ("GET", API, "/users/{var1}"): (8, 8, ["ML", "SessionIdentifier"]),
    ("DELETE", API, "/users/{var1}"): (2, 2, ["ML", "SessionIdentifier"]),
    ("POST", API, "/login"): (3, 1, ["ML"]),
}


@pytest.fixture
def shop(run: Run) -> Path:
    Path("shop.ndjson").write_text("\n".join(SHOP) + "\n")
    return Path("shop.ndjson")


def found(rows: list[dict[str, Any]]) -> dict[tuple[str, str, str], tuple[int, int, list[str]]]:
    for one in rows:
        assert list(one) == ["method", "host", "endpoint", "origin", "state", "requests", "score", "distinct_paths"]
        assert one["state"] == "review"
    return {(one["method"], one["host"], one["endpoint"]): (one["requests"], one["distinct_paths"], one["origin"]) for one in rows}


def test_operations_are_found_written_and_shown(run: Run, shop: Path) -> None:
    ran = run("discover", shop, "--session-identifier", "header:authorization", "-o", "operations.json")
    assert found(json.loads(Path("operations.json").read_text())) == WANTED
    assert ran.out.splitlines()[0].split() == ["METHOD", "HOST", "ENDPOINT", "REQUESTS", "PATHS", "SCORE", "FOUND", "BY"]
    assert [line.split()[:5] for line in ran.out.splitlines()[1:]] == [
        ["POST", API, "/login", "3", "1"],
        ["GET", API, "/users/{var1}", "8", "8"],
        ["DELETE", API, "/users/{var1}", "2", "2"],
    ]
    assert "3 operations in 16 successful requests of 17 transactions; written to operations.json" in ran.err
    assert "s3cr3t" not in ran.out + ran.err + Path("operations.json").read_text()


@pytest.mark.parametrize(
    ("options", "endpoints"),
    [
        ([], ["/login", "/users/{var1}", "/users/{var1}"]),
        (["--min-requests", "3"], ["/login", "/users/{var1}"]),
        (["--min-requests", "9"], []),
        (["--host", WWW], []),
        (["--host", API.upper()], ["/login", "/users/{var1}", "/users/{var1}"]),
        (["--host", WWW, "--all-traffic"], ["/", "/about", "/contact"]),
        (["--all-traffic", "--host", WWW, "--host", API, "--min-requests", "2"], ["/login", "/users/{var1}", "/users/{var1}"]),
        (["--min-score", "1"], []),
        (["--min-score", "1", "-s", "header:authorization"], ["/users/{var1}", "/users/{var1}"]),
        (["--min-score", "0", "--host", WWW], ["/", "/about", "/contact"]),
        (["--pin", f"{API}/users/70001"], ["/login", "/users/70001", "/users/70001", "/users/{var1}", "/users/{var1}"]),
    ],
    ids=" ".join,
)
def test_options_say_what_counts(run: Run, shop: Path, options: list[str], endpoints: list[str]) -> None:
    ran = run("discover", shop, "--json", *options)
    assert [one["endpoint"] for one in ran.json] == endpoints
    assert ("no operation was found" in run("discover", shop, *options).err) is (not endpoints)


@pytest.mark.parametrize("output", [["--json"], ["-o", "-"]], ids=" ".join)
def test_what_is_printed_is_the_array_alone(run: Run, shop: Path, output: list[str]) -> None:
    assert set(found(run("discover", shop, *output).json)) == set(WANTED)


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda content: pa.compress(content, "zstd", asbytes=True)], ids=["plain", "gz", "zst"]
)
def test_captures_may_be_packed_split_and_given_on_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch, pack: Any) -> None:
    halves = ["\n".join(SHOP[at::2]).encode() + b"\n" for at in range(2)]
    for name, half in zip("ab", halves, strict=True):
        Path(name).write_bytes(pack(half))
    wanted = {key: (requests, paths, ["ML"]) for key, (requests, paths, _) in WANTED.items()}
    assert found(run("discover", "a", "b", "--json").json) == wanted
    assert found(run("discover", "b", "a", "--json").json) == wanted
    with Path("b").open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert found(run("discover", "a", "-", "--json").json) == wanted


def test_bad_lines_are_told_and_cost_nothing_else(run: Run) -> None:
    Path("x.ndjson").write_text("\n".join([SHOP[0], "s3cr3t", *SHOP[1:5], '{"method": "s3cr3t"', *SHOP[5:]]) + "\n")
    ran = run("discover", "x.ndjson", "--json", "-s", "header:authorization")
    assert found(ran.json) == WANTED
    assert "17 transactions (ndjson), 2 bad rows" in ran.err
    assert "row 1 (line 2," in ran.err
    assert "s3cr3t" not in ran.err


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("chrome.har", ["POST a.example/api/login"]),
        ("mitmproxy.har", ["POST 127.0.0.1:18931/post", "GET 127.0.0.1:18931/{var1}.json"]),
        ("nginx-main.log", ["GET shop.example/x.json"]),
    ],
)
def test_captures_of_many_recorders_are_looked_at(run: Run, name: str, wanted: list[str]) -> None:
    rows = run("discover", CAPTURES / name, "--default-host", "shop.example", "--json").json
    assert [f"{one['method']} {one['host']}{one['endpoint']}" for one in rows] == wanted


def test_it_is_explained_why_a_path_has_its_template(run: Run, shop: Path) -> None:
    ran = run("discover", shop, "--explain", f"GET {API}/users/70001")
    assert ran.out.splitlines()[0] == f"GET {API}/users/{{var1}}"
    assert re.search(r"^users +a word", ran.out, re.MULTILINE)
    assert re.search(r"^\{var1\} +a variable +8 ", ran.out, re.MULTILINE)
    explained = run("discover", shop, "--explain", f"get {API}/users/{{id}}", "--pin", f"{API}/users/{{name}}", "--json").json
    assert (explained["endpoint"], explained["pinned"]) == ("/users/{var1}", True)
    assert "--pin says so" in run("discover", shop, "--explain", f"GET {API}/users/1", "--pin", f"{API}/users/{{name}}").out


def test_the_two_ways_are_compared_with_a_picture(run: Run, shop: Path) -> None:
    ran = run("discover", "compare", shop, "--svg", "ways.svg")
    assert [line.split() for line in ran.out.splitlines() if line.startswith(API)] == [[API, "2", "1", "0", "+1"]]
    assert "gained 1-50" in ran.out
    assert ElementTree.fromstring(Path("ways.svg").read_text()).tag.endswith("svg")
    # A comparison is made again and again; unlike a key, a picture may be replaced.
    assert run("discover", "compare", shop, "--svg", "ways.svg", "--json").json["totals"]["only_ml"] == 1


def test_a_session_identifier_is_proposed(run: Run) -> None:
    signed = [row("GET", API, f"/users/{n}", cookie=f"shopper=s3cr3t{n % 9}; _ga=G{n % 9}") for n in range(200)]
    given = [row("POST", API, "/login", response_headers=[["Set-Cookie", f"shopper=s3cr3t{n}; HttpOnly"]]) for n in range(9)]
    Path("x.ndjson").write_text("\n".join(given + signed))
    ran = run("discover", "propose", "x.ndjson", "--host", API)
    verdicts = {line.split()[1]: line.split()[6] for line in ran.out.splitlines()[1:] if line.startswith("cookie")}
    assert (verdicts["shopper"], verdicts["_ga"]) == ("good", "bad")
    assert "s3cr3t" not in ran.out
    assert run("discover", "propose", "x.ndjson", "--json").json["transactions"] == 209


@pytest.mark.parametrize(
    ("arguments", "status", "message", "hint"),
    [
        (["missing.har"], 1, "missing.har: cannot be read", None),
        (["text"], 1, "text: the content is in no known format", None),
        (["."], 1, ".: is a folder", None),
        (["shop.ndjson", "-s", "authorization"], 2, "a session identifier should read", "--session-identifier header:authorization"),
        (["shop.ndjson", "--pin", "users"], 2, "--pin users: must be a host and a path", "--pin 'api.example.com/users/{name}'"),
        (["shop.ndjson", "--pin", "a.example/{a}{b}"], 2, "--pin a.example/{a}{b}: the path", None),
        (["shop.ndjson", "--explain", "users"], 2, "--explain takes a method", "--explain 'GET api.example.com/users/42'"),
        (["shop.ndjson", "--explain", f"GET {API}/nothing/like/it"], 1, "no successful request was read", None),
        (["shop.ndjson", "--min-requests", "0"], 2, "--min-requests", "'hauberk discover files --help'"),
        (["shop.ndjson", "--min-score", "2"], 2, "--min-score", "'hauberk discover files --help'"),
        (["shop.ndjson", "-o", "text/operations.json"], 1, "text/operations.json: cannot be written", None),
        (["shop.ndjson", "--format", "xml"], 2, "there is no format 'xml'", "it is one of ndjson, har"),
        (["compare", "shop.ndjson", "--svg", "text/ways.svg"], 1, "text/ways.svg: cannot be written", None),
        (["compare"], 2, "missing argument 'FILE...'", "'hauberk discover compare --help'"),
        (["propose", "missing.har"], 1, "missing.har: cannot be read", None),
        (["propose", "text"], 1, "text: the content is in no known format", None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said(run: Run, shop: Path, arguments: list[str], status: int, message: str, hint: str | None) -> None:
    assert shop.exists()
    Path("text").write_text("hello\n")
    ran = run("discover", *arguments, ok=False)
    assert (ran.status, ran.out) == (status, "")
    assert message in ran.err
    assert hint is None or f"hint: {hint}" in ran.err or hint in ran.err.splitlines()[-1]


def test_a_result_that_cannot_be_written_leaves_what_is_there(run: Run, shop: Path) -> None:
    Path("operations.json").write_text("old")
    run("discover", shop, "missing.har", "-o", "operations.json", ok=False)
    assert Path("operations.json").read_text() == "old"
    Path("link").symlink_to("operations.json")
    run("discover", shop, "-o", "link")
    assert Path("link").is_symlink()
    assert len(json.loads(Path("operations.json").read_text())) == 3


@pytest.mark.parametrize("words", [[], ["--help"], ["shop.ndjson", "--help"]], ids=["alone", "help", "help of the short form"])
def test_the_help_teaches_all_of_it(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", *words]) == (0 if words else 2)
    told = capsys.readouterr()
    text = re.sub(r"\s+", " ", told.out if words else told.err)
    assert text.startswith("Usage: hauberk discover")
    for part in ("files", "discover propose", "discover compare", "hauberk discover capture.har"):
        assert part in text
