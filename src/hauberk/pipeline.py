"""
The control plane as one object: settings, database, authority and the newest snapshot, joined in flow order.

This is the only module that knows all activities; REST, command line and dashboard talk to it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk import _native
from hauberk.alerting.secret import webhook_secret
from hauberk.capture_imports import CaptureImports
from hauberk.config import LearningSettings, Settings, ZoneSettings
from hauberk.drift_watch import DriftWatch
from hauberk.entrance import Entrance
from hauberk.errors import ConfigurationError, InvalidRequest, StorageError
from hauberk.inventory import Inventory
from hauberk.learning import LearnOptions, documents, learn
from hauberk.learning.difference import difference
from hauberk.pki.authority import Authority
from hauberk.pki.key_store import open_managed_authority
from hauberk.pki.server_certificate import check_server_certificate, self_signed
from hauberk.recorded_traffic import RecordedTraffic
from hauberk.schema_learning import Parts, SchemaLearning
from hauberk.schema_trial import SchemaTrials
from hauberk.snapshot.document import Snapshot, encode
from hauberk.storage.authorities import managed_certificate_pem, remember_managed_authority
from hauberk.storage.changed_settings import changed_settings
from hauberk.storage.database import Database
from hauberk.storage.enforcement import read_enforced
from hauberk.storage.models import Host, Installation, Token, Zone, now
from hauberk.storage.relaxed_rules import rules_relaxed
from hauberk.storage.tokens import token_sha256
from hauberk.traffic.hours import RecordedHours
from hauberk.traffic.masking_key import KEY_BYTES
from hauberk.traffic.store import TrafficStore
from hauberk.traffic_questions import TrafficQuestions
from hauberk.trial_runs import TrialRuns
from hauberk.tunable import TUNABLE, Source, laid_over
from hauberk.turns import Turns

log = logging.getLogger(__name__)

# A chain and its key are a few kilobytes; a wrong path may name anything.
MAX_PEM_CHARACTERS = 256 * 1024

TOKEN_BYTES = 32

FIRST_TOKENS = {"admin-token": "edit", "gateway-token": "gateway"}


class ControlPlane:
    """
    Everything behind the REST API.

    Args:
        settings: Checked settings.

        passphrase: Encrypts the authority's private key; `None` leaves it plain, mode 0600.

    Raises:
        ConfigurationError: If a certificate or key that the settings name cannot be used.
        StorageError: If the state folder or the database cannot be used.
    """

    def __init__(self, settings: Settings, passphrase: str | None = None) -> None:
        self.declared = settings
        """What `hauberk.toml` and the environment say."""
        _make_private_folder(settings.state_dir)
        self.database = Database(settings.database_url)
        with self.database.read() as session:
            self._changed = _changed(session)
        settings = laid_over(settings, self._changed, os.environ)
        self.settings = settings
        """That, with what was changed while hauberk runs laid over it."""
        with self.database.write() as session:
            known = managed_certificate_pem(session)
            self.authority: Authority = open_managed_authority(
                settings.state_dir, settings.authority, passphrase, known_certificate_pem=known
            )
            self.authority_id = remember_managed_authority(session, self.authority)
            _make_first_tokens(session, settings)
            _adopt_limits(session, settings)
            _adopt_zones(session, settings.zones)
        self.entrance = Entrance(self.database, settings.dashboard)
        # A document of 10 MB takes seconds, and some hundred megabytes meanwhile.
        self.documents = Turns(2, 8, "too many documents are being looked at at the moment: try again in a few seconds", 3)
        self._snapshot: Snapshot | None = None
        self._compiling = threading.Lock()
        self._following = threading.Lock()
        # A gateway that listens nowhere: it compiles snapshots exactly as those that serve.
        self._judge = _native.Gateway(https=[], http=[])
        with self.database.read() as session:
            refusal = self._refusal(compile_snapshot(session))
        self._was_good = refusal is None
        if refusal is not None:
            log.error("gateways cannot enforce what is stored; they stay with what they have", extra={"reason": refusal})
        self.database.before_commit, self.database.after_commit = self._check, self._keep
        self.inventory = Inventory(
            self.database,
            settings.discovery,
            engine=_native.Discovery,
            model_threshold=_native.API_THRESHOLD,
            mask_path=str,  # the store has paths with their secrets masked; what else they say is what an owner wants to see
        )
        self.traffic = TrafficStore(settings.traffic_store, keep_days=settings.traffic.keep_days, max_bytes=settings.traffic.max_bytes)
        self.inventory.source = RecordedTraffic(self.traffic)
        self.questions = TrafficQuestions(self.inventory, _score)
        self.imports = CaptureImports(self.database, settings, self.traffic)
        self.learning = SchemaLearning(self.database, settings.learning, _learning_parts(settings.learning))
        self.learning.hours = RecordedHours(self.traffic.folder)
        self.trials = SchemaTrials(self.database, settings.learning, _native.Validator, _native.Learner)
        self.trials.hours = RecordedHours(self.traffic.folder)
        self.trial_runs = TrialRuns(self.database, self.trials, settings.learning)
        self.metrics = CollectorRegistry()
        secret = webhook_secret(settings.alerts.webhook_secret_file, os.environ)
        if secret is None and settings.alerts.webhook_url is not None:
            log.warning("what the webhook is sent is not signed: alerts.webhook_secret_file names no secret")
        self.drift = DriftWatch(self.database, settings.alerts, self.metrics, secret, _compare)
        self.learning.watch = self.drift
        self.learning.relaxed = rules_relaxed

    def follow_settings(self) -> None:
        """Work by the settings as they are now, wherever they were changed."""
        with self._following:  # who read them later has the last word
            with self.database.read() as session:
                changed = _changed(session)
            if changed != self._changed:
                self._work_by(changed)

    def _work_by(self, changed: dict[str, Any]) -> None:
        settings = laid_over(self.declared, changed, os.environ)
        self._changed, self.settings = changed, settings
        self.inventory.settings = settings.discovery
        self.learning.settings = self.trials.settings = settings.learning
        self.drift.settings = settings.alerts
        self.traffic.keep_days, self.traffic.max_bytes = settings.traffic.keep_days, settings.traffic.max_bytes
        self.inventory.wake()
        self.learning.wake()

    def settings_for_gateways(self) -> dict[str, Any]:
        """
        Give the settings of gateways that were changed; what a gateway's own file or environment sets is stronger.

        They are at least as new as the last snapshot that was given. One that our own file or environment sets by now is not told: here,
        too, the change is not in force.
        """
        known = ((TUNABLE[key], value) for key, value in self._changed.items() if key in TUNABLE)
        return {
            one.key: value for one, value in known if one.is_of_gateways and one.declared_in(self.declared, os.environ) is Source.DEFAULT
        }

    @property
    def public_url(self) -> str:
        """How clients reach the REST API, without a final slash."""
        return (self.settings.control_plane.public_url or self.settings.control_plane_url).rstrip("/")

    @property
    def crl_url(self) -> str:
        """Where the managed authority's CRL is: the distribution point written into certificates."""
        return f"{self.public_url}/crl/{self.authority_id}.crl"

    def sign_in_link(self, secret: str) -> str:
        """Give the address that signs in to the dashboard once."""
        return f"{self.public_url}/sign-in/once/{secret}"

    def revision(self) -> int:
        """Tell the version of the newest snapshot, compiled or not yet."""
        with self.database.read() as session:
            return session.scalars(select(Installation.revision)).one()

    def snapshot(self) -> Snapshot:
        """Compile the newest snapshot, or give the one at hand if nothing has changed since."""
        with self._compiling:
            if self._snapshot is None or self._snapshot.version != self.revision():
                with self.database.read() as session:
                    snapshot = compile_snapshot(session)
                # Another control plane may have changed them; whoever has the snapshot shall work by them.
                self.follow_settings()
                self._snapshot = snapshot
                log.info("snapshot compiled", extra={"version": self._snapshot.version, "bytes": len(self._snapshot.data)})
            return self._snapshot

    def _check(self, session: Session) -> None:
        """
        Refuse a change that gateways would refuse, before it is committed: it would keep every later change from them, too.

        Where they refuse what is stored already, changes pass: one of them will be the remedy.
        """
        snapshot = compile_snapshot(session)
        refusal = self._refusal(snapshot)
        if refusal is not None and self._was_good:
            raise InvalidRequest(f"gateways could not enforce this: {refusal}")
        self._was_good = refusal is None
        session.info["snapshot"] = snapshot

    def _keep(self, session: Session) -> None:
        """Keep what was compiled to be checked: now that the change is committed, this is its snapshot."""
        snapshot: Snapshot | None = session.info.get("snapshot")
        self.follow_settings()
        with self._compiling:
            if snapshot is not None and (self._snapshot is None or self._snapshot.version < snapshot.version):
                self._snapshot = snapshot

    def _refusal(self, snapshot: Snapshot) -> str | None:
        try:
            self._judge.apply_snapshot(snapshot.data)
        except _native.RefusedError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Stop looking at traffic, and let go of the database."""
        self.trial_runs.stop()
        self.learning.stop()
        self.drift.stop()
        self.inventory.stop()
        self.imports.stop()
        self.database.close()


def _score(records: Sequence[Mapping[str, Any]]) -> list[float]:
    """Score transactions whose secrets are masked already; masking hashes again changes nothing that scoring looks at."""
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    capture = _native.Capture(lines, format_name="ndjson", masking_key=bytes(KEY_BYTES), session_identifiers=[], max_row_bytes=2**40)
    scores = [0.0] * len(records)
    for rows, batch in capture:
        for row, line in zip(rows, batch.splitlines(), strict=True):
            scores[row] = json.loads(line)["score"]
    return scores


def _changed(session: Session) -> dict[str, Any]:
    return {key: row.value for key, row in changed_settings(session).items()}


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [change.as_json() for change in difference(before, after)]


def _learning_parts(settings: LearningSettings) -> Parts:
    options = LearnOptions(confidence=settings.confidence, budget=settings.budget)
    return Parts(
        learner=_native.Learner,
        learn=lambda profile, relaxed: learn(profile, options, relaxed),
        write=lambda learned: documents([learned], evidence=False)[0][1],
        check=_native.check_document,
    )


def compile_snapshot(session: Session) -> Snapshot:
    """Compile what the session sees. The same state always gives the same bytes, whoever compiles it."""
    installation = session.get_one(Installation, 1, populate_existing=True)
    content = {
        "created_at": installation.revised_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "settings": installation.limits,
        **read_enforced(session),
    }
    return encode(installation.revision, content)


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid == os.getuid() and folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise StorageError(f"the state folder {folder} cannot be used: {error.strerror}; name another one as state_dir") from error


def _make_first_tokens(session: Session, settings: Settings) -> None:
    """Make the tokens of the owner and of the local gateway at first start; their text is in files only the owner reads."""
    if session.scalar(select(Token.id).limit(1)) is not None:
        return
    for file, scope in FIRST_TOKENS.items():
        path = settings.state_dir / file
        try:
            token = _left_by_a_start_cut_short(path)
            if token is None:
                token = secrets.token_urlsafe(TOKEN_BYTES)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w") as stream:
                    os.fchmod(stream.fileno(), 0o600)
                    stream.write(token + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(f"the token file {path} cannot be written: {error.strerror}") from error
        session.add(Token(name=file, email=settings.control_plane.admin_email, scope=scope, sha256=token_sha256(token)))


def _left_by_a_start_cut_short(path: Path) -> str | None:
    """
    Give the token of a file that is there before the database knows any.

    A gateway may have read it already, so it stays the token. Files that others may write are not believed.
    """
    try:
        text = path.read_text("ascii").strip()
        private = not path.stat().st_mode & 0o077
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return text if private and len(text) == len(secrets.token_urlsafe(TOKEN_BYTES)) else None


def _adopt_limits(session: Session, settings: Settings) -> None:
    """Keep the limits with what else is enforced, so that a change of them makes a new snapshot."""
    installation = session.get_one(Installation, 1)
    limits = settings.limits.model_dump(mode="json")
    if installation.limits != limits:
        installation.limits = limits
        installation.revision += 1
        installation.revised_at = now()


def _adopt_zones(session: Session, zones: Sequence[ZoneSettings]) -> None:
    """Bring zones and hosts of `hauberk.toml` into the database; hosts that left the file leave it too."""
    declared: set[str] = set()
    for zone_settings in zones:
        zone = session.scalar(select(Zone).where(Zone.name == zone_settings.name))
        if zone is None:
            zone = Zone(name=zone_settings.name)
            session.add(zone)
            session.flush()
        for settings in zone_settings.hosts:
            declared.add(settings.name)
            host = session.scalar(select(Host).where(Host.name == settings.name))
            if host is None:
                host = Host(name=settings.name, self_signed=False, certificate_pem="", private_key_pem="")
                session.add(host)
            elif host.zone_id != zone.id and host.from_file is False:
                raise ConfigurationError(f"host '{settings.name}' is in another zone already: delete it there first")
            host.zone_id, host.from_file = zone.id, True
            if host.upstreams != settings.upstreams:
                host.upstreams = settings.upstreams
            if settings.certificate is not None and settings.private_key is not None:
                _give_files(host, settings.certificate, settings.private_key)
            elif not host.self_signed or check_server_certificate(host.certificate_pem, host.private_key_pem, host.name):
                give_self_signed(host)  # also when the one at hand has ended, or ends soon
    for host in session.scalars(select(Host).where(Host.from_file)):
        if host.name not in declared:
            log.warning("host is no longer in the file and is served no more", extra={"host": host.name})
            session.delete(host)


def give_self_signed(host: Host) -> None:
    """Make a certificate for local use, since the owner gave none; clients have to be told to trust it."""
    host.certificate_pem, host.private_key_pem = self_signed(host.name, loopback=True)
    host.self_signed = True
    log.warning("no certificate given: a self-signed one was made, for local use", extra={"host": host.name})


def _give_files(host: Host, certificate: Path, private_key: Path) -> None:
    texts = []
    for key, path in (("certificate", certificate), ("private_key", private_key)):
        try:
            with path.open(encoding="ascii") as stream:
                texts.append(stream.read(MAX_PEM_CHARACTERS))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a PEM file"
            raise ConfigurationError(f"host '{host.name}': {key} {path} cannot be read: {reason}") from error
    try:
        warnings = check_server_certificate(texts[0], texts[1], host.name)
    except InvalidRequest as error:
        path = private_key if error.pointer == "/private_key_pem" else certificate
        raise ConfigurationError(f"host '{host.name}': {path}: {error.message}") from None
    for warning in warnings:
        log.warning("server certificate: %s", warning, extra={"host": host.name})
    if (host.certificate_pem, host.private_key_pem) != (texts[0], texts[1]):
        host.certificate_pem, host.private_key_pem, host.self_signed = texts[0], texts[1], False
