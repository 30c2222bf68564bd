"""
The reference part of `docs/cli.md`, written from the commands themselves.

    python -m hauberk.cli.reference docs/cli.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from hauberk.cli import app
from hauberk.cli.remote import CONNECTION_PANEL

MARKER = "<!-- From here on written by 'python -m hauberk.cli.reference docs/cli.md'. -->"


def reference() -> str:
    """Render all commands as Markdown, in the order of `hauberk --help`."""
    root: Any = typer.main.get_command(app)
    return "\n".join(line for name, command in commands(root) for line in _section(name, command)).rstrip() + "\n"


def commands(group: Any, prefix: str = "hauberk") -> Iterator[tuple[str, Any]]:
    """List the commands that do something, with their full names."""
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, full)
        else:
            yield full, command


def update(page: str) -> str:
    """Put the present reference into the page, after the marker."""
    own, marker, _ = page.partition(MARKER)
    return f"{own}{marker}\n\n{reference()}"


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden and not _is_shared(p)]
    text, _, examples = inspect.cleandoc(command.help or "").partition("\b\n")
    yield f"### `{' '.join([name, *(_usage(argument) for argument in arguments)])}`"
    yield ""
    yield text.strip()
    yield ""
    if arguments or options:
        yield "| | |"
        yield "|---|---|"
        for argument in arguments:
            yield f"| `{_usage(argument)}` | {_told(argument)} |"
        for option in options:
            yield f"| `{'`, `'.join([*option.opts, *option.secondary_opts])}` | {_told(option)} |"
        yield ""
    if examples:
        yield "```sh"
        yield from inspect.cleandoc("\n".join(examples.splitlines()[1:])).splitlines()
        yield "```"
        yield ""


def _is_shared(option: Any) -> bool:
    """Tell whether it is told once, in the page's own part."""
    return getattr(option, "rich_help_panel", None) == CONNECTION_PANEL or bool({"--json", "--help"} & set(option.opts))


def _usage(argument: Any) -> str:
    name = (argument.metavar or argument.name or "").upper().strip("[]").removesuffix("...")
    name += "…" if argument.nargs == -1 else ""
    return name if argument.required else f"[{name}]"


def _told(parameter: Any) -> str:
    told = str(parameter.help or "").replace("|", "\\|")
    default = parameter.default
    shown = getattr(parameter, "show_default", True) is not False
    if shown and default not in {None, False, True, ""} and not callable(default):
        told += f" Default: `{getattr(default, 'value', default)}`."
    if getattr(parameter, "required", False) and parameter.param_type_name == "option":
        told += " Required."
    return told


def main() -> None:
    """Bring the page named on the command line up to date."""
    page = Path(sys.argv[1])
    page.write_text(update(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
