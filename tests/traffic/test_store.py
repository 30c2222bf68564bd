"""The traffic store: what is written is read again, whatever happens beside it, and not for ever."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import fs

from conftest import eventually
from hauberk.errors import ConfigurationError, StorageError
from hauberk.traffic.hours import RecordedHours
from hauberk.traffic.queries import Filters
from hauberk.traffic.segments import SCHEMA, SegmentFolder, by_host_and_hour, host_folder, path_of, table_of, time_of
from hauberk.traffic.store import MAX_HOSTS_PER_HOUR, TrafficStore

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
# By then all hours of the tests are past, and what was merged may go.
LATER = datetime.now(UTC) + timedelta(days=1)


def line(**members: Any) -> bytes:
    time = members.pop("time", NOON)
    transaction = {
        "host": "api.example.com",
        "method": "GET",
        "url": "https://api.example.com/users/1?page=2",
        "http_version": "HTTP/1.1",
        "request_headers": [["accept", "application/json"]],
        "status": 200,
        "response_headers": [["content-type", "application/json"]],
        "time": time.isoformat() if time else None,
        **members,
    }
    return json.dumps(transaction).encode() + b"\n"


def store_in(where: Path | fs.FileSystem, **options: Any) -> TrafficStore:
    return TrafficStore(where, writer="w1", **options)


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_rows_are_kept_by_host_and_hour_and_read_again(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(line() + line(time=NOON + timedelta(hours=1)) + line(host="b.example.com", score=0.5, session="s:1", operation_id="o"))
    assert (store.waiting, store.stored, files_of(tmp_path)) == (3, 0, [])
    store.flush()
    assert (store.waiting, store.stored, store.dropped) == (0, 3, 0)
    assert [str(path.parent.relative_to(tmp_path)) for path in files_of(tmp_path)] == [
        "host=api.example.com/hour=2026-11-20T12",
        "host=api.example.com/hour=2026-11-20T13",
        "host=b.example.com/hour=2026-11-20T12",
    ]
    metadata = pq.read_metadata(files_of(tmp_path)[0])
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    rows = store.sample(hosts=["b.example.com"])
    assert len(rows) == 1
    assert rows[0]["request_headers"] == [["accept", "application/json"]]
    assert (rows[0]["path"], rows[0]["time"], rows[0]["session"]) == ("/users/1", NOON, "s:1")


@pytest.mark.parametrize("kind", ["folder", "url", "subtree", "mock"])
def test_any_file_system_of_pyarrow_can_be_the_store(tmp_path: Path, kind: str) -> None:
    kinds = {
        "folder": lambda: str(tmp_path),
        "url": lambda: f"file://{tmp_path}",
        "subtree": lambda: fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()),
        "mock": lambda: fs.FileSystem.from_uri("mock:///traffic")[0],
    }
    store = store_in(kinds[kind]())
    for minute in range(6):
        store.append(line(time=NOON + timedelta(minutes=minute)))
        store.flush()
    assert store.stored == 6
    assert store.compact(LATER) == 6
    assert len(store.folder.segments()) == 1
    assert store.compact(LATER) == 0
    assert len(list(store.folder._files())) == 1
    assert [sighting.requests for sighting in store.paths()] == [6]
    assert store.retain(LATER + timedelta(days=400)) == 1
    assert store.paths() == []


@pytest.mark.parametrize("kind", ["folder", "url", "subtree"])
def test_a_file_in_the_place_of_a_store_is_no_empty_store(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "store"
    place.write_text("a file where the folder should be")
    kinds = {"folder": str(place), "url": f"file://{place}", "subtree": fs.SubTreeFileSystem(str(place), fs.LocalFileSystem())}
    store = store_in(kinds[kind])
    for ask in (store.paths, lambda: store.paths(["api.example.com"])):
        with pytest.raises(StorageError, match="cannot be asked"):
            ask()
    with pytest.raises(StorageError, match="cannot be listed: Not a directory"):
        RecordedHours(store.folder).hours(NOON, LATER)
    assert store.retain() == 0
    assert store_in(tmp_path / "not-yet").paths() == []


def test_a_url_nobody_knows_is_refused_without_its_credentials() -> None:
    with pytest.raises(ConfigurationError, match="no URL that pyarrow knows") as caught:
        TrafficStore("gopher://user:s3cr3t@example.com/x")
    assert "s3cr3t" not in caught.value.message


def test_paths_count_what_rows_stand_for(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    later = NOON + timedelta(minutes=5)
    store.append(
        line(weight=10.0, score=1.0, session="s:1")
        + line(weight=30.0, score=0.0, time=later)
        + line(time=None)  # of a log without times
        + line(status=404)
        + line(status=301)
        + line(method="PROPFIND")
        + line(url="https://api.example.com/cdn-cgi/trace")
        + line(method="POST", url="/login#x", score=0.25)
    )
    store.flush()
    found = {(row.method, row.path): row for row in store.paths(["api.example.com"])}
    assert set(found) == {("GET", "/users/1"), ("POST", "/login")}
    row = found["GET", "/users/1"]
    assert (row.requests, row.with_session, row.score) == (41, 10, 0.25)
    assert (row.first_seen, row.last_seen) == (NOON.timestamp(), later.timestamp())
    assert found["POST", "/login"].score == 0.25
    assert store.paths(["other.example.com"]) == []
    in_window = store.paths(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=10))
    assert [(row.path, row.requests) for row in in_window] == [("/users/1", 30)]
    assert [row["requests"] for row in store.counts(step=timedelta(days=1))] == [45]


def test_requests_of_paths_are_counted_step_by_step(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    hour = timedelta(hours=1)
    store.append(
        line(weight=10.0)
        + line(weight=2.4, time=NOON + hour)
        + line(time=NOON + 3 * hour + timedelta(minutes=59))
        + line(time=NOON + 4 * hour)  # when the window has ended
        + line(time=NOON - hour)
        + line(time=None)
        + line(status=404)
        + line(url="/often", weight=50.0, time=NOON + 2 * hour)
    )
    store.flush()
    asked = (["api.example.com"], NOON, NOON + 4 * hour, 4)
    counted = [(host, method, path, sorted(counts)) for host, method, path, counts in store.series(*asked, limit=5)]
    assert counted == [
        ("api.example.com", "GET", "/often", [(2, 50)]),
        ("api.example.com", "GET", "/users/1", [(0, 10), (1, 2), (3, 1)]),
    ]
    assert [path for _, _, path, _ in store.series(*asked, limit=1)] == ["/often"]


def test_examples_are_found_by_filters(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for number in range(10):
        store.append(line(url=f"/users/{number}", status=200 + number, operation_id=f"o{number % 2}", score=number / 10))
    store.flush()
    cases = [
        (Filters(), 10),
        (Filters(path="/users/3"), 1),
        (Filters(path_pattern="/users/[0-4]"), 5),
        (Filters(operation_id="o1"), 5),
        (Filters(least_status=205, most_status=206), 2),
        (Filters(least_score=0.75), 2),
        (Filters(method="POST"), 0),
    ]
    for filters, count in cases:
        assert len(store.sample(filters)) == count, filters
    assert len(store.sample(limit=3)) == 3
    with pytest.raises(StorageError, match="cannot be asked") as caught:
        store.sample(Filters(path_pattern="(s3cr3t"))
    assert "s3cr3t" not in caught.value.message


def test_questions_reach_nothing_but_the_rows(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    store.append(line())
    store.flush()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    assert store.query("SELECT count(*) AS n FROM transactions").to_pylist() == [{"n": 1}]
    for statement in (f"SELECT * FROM '{tmp_path}/secret.csv'", f"COPY transactions TO '{tmp_path}/out.csv'", "SELECT * FROM store"):
        with pytest.raises(StorageError):
            store.query(statement)
    assert not (tmp_path / "out.csv").exists()


def test_segments_of_before_are_read_with_nulls(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(line(score=0.5))
    store.flush()
    old = pa.table({"host": ["api.example.com"], "method": ["GET"], "path": ["/old"], "status": pa.array([200], pa.int16()), "gone": [1]})
    pq.write_table(old, files_of(tmp_path)[0].with_name("old.parquet"))
    assert {(row.path, row.score, row.requests) for row in store.paths()} == {("/old", None, 1), ("/users/1", 0.5, 1)}
    assert {row["path"] for row in store.sample()} == {"/old", "/users/1"}


def test_a_host_made_up_by_a_caller_is_no_path(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    hosts = ["../../x", "a/b", "", ".", "..", "*", "%2e", "ü" * 200, "[::1]", "a\0b", "host=x/hour=2026-11-20T12"]
    store.append(b"".join(line(host=host) for host in hosts))
    store.flush()
    assert store.stored == len(hosts)
    assert all(
        path.is_relative_to(tmp_path / "store") and len(path.relative_to(tmp_path / "store").parts) == 3 for path in files_of(tmp_path)
    )
    for host in hosts:
        assert [row["host"] for row in store.sample(hosts=[host])] == [host]


def test_many_hosts_do_not_make_as_many_files(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(b"".join(line(host=f"h{number}.example.com") for number in range(MAX_HOSTS_PER_HOUR * 2)) + line(host="h399.example.com"))
    store.flush()
    assert len(files_of(tmp_path)) == MAX_HOSTS_PER_HOUR + 1
    assert len(store.paths()) == MAX_HOSTS_PER_HOUR * 2
    assert [row.requests for row in store.paths(["h399.example.com"])] == [2]
    assert [row.requests for row in store.paths(["h350.example.com"])] == [1]
    # The next segments of the hour do not begin anew with that.
    store.append(b"".join(line(host=f"more{number}.example.com") for number in range(MAX_HOSTS_PER_HOUR)) + line(host="h399.example.com"))
    store.flush()
    assert len(list(tmp_path.glob("host=*"))) == MAX_HOSTS_PER_HOUR + 1
    assert len(files_of(tmp_path)) == MAX_HOSTS_PER_HOUR + 3
    assert [row.requests for row in store.paths(["h399.example.com"])] == [3]
    assert [row.requests for row in store.paths(["more7.example.com"])] == [1]


def test_what_is_no_transaction_is_counted_and_takes_nothing_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = store_in(tmp_path)
    with caplog.at_level(logging.ERROR):
        store.append(b"{\n[]\n\nnull\n" + line() + line(status="s3cr3t") + line(status=10**9) + line(time=None) + line(request_headers=7))
        store.flush()
    assert (store.stored, store.dropped) == (2, 6)
    assert "transactions were dropped" in caplog.text
    assert not any("s3cr3t" in str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    "bad",
    [
        b"null",
        b"nulll",
        b"7",
        b"[]",
        b'"x"',
        b"{}",
        b'{"host": null}',
        b'{"host": 7}',
        b'{"host": "a"',
        b'{"host": "\xff"}',
        b"\xff",
        b"\0",
        b"   ",
        b'{"host": "\\ud800"}',
        b'{"host": "a"},{"host": "b"}',
        b'{"host": "a", "score": "high"}',
        b'{"host": "a", "time": 7}',
    ],
)
def test_a_bad_line_is_dropped_wherever_it_stands(tmp_path: Path, bad: bytes) -> None:
    store = store_in(tmp_path)
    good = [line(url=f"/{number}").removesuffix(b"\n") for number in range(5)]
    assert store.import_rows([bad, *good[:2], bad, *good[2:], bad, b""]) == 5
    assert store.dropped == 3
    store.append(bad)
    assert (store.dropped, store.waiting) == (4, 0)
    assert [row.path for row in store.paths()] == [f"/{number}" for number in range(5)]


def test_a_store_that_cannot_be_written_makes_rows_wait_and_then_drops_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "store"
    place.write_text("a file where the folder should be")
    store = store_in(place, segment_bytes=1000, flush_seconds=3600)
    with caplog.at_level(logging.WARNING):
        store.append(line())
        store.flush()
        store.flush()
        assert (store.waiting, store.dropped) == (1, 0)
        assert caplog.text.count("transactions wait") == 1
        for _ in range(20):
            store.append(line())
        assert store.dropped > 0
    assert "transactions were dropped" in caplog.text
    place.unlink()
    waiting = store.waiting
    store.flush()
    assert (store.waiting, store.stored) == (0, waiting)
    assert store.stored + store.dropped == 21


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(line())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        store.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (store.waiting, store.stored, files_of(tmp_path)) == (1, 0, [])
    store.flush()
    assert (store.waiting, store.stored, len(files_of(tmp_path))) == (0, 1, 1)


def test_what_is_too_old_goes_and_then_the_oldest_hours(tmp_path: Path) -> None:
    store = store_in(tmp_path, keep_days=10)
    for day in range(20):
        store.append(line(time=NOON - timedelta(days=day), url=f"/d{day}"))
        store.flush()
    for path in files_of(tmp_path):
        hour = datetime.strptime(path.parent.name, "hour=%Y-%m-%dT%H").replace(tzinfo=UTC)
        os.utime(path, (hour.timestamp(), hour.timestamp()))
    store.append(line(time=NOON - timedelta(days=300), url="/imported-now"))
    store.flush()
    assert store.retain(NOON + timedelta(hours=1)) == 10
    assert len(store.paths()) == 11
    store.max_bytes = sum(segment.bytes for segment in store.folder.segments()[-5:])
    assert store.retain(NOON + timedelta(hours=1)) == 6
    assert {row.path for row in store.paths()} == {f"/d{day}" for day in range(5)}
    assert len(list((tmp_path / "host=api.example.com").iterdir())) == 5, "empty folders are gone"


def test_left_overs_of_a_killed_writer_are_cleared_and_never_read(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.append(line())
    store.flush()
    left = files_of(tmp_path)[0].with_name(".0123")
    left.write_bytes(b"half a segm")
    assert len(store.paths()) == 1
    store.retain(NOON)
    assert left.exists(), "it may be under way"
    os.utime(left, (0, 0))
    store.retain(NOON)
    assert not left.exists()


def test_a_merge_cut_short_at_any_point_loses_and_doubles_nothing(tmp_path: Path) -> None:
    for stop_after in range(12):
        place = tmp_path / str(stop_after)
        store = store_in(place)
        for _ in range(5):
            store.append(line())
            store.flush()
        steps = iter(range(stop_after))

        class Dying:
            """Stands for the folder until so many changes were made."""

            def __init__(self, folder: SegmentFolder, steps: Any) -> None:
                self.folder, self.steps = folder, steps

            def __getattr__(self, name: str) -> Any:
                return getattr(self.folder, name)

            def _step(self) -> None:
                if next(self.steps, None) is None:
                    raise KeyboardInterrupt

            def put(self, *arguments: Any) -> None:
                self._step()
                self.folder.put(*arguments)

            def write(self, *arguments: Any) -> int:
                self._step()
                return self.folder.write(*arguments)

            def delete(self, paths: Any) -> None:
                for path in paths:
                    self._step()
                    self.folder.delete([path])

        folder, store.folder = store.folder, Dying(store.folder, steps)  # type: ignore[assignment]
        try:
            for _ in range(2):
                store.compact(LATER)
        except KeyboardInterrupt:
            pass
        again = store_in(place)
        assert [row.requests for row in again.paths()] == [5], stop_after
        for _ in range(2):
            again.compact(LATER)
            assert [row.requests for row in again.paths()] == [5], stop_after
        assert len(files_of(place)) == 1, stop_after
        assert folder is not None


def test_writers_merge_segments_of_their_own_only(tmp_path: Path) -> None:
    one, other = TrafficStore(tmp_path, writer="one"), TrafficStore(tmp_path, writer="other")
    for store in (one, other):
        for _ in range(4):
            store.append(line())
            store.flush()
    assert one.compact(NOON) == 0, "the hour is not over"
    assert one.compact(LATER) == 4
    assert len(one.folder.segments()) == 5
    assert [row.requests for row in other.paths()] == [8]


def test_reading_goes_on_while_segments_are_written_merged_and_deleted(tmp_path: Path) -> None:
    writer, reader = store_in(tmp_path, keep_days=1), store_in(tmp_path)
    kept = 200
    for _ in range(4):
        writer.append(b"".join(line(host="kept.example.com", time=NOON) for _ in range(kept // 4)))
        writer.flush()
    stopping = threading.Event()

    def churn() -> None:
        round_ = 0
        while not stopping.is_set():
            for _ in range(4):
                writer.append(line(time=NOON - timedelta(hours=round_ % 5)))
                writer.flush()
            writer.compact(datetime.now(UTC))
            if round_ % 5 == 0:
                writer._delete(writer.folder.segments(["api.example.com"])[:3])
            round_ += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(25):
            found = {row.host: row.requests for row in reader.paths()}
            assert found["kept.example.com"] == kept
    finally:
        stopping.set()
        thread.join()


def test_a_kill_loses_only_what_has_gathered(tmp_path: Path) -> None:
    program = """
