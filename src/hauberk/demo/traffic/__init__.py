"""
`hauberk demo --traffic`: an installation in use, to look at. A shop, its owner's decisions so far, and callers of all kinds at its gateway.

`stage` starts the processes, `owner` decides, `history` makes up the days before, `mix` says who calls, `player` sends it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hauberk.demo.traffic.history import made_up, write_capture
from hauberk.demo.traffic.mix import Mix
from hauberk.demo.traffic.owner import Owner
from hauberk.demo.traffic.player import Player, server_certificates
from hauberk.demo.traffic.stage import TrafficStage

DAYS = 4
VISITS_IN_AN_HOUR = 160
TRIAL_AFTER_SECONDS = 15
TELL_EVERY_SECONDS = 30

READY = """
The dashboard  {api}/
Sign in        {sign_in}
               (works once, within an hour; 'hauberk user link' makes another)

The four days before now are made up: written by this demo as a capture of one exchange in two hundred, and imported.
From now on everything is real, and passes the gateway. It goes on until {until}. In another terminal:

  {setup}
  hauberk status
  hauberk events
  hauberk discovery list
"""


def run(folder: Path | None, *, rate: float, minutes: float | None, seed: int) -> int:
    """
    Show an installation in use.

    Args:
        folder: For its files; `None` makes a temporary one, which is removed in the end.

        rate: Visits in a second; one is one request or more.

        minutes: How long; `None`: until Ctrl-C.

        seed: Makes the chance.

    Returns:
        The exit status.

    Raises:
        Failure: If it cannot start, or a process ends before.
    """
    take_signals_as_ctrl_c()
    try:
        with TrafficStage(folder, seed) as stage:
            player = _prepare(stage, seed)
            _say(
                READY.format(
                    api=stage.api,
                    sign_in=stage.sign_in,
                    setup=stage.setup,
                    until="Ctrl-C" if minutes is None else f"{minutes:g} minutes are over",
                )
            )
            asyncio.run(_play(stage, player, Mix(seed + 1), rate, minutes))
    except KeyboardInterrupt:
        _say("\nstopped")
    return 0


def _prepare(stage: TrafficStage, seed: int) -> Player:
    """Bring the installation to where its owner has it today."""
    _say(f"hauberk demo: an API in use, on this machine. Files are in {stage.folder}")
    stage.start()
    with stage.client() as client:
        owner = Owner(client, (stage.state / "gateway-token").read_text().strip())
        owner.says_who_is_calling()
        past = list(made_up(seed, DAYS, VISITS_IN_AN_HOUR, datetime.now(UTC) - timedelta(minutes=2)))
        _say(f"writing the past: {write_capture(stage.folder / 'past.ndjson', past)} exchanges")
        stage.import_capture("past.ndjson")
        _say("issuing certificates, writing rules, uploading a schema")
        owner.issues_certificates(stage.certificates)
        owner.writes_rules()
        owner.uploads_a_schema()
        _say("looking at the traffic, saving operations")
        owner.looks_at_what_was_found()
        owner.brings_counts(past)
        _say("learning schemas, putting most of them in force")
        owner.applies_learned_schemas()
        hosts = client.get(f"/hauberk/v1/zones/{client.get('/client/v4/zones')[0]['id']}/hosts")
    return Player(stage.https_port, server_certificates(hosts), stage.certificates)


async def _play(stage: TrafficStage, player: Player, mix: Mix, rate: float, minutes: float | None) -> None:
    stop = asyncio.Event()
    playing = asyncio.create_task(player.play(mix, rate, stop))
    begin = told = time.monotonic()
    tried = False
    while not playing.done() and (minutes is None or time.monotonic() - begin < minutes * 60):
        await asyncio.sleep(0.5)
        stage.check_alive()
        if not tried and time.monotonic() - begin > TRIAL_AFTER_SECONDS:
            tried = True
            await asyncio.to_thread(_try_schemas, stage)
        if time.monotonic() - told > TELL_EVERY_SECONDS:
            told = time.monotonic()
            _say(", ".join(f"{status}: {count}" for status, count in sorted(player.outcomes.items())))
    stop.set()
    await playing


def _try_schemas(stage: TrafficStage) -> None:
    with stage.client() as client:
        Owner(client, "").tries_what_is_not_applied()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def take_signals_as_ctrl_c() -> None:
    """Have a process that is told to end do what it does at Ctrl-C; asyncio makes of that a cancellation, wherever its tasks are."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs would not hear it
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
