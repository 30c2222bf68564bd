"""Help, version and wrong usage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

import hauberk
from hauberk.cli import app
from hauberk.cli.reference import MARKER, commands, update

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_of_the_promised_list_is_there() -> None:
    promised = {"init", "up", "control-plane", "gateway", "demo", "status", "events"}
    promised |= {f"cert {name}" for name in ("issue", "list", "show", "revoke", "restore", "bundle")}
    promised |= {
        f"schema {name}" for name in ("upload", "list", "check", "enable", "disable", "delete", "default-action", "override-action")
    }
    promised |= {f"operation {name}" for name in ("list", "save", "delete", "action")}
    promised |= {"host list", "host add", "host remove", "host fallthrough", "zone list", "ca export", "ca crl"}
    promised |= {"mtls require", "mtls show", "mtls remove", "token list", "token create", "token revoke"}
    promised |= {f"discovery {name}" for name in ("list", "save", "ignore", "restore", "explain", "refresh", "compare")}
    promised |= {f"discovery rules {name}" for name in ("list", "pin", "split", "merge", "rename", "remove")}
    promised |= {f"discovery session-identifiers {name}" for name in ("show", "set", "propose")}
    assert {f"hauberk {name}" for name in promised} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_explains_itself_with_an_example(run: Run, name: str) -> None:
    ran = run(*name.split()[1:], "--help")
    assert "Example" in ran.out
    assert f"{name} " in ran.out or f"{name}\n" in ran.out
    for parameter in COMMANDS[name].params:
        assert parameter.help or parameter.hidden, f"{name}: {parameter.name} has no help"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_prints_data_prints_json_too(name: str) -> None:
    processes = {"hauberk init", "hauberk up", "hauberk control-plane", "hauberk gateway", "hauberk demo"}
    json_lines = {"hauberk classify"}  # and nothing else
    has_json = any("--json" in parameter.opts for parameter in COMMANDS[name].params)
    assert has_json is (name not in processes | json_lines)


def test_the_page_about_the_command_line_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    text = page.read_text("utf-8")
    assert MARKER in text
    assert text == update(text), "run: python -m hauberk.cli.reference docs/cli.md"


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"hauberk {hauberk.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [("bogus",), ("cert", "bogus"), ("cert", "issue", "--days", "many"), ("cert", "show"), ("status", "--nonsense"), ("cert", "issue")],
)
def test_wrong_usage_is_said_in_one_line_and_exits_with_2(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words, ok=False)
    assert ran.status == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 2
    assert ran.err.startswith("error: ")
