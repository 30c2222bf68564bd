"""
Two schemas compared: what one says that the other does not, and whether a value that conformed may now be refused.

`breaking` errs on the safe side: a change is called looser only if everything that conformed still does. Keywords are compared one by one,
so a bound is called breaking also if some other keyword has forbidden before what it forbids now.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk.learning.schema_form import NUMBER_FORMATS, NUMBERS, OPAQUE, SCALARS, TEXT_FORMATS, Form, Source

# Further down, and after so many comparisons, what differs counts as breaking without being looked at.
MAX_DEPTH = 60
MAX_COMPARISONS = 200_000
MAX_SHOWN_CHARACTERS = 100

_AT_LEAST = ("minLength", "minItems", "minProperties")
_AT_MOST = ("maxLength", "maxItems", "maxProperties")
_CONCERNS: dict[str, frozenset[str]] = {
    "minimum": NUMBERS, "maximum": NUMBERS, "multipleOf": NUMBERS,
    "minLength": frozenset({"string"}), "maxLength": frozenset({"string"}), "pattern": frozenset({"string"}),
    "minItems": frozenset({"array"}), "maxItems": frozenset({"array"}), "uniqueItems": frozenset({"array"}),
    "minProperties": frozenset({"object"}), "maxProperties": frozenset({"object"}),
}  # fmt: skip


# Whether the second of two limits forbids more.
_TIGHTER: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(_AT_LEAST, operator.lt),
    **dict.fromkeys(_AT_MOST, operator.gt),
    "minimum": operator.lt,
    "maximum": lambda old, new: (-new[0], new[1]) > (-old[0], old[1]),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs."""

    steps: tuple[str, ...]
    """From the schema to where it is: names of members, `*` for items and values of a map."""

    kind: str
    what: str
    breaking: bool

    def below(self, *steps: str) -> Difference:
        """Give the same as seen from further up."""
        return Difference((*steps, *self.steps), self.kind, self.what, self.breaking)


