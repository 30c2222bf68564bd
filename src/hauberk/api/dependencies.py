"""What routes ask for: the control plane, and the zone or account their path names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, AwareDatetime

from hauberk.errors import NotFound
from hauberk.pipeline import ControlPlane
from hauberk.storage.models import Installation, Zone

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def _plane(request: Request) -> ControlPlane:
    plane = request.app.state.plane
    assert isinstance(plane, ControlPlane)  # noqa: S101 - set when the application is made
    return plane


Plane = Annotated[ControlPlane, Depends(_plane)]
"""The control plane behind the application."""


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be within the years 1 to 9999 of UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time of a query, with its offset; what the database cannot hold is refused by name."""

ZoneId = Annotated[str, Path(description="The zone's id, 32 hexadecimal digits: GET /client/v4/zones lists them")]
AccountId = Annotated[str, Path(description="The account's id: GET /client/v4/accounts tells it")]


def zone_of(session: Session, zone_id: str) -> Zone:
    """
    Find a zone by id.

    Raises:
        NotFound: If there is none.
    """
    zone = session.get(Zone, zone_id)
    if zone is None:
        raise NotFound(f"no zone has the id '{zone_id[:64]}': GET /client/v4/zones lists those there are")
    return zone


def account_of(session: Session, account_id: str) -> Installation:
    """
    Find the account by id; an installation has one.

    Raises:
        NotFound: If it is another id.
    """
    installation = session.get(Installation, 1)
    if installation is None or installation.account_id != account_id:
        raise NotFound(f"no account has the id '{account_id[:64]}': GET /client/v4/accounts tells this installation's")
    return installation