import sys, time
from hauberk.traffic.store import TrafficStore
store = TrafficStore(sys.argv[1], segment_bytes=sys.maxsize, flush_seconds=3600)
line = sys.stdin.buffer.read()
number = 0
while True:
    for _ in range(10):
        store.append(line)
    store.flush()
    number += 10
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line())
    process.stdin.close()
    process.stdout.readline()
    eventually(lambda: len(files_of(tmp_path)) > 20)
    process.send_signal(signal.SIGKILL)
    written = [int(number) for number in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    total = sum(row.requests for row in TrafficStore(tmp_path).paths())
    assert total % 10 == 0
    assert total - (written[-1] if written else 10) in {0, 10}


def test_rows_are_imported(tmp_path: Path) -> None:
    store = store_in(tmp_path, segment_bytes=2000)
    assert store.import_rows(line(url=f"/{number}") for number in range(100)) == 100
    assert len(store.paths()) == 100


def test_only_hosts_that_are_wanted_are_imported(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    asked: list[tuple[str, int]] = []

    def wanted(host: str, transactions: int) -> bool:
        asked.append((host, transactions))
        return host != "b.example"

    hosts = ["a.example", "b.example", "a.example", "c.example", "b.example"]
    assert store.import_rows((b"".join(line(host=host) for host in hosts), line(host="b.example")), wanted) == 3
    assert asked == [("a.example", 2), ("b.example", 3), ("c.example", 1)]
    assert [(row.host, row.requests) for row in store.paths()] == [("a.example", 2), ("c.example", 1)]
    assert (store.waiting, store.dropped) == (0, 0)


TIMES = st.one_of(
    st.none(),
    st.sampled_from(["", "yesterday", "2026-11-20", "2026-11-20T12:30", "2026-11-20T12:30:00.123456+05:30", "1969-12-31T23:59:59.999Z"]),
    st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1)).map(lambda time: time.isoformat()),  # noqa: DTZ001 - without a zone
)