class Comparison:
    """
    Compares schemas of two documents.

    Args:
        before: Where the first of each pair is from.

        after: Where the second is from.
    """

    def __init__(self, before: Source, after: Source) -> None:
        self.before, self.after = before, after
        self._under_way: set[tuple[int, int, bool]] = set()
        self._left = MAX_COMPARISONS
        self._same: set[str] = set()
        """References that lead to the same in both, all the way down."""

    def begin(self) -> None:
        """Begin with another operation, which may take as many comparisons as the one before."""
        self._left = MAX_COMPARISONS

    def differences(self, before: Any, after: Any, *, as_text: bool) -> list[Difference]:
        """
        Compare two schemas.

        Args:
            before: Of the first document.

            after: Of the second.

            as_text: Whether values are text, as those of parameters and form fields, so that a number can be a string as well.
        """
        pair = (id(before), id(after), as_text)
        if pair in self._under_way:
            # What differs in the pair is told where it was met first.
            return []
        if self.before.is_30 == self.after.is_30 and self._is_same(before, after):
            return []
        self._left -= 1
        if self._left < 0 or len(self._under_way) >= MAX_DEPTH:
            return [] if before == after else [Difference((), "schema", "too deep or too large to be compared", breaking=True)]
        self._under_way.add(pair)
        try:
            found = self._compared(self.before.form(before), self.after.form(after), as_text)
        finally:
            self._under_way.discard(pair)
        return found

    def _compared(self, a: Form, b: Form, as_text: bool) -> list[Difference]:
        found: list[Difference] = []
        known = a.value("enum")
        if a.kinds != b.kinds:
            lost = a.kinds - b.kinds
            if as_text and "string" in b.kinds and not _limits_text(b):
                # The text of a number is a string as well; but `1.50` is in an enum of numbers, and in none of strings.
                lost -= SCALARS if b.value("enum") is None else SCALARS - {"fraction"}
            if known is not None:
                lost = frozenset(kind for kind in lost if any(kind_of(value) == kind for value in known))
            found.append(Difference((), "type", f"type {shown_kinds(a.kinds)} → {shown_kinds(b.kinds)}", breaking=bool(lost)))
        found += _of_keywords(a, b, as_text)
        found += self._of_members(a, b, as_text)
        if a.value("items") is not None or b.value("items") is not None:
            below = self.differences(_given(a.value("items")), _given(b.value("items")), as_text=as_text)
            matters = "array" in a.kinds
            found += [Difference(("*", *one.steps), one.kind, one.what, one.breaking and matters) for one in below]
        found += self._of_combinations(a, b, as_text)
        return _wary(found, a, b)

    def _of_members(self, a: Form, b: Form, as_text: bool) -> list[Difference]:
        """Compare what objects may and must have."""
        found: list[Difference] = []
        ours: Mapping[str, Any] = a.value("properties") or {}
        theirs: Mapping[str, Any] = b.value("properties") or {}
        others, their_others = _given(a.value("additionalProperties")), _given(b.value("additionalProperties"))
        must, must_now = a.value("required") or [], b.value("required") or []
        for name in sorted({*ours, *theirs}):
            below = self.differences(ours.get(name, others), theirs.get(name, their_others), as_text=as_text)
            if name in ours and name in theirs:
                found += [one.below(name) for one in below]
                continue
            breaking = any(one.breaking for one in below)
            was_closed, is_closed = self._is_closed(others, self.before), self._is_closed(their_others, self.after)
            if name in theirs:
                what = "member added" if was_closed or not below else "member described, which was open"
                found.append(Difference((name,), "member-added", what, breaking=breaking))
            else:
                what = "member removed" if is_closed else "member no longer described"
                found.append(Difference((name,), "member-removed", what, breaking=breaking))
        found += [Difference((name,), "required", "required", breaking=True) for name in must_now if name not in must]
        found += [Difference((name,), "required", "no longer required", breaking=False) for name in must if name not in must_now]
        closed, closed_now = self._is_closed(others, self.before), self._is_closed(their_others, self.after)
        if closed != closed_now:
            what = "no other members than those described" if closed_now else "other members too"
            found.append(Difference((), "closed", what, breaking=closed_now))
        elif not closed:
            found += [one.below("*") for one in self.differences(others, their_others, as_text=as_text)]
        if "object" in a.kinds:
            return found
        return [Difference(one.steps, one.kind, one.what, breaking=False) for one in found]

    def _is_closed(self, others: Any, source: Source) -> bool:
        return not source.form(others).kinds

    def _of_combinations(self, a: Form, b: Form, as_text: bool) -> list[Difference]:
        found: list[Difference] = []
        found += self._of_all(a.value("allOf") or [], b.value("allOf") or [], as_text)
        for keyword in ("anyOf", "oneOf"):
            found += self._of_alternatives(keyword, a, b, as_text)
        if a.value("not") is not None or b.value("not") is not None:
            found += self._of_not(a.value("not"), b.value("not"), as_text)
        changed = sorted(name for name in OPAQUE if not self._is_same(a.value(name), b.value(name)))
        return found + [Difference((), name, f"{name} {_verb(a.value(name), b.value(name))}", breaking=True) for name in changed]

    def _of_all(self, ours: Sequence[Any], theirs: Sequence[Any], as_text: bool) -> list[Difference]:
        found: list[Difference] = []
        for one, other in zip(ours, theirs, strict=False):
            found += self.differences(one, other, as_text=as_text)
        for other in theirs[len(ours) :]:
            found += self.differences(True, other, as_text=as_text)
        for one in ours[len(theirs) :]:
            found += self.differences(one, True, as_text=as_text)
        return found

    def _of_alternatives(self, keyword: str, a: Form, b: Form, as_text: bool) -> list[Difference]:
        ours, theirs = a.value(keyword), b.value(keyword)
        if ours is None and theirs is None:
            return []
        if theirs is None:
            return [Difference((), keyword, f"{keyword} removed", breaking=False)]
        exclusive = keyword == "oneOf" and not self._are_apart(theirs, as_text)
        if ours is None:
            rest = {name: value for name, value in _plain(a).items() if name != keyword}
            fits = not exclusive and any(not _breaks(self.differences(rest, other, as_text=as_text)) for other in theirs)
            return [Difference((), keyword, f"{keyword} added", breaking=not fits)]
        compared = [[self.differences(one, other, as_text=as_text) for other in theirs] for one in ours]
        if exclusive:
            same = len(ours) == len(theirs) and all(not row[index] for index, row in enumerate(compared))
            return [] if same else [Difference((), keyword, f"{keyword} changed", breaking=True)]
        return _of_pairs(keyword, compared, len(theirs))

    def _are_apart(self, branches: Sequence[Any], as_text: bool) -> bool:
        """Whether no value can be of two branches, as kinds go."""
        kinds = [self.after.form(branch).kinds for branch in branches]
        if as_text:
            kinds = [kind | {"string"} if kind & SCALARS else kind for kind in kinds]
        return sum(map(len, kinds)) == len(frozenset().union(*kinds))

    def _of_not(self, ours: Any, theirs: Any, as_text: bool) -> list[Difference]:
        if theirs is None:
            return [Difference((), "not", "not removed", breaking=False)]
        if ours is None:
            return [Difference((), "not", "not added", breaking=True)]
        # The other way round: what was allowed is what the schema inside refuses.
        turned = Comparison(self.after, self.before)
        turned._left = self._left
        inside = turned.differences(theirs, ours, as_text=as_text)
        return [Difference((), "not", "not changed", breaking=_breaks(inside) or as_text)] if inside else []

    def _is_same(self, ours: Any, theirs: Any) -> bool:
        """Whether two parts that are not understood say the same, references included."""
        waiting, seen, followed = [(ours, theirs)], set(), set()
        while waiting:
            one, other = waiting.pop()
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                if (id(one), id(other)) in seen:
                    continue
                seen.add((id(one), id(other)))
                if one.keys() != other.keys():
                    return False
                waiting += [(value, other[name]) for name, value in one.items()]
                reference = one.get("$ref")
                if isinstance(reference, str) and reference == other["$ref"] and reference not in self._same and reference not in followed:
                    followed.add(reference)
                    waiting.append((self.before.looked_up(one["$ref"]), self.after.looked_up(other["$ref"])))
            elif isinstance(one, list) and isinstance(other, list):
                if len(one) != len(other):
                    return False
                waiting += zip(one, other, strict=True)
            elif one != other or isinstance(one, bool) != isinstance(other, bool):
                return False
        self._same |= followed
        return True


