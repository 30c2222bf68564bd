"""`hauberk learn`: from captured traffic to documents, and back: what was learned judges the traffic it was learned from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hauberk import _native
from hauberk.cli.learn import file_names
from hauberk.traffic.store import TrafficStore

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)

HOST = "api.example.com"


def line(number: int, *, host: str = HOST, path: str | None = None, **members: Any) -> str:
    """A request of one of 40 callers."""
    path = path or f"/v1/sensors/{1000 + number}/temps?limit={number % 50 + 1}"
    row = {
        "host": host,
        "method": "GET",
        "url": f"https://{host}{path}",
        "status": 200,
        "request_headers": [["Host", host], ["Accept", "application/json"], ["Authorization", f"Bearer t{number % 40}"]],
        "response_headers": [["Content-Type", "application/json"]],
        "response_content_type": "application/json",
        "time": f"2026-11-{number % 28 + 1:02}T10:00:00Z",
    }
    return json.dumps(row | members)


def posted(number: int, **members: Any) -> str:
    body = {"request_body": json.dumps({"value": number % 40 + 0.5, "unit": ["C", "F"][number % 2]})}
    headers = [["Host", HOST], ["Content-Type", "application/json"], ["Authorization", f"Bearer t{number % 40}"]]
    return line(number, path=f"/v1/sensors/{1000 + number}/temps", method="POST", request_headers=headers, **(body | members))


LINES = [line(number) for number in range(300)] + [posted(number) for number in range(300)]


def write(name: str, lines: list[str]) -> Path:
    Path(name).write_text("\n".join(lines) + "\n")
    return Path(name)


def validated(run: Run, schema: str | Path, *files: str | Path) -> dict[str, Any]:
    counts: dict[str, Any] = run("validate", "--schema", schema, *files, "--json").json
    return counts


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_was_learned_judges_what_it_was_learned_from(run: Run, version: str) -> None:
    write("x.ndjson", LINES)
    ran = run("learn", "x.ndjson", "-s", "header:authorization", "-o", "openapi.json", "--openapi", version)
    document = json.loads(Path("openapi.json").read_text())
    assert document["openapi"] == version
    assert list(document["paths"]) == ["/v1/sensors/{var1}/temps"]
    counts = validated(run, "openapi.json", "x.ndjson")
    assert (counts["conforms"], counts["violates"], counts["not_evaluated"]) == (600, 0, 0)
    assert "2 operations in 600 successful requests of 600 transactions" in ran.err
    assert "written to openapi.json" in ran.err
    rows = [row.split() for row in ran.out.splitlines()]
    assert rows[0][:3] == ["OPERATION", "REQUESTS", "SAMPLES"]
    assert rows[1][:3] == ["GET", f"{HOST}/v1/sensors/{{var1}}/temps", "300"]
    bad = [line(1, path="/v1/sensors/x'--/temps?limit=1"), line(1, path="/v1/sensors/1001/temps?limit=many"), posted(1, request_body="[]")]
    assert validated(run, "openapi.json", write("bad.ndjson", bad))["violates"] == 3


def test_evidence_can_be_left_out_and_confidence_be_chosen(run: Run) -> None:
    write("x.ndjson", LINES)
    run("learn", "x.ndjson", "-o", "with.json")
    run("learn", "x.ndjson", "-o", "without.json", "--no-evidence")
    assert "x-hauberk-evidence" in Path("with.json").read_text()
    assert "x-hauberk-evidence" not in Path("without.json").read_text()
    sure = run("learn", "x.ndjson", "--json", "--confidence", "0.9999999").json
    bold = run("learn", "x.ndjson", "--json", "--confidence", "0.9").json
    assert [row["requests"] for row in sure] == [300, 300]
    assert sum(row["stated"] for row in sure) < sum(row["stated"] for row in bold)
    one = sure[0]["statements"][0]
    assert set(one) == {"pointer", "keyword", "value", "is_made", "evidence"}


def test_several_hosts_get_a_document_each_and_other_files_stay(run: Run) -> None:
    hosts = ["a.example.com", "b.example.com:8443", "localhost:3000"]
    write("x.ndjson", [line(number, host=host) for host in hosts for number in range(40)])
    Path("learned").mkdir()
    Path("learned/own.json").write_text("kept")
    run("learn", "x.ndjson", "-o", "learned")
    assert sorted(file.name for file in Path("learned").iterdir()) == [
        "a.example.com.json",
        "b.example.com_8443.json",
        "localhost_3000.json",
        "own.json",
    ]
    assert Path("learned/own.json").read_text() == "kept"
    Path("learned/own.json").unlink()
    assert validated(run, "learned", "x.ndjson")["conforms"] == 120
    run("learn", "x.ndjson", "-o", "new/folder")
    assert len(list(Path("new/folder").iterdir())) == 3
    run("learn", "x.ndjson", "--host", "b.example.com", "-o", "b.json")
    assert json.loads(Path("b.json").read_text())["servers"] == [{"url": "https://b.example.com:8443"}]
    assert len(run("learn", "x.ndjson", "--host", "a.example.com", "--json").json) == 1


def test_standard_output_and_input_can_be_used(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hauberk.cli", "learn", "-", "-o", "-"]
    ran = subprocess.run(command, input="\n".join(LINES).encode(), capture_output=True, check=True, cwd=tmp_path)
    assert json.loads(ran.stdout)["openapi"] == "3.0.3"
    assert b"OPERATION" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_only_those_who_are_known_teach_if_so_wanted(run: Run) -> None:
    nobody = [["Host", HOST], ["Accept", "application/json"]]
    write("x.ndjson", [*LINES, *(line(number, request_headers=nobody) for number in range(100))])
    arguments = ("learn", "x.ndjson", "-s", "header:authorization", "--json")
    assert [row["requests"] for row in run(*arguments).json] == [400, 300]
    assert [row["requests"] for row in run(*arguments, "--only", "identified").json] == [300, 300]
    assert run(*arguments, "--only", "certificate").json == []


def test_operations_need_as_many_requests_as_one_says(run: Run) -> None:
    write("x.ndjson", [*LINES, line(1, path="/v1/status")])
    assert len(run("learn", "x.ndjson", "--json").json) == 3
    assert len(run("learn", "x.ndjson", "--json", "--min-requests", "2").json) == 2
    pinned = run("learn", "x.ndjson", "--json", "--pin", f"{HOST}/v1/{{thing}}/{{id}}/temps").json
    assert {row["endpoint"] for row in pinned} == {"/v1/status", "/v1/{var1}/{var2}/temps"}


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["api.example.com"], ["api.example.com.json"]),
        (["localhost:3000", "localhost_3000"], ["localhost_3000.json", "localhost_3000-7f0d4ff9.json"]),
        (["{hostVar1}.example.com"], ["hostVar1.example.com.json"]),
        (["[::1]:80"], ["1_80.json"]),
        (["../../etc/passwd", "a/b"], ["etc_passwd.json", "a_b.json"]),
    ],
)
def test_a_hosts_name_is_safe_as_a_files(hosts: list[str], names: list[str]) -> None:
    assert [name.split("-")[0].removesuffix(".json") for name in file_names(hosts)] == [
        name.split("-")[0].removesuffix(".json") for name in names
    ]
    assert len(set(file_names(hosts))) == len(hosts)


@pytest.mark.parametrize("host", ["..", "", "x" * 300, "-rf", "~", "a b", "\x00", "日本"])
def test_any_host_has_a_file(tmp_path: Path, host: str) -> None:
    [name] = file_names([host])
    (tmp_path / name).write_text("")
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert name[0] not in ".-~"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "missing argument 'FILE...|STORE'"),
        (["none.har"], 1, "none.har: cannot be read"),
        (["x.ndjson", "--confidence", "1"], 2, "--confidence: confidence must be from 0.5 to below 1"),
        (["x.ndjson", "--only", "bots"], 2, "--only"),
        (["x.ndjson", "-s", "body:x"], 2, "hint: e.g. --session-identifier"),
        (["x.ndjson", "--engine", "spark"], 2, "--engine spark reads a traffic store"),
        (["x.ndjson", "-o", "-", "--json"], 2, "standard output holds the document or the JSON"),
        (["two.ndjson", "-o", "-"], 1, "standard output holds one document, and there are 2"),
        (["two.ndjson", "-o", "old.json"], 1, "old.json: is a file, and there are documents for 2 hosts"),
        (["."], 1, ".: is no traffic store: no segments are in it"),
        ([".", "x.ndjson"], 2, "a traffic store is learned from alone"),
        (["x.ndjson", "-o", "old.json/x"], 1, "old.json/x: cannot be written"),
    ],
)
def test_an_error_leaves_what_is_there(run: Run, arguments: list[str], status: int, message: str) -> None:
    write("x.ndjson", LINES[:20])
    write("two.ndjson", [line(1), line(2, host="b.example.com")])
    Path("old.json").write_text("old")
    before = sorted(Path().iterdir())
    ran = run("learn", *arguments, ok=False)
    assert ran.status == status
    assert message in ran.err
    assert Path("old.json").read_text() == "old"
    assert sorted(Path().iterdir()) == before


def test_captures_without_operations_are_told(run: Run) -> None:
    write("x.ndjson", [line(1, status=404)])
    ran = run("learn", "x.ndjson", "-o", "openapi.json")
    assert "no operation was found" in ran.err
    assert not Path("openapi.json").exists()


@pytest.fixture
def store(run: Run) -> Path:
    kept = TrafficStore("store", writer="test", segment_bytes=20_000)
    for start in range(0, len(LINES), 50):
        kept.append("\n".join(LINES[start : start + 50]).encode())
    kept.append(line(1, host="other.example.com:8080").encode())
    kept.flush()
    return Path("store").absolute()


def test_a_store_is_learned_from_like_the_captures_in_it(run: Run, store: Path) -> None:
    write("x.ndjson", [*LINES, line(1, host="other.example.com:8080")])
    run("learn", store, "--all-traffic", "-o", "a")
    run("learn", "x.ndjson", "--all-traffic", "-o", "b")
    for name in (f"{HOST}.json", "other.example.com_8080.json"):
        assert Path("a", name).read_text() == Path("b", name).read_text()
    # Its rows were never scored, so none of them looks like an API call.
    assert "no operation was found" in run("learn", store).err
    ran = run("learn", f"file://{store}", "--all-traffic", "--host", "other.example.com", "--json")
    assert [row["requests"] for row in ran.json] == [1]
    assert "1 operations in 1 successful requests of the store" in ran.err


def test_a_damaged_segment_is_left_out(run: Run, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    segment = min(store.rglob("*.parquet"))
    segment.write_bytes(segment.read_bytes()[:100])
    assert run("learn", store, "--all-traffic", "--json").json
    assert "cannot be read and is left out" in caplog.text


def test_spark_learns_the_same(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = (
        pytest.importorskip("pyspark.sql", reason="PySpark is not installed") if not os.environ.get("CI") else __import__("pyspark.sql").sql
    )
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(Path(_native.__file__).parents[1]), os.environ.get("PYTHONPATH")])))
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    try:
        run("learn", store, "--all-traffic", "--engine", "spark", "-o", "spark")
    finally:
        session.stop()
    run("learn", store, "--all-traffic", "-o", "local")
    names = sorted(file.name for file in Path("local").iterdir())
    assert names == sorted(file.name for file in Path("spark").iterdir())
    for name in names:
        assert Path("spark", name).read_text() == Path("local", name).read_text()


@pytest.mark.parametrize("name", ["octokit-rb", "mastodon-py"])
def test_recorded_clients_are_learned_from(run: Run, recordings: Path, name: str) -> None:
    file = recordings / f"{name}.ndjson.zst"
    run("learn", file, "-o", "learned/")
    for document in Path("learned").iterdir():
        assert _native.check_document(document.read_bytes())["ok"]
