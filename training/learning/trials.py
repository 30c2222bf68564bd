"""
Trials: statements made from some recordings of an operation, and whether requests of other recordings kept them.

Recordings are drawn at random, few or many, so that statements are tried after one sample as well as after hundreds. A trial is a
statement and a
request that has a value at its place; the request breaks it or not.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hauberk.learning.choice import Choice, Option
from hauberk.learning.learn import draft
from hauberk.learning.looks import escape
from hauberk.learning.settings import LearnOptions
from training.learning.profiles import INTEGER, NUMBER, SECRET, body_of, formats_of, header_values, path_values, profile, query_values
from training.learning.recordings import Call, by_operation, calls

SHARES = (0.03, 0.2, 0.5, 0.75)
_GITHUB = {"octokit-rb", "pygithub", "github3-py"}


@dataclass(frozen=True, slots=True)
class Trial:
    """A statement tried."""

    site: str
    """The API: what is held out as a whole."""

    place: str
    statement: str
    contexts: tuple[str, ...]
    clean: int
    """How many samples kept it before."""

    broken: bool


def site_of(call: Call) -> str:
    """The API of a call; GitHub is one, whoever calls."""
    if call.corpus in _GITHUB:
        return "github"
    if call.corpus in {"lexicon", "pydantic-ai", "jupiterone-gcp"} or call.row.get("resource_type"):
        return f"{call.corpus}/{call.row['host']}"
    return call.corpus


def trials(corpus: str, seed: int = 0) -> Iterator[Trial]:
    """Try statements on a corpus."""
    chance = random.Random(f"{corpus} {seed}")
    for operation, found in sorted(by_operation(calls(corpus)).items()):
        recordings = sorted({call.recording for call in found})
        if len(recordings) < 2:
            continue
        for share in SHARES:
            known = {recording for recording in recordings if chance.random() < share} or {chance.choice(recordings)}
            yield from _tried(operation, found, known)


def _tried(operation: tuple[str, str, str], found: list[Call], known: set[str]) -> Iterator[Trial]:
    learned = [call for call in found if call.recording in known]
    held_out = [call for call in found if call.recording not in known]
    if not held_out:
        return
    seen = profile(operation, [call.row for call in learned])
    choices = draft(seen, LearnOptions()).ledger.choices
    for call in held_out:
        request = Request(operation[2], call.row, {choice.pointer for choice in choices})
        for choice in choices:
            for option in choice.options:
                broken = request.breaks(choice, option, seen)
                if broken is None or option.prior is None:
                    continue
                place = " ".join((*operation, choice.pointer))
                yield Trial(site_of(call), place, option.prior.statement, option.prior.contexts, choice.basis.samples, broken)


class Request:
    """A request, taken apart by place."""

    def __init__(self, endpoint: str, row: Mapping[str, Any], pointers: set[str]) -> None:
        self.pointers = pointers
        self.values: dict[str, list[tuple[bool, Any]]] = defaultdict(list)
        names = re.findall(r"\{([^{}]+)\}", endpoint)
        for name, text in zip(names, path_values(endpoint, row["url"]), strict=True):
            self.values[f"path/{escape(name)}"].append((True, text))
        self.query = query_values(row["url"])
        self.headers = header_values(row["request_headers"])
        for location, found in (("query", self.query), ("header", self.headers)):
            for name, texts in found.items():
                self.values[f"{location}/{escape(name)}"] += [(True, text) for text in texts]
        self.media_type, value, readable = body_of(row)
        self.is_left_out = bool(row.get("request_body_omitted") or row.get("request_body_b64"))
        self.is_readable = readable or bool(self.media_type and not self.media_type.endswith(("json", "xml")))
        if self.media_type and readable:
            self._take_apart(f"body/{escape(self.media_type)}", value, not self.media_type.endswith("json"))

    def _take_apart(self, pointer: str, value: Any, is_text: bool) -> None:
        self.values[pointer].append((is_text, value))
        if isinstance(value, list):
            for item in value:
                self._take_apart(f"{pointer}/*", item, is_text)
        elif isinstance(value, dict):
            for name, member in value.items():
                inner = f"{pointer}/{escape(name)}"
                self._take_apart(
                    inner if inner in self.pointers or f"{pointer}/*" not in self.pointers else f"{pointer}/*", member, is_text
                )

    def breaks(self, choice: Choice, option: Option, seen: Mapping[str, Any]) -> bool | None:
        """Whether the request breaks a statement; `None` if it has nothing that the statement is about."""
        pointer, keyword = choice.pointer, option.keyword
        if pointer == "query":
            return not set(self.query) <= set(seen["query"])
        if pointer == "body":
            if keyword == "required":
                return self.media_type is None
            if keyword == "content":
                if self.media_type is None or self.is_left_out:
                    return None
                return not self.media_type or not self.is_readable
            return self.media_type is not None and self.media_type not in seen["bodies"]
        if keyword == "required":
            location = pointer.partition("/")[0]
            if location in {"query", "header", "cookie"}:
                return pointer not in self.values
            above = [value for _, value in self.values.get(pointer.rpartition("/")[0], []) if isinstance(value, dict)]
            return any(option.value not in value for value in above) if above else None
        if keyword == "single":
            found = self.values.get(pointer)
            return len(found) > 1 if found else None
        answers = [_breaks(is_text, value, option, choice, seen) for is_text, value in self.values.get(pointer, ())]
        known = [answer for answer in answers if answer is not None]
        return any(known) if known else None


def _breaks(is_text: bool, value: Any, option: Option, choice: Choice, seen: Mapping[str, Any]) -> bool | None:
    keyword, wanted = option.keyword, option.value
    if isinstance(value, str) and SECRET.search(value):
        return None
    if keyword == "type":
        return not _is_of(value, wanted, is_text)
    if keyword == "maxItems":
        return len(value) > wanted if isinstance(value, list) else None
    if keyword == "additionalProperties":
        return not set(value) <= _names(choice.pointer, seen) if isinstance(value, dict) else None
    if keyword in {"minimum", "maximum"}:
        number = _number(value, is_text)
        return None if number is None else number > wanted if keyword == "maximum" else number < wanted
    if not isinstance(value, str):
        return None
    if keyword == "enum":
        return value not in wanted
    if keyword == "format":
        return wanted not in formats_of(value)
    if keyword == "pattern":
        return not re.search(wanted.removesuffix("$") + r"\Z", value)
    return len(value) > wanted if keyword == "maxLength" else len(value) < wanted


def _is_of(value: Any, kinds: tuple[str, ...], is_text: bool) -> bool:
    if is_text and isinstance(value, str):
        readings = {"string"}
        readings |= {"integer", "number"} if INTEGER.fullmatch(value) else {"number"} if NUMBER.fullmatch(value) else set()
        readings |= {"boolean"} if value in {"true", "false"} else set()
        return not readings.isdisjoint(kinds)
    if value is None:
        return "null" in kinds
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, int | float):
        return "number" in kinds or ("integer" in kinds and float(value).is_integer())
    return {str: "string", list: "array", dict: "object"}[type(value)] in kinds


def _number(value: Any, is_text: bool) -> float | None:
    if is_text and isinstance(value, str) and NUMBER.fullmatch(value):
        return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _names(pointer: str, seen: Mapping[str, Any]) -> set[str]:
    """The members of an object that the profile knows."""
    _, media_type, *steps = pointer.split("/")
    node = seen["bodies"][media_type.replace("~1", "/")]["node"]
    from hauberk.learning.merging import plain_object  # noqa: PLC0415

    for step in steps:
        if node["value"]["kinds"].get("array") and step == "*" and node["items"]:
            node = node["items"]
            continue
        held = plain_object(node["object"])
        name = step.replace("~1", "/").replace("~0", "~")
        node = held["map"]["node"] if held["map"] else held["members"][name]["node"]
    return set(plain_object(node["object"])["members"] or ())


def main() -> None:
    """Tell how often statements were broken, without regard to how many samples there were."""
    from training.learning.recordings import corpora  # noqa: PLC0415

    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for corpus in corpora():
        for trial in trials(corpus):
            sums[trial.statement][0] += trial.broken
            sums[trial.statement][1] += 1
    print(json.dumps(sums, indent=1))


if __name__ == "__main__":
    main()