def _wary(found: list[Difference], a: Form, b: Form) -> list[Difference]:
    """Call that breaking of which keywords that are not understood decide."""
    if {"unevaluatedProperties", "unevaluatedItems"} & {*b.keywords}:
        return [Difference(one.steps, one.kind, one.what, breaking=True) for one in found]
    if "patternProperties" in {*a.keywords, *b.keywords}:
        about_members = {"member-added", "member-removed", "closed"}
        return [
            Difference(one.steps, one.kind, one.what, one.breaking or one.kind in about_members or one.steps[:1] == ("*",)) for one in found
        ]
    return found


def _of_pairs(keyword: str, compared: list[list[list[Difference]]], count: int) -> list[Difference]:
    """Bring each alternative together with the one that has come of it."""
    found: list[Difference] = []
    taken: set[int] = set()
    for index, row in enumerate(compared):
        order = sorted(
            range(count), key=lambda other: (bool(row[other]), _breaks(row[other]), other in taken, other != index, len(row[other]))
        )
        best = order[0]
        if _breaks(row[best]) and best in taken:
            found.append(Difference((), keyword, "alternative removed", breaking=True))
            continue
        taken.add(best)
        found += row[best]
    found += [Difference((), keyword, "alternative added", breaking=False) for other in range(count) if other not in taken]
    return found


def _of_keywords(a: Form, b: Form, as_text: bool) -> list[Difference]:
    """Compare what is said of scalars, and of how many there are."""
    found: list[Difference] = []
    known = a.value("enum")
    for keyword, concerned in _CONCERNS.items():
        old, new = a.value(keyword), b.value(keyword)
        if old == new:
            continue
        kinds = _read_as(a, b) if as_text else a.kinds
        breaks = bool(kinds & concerned) and _is_tighter(keyword, old, new, kinds)
        if breaks and known is not None and not as_text:
            breaks = not all(_allows(keyword, new, value) for value in known)
        found.append(Difference((), keyword, f"{keyword} {_change(_bare(old), _bare(new))}", breaking=breaks))
    old, new = a.value("format"), b.value("format")
    if old != new:
        concerned = NUMBERS if new in NUMBER_FORMATS else frozenset({"string"})
        kinds = _read_as(a, b) if as_text else a.kinds
        breaks = new is not None and bool(kinds & concerned) and (old, new) not in {("int32", "int64"), ("float", "double")}
        found.append(Difference((), "format", f"format {_change(old, new)}", breaking=breaks))
    return found + _of_enum(a, b, as_text)


def _limits_text(form: Form) -> bool:
    """Tell whether not every string is allowed, an enum apart."""
    texts = (keyword for keyword, concerned in _CONCERNS.items() if "string" in concerned)
    return any(keyword in form.keywords for keyword in texts) or form.value("format") in TEXT_FORMATS


def _read_as(a: Form, b: Form) -> frozenset[str]:
    """Tell as what kinds text is read now, that was read as others before: what fits no other kind is a string, if that is allowed."""
    if "string" in b.kinds and a.kinds & SCALARS - b.kinds:
        return a.kinds | {"string"}
    if a.kinds & NUMBERS and b.kinds & NUMBERS:
        return a.kinds | NUMBERS
    return a.kinds


