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

_UTF_8 = ("utf-8", "utf8")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class BodyDraft:
    """An operation's request body in the making."""

    contents: dict[str, Draft] = field(default_factory=dict)
    required: Choice | None = None
    only: Choice | None = None
    """That bodies are of these media types; where none was seen, that there is no body."""

    typed: Choice | None = None
    """That bodies say what they are, and are it: a gateway refuses others as soon as a body is declared at all."""

    def request_body(self, evidence: Callable[..., Schema]) -> Schema | None:
        """Write the request body object; `None` if nothing is to be said of bodies."""
        if not self.is_said:
            return None
        content: dict[str, Schema] = {}
        for media_type, draft in sorted(self.contents.items()):
            schema = draft.schema(evidence)
            content[media_type] = {"schema": schema} if schema else {}
        if not (self.only and self.only.made):
            content["*/*"] = {}
        return ({"required": True} if self.required and self.required.made else {}) | {"content": content}

    @property
    def is_said(self) -> bool:
        """Whether the document declares a body."""
        return bool(self.contents) and self.typed is not None and self.typed.made is not None

    @property
    def refuses_others(self) -> bool:
        """Whether a body is refused where the document declares none."""
        return not self.contents and self.only is not None and self.only.made is not None

    def choices(self) -> list[Choice]:
        """Those of the body as a whole."""
        return [choice for choice in (self.typed, self.only, self.required) if choice]


def draft(study: Study, profile: Mapping[str, Any]) -> BodyDraft:
    """Say what can be said of bodies."""
    made = BodyDraft()
    basis = study.basis(profile)
    risk = study.risk
    believed = {
        name: seen for name, seen in sorted(profile["bodies"].items()) if not study.trust.is_fringe(seen["present"], profile["sources"])
    }
    method = profile["method"]
    known = prior("closed body", [f"body:{bool(believed)}", method])
    told = f"{len(believed)} media types in {basis.samples} requests"
    only = study.ledger.choose("body", basis, [Option.by(known, "closed", True, basis.samples, risk, told)])
    made.only = only
    if not believed:
        return made
    options = []
    if all(_is_judged(name, seen, study) for name, seen in believed.items()):
        known = prior("typed body", [method, f"types:{min(len(believed), 2)}"])
        options = [Option.by(known, "content", tuple(believed), basis.samples, risk, told)]
    made.typed = study.ledger.choose("body", basis, options)
    made.typed.is_given = True
    # Without a body that is declared, there is nothing to say of its media types or of what is in it.
    only.only_with = (made.typed, frozenset(believed))
    for media_type, seen in believed.items():
        place = Place(f"body/{escape(media_type)}", "form" if media_type in _FORMS else "json", "")
        # Parts have content types of their own, which profiles do not tell member by member: a form of parts is declared, and left open.
        read = media_type == "application/x-www-form-urlencoded" or _is_json(media_type)
        made.contents[media_type] = values.draft(study, seen["node"], place, seen["present"]) if read else Draft(place.pointer)
        root = made.contents[media_type].kinds
        if root:
            root.only_with = (made.typed, frozenset({media_type}))
    if not profile["without_body"]["requests"]:
        known = prior("required", ["body", f"body:{method}"])
        option = Option.by(known, "required", True, basis.samples, risk, f"in all of {basis.samples}")
        made.required = study.ledger.choose("body", basis, [option])
        made.required.only_with = (made.typed, frozenset(believed))
    return made


def _is_judged(media_type: str, seen: Mapping[str, Any], study: Study) -> bool:
    """Whether the gateway would let bodies of this kind pass at all, once a body is declared."""
    if not media_type or media_type.endswith(("/xml", "+xml")):
        return False
    unreadable = seen.get("unreadable")
    if unreadable and not study.trust.is_fringe(unreadable, seen["present"]["sources"]):
        return False
    is_text = media_type in _FORMS or _is_json(media_type) or media_type.startswith("text/")
    return not is_text or all(charset in _UTF_8 for charset in seen.get("charset", {}))


def _is_json(media_type: str) -> bool:
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")
