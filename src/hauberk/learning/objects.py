"""Objects: their members, which of them always come, and whether there are others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hauberk.learning import values
from hauberk.learning.choice import Basis, Choice, Option
from hauberk.learning.draft import ObjectDraft
from hauberk.learning.looks import Place
from hauberk.learning.merging import plain_object
from hauberk.learning.priors import prior
from hauberk.learning.statistics import missing_mass

if TYPE_CHECKING:
    from hauberk.learning.values import Study

# Names that are somebody's data: addresses of e-mail, and what was hashed because it is secret. No schema lists them.
_DATA = re.compile(r"@|\bh:[0-9a-f]{12}\b")


def draft(study: Study, seen: Mapping[str, Any], place: Place, kinds: Choice) -> ObjectDraft:
    """Say what can be said of objects at a place."""
    seen = plain_object(seen)
    made = ObjectDraft()
    basis = study.basis(seen["present"])
    if seen["map"] is not None:
        held = seen["map"]
        made.values = values.draft(study, held["node"], place.of_items(), seen["present"]).within(kinds, "object")
        return made
    listed = {name: member for name, member in seen["members"].items() if not _DATA.search(name)}
    believed = {name: member for name, member in listed.items() if not study.trust.is_fringe(member["present"], seen["present"]["sources"])}
    left_out = len(listed) - len(believed)
    for name, member in believed.items():
        made.members[name] = values.draft(study, member["node"], place.at(name), member["present"]).within(kinds, "object")
    for name, member in believed.items():
        always = seen["present"]["requests"] - member["present"]["requests"] <= 0 and member["present"]["samples"] >= basis.samples
        if always:
            made.required[name] = required(study, place, name, basis)
            made.required[name].only_with = (kinds, frozenset({"object"}))
    if len(listed) == len(seen["members"]):
        made.closed = closed(study, seen, place, basis, believed, left_out)
        made.closed.only_with = (kinds, frozenset({"object"}))
    return made


def required(study: Study, place: Place, name: str, basis: Basis) -> Choice:
    """Say that a member always comes."""
    inner = place.at(name)
    known = prior("required", [inner.location, f"look:{inner.look}", f"word:{inner.word}"])
    option = Option.by(known, "required", name, basis.samples, study.risk, f"in all of {basis.samples}")
    return study.ledger.choose(inner.pointer, basis, [option])


def closed(study: Study, seen: Mapping[str, Any], place: Place, basis: Basis, believed: Mapping[str, Any], left_out: int) -> Choice:
    """Say that there are no other members."""
    once = sum(member["present"]["samples"] == 1 for member in believed.values())
    known = prior(
        "closed",
        [place.location, f"once:{min(once, 3)}", f"shapes:{_size(len(seen['shapes'] or range(65)))}", f"members:{_size(len(believed))}"],
    )
    unseen = missing_mass(once, basis.samples) if once else 0.0
    statistic = f"{len(believed)} names in {basis.samples} objects, {once} of them once"
    statistic += f", {left_out} of few callers left out" if left_out else ""
    option = Option.by(known, "additionalProperties", False, basis.samples, study.risk, statistic, at_least=unseen)
    if not once:
        # The prior, of few samples, falls too slowly: where all names came again, what is new is rare (see `new_name`).
        option = replace(option, probability=min(option.probability, 2.0 / (basis.samples + 1) ** 1.5))
    return study.ledger.choose(place.pointer, basis, [option])


def _size(count: int) -> str:
    return "1" if count <= 1 else "few" if count <= 4 else "some" if count <= 16 else "many"