def _of_enum(a: Form, b: Form, as_text: bool) -> list[Difference]:
    old, new = a.value("enum"), b.value("enum")
    if old is None and new is None:
        return []
    spelt = spelling_of_text if as_text else spelling
    before = None if old is None else {spelt(value): value for value in old}
    after = None if new is None else {spelt(value): value for value in new}
    if as_text and after is not None and a.kinds != b.kinds:
        # A text is looked for as what it is read as: no string is the number 1.
        after = {key: value for key, value in after.items() if kind_of(value) in b.kinds}
    if before is not None and after is not None and before.keys() == after.keys():
        return []
    if after is None:
        return [Difference((), "enum", "enum removed", breaking=False)]
    if before is None:
        finite = {"boolean": {"true", "false"}, "null": {"null"}}
        all_there = a.kinds <= finite.keys() and frozenset().union(*(finite[kind] for kind in a.kinds)) <= after.keys()
        return [Difference((), "enum", f"enum added: {shown_list(list(after.values()))}", breaking=bool(a.kinds) and not all_there)]
    # A value that the types forbid was never allowed.
    lost = [value for key, value in before.items() if key not in after and (as_text or kind_of(value) in a.kinds)]
    gained = [value for key, value in after.items() if key not in before]
    told = [f"enum without {shown_list(lost)}"] if lost else []
    told += [f"enum with {shown_list(gained)}"] if gained else []
    return [Difference((), "enum", ", ".join(told) or "enum changed", breaking=bool(lost))]


def _is_tighter(keyword: str, old: Any, new: Any, kinds: frozenset[str]) -> bool:
    """Tell whether a keyword forbids more than before; `None` is its absence."""
    if new is None:
        return False
    if keyword == "multipleOf":
        return not (_divides(new, old) if old is not None else "fraction" not in kinds and _divides(new, 1))
    if old is None or keyword not in _TIGHTER:
        return True
    return _TIGHTER[keyword](old, new)


def _divides(divisor: Any, number: Any) -> bool:
    return isinstance(divisor, int) and isinstance(number, int) and divisor > 0 and number % divisor == 0


def _allows(keyword: str, limit: Any, value: Any) -> bool:
    """Tell whether a value of an enum keeps a keyword; what takes more than a look is taken not to."""
    if kind_of(value) not in _CONCERNS[keyword]:
        return True
    if keyword == "minimum":
        return bool(value > limit[0] or (value == limit[0] and not limit[1]))
    if keyword == "maximum":
        return bool(value < limit[0] or (value == limit[0] and not limit[1]))
    if keyword in _AT_LEAST:
        return bool(len(value) >= limit)
    if keyword in _AT_MOST:
        return bool(len(value) <= limit)
    return False


def _plain(form: Form) -> dict[str, Any]:
    """Write a form as a schema again."""
    names = {"integer": "integer", "fraction": "number"}
    schema: dict[str, Any] = {"type": sorted({names.get(kind, kind) for kind in form.kinds})}
    for name, value in form.keywords.items():
        if name in {"minimum", "maximum"}:
            exclusive = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[name]
            schema[exclusive if value[1] else name] = value[0]
        else:
            schema[name] = value
    return schema


def _given(schema: Any) -> Any:
    return True if schema is None else schema


def _breaks(differences: Sequence[Difference]) -> bool:
    return any(one.breaking for one in differences)


def _bare(value: Any) -> Any:
    return value if not isinstance(value, tuple) else f"{value[0]} (exclusive)" if value[1] else value[0]


def _verb(old: Any, new: Any) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _change(old: Any, new: Any) -> str:
    if old is None:
        return f"{shown(new)} added"
    if new is None:
        return f"{shown(old)} removed"
    return f"{shown(old)} → {shown(new)}"


def kind_of(value: Any) -> str:
    """Tell the kind of a JSON value, of `KINDS`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "fraction"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def spelling(value: Any) -> str:
    """Spell a value so that equal ones are spelt alike: 1 and 1.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def spelling_of_text(value: Any) -> str:
    """Spell a value as it stands in text, where a number cannot be told from a string."""
    return value if isinstance(value, str) else spelling(value)


def shown(value: Any) -> str:
    """Show a value of a document to people."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def shown_list(values: Sequence[Any]) -> str:
    """Show the values of an enum."""
    return shown(", ".join(json.dumps(value, ensure_ascii=False) for value in values))


def shown_kinds(kinds: frozenset[str]) -> str:
    """Show what a schema allows as types of OpenAPI."""
    if len(kinds) == len({"null", "boolean", "integer", "fraction", "string", "array", "object"}):
        return "any"
    names = {"number" if kind == "fraction" else kind for kind in kinds}
    return ", ".join(sorted(names - {"integer"} if "number" in names else names)) or "nothing"
