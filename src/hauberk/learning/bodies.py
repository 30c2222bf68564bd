"""Bodies: their media types, whether one must come, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hauberk.learning import values
from hauberk.learning.choice import Choice, Option
from hauberk.learning.draft import Draft, Schema
from hauberk.learning.looks import Place, escape
from hauberk.learning.priors import prior
from hauberk.learning.values import Study

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class BodyDraft:
    """An operation's request body in the making."""

    contents: dict[str, Draft] = field(default_factory=dict)
    required: Choice | None = None
    only: Choice | None = None
    """That bodies are of these media types; where none was seen, that there is no body."""

    def request_body(self, evidence: Callable[..., Schema]) -> Schema | None:
        """Write the request body object; `None` if nothing is known of bodies."""
        if not self.contents:
            return None
        content: dict[str, Schema] = {}
        for media_type, draft in sorted(self.contents.items()):
            schema = draft.schema(evidence)
            content[media_type] = {"schema": schema} if schema else {}
        if not (self.only and self.only.made):
            content["*/*"] = {}
        return ({"required": True} if self.required and self.required.made else {}) | {"content": content}


def draft(study: Study, profile: Mapping[str, Any]) -> BodyDraft:
    """Say what can be said of bodies."""
    made = BodyDraft()
    basis = study.basis(profile)
    for media_type, seen in sorted(profile["bodies"].items()):
        if study.trust.is_fringe(seen["present"], profile["sources"]):
            continue
        place = Place(f"body/{escape(media_type)}", "form" if media_type in _FORMS else "json", "*")
        is_read = media_type in _FORMS or media_type.endswith(("/json", "+json"))
        has_other = bool(seen.get("unreadable"))
        made.contents[media_type] = (
            values.draft(study, seen["node"], place, seen["present"]) if is_read and not has_other else Draft(place.pointer)
        )
    method = profile["method"]
    with_body = sum(seen["present"]["requests"] for seen in profile["bodies"].values())
    known = prior("closed body", [f"body:{bool(with_body)}", method])
    told = f"{len(profile['bodies'])} media types in {basis.samples} requests"
    option = Option.by(known, "closed", True, basis.samples, study.risk, told)
    made.only = study.ledger.choose("body", basis, [option])
    if with_body and not profile["without_body"]["requests"]:
        known = prior("required", ["body", f"body:{method}"])
        option = Option.by(known, "required", True, basis.samples, study.risk, f"in all of {basis.samples}")
        made.required = study.ledger.choose("body", basis, [option])
    return made
