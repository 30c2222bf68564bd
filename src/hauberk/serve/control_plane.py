"""The control plane's process: REST over the database, and its housekeeping."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable

from sqlalchemy.orm import Session

from hauberk.config import PASSPHRASE_VARIABLE, Settings
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import bind
from hauberk.serve.site import site_server
from hauberk.serve.state_lock import only_control_plane
from hauberk.storage.events import first_kept, forget_event_counts, forget_events
from hauberk.storage.models import now
from hauberk.storage.operation_latency import refresh_latency
from hauberk.storage.operation_metrics import forget_metrics, hour_of
from hauberk.storage.request_counts import tidy_request_counts

log = logging.getLogger(__name__)

# Often enough that a flood of refused requests does not fill the disk in between.
HOUSEKEEPING_SECONDS = 60
# SQLite has one writer at a time, and those who wait for it look again and again, with pauses of their own.
PAUSE_SECONDS = 0.1


def run_control_plane(settings: Settings) -> None:
    """
    Run the control plane until a signal.

    Raises:
        HauberkError: If it cannot start.
    """
    bound = bind(settings.control_plane.listen, "control_plane.listen")
    with only_control_plane(settings.state_dir):
        _run(settings, bound)


def _run(settings: Settings, bound: socket.socket) -> None:
    plane = ControlPlane(settings, os.environ.get(PASSPHRASE_VARIABLE) or None)
    stopping = threading.Event()
    threading.Thread(target=_keep_house, args=(plane, stopping), name="housekeeping", daemon=True).start()
    plane.trial_runs.free_what_was_left()
    plane.inventory.start()
    plane.drift.start()
    plane.learning.start()
    plane.imports.start()
    log.info("control plane listens", extra={"address": settings.control_plane.listen, "url": settings.control_plane_url})
    _show_first_link(plane)
    try:
        site_server(plane).run(sockets=[bound])
    finally:
        stopping.set()
        plane.close()


def _show_first_link(plane: ControlPlane) -> None:
    """
    Show the person at the terminal how to sign in, while there is no user.

    The link is as good as a password, so it goes to a terminal alone: logs are kept, and shipped elsewhere.
    """
    if not sys.stderr.isatty():
        return
    secret = plane.entrance.first_link()
    if secret is None:
        return
    log.info("made a link that signs in to the dashboard once, within an hour")
    sys.stderr.write(
        f"\n  To sign in to the dashboard, open this link (it works once, within an hour):\n\n    {plane.sign_in_link(secret)}\n\n"
    )
    sys.stderr.flush()


def _keep_house(plane: ControlPlane, stopping: threading.Event) -> None:
    while True:
        try:
            plane.follow_settings()
            _forget(plane, stopping)
        except Exception:
            log.exception("old events and metrics were not deleted")
        try:
            plane.entrance.forget()
        except Exception:
            log.exception("old sessions were not deleted")
        try:
            # What is a day old falls out of the latency of operations.
            _part_by_part(plane, stopping, lambda session: refresh_latency(session, hour_of(now()), most=250))
        except Exception:
            log.exception("the latency of operations was not brought up to date")
        try:
            plane.drift.look_for_silence()
        except Exception:
            log.exception("nobody looked for operations that are not called any more")
        if stopping.wait(HOUSEKEEPING_SECONDS):
            return


def _forget(plane: ControlPlane, stopping: threading.Event) -> None:
    events, traffic = plane.settings.events, plane.settings.traffic
    with plane.database.read() as session:
        before = first_kept(session, events.keep_days, events.keep_count)
    _part_by_part(plane, stopping, lambda session: forget_events(session, before))
    with plane.database.write() as session:
        forget_event_counts(session, events.keep_days)
        forget_metrics(session, traffic.metrics_keep_days)
        tidy_request_counts(session, traffic.metrics_keep_days)


def _part_by_part(plane: ControlPlane, stopping: threading.Event, work: Callable[[Session], int]) -> None:
    """Do work that tells how much of it was done, until nothing is left; with pauses, in which others can write."""
    done = 1
    while done and not stopping.wait(PAUSE_SECONDS):
        with plane.database.write() as session:
            done = work(session)
