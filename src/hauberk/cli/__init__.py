"""
The command line: a file a sub-command.

Commands that change or show something talk REST, so they work against a control plane on another machine just as well.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import hauberk
from hauberk.cli import (
    authority,
    cert,
    classify,
    demo,
    discover,
    discovery,
    events,
    host,
    init,
    learn,
    mtls,
    operation,
    requests,
    run,
    schema,
    schema_diff,
    settings,
    status,
    token,
    traffic,
    user,
    validate,
    zone,
)
from hauberk.cli.failure import Failure
from hauberk.errors import HauberkError

app = typer.Typer(
    name="hauberk",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # docstrings are printed as written: brackets and examples stay what they are
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command("init")(init.init)
app.command("up")(run.up)
app.command("control-plane")(run.control_plane)
app.command("gateway")(run.gateway)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("requests")(requests.requests)
app.command("todo")(requests.todo)
app.add_typer(zone.app, name="zone")
app.add_typer(host.app, name="host")
app.add_typer(cert.app, name="cert")
app.add_typer(authority.app, name="ca")
app.add_typer(mtls.app, name="mtls")
schema.app.command("diff")(schema_diff.diff)
app.add_typer(schema.app, name="schema")
app.add_typer(operation.app, name="operation")
app.add_typer(discovery.app, name="discovery")
app.add_typer(discover.app, name="discover")
app.command("classify")(classify.classify)
app.command("learn")(learn.learn)
app.command("validate")(validate.validate)
app.command("events")(events.events)
app.add_typer(traffic.app, name="traffic")
app.add_typer(token.app, name="token")
app.add_typer(user.app, name="user")
app.add_typer(settings.app, name="settings")

_traceback_wanted = False


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hauberk {hauberk.__version__}")
        raise typer.Exit


def _want_traceback(wanted: bool) -> None:
    global _traceback_wanted  # noqa: PLW0603 - read by `main`, which is outside of what Typer calls
    _traceback_wanted = wanted


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
    show_traceback: Annotated[
        bool, typer.Option("--traceback", callback=_want_traceback, help="After an unexpected error, print where it happened.")
    ] = False,
) -> None:
    """
    Put hauberk in front of an API: it answers only callers it knows, and only requests that look right.

    \b
    To start:
      hauberk demo                 see all of it work, on this machine
      hauberk init                 write hauberk.toml
      hauberk up                   run control plane and gateway
      hauberk cert issue --help    give a device its certificate
      hauberk mtls require --help  refuse callers without one
      hauberk schema upload --help refuse requests that break your OpenAPI document
      hauberk discovery --help     see which operations the traffic shows, and save them
      hauberk schema learned --help  see what good requests to them look like, and enforce that
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Args:
        arguments: Words after `hauberk`; default: those of the process.

    Returns:
        The exit status: 0, 1 for an error, 2 for wrong usage, 130 when interrupted.
    """
    try:
        status = app(list(arguments) if arguments is not None else None, prog_name="hauberk", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:
        # Whoever read our output has read enough. Python would complain about the rest when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, not a traceback
        if type(error).__name__ == "NoArgsIsHelpError":  # Typer's, which has no public name; its message is the whole help
            sys.stderr.write(f"{error.format_message()}\n")  # type: ignore[attr-defined]
            return 2
        failure = _as_failure(error)
        sys.stderr.write(f"error: {failure.message}\n" + (f"hint: {failure.hint}\n" if failure.hint else ""))
        return failure.status
    return status if isinstance(status, int) else 0


def _as_failure(error: Exception) -> Failure:
    if isinstance(error, Failure):
        return error
    if isinstance(error, HauberkError):
        return Failure(error.message)
    # What Typer raises for wrong usage has no public class, but a known shape.
    form = getattr(error, "format_message", None)
    if form is not None:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "hauberk"
        message = str(form()).strip().removesuffix(".")
        return Failure(message[:1].lower() + message[1:], f"'{command} --help' shows how it is used", status=2)
    if _traceback_wanted:
        traceback.print_exception(error)
    return Failure(f"unexpected: {type(error).__name__}: {error}", "this is a mistake in hauberk; 'hauberk --traceback …' shows where")
