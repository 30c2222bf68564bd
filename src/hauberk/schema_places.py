"""
Where in a document's text a problem is: the core names places like `.paths["/temps"].get`, people look for a line.

Places are found by reading the text once more, loosely: JSON as it is, of YAML what stands in blocks. What is inside of flow collections
(`{a: 1}`), under a key written with `?`, or comes by an alias, is told by the nearest place around it that is known.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

_STEP = re.compile(r'\.([A-Za-z_$][A-Za-z0-9_$-]*)|\["((?:[^"\\]|\\.)*)"\]|\[([0-9]{1,9})\]')
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_READ_ERROR = re.compile(r"line ([0-9]+), column ([0-9]+)")

_YAML_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#&*!|>%@`{\[\]},?-](?:[^#:]|:(?!\s|$)|(?<!\s)#)*?|[?-](?=\S)[^:]*?)\s*:(?=\s|$)"""
)
_YAML_PROPERTIES = re.compile(r"(?:[&!]\S*\s*)+")
_WHITE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Spot:
    """A place in a text; both count from 1."""

    line: int
    column: int


@dataclass
class _Entry:
    """A member or an item, and those in it."""

    at: int
    """Where it begins: its key, or the item."""
    value_at: int
    children: dict[str | int, _Entry] | None = None
    """`None`: not looked at yet, or it has none."""


