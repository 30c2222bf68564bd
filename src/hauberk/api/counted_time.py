"""When a gateway counted something, as it tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from hauberk.storage.models import now

# Clocks differ, but what is told of a time to come would be the newest there is until then, and never be forgotten.
AHEAD = timedelta(days=1)


def _not_ahead(second: int) -> int:
    if second > (now() + AHEAD).timestamp():
        raise ValueError("is more than a day ahead: the gateway's clock, or the control plane's, is wrong")
    return second


CountedSecond = Annotated[int, Field(ge=0), AfterValidator(_not_ahead)]
"""Seconds since 1970."""
