"""The way in: what opens a session, what ends it, and what nobody finds out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from hauberk.access.passwords import Passwords
from hauberk.config import DashboardSettings
from hauberk.entrance import Entrance, Origin, new_mark
from hauberk.errors import Conflict, Forbidden, InvalidRequest, TooManyRequests, Unauthenticated
from hauberk.storage.access_tables import DashboardSession, SignInLink, User
from hauberk.storage.dashboard_sessions import MAX_SESSIONS, Owner
from hauberk.storage.database import Database
from hauberk.storage.models import Token, now
from hauberk.storage.tokens import token_sha256
from hauberk.storage.users import add_user, set_disabled, set_password, set_role, user_named

pytestmark = pytest.mark.both_databases

HERE = Origin("192.0.2.1", "Browser/1.0")
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entrance(open_database: Callable[[], Database], clock: Clock) -> Entrance:
    database = open_database()
    made = Entrance(database, DashboardSettings(), clock)
    made.passwords = Passwords(CHEAP)
    with database.write() as session:
        add_user(session, "Ada", made.passwords.hash(PASSWORD), "viewer")
        for scope in ("read", "edit", "gateway"):
            session.add(Token(name=scope, email="owner@example.com", scope=scope, sha256=token_sha256(scope)))
    return made


def user_id(entrance: Entrance) -> str:
    with entrance.database.read() as session:
        return session.scalars(select(User.id)).one()


def test_a_user_signs_in_with_the_rights_of_the_role(entrance: Entrance) -> None:
    secret = entrance.sign_in("ada", PASSWORD, HERE)
    entered = entrance.entered(secret)
    assert entered is not None
    assert (entered.name, entered.scope) == ("Ada", "read")
    with entrance.database.write() as session:
        user = session.scalars(select(User)).one()
        assert user.signed_in_at is not None
        set_role(user, "editor")
    entered = entrance.entered(secret)
    assert entered is not None
    assert entered.scope == "edit"


def test_each_session_has_a_secret_of_its_own_that_is_not_stored(entrance: Entrance) -> None:
    secrets = {entrance.sign_in("Ada", PASSWORD, HERE) for _ in range(3)}
    assert len(secrets) == 3
    with entrance.database.read() as session:
        rows = session.scalars(select(DashboardSession)).all()
    assert len(rows) == 3
    for row in rows:
        assert not secrets & {row.id, row.secret_sha256}
    assert entrance.entered(rows[0].secret_sha256) is None


def refusal(entrance: Entrance, name: str, password: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        entrance.sign_in(name, password, HERE)
    return error.value.message


def test_no_error_tells_whether_a_name_is_known(entrance: Entrance) -> None:
    texts = {refusal(entrance, "ada", "wrong horse battery"), refusal(entrance, "nobody", PASSWORD), refusal(entrance, "a\0", PASSWORD)}
    with entrance.database.write() as session:
        set_disabled(session, session.scalars(select(User)).one(), disabled=True)
    texts.add(refusal(entrance, "ada", PASSWORD))
    assert texts == {"the name or the password is wrong"}


def test_for_an_unknown_name_a_hash_is_computed_as_well(entrance: Entrance) -> None:
    asked: list[str | None] = []

    class Watched(Passwords):
        def is_right(self, hash_: str | None, password: str) -> bool:
            asked.append(hash_)
            return super().is_right(hash_, password)

    entrance.passwords = Watched(CHEAP)
    refusal(entrance, "nobody", PASSWORD)
    assert asked == [None]


def test_a_hash_of_older_parameters_is_made_anew(entrance: Entrance) -> None:
    entrance.passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    entrance.sign_in("ada", PASSWORD, HERE)
    with entrance.database.read() as session:
        assert "m=128,t=2" in session.scalars(select(User.password_hash)).one()
    entrance.sign_in("ada", PASSWORD, HERE)


def test_tokens_sign_in_by_their_scope(entrance: Entrance) -> None:
    for scope in ("read", "edit"):
        entered = entrance.entered(entrance.sign_in_with_token(scope, HERE))
        assert entered is not None
        assert (entered.scope, entered.email) == (scope, "owner@example.com")
    with pytest.raises(Forbidden, match="is for gateways"):
        entrance.sign_in_with_token("gateway", HERE)
    with pytest.raises(Unauthenticated):
        entrance.sign_in_with_token("other", HERE)


def test_whatever_ends_rights_ends_sessions(entrance: Entrance) -> None:
    def end_disabled() -> None:
        with entrance.database.write() as session:
            set_disabled(session, session.scalars(select(User)).one(), disabled=True)
        with entrance.database.write() as session:
            set_disabled(session, session.scalars(select(User)).one(), disabled=False)

    def end_password() -> None:
        with entrance.database.write() as session:
            set_password(session, session.scalars(select(User)).one(), entrance.passwords.hash(PASSWORD))

    def end_user() -> None:
        with entrance.database.write() as session:
            session.delete(session.scalars(select(User)).one())

    secret = entrance.sign_in("ada", PASSWORD, HERE)
    entrance.sign_out(secret)
    assert entrance.entered(secret) is None
    for end in (end_disabled, end_password, end_user):
        secret = entrance.sign_in("ada", PASSWORD, HERE)
        assert entrance.entered(secret) is not None
        end()
        assert entrance.entered(secret) is None
    secret = entrance.sign_in_with_token("read", HERE)
    with entrance.database.write() as session:
        session.execute(update(Token).values(revoked_at=now()))
    assert entrance.entered(secret) is None


def test_changing_the_own_password_keeps_the_own_session(entrance: Entrance) -> None:
    own, other = (entrance.sign_in("ada", PASSWORD, HERE) for _ in range(2))
    entered = entrance.entered(own)
    assert entered is not None
    with entrance.database.write() as session:
        user = session.scalars(select(User)).one()
        set_password(session, user, entrance.passwords.hash(PASSWORD), keep_session=entered.session_id)
    assert entrance.entered(own) is not None
    assert entrance.entered(other) is None


@pytest.mark.parametrize(
    ("column", "ago", "good"),
    [
        ("last_seen_at", timedelta(hours=7, minutes=59), True),
        ("last_seen_at", timedelta(hours=8, minutes=1), False),
        ("created_at", timedelta(days=6, hours=23), True),
        ("created_at", timedelta(days=7, minutes=1), False),
        ("created_at", -timedelta(days=1), False),
    ],
)
def test_sessions_end_by_idleness_and_by_age(entrance: Entrance, column: str, ago: timedelta, good: bool) -> None:
    secret = entrance.sign_in("ada", PASSWORD, HERE)
    with entrance.database.write() as session:
        session.execute(update(DashboardSession).values({column: now() - ago}))
    assert (entrance.entered(secret) is not None) is good
    entrance.forget()
    with entrance.database.read() as session:
        gone = session.scalars(select(DashboardSession)).one_or_none() is None
    assert gone is (not good and ago > timedelta(0))


def test_only_what_a_person_does_keeps_a_session_alive(entrance: Entrance) -> None:
    secret = entrance.sign_in("ada", PASSWORD, HERE)
    before = now() - timedelta(hours=7)

    def seen() -> timedelta:
        with entrance.database.read() as session:
            return now() - session.scalars(select(DashboardSession.last_seen_at)).one()

    with entrance.database.write() as session:
        session.execute(update(DashboardSession).values(last_seen_at=before))
    entrance.entered(secret, active=False)
    assert seen() > timedelta(hours=6)
    entrance.entered(secret)
    assert seen() < timedelta(minutes=1)


def test_so_many_sessions_of_one_user_are_kept(entrance: Entrance) -> None:
    first = entrance.sign_in("ada", PASSWORD, HERE)
    for _ in range(MAX_SESSIONS):
        last = entrance.sign_in("ada", PASSWORD, HERE)
    assert entrance.entered(first) is None
    assert entrance.entered(last) is not None


def test_failures_make_the_address_and_the_name_wait(entrance: Entrance, clock: Clock) -> None:
    for _ in range(5):
        refusal(entrance, "ada", "wrong horse battery")
    for name, origin in (("ada", HERE), ("other", HERE), ("ADA", Origin("198.51.100.7", ""))):
        with pytest.raises(TooManyRequests) as error:
            entrance.sign_in(name, PASSWORD, origin)
        assert error.value.retry_after_seconds == 1
    with pytest.raises(Unauthenticated):
        entrance.sign_in("other", PASSWORD, Origin("198.51.100.7", ""))
    clock.now += 1
    assert entrance.entered(entrance.sign_in("ada", PASSWORD, HERE)) is not None


def fail(entrance: Entrance, clock: Clock, name: str, mark: str = "", times: int = 12) -> int:
    """Fail for a name as often as one may, each time from another network; give how long the next try would have to wait."""
    waited = 0
    for number in range(times):
        clock.now += waited
        origin = Origin(f"2001:db8:{number:x}:{int(clock.now):x}::1", "", mark)
        try:
            entrance.sign_in(name, "wrong horse battery", origin)
        except TooManyRequests as error:
            waited = error.retry_after_seconds
        except Unauthenticated:
            waited = 0
    return waited


def test_a_stranger_does_not_hold_up_an_owner_in_a_browser_of_theirs(entrance: Entrance, clock: Clock) -> None:
    own = Origin("198.51.100.7", "", new_mark("Ada"))
    fail(entrance, clock, "ada")
    with pytest.raises(TooManyRequests):
        entrance.sign_in("ada", PASSWORD, Origin("198.51.100.8", ""))
    assert entrance.entered(entrance.sign_in("ADA", PASSWORD, own)) is not None
    # The stranger is forgiven nothing by that.
    with pytest.raises(TooManyRequests):
        entrance.sign_in("ada", PASSWORD, Origin("198.51.100.9", ""))
    # Nor does the owner wait where the owner proves it once more.
    secret = entrance.sign_in("ada", PASSWORD, own)
    entered = entrance.entered(secret)
    assert entered is not None
    entrance.check_again("ada", PASSWORD, entered.session_id)


def test_tries_with_a_mark_are_limited_too_and_only_for_its_name(entrance: Entrance, clock: Clock) -> None:
    mark = new_mark("ada")
    assert fail(entrance, clock, "ada", mark) > 0
    with pytest.raises(TooManyRequests):
        entrance.sign_in("ada", PASSWORD, Origin("198.51.100.7", "", mark))
    # Others of the name are not held up by it, and its own address waits whatever it brings.
    entrance.sign_in("ada", PASSWORD, Origin("198.51.100.8", ""))
    for bad in (new_mark("grace"), "", "x", mark[:-1], f"{mark} "):
        fail(entrance, clock, "ada", bad)
        with pytest.raises(TooManyRequests):
            entrance.sign_in("ada", PASSWORD, Origin("198.51.100.9", "", bad))
        clock.now += 60
        entrance.sign_in("ada", PASSWORD, Origin("198.51.100.9", ""))
    here = Origin("198.51.100.10", "", new_mark("ada"))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            entrance.sign_in("other", PASSWORD, here)
    with pytest.raises(TooManyRequests):
        entrance.sign_in("ada", PASSWORD, here)


def test_a_name_never_waits_long_and_an_address_does(entrance: Entrance, clock: Clock) -> None:
    def waits(origin: Origin) -> float:
        try:
            entrance.sign_in("ada", "wrong horse battery", origin)
        except TooManyRequests as error:
            return error.retry_after_seconds
        except Unauthenticated:
            return 0
        return -1

    longest = 0.0
    for number in range(60):  # each from another network
        wait = waits(Origin(f"2001:db8:{number:x}::1", ""))
        longest, clock.now = max(longest, wait), clock.now + wait
    assert longest == 30
    longest = 0.0
    for number in range(60):  # all from one network, with another name each
        with pytest.raises((TooManyRequests, Unauthenticated)) as error:
            entrance.sign_in(f"name-{number}", PASSWORD, Origin(f"2001:db8:ffff:1::{number:x}", ""))
        wait = getattr(error.value, "retry_after_seconds", 0)
        longest, clock.now = max(longest, wait), clock.now + wait
    assert longest == 900


def test_signing_in_does_not_forgive_an_address_what_it_failed_before(entrance: Entrance, clock: Clock) -> None:
    for number in range(12):
        while True:
            try:
                entrance.sign_in(f"other-{number}", PASSWORD, HERE)
            except TooManyRequests as error:
                clock.now += error.retry_after_seconds
            except Unauthenticated:
                break
        clock.now += 1000
        entrance.sign_in("ada", PASSWORD, HERE)
    refusal(entrance, "other", PASSWORD)
    with pytest.raises(TooManyRequests) as error:
        entrance.sign_in("ada", PASSWORD, HERE)
    assert error.value.retry_after_seconds > 100


def test_a_link_signs_in_once(entrance: Entrance) -> None:
    secret, _ = entrance.make_link(Owner(user_id=user_id(entrance)))
    assert entrance.is_link(secret)
    assert entrance.is_link(secret)  # looking does not use it up
    entered = entrance.entered(entrance.sign_in_with_link(secret, HERE))
    assert entered is not None
    assert entered.name == "Ada"
    assert not entrance.is_link(secret)
    with pytest.raises(Unauthenticated, match="used already"):
        entrance.sign_in_with_link(secret, HERE)


def test_a_link_ends_after_an_hour_and_with_its_owner(entrance: Entrance) -> None:
    old, _ = entrance.make_link(Owner(user_id=user_id(entrance)))
    with entrance.database.write() as session:
        session.execute(update(SignInLink).values(expires_at=now() - timedelta(seconds=1)))
    shut_out, _ = entrance.make_link(Owner(user_id=user_id(entrance)))
    with entrance.database.write() as session:
        set_disabled(session, session.scalars(select(User)).one(), disabled=True)
    for secret in (old, shut_out, "made-up"):
        assert not entrance.is_link(secret)
        with pytest.raises(Unauthenticated):
            entrance.sign_in_with_link(secret, HERE)


def test_the_first_link_is_for_the_owner_while_there_is_no_user(entrance: Entrance) -> None:
    assert entrance.first_link() is None
    with entrance.database.write() as session:
        session.delete(session.scalars(select(User)).one())
    secret = entrance.first_link()
    assert secret is not None
    entered = entrance.entered(entrance.sign_in_with_link(secret, HERE))
    assert entered is not None
    assert (entered.name, entered.scope) == ("edit", "edit")


def test_two_control_planes_on_one_database_believe_each_others_cookies(entrance: Entrance) -> None:
    secret = entrance.sign_in("ada", PASSWORD, HERE)
    other = Entrance(entrance.database, DashboardSettings())
    assert other.seal.open(entrance.seal.seal(secret)) == secret
    assert other.entered(secret) is not None
    entrance.sign_out(secret)
    assert other.entered(secret) is None


def test_names_differ_by_more_than_case(entrance: Entrance) -> None:
    for name in ("ada", "ADA", "\uff21da"):
        with entrance.database.write() as session, pytest.raises(Conflict):
            add_user(session, name, "hash", "viewer")
    for name in ("", " ada", "a\nb", "a\0", "a\u202eb", "x" * 65):
        with entrance.database.write() as session, pytest.raises(InvalidRequest):
            add_user(session, name, "hash", "viewer")
    with entrance.database.write() as session:
        add_user(session, "Zoë van Straße", "hash", "viewer")
        assert user_named(session, "ZOE\u0308 VAN STRASSE") is not None
