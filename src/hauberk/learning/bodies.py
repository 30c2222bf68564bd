"""Bodies: their media types, whether one must come, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hauberk.learning import values
from hauberk.learning.choice import Choice, Option
from hauberk.learning.draft import Draft, Schema
from hauberk.learning.looks import Place, escape
from hauberk.learning.merging import body_with
from hauberk.learning.priors import prior
from hauberk.learning.values import Study

_UTF_8 = ("utf-8", "utf8")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class BodyDraft:
    """An operation's request body in the making."""

    contents: dict[str, Draft] = field(default_factory=dict)
    """Of media types that the gateway can judge. Bodies of others pass unchecked unless `only` is made."""

    required: Choice | None = None
    only: Choice | None = None
    """That bodies are of these media types; where none was seen, that there is no body."""

    untyped: str | None = None
    """The media type by which bodies are judged that do not say theirs."""

    def request_body(self, evidence: Callable[..., Schema]) -> Schema | None:
        """Write the request body object; `None` if nothing is to be said of bodies."""
        if not self.contents:
            return None
        content: dict[str, Schema] = {}
        for media_type, draft in sorted(self.contents.items()):
            schema = draft.schema(evidence)
            content[media_type] = {"schema": schema} if schema else {}
        return ({"required": True} if self.required and self.required.made else {}) | {"content": content}

    @property
    def refuses_others(self) -> bool:
        """Whether a body of another media type is refused, or any where the document declares none."""
        return self.only is not None and self.only.made is not None

    def choices(self) -> list[Choice]:
        """Those of the body as a whole."""
        return [choice for choice in (self.only, self.required) if choice]


def draft(study: Study, profile: Mapping[str, Any]) -> BodyDraft:
    """Say what can be said of bodies."""
    made = BodyDraft()
    # What a body is, is no statement with a risk of its own: all that is said of bodies rests on it, and goes with it.
    if study.ledger.is_relaxed("body content"):
        return made
    basis = study.basis(profile)
    risk = study.risk
    seen_types = {
        name: seen for name, seen in sorted(profile["bodies"].items()) if not study.trust.is_fringe(seen["present"], profile["sources"])
    }
    made.untyped, believed = _typed(seen_types, study)
    judged = {name: seen for name, seen in believed.items() if _is_judged(name, seen, study)}
    options = []
    if len(judged) == len(believed):
        known = prior("closed body", [f"body:{bool(believed)}", profile["method"]])
        told = f"{len(believed)} media types in {basis.samples} requests"
        options = [Option.by(known, "closed", True, basis.samples, risk, told)]
    made.only = study.ledger.choose("body", basis, options)
    for media_type, seen in judged.items():
        place = Place(f"body/{escape(media_type)}", "form" if media_type in _FORMS else "json", "")
        read = media_type in _FORMS or _is_json(media_type)
        made.contents[media_type] = values.draft(study, seen["node"], place, seen["present"]) if read else Draft(place.pointer)
    # What a client sends along with a DELETE has no meaning (RFC 9110, 9.3.5), so another client sends nothing.
    if judged and not profile["without_body"]["requests"] and profile["method"] not in {"GET", "HEAD", "DELETE"}:
        known = prior("required", ["body", f"body:{profile['method']}"])
        option = Option.by(known, "required", True, basis.samples, risk, f"in all of {basis.samples}")
        made.required = study.ledger.choose("body", basis, [option])
    return made


def _typed(seen_types: Mapping[str, Mapping[str, Any]], study: Study) -> tuple[str | None, dict[str, Mapping[str, Any]]]:
    """
    Put bodies that did not say their media type to those that they read like.

    A profile reads them as JSON. If they are, they are judged like the bodies that said so, unless several types of JSON came.
    """
    believed = dict(seen_types)
    untyped = believed.get("")
    kinds = [name for name in believed if _is_json(name)]
    # A word or a number is JSON too, by chance.
    came = untyped["node"]["value"]["kinds"] if untyped else {}
    is_json = bool(came) and came.keys() <= {"object", "array"}
    if untyped is None or not is_json or _is_unreadable(untyped, study) or len(kinds) > 1:
        return None, believed
    del believed[""]
    name = kinds[0] if kinds else "application/json"
    believed[name] = body_with(believed[name], untyped) if kinds else untyped
    return name, believed


def _is_judged(media_type: str, seen: Mapping[str, Any], study: Study) -> bool:
    """Whether the gateway lets bodies of this kind pass that it is to judge."""
    if not media_type or media_type.endswith(("/xml", "+xml")) or _is_unreadable(seen, study):
        return False
    is_text = media_type in _FORMS or _is_json(media_type) or media_type.startswith("text/")
    return not is_text or all(charset in _UTF_8 for charset in seen.get("charset", {}))


def _is_unreadable(seen: Mapping[str, Any], study: Study) -> bool:
    """Whether some were not what their media type says."""
    unreadable = seen.get("unreadable")
    return unreadable is not None and not study.trust.is_fringe(unreadable, seen["present"]["sources"])


def _is_json(media_type: str) -> bool:
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")
