"""`hauberk schema diff`: readable lines, and the exit status of diff(1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def api(most: int, **more: Any) -> dict[str, Any]:
    parameter = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": most}}
    operation = {"parameters": [parameter], "responses": {"200": {"description": "."}}}
    info = {"title": "Temperatures", "version": "1"}
    return {
        "openapi": "3.0.3",
        "info": info,
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/temps": {"get": operation}},
    } | more


@pytest.fixture
def files(run: Run) -> None:
    Path("a.json").write_text(json.dumps(api(100)))
    Path("a.yaml").write_text(yaml.safe_dump(api(100, info={"title": "Otherwise called", "version": "2"})))
    Path("b.yaml").write_text(yaml.safe_dump(api(50)))


@pytest.mark.usefixtures("files")
def test_documents_that_judge_alike_do_not_differ(run: Run) -> None:
    ran = run("schema", "diff", "a.json", "a.yaml")
    assert (ran.status, ran.out) == (0, "")
    assert "no difference" in ran.err
    assert run("schema", "diff", "a.json", "a.yaml", "--json").json == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("a.json", "b.yaml", "breaking  GET api.example.com/temps query/limit: maximum 100 → 50"),
        ("b.yaml", "a.json", "looser    GET api.example.com/temps query/limit: maximum 50 → 100"),
    ],
)
def test_each_change_is_a_line_and_the_status_is_1(capsys: pytest.CaptureFixture[str], before: str, after: str, line: str) -> None:
    from hauberk.cli import main  # noqa: PLC0415 - a status of 1 is no error here, so nothing says so

    assert main(["schema", "diff", before, after]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [line]
    assert "1 change: " in told.err
    assert main(["schema", "diff", before, after, "--json"]) == 1
    [change] = json.loads(capsys.readouterr().out)
    assert change["breaking"] is line.startswith("breaking")
    assert change["where"] == "GET api.example.com/temps query/limit"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.json", "none.json"], "none.json: there is no such file"),
        (["a.json", "bad.json"], "bad.json: "),
        (["a.json", "text"], "text: "),
        (["a.json"], "missing argument"),
        (["-", "-"], "standard input holds one document"),
    ],
)
def test_trouble_has_the_status_2(run: Run, arguments: list[str], message: str) -> None:
    Path("bad.json").write_text('{"openapi": "3.0.3"}')
    Path("text").write_text("[1, 2")
    ran = run("schema", "diff", *arguments, ok=False)
    assert ran.status == 2
    assert message in ran.err
