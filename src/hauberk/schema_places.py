"""
Where in a document's text a problem is: the core names places like `.paths["/temps"].get`, people look for a line.

Places are found by reading the text once more, for all of them together, and loosely: JSON as it is, of YAML what stands in blocks. What is
inside of flow collections (`{a: 1}`), under a key written with `?`, or comes by an alias, is told by the nearest place around it that is
known. Only the way to the places that are asked for is read; the rest is passed over, and nothing is kept of it. Whatever the
text, the work grows with its length alone: strangers write documents, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Step = str | int
Steps = tuple[Step, ...]

_STEP = re.compile(r'\.([A-Za-z_$][A-Za-z0-9_$-]*)|\["((?:[^"\\]|\\.)*)"\]|\[([0-9]{1,9})\]')
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_READ_ERROR = re.compile(r"line ([0-9]+), column ([0-9]+)")

# What a key begins with that is not in quotes, and what ends it: a comment is none.
_PLAIN = re.compile(r"""[^\s"'#&*!|>%@`{\[\]},?-]|[?-](?=\S)""")
_AFTER_KEY = re.compile(r":(?=\s|$)|(?<=\s)#")
_AFTER_QUOTED_KEY = re.compile(r"\s*+:(?=\s|$)")
_DASHES = re.compile(r"(?:- ++)*+")
_YAML_PROPERTIES = re.compile(r"(?:[&!]\S*\s*)+")
_WHITE = re.compile(r"[ \t\r\n]*")
# What ends a scalar in quotes; without steps back, however long it is.
_QUOTED = {'"': re.compile(r'(?:[^"\\]++|\\.)*+"', re.DOTALL), "'": re.compile(r"(?:[^']++|'')*+'")}
_MARK = re.compile(r"""["'{}\[\]#]""")


@dataclass(frozen=True)
class Spot:
    """A place in a text; both count from 1."""

    line: int
    column: int


@dataclass(slots=True)
class _Wanted:
    """A place that is asked for, or one on the way there."""

    members: dict[Step, _Wanted] = field(default_factory=dict)
    at: int | None = None
    """Where it was found to begin: its key, or the item."""


def find_spots(source: str, places: Iterable[Sequence[Step]]) -> dict[Steps, Spot]:
    """
    Find places in a document.

    Args:
        source: Its text, JSON or YAML.

        places: The members and items that lead to each.

    Returns:
        Each place, or the nearest one around it that can be found.
    """
    wanted = {tuple(steps) for steps in places}
    root = _Wanted()
    for steps in wanted:
        node = root
        for step in steps:
            node = node.members.setdefault(step, _Wanted())
    begin = len(source) - len(source.lstrip("\ufeff \t\r\n"))
    if source[begin : begin + 1] == "{":
        root.at = begin
        if root.members:
            _read_json(source, begin, root)
    else:
        root.at = 0
        if root.members:
            _Blocks(source).read(root)
    found = {steps: _nearest(root, steps) for steps in wanted}
    spots = _spots(source, set(found.values()))
    return {steps: spots[at] for steps, at in found.items()}


def _nearest(root: _Wanted, steps: Steps) -> int:
    at, node = root.at or 0, root
    for step in steps:
        node = node.members[step]
        if node.at is None:
            break
        at = node.at
    return at


def _spots(source: str, places: Iterable[int]) -> dict[int, Spot]:
    spots: dict[int, Spot] = {}
    line, counted = 1, 0
    for at in sorted(places):
        line += source.count("\n", counted, at)
        counted = at
        spots[at] = Spot(line, at - source.rfind("\n", 0, at))
    return spots


def steps_of(location: str) -> list[Step] | None:
    """
    Read a place as the core writes it; `None` if it is none.

    >>> steps_of('.paths["/a b"].get.parameters[0]')
    ['paths', '/a b', 'get', 'parameters', 0]
    """
    steps: list[Step] = []
    at = 0
    while location != "." and at < len(location):
        match = _STEP.match(location, at)
        if match is None:
            return None
        name, quoted, index = match.groups()
        steps.append(name if name is not None else int(index) if index is not None else _unescaped(quoted))
        at = match.end()
    return steps


