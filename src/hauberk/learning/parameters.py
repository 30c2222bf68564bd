"""Parameters of path, query, header and cookie, and whether a query has others."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.learning import values
from hauberk.learning.choice import Choice, Option
from hauberk.learning.draft import Draft, Schema
from hauberk.learning.looks import Place, escape
from hauberk.learning.pool import NOTHING, Pool, prefixes
from hauberk.learning.priors import prior
from hauberk.learning.statistics import new_name
from hauberk.learning.values import Study


@dataclass(slots=True)
class ParameterDraft:
    """A parameter in the making."""

    location: str
    name: str
    value: Draft
    required: Choice | None
    single: Choice | None
    """That it comes once."""

    def parameter(self, evidence: Callable[..., Schema]) -> Schema:
        """Write the parameter object."""
        schema = self.value.schema(evidence)
        if self.single is not None and self.single.made is None:
            told = {key: schema.pop(key) for key in ("x-hauberk-evidence",) if key in schema}
            schema = {"type": "array", "items": schema, **told}
        parameter: Schema = {"name": self.name, "in": self.location}
        if self.location == "path" or (self.required and self.required.made):
            parameter["required"] = True
        if self.location == "query" and not schema.get("type") and not schema.get("anyOf"):
            # Without a type a text is a text; a list only where it is said to be one.
            parameter["allowEmptyValue"] = True
        return parameter | {"schema": schema}

    def choices(self) -> Iterator[Choice]:
        """Those of the parameter itself."""
        for choice in (self.required, self.single):
            if choice:
                yield choice


def path_names(endpoint: str) -> list[str]:
    """The names of a template's variables."""
    return re.findall(r"\{([^{}]+)\}", endpoint)


def drafts(study: Study, profile: Mapping[str, Any], pool: Pool = NOTHING) -> list[ParameterDraft]:
    """Say what can be said of all parameters."""
    made = []
    endpoint = profile["endpoint"]
    for name, prefix, own in zip(path_names(endpoint), prefixes(endpoint), profile["path"], strict=False):
        seen = pool.variable(prefix, own)
        place = Place(f"path/{escape(name)}", "path", _name_before(endpoint, name), pool.unseen_word(prefix, endpoint))
        value = values.draft(study, seen["node"], place, seen["present"])
        value.words = pool.words_beside(prefix) if endpoint.endswith("{" + name + "}") else ()
        made.append(ParameterDraft("path", name, value, None, None))
    for location in ("query", "header", "cookie"):
        for name, seen in sorted(profile[location].items()):
            if study.trust.is_fringe(seen["present"], profile["sources"]):
                continue
            made.append(_named(study, profile, location, name, seen))
    return made


def _named(study: Study, profile: Mapping[str, Any], location: str, name: str, seen: Mapping[str, Any]) -> ParameterDraft:
    place = Place(f"{location}/{escape(name)}", location, name)
    basis = study.basis(seen["present"])
    required = None
    if seen["present"]["requests"] == profile["requests"]:
        known = prior("required", [location, f"look:{place.look}", f"word:{place.word}"])
        option = Option.by(known, "required", True, basis.samples, study.risk, f"in all of {basis.samples}")
        required = study.ledger.choose(place.pointer, basis, [option])
    single = None
    if location == "query":
        known = prior("single", [f"list:{name.endswith(']')}", f"look:{place.look}", f"word:{place.word}"])
        options = []
        if not seen.get("repeated"):
            told = f"once in each of {basis.samples}"
            options = [Option.by(known, "single", True, basis.samples, study.risk, told)]
        single = study.ledger.choose(place.pointer, basis, options)
    return ParameterDraft(location, name, values.draft(study, seen["node"], place, seen["present"]), required, single)


def undeclared_query(study: Study, profile: Mapping[str, Any]) -> Choice:
    """Say that a query has no other parameters."""
    basis = study.basis(profile)
    once = sum(seen["present"]["samples"] == 1 for seen in profile["query"].values())
    statistic = f"{len(profile['query'])} names in {basis.samples} requests, {once} of them once"
    needs = max(1, math.ceil(math.sqrt(0.5 / study.risk)) - basis.samples) if not once else basis.samples
    option = Option("closed", True, new_name(once, basis.samples), statistic, needs)
    return study.ledger.choose("query", basis, [option])


def _name_before(endpoint: str, name: str) -> str:
    """What a variable is called: by its own name, or if discovery named it by the segment before it, in the singular."""
    if not re.fullmatch(r"var\d+", name):
        return name
    before = endpoint.split("{" + name + "}", maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    return before.removesuffix("s") if before and "{" not in before else "id"