@given(
    st.lists(st.tuples(st.sampled_from(["a.example", "b.example"]), TIMES, st.text(st.characters(codec="utf-8"), max_size=20)), max_size=12)
)
@settings(deadline=None)  # the first one wakes Arrow
@example([("a.example", None, ""), ("b.example", None, "0"), ("a.example", "2049-11-25T19:00:00", "")])
def test_each_row_is_in_the_folder_of_its_host_and_hour_as_it_came(rows: list[tuple[str, str | None, str]]) -> None:
    lines = [json.dumps({"host": host, "time": time, "url": f"/{text}", "request_headers": [["x", text]]}) for host, time, text in rows]
    table = table_of("\n".join(lines).encode()) if lines else SCHEMA.empty_table()
    expected: dict[tuple[str, datetime], list[tuple[str, str]]] = {}
    for host, time, text in rows:
        hour = (time_of(time) or NOON).replace(minute=0, second=0, microsecond=0)
        expected.setdefault((host, hour), []).append((f"/{text}", text))
    found = {
        (host, hour): [(row["url"], row["request_headers"][0][1]) for row in part.to_pylist()]
        for host, hour, part in by_host_and_hour([table.slice(0, 5), table.slice(5)], NOON)
    }
    assert found == expected


@given(st.text(max_size=300))
def test_each_host_has_a_folder_name(host: str) -> None:
    try:
        folder = host_folder(host)
    except UnicodeEncodeError:  # lone surrogates, which JSON texts of transactions do not hold
        return
    assert folder
    assert len(folder) <= 200
    assert not set(folder) & set("/\\\0")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example/x/y?z#f", "/x/y"),
        ("https://a.example", "/"),
        ("https://a.example?x=/y", "/"),
        ("/x?u=http://b/", "/x"),
        ("", "/"),
        ("*", "*"),
    ],
)
def test_the_path_is_taken_from_url_or_target(url: str, path: str) -> None:
    assert path_of(url) == path
    assert SCHEMA.names.index("path") > 0


def test_a_damaged_segment_is_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = store_in(tmp_path)
    store.import_rows(line(url=f"/{number}") for number in range(5))
    segment = next(tmp_path.rglob("*.parquet"))
    segment.with_name(segment.name.replace("-", "-9", 1)).write_bytes(b"PAR1 and no more")
    assert len(store.paths()) == 5
    assert "cannot be read and is left out" in caplog.text