def pointer_of(steps: Sequence[Step]) -> str:
    """
    Write a place as a JSON pointer (RFC 6901).

    >>> pointer_of(["paths", "/a~b", "get"])
    '/paths/~1a~0b/get'
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def spot_of_reading_error(message: str) -> Spot | None:
    """Give the place that the message of a text that cannot be read begins with."""
    match = _READ_ERROR.match(message)
    return None if match is None else Spot(int(match[1]), int(match[2]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2]), text)


def _read_json(text: str, at: int, root: _Wanted) -> None:
    decoder = json.JSONDecoder(strict=False)

    def read(at: int, wanted: _Wanted) -> int:
        """Read the object or array that begins there; gives where it ends."""
        kind, end = text[at], {"{": "}", "[": "]"}[text[at]]
        at = _after_white(text, at + 1)
        index = 0
        while text[at] != end:
            begin = at
            key: Step = index
            if kind == "{":
                key, at = decoder.raw_decode(text, at)
                at = _after_white(text, _after_white(text, at) + 1)
            child = wanted.members.get(key)
            if child is not None:
                child.at = begin
            goes_on = child if child is not None and child.members and text[at] in "{[" else None
            at = _after_white(text, read(at, goes_on) if goes_on is not None else decoder.raw_decode(text, at)[1])
            at = _after_white(text, at + 1) if text[at] == "," else at
            index += 1
        return at + 1

    try:
        read(at, root)
    except (ValueError, IndexError, RecursionError):  # not JSON after all: what was found was found
        return


def _after_white(text: str, at: int) -> int:
    match = _WHITE.match(text, at)
    return at if match is None else match.end()


class _Line(NamedTuple):
    """A line, or what stands of it behind the dashes of items."""

    at: int
    column: int
    content: str

    @property
    def is_item(self) -> bool:
        return self.content == "-" or self.content.startswith("- ")


class _Blocks:
    """Reads what stands in blocks of a YAML text, line by line; lines that are indented further than what is looked for are passed over."""

    def __init__(self, text: str) -> None:
        # Each line has a line break before it, also the first one.
        self._text = "\n" + text
        self._at = 0
        """The line break before the line that is read next."""

    def read(self, root: _Wanted) -> None:
        """Note where each place begins that is found."""
        self._value_below(root, -1)

    def _next(self, column: int | None = None) -> _Line | None:
        """Give the next line with something on it, indented no further than to a column; it is not passed yet."""
        most = "*+" if column is None else f"{{0,{column}}}+"
        match = re.compile(f"\n( {most})(?=[^ \t\r\n#])").search(self._text, self._at)
        while match is not None:
            begin = match.end()
            end = self._text.find("\n", begin)
            content = self._text[begin : end if end >= 0 else len(self._text)].rstrip("\r")
            self._at = match.start()
            if not content.startswith(("%", "---", "...")):
                return _Line(begin, len(match[1]), content)
            match = match.re.search(self._text, begin)
        self._at = len(self._text)
        return None

    def _pass(self, at: int) -> None:
        end = self._text.find("\n", at)
        self._at = end if end >= 0 else len(self._text)

    def _value_below(self, wanted: _Wanted, column: int, *, of_member: bool = False) -> None:
        """Read the collection that stands below its key or dash in a column."""
        line = self._next()
        # The dashes of a member's items may stand below its key.
        if line is not None and (line.column > column or (of_member and line.column == column and line.is_item)):
            self._collection(wanted, line)

    def _collection(self, wanted: _Wanted, first: _Line) -> None:
        column, is_sequence = first.column, first.is_item
        line: _Line | None = first
        index, left = 0, len(wanted.members)
        # Of what was all found the rest is passed over, by whoever goes on in a column further left.
        while left and line is not None and line.column == column:
            if line.is_item and is_sequence:
                left -= self._item(wanted.members.get(index), line)
                index += 1
            elif is_sequence:  # the member goes on that this is the value of
                return
            elif line.is_item:  # of a member that nothing is asked of
                self._item(None, line)
            else:
                left -= self._member(wanted, line)
            line = self._next(column)

    def _item(self, wanted: _Wanted | None, line: _Line) -> bool:
        """Read an item, and tell whether it was asked for."""
        rest = line.content[1:].lstrip(" ")
        inside = _Line(line.at + len(line.content) - len(rest), line.column + len(line.content) - len(rest), rest)
        if wanted is not None:
            wanted.at = line.at - 1
        if _is_empty(rest):
            self._pass(line.at)
            if wanted is not None and wanted.members:
                self._value_below(wanted, line.column)
        elif wanted is not None and wanted.members and (inside.is_item or _key(rest) is not None):
            self._collection(wanted, inside)
        else:
            dashes = _DASHES.match(rest)
            begin = dashes.end() if dashes is not None else 0
            key = _key(rest[begin:])
            begin += key[1] if key is not None else 0
            self._scalar(inside.at + begin, rest[begin:])
        return wanted is not None

    def _member(self, wanted: _Wanted, line: _Line) -> bool:
        """Read a member, and tell whether it was asked for."""
        key = _key(line.content)
        if key is None:
            self._scalar(line.at, line.content)
            return False
        name, end = key
        child = wanted.members.get(name)
        if child is not None and child.at is not None:  # a second one of the name is none
            child = None
        if child is not None:
            child.at = line.at - 1
        value = line.content[end:]
        if not _is_empty(value):
            self._scalar(line.at + end, value)
        else:
            self._pass(line.at)
            if child is not None and child.members:
                self._value_below(child, line.column, of_member=True)
        return child is not None

    def _scalar(self, at: int, value: str) -> None:
        """Pass a value that begins on this line; of one in quotes or brackets all lines, however they are indented."""
        rest = value.lstrip(" ")
        properties = _YAML_PROPERTIES.match(rest)
        rest = rest[properties.end() :] if properties else rest
        at += len(value) - len(rest)
        self._pass(_end_of_flow(self._text, at) if rest[:1] in {'"', "'", "{", "["} and rest else at)


def _is_empty(value: str) -> bool:
    """Tell whether what stands behind a key or a dash says nothing, but perhaps names what follows."""
    value = value.strip(" ")
    properties = _YAML_PROPERTIES.match(value)
    value = value[properties.end() :] if properties else value
    return not value or value.startswith("#")


def _key(content: str) -> tuple[str, int] | None:
    """Read the key that a line begins with; with it comes where its value may begin, behind the colon."""
    quote = content[:1]
    if quote in _QUOTED:
        closed = _QUOTED[quote].match(content, 1)
        colon = _AFTER_QUOTED_KEY.match(content, closed.end()) if closed is not None else None
        return (_unquoted(content[: closed.end()]), colon.end()) if closed is not None and colon is not None else None
    after = _AFTER_KEY.search(content, 1) if _PLAIN.match(content) is not None else None
    return (content[: after.start()].rstrip(), after.end()) if after is not None and after[0] == ":" else None


def _unquoted(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return text[1:-1]


def _end_of_flow(text: str, at: int) -> int:
    """Give where the scalar in quotes or the collection in brackets ends that begins there; the text's end if it does not."""
    depth: list[str] = []
    first: re.Match[str] | None
    while (first := _MARK.search(text, at)) is not None:
        mark, at = first[0], first.end()
        if mark in _QUOTED:
            # Elsewhere a quote is a character of a plain scalar.
            if not depth or _before(text, first.start()) in ",:{[\n":
                closed = _QUOTED[mark].match(text, at)
                if closed is None:
                    return len(text)
                at = closed.end()
        elif mark == "#":
            if text[first.start() - 1] in " \n":
                end = text.find("\n", at)
                at = end if end >= 0 else len(text)
        elif mark in "{[":
            depth.append("}" if mark == "{" else "]")
        elif depth and mark == depth[-1]:
            depth.pop()
        if not depth:
            return at
    return len(text)


def _before(text: str, at: int) -> str:
    at -= 1
    while text[at] == " ":
        at -= 1
    return text[at]