class Places:
    """
    Finds places in a document.

    Args:
        source: Its text, JSON or YAML.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = [0, *(match.end() for match in re.finditer("\n", source))]
        self._is_json = source.lstrip("\ufeff \t\r\n")[:1] == "{"
        self._root: _Entry | None = None

    def find(self, steps: Sequence[str | int]) -> Spot | None:
        """Give the place, or the nearest one around it that can be found; `None` where nothing can."""
        entry = self._read()
        if entry is None:
            return None
        for step in steps:
            child = self._children(entry).get(step)
            if child is None:
                break
            entry = child
        line = bisect_right(self._lines, entry.at)
        return Spot(line, entry.at - self._lines[line - 1] + 1)

    def _read(self) -> _Entry | None:
        if self._root is None:
            begin = len(self._source) - len(self._source.lstrip("\ufeff \t\r\n"))
            self._root = _Entry(begin, begin) if self._is_json else _Blocks().read(self._source)
        return self._root

    def _children(self, entry: _Entry) -> dict[str | int, _Entry]:
        if entry.children is None:
            entry.children = {}
            if self._is_json:
                try:
                    entry.children = _json_children(self._source, entry.value_at)
                except (ValueError, IndexError, RecursionError):  # not JSON after all
                    entry.children = {}
        return entry.children


def steps_of(location: str) -> list[str | int] | None:
    """
    Read a place as the core writes it; `None` if it is none.

    >>> steps_of('.paths["/a b"].get.parameters[0]')
    ['paths', '/a b', 'get', 'parameters', 0]
    """
    steps: list[str | int] = []
    at = 0
    while location != "." and at < len(location):
        match = _STEP.match(location, at)
        if match is None:
            return None
        name, quoted, index = match.groups()
        steps.append(name if name is not None else int(index) if index is not None else _unescaped(quoted))
        at = match.end()
    return steps


def pointer_of(steps: Sequence[str | int]) -> str:
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


def _json_children(text: str, at: int) -> dict[str | int, _Entry]:
    """Give the members or items of the value that begins there."""
    decoder = json.JSONDecoder(strict=False)
    children: dict[str | int, _Entry] = {}
    kind, end = text[at], {"{": "}", "[": "]"}.get(text[at])
    if end is None:
        return children
    at = _after_white(text, at + 1)
    while text[at] != end:
        begin = at
        key: str | int = len(children)
        if kind == "{":
            key, at = decoder.raw_decode(text, at)
            at = _after_white(text, _after_white(text, at) + 1)
        children[key] = _Entry(begin, at)
        at = _after_white(text, decoder.raw_decode(text, at)[1])
        at = _after_white(text, at + 1) if text[at] == "," else at
    return children


def _after_white(text: str, at: int) -> int:
    match = _WHITE.match(text, at)
    return at if match is None else match.end()


@dataclass
class _Level:
    """A collection that is open: everything in this column belongs to it."""

    column: int
    is_sequence: bool
    children: dict[str | int, _Entry]
    last: _Entry


@dataclass
class _Blocks:
    """Reads what stands in blocks of a YAML text, line by line."""

    levels: list[_Level] = field(default_factory=list)
    skipped_below: int | None = None
    """A scalar goes on in lines that are indented further than this column."""
    closing: str | None = None
    """A quoted scalar or flow collection goes on until it is closed; the quote, or the brackets that are open."""

    def read(self, text: str) -> _Entry:
        root = _Entry(0, 0, {})
        begin = 0
        for line in text.splitlines(keepends=True):
            self._line(root, begin, line.rstrip("\r\n"))
            begin += len(line)
        return root

    def _line(self, root: _Entry, begin: int, line: str) -> None:
        if self.closing is not None:
            self.closing = _still_open(line, self.closing)
            return
        content = line.lstrip(" ")
        column = len(line) - len(content)
        if not content or (self.skipped_below is not None and column > self.skipped_below):
            return
        self.skipped_below = None
        if content.startswith(("#", "%", "---", "...")):
            return
        while content == "-" or content.startswith("- "):
            level = self._level(root, column, is_sequence=True)
            level.last = _Entry(begin + column, begin + column, {})
            level.children[len(level.children)] = level.last
            content = content[1:].lstrip(" ")
            column = len(line) - len(content)
            self.skipped_below = level.column
        match = _YAML_KEY.match(content)
        if match is None:
            self._value(content, self.levels[-1].column if self.levels else 0)
            return
        level = self._level(root, column, is_sequence=False)
        level.last = _Entry(begin + column, begin + column + match.end(), {})
        level.children.setdefault(_yaml_key(match[1]), level.last)
        self._value(content[match.end() :].strip(" "), column)

    def _level(self, root: _Entry, column: int, *, is_sequence: bool) -> _Level:
        """Give the collection that an entry in this column belongs to."""
        while self.levels and (
            self.levels[-1].column > column or (self.levels[-1].column == column and self.levels[-1].is_sequence > is_sequence)
        ):
            self.levels.pop()
        top = self.levels[-1] if self.levels else None
        if top is None or top.column < column or top.is_sequence != is_sequence:
            parent = top.last if top is not None else root
            children = parent.children if parent.children is not None else {}
            top = _Level(column, is_sequence, children, parent)
            self.levels.append(top)
        return top

    def _value(self, value: str, column: int) -> None:
        """Take note of how far the value goes that begins on this line."""
        properties = _YAML_PROPERTIES.match(value)
        value = value[properties.end() :] if properties else value
        self.skipped_below = None
        if not value or value.startswith("#"):
            return
        if value[0] in "\"'{[":
            self.closing = _still_open(value, "")
        else:  # a plain scalar, or one that is kept as it stands
            self.skipped_below = column


def _yaml_key(text: str) -> str:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith('"'):
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            return text[1:-1]
    return text


def _still_open(text: str, closing: str) -> str | None:
    """Follow quotes and brackets through a line; gives what is open at its end, or `None`."""
    stack = list(closing)
    at = 0
    while at < len(text):
        character = text[at]
        quote = stack[-1] if stack and stack[-1] in "\"'" else None
        if quote is not None:
            if (character == "\\" and quote == '"') or (character == quote and quote == "'" and text[at + 1 : at + 2] == "'"):
                at += 1
            elif character == quote:
                stack.pop()
        elif character == "#" and (at == 0 or text[at - 1] == " "):
            break
        elif character in "\"'" and (not stack or text[:at].rstrip(" ")[-1:] in {"", ",", ":", "{", "["}):
            stack.append(character)
        elif character in "{[":
            stack.append("}" if character == "{" else "]")
        elif stack and character == stack[-1]:
            stack.pop()
        if not stack:
            return None
        at += 1
    return "".join(stack) or None
