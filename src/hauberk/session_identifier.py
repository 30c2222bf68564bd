"""
A session identifier's noun: where a request carries who is calling. Not the value, which is never kept.

`header` and `cookie` have that header's or cookie's name. `jwt` has `<token configuration id>:<JSONPath>`, where the path leads to one
claim: RFC 9535, literal names and indexes only. The token is the bearer token of `Authorization`. Ours besides: a header's name in the
place of the id means the token in that header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

IdentifierType = Literal["header", "cookie", "jwt"]
TYPES: tuple[IdentifierType, ...] = get_args(IdentifierType)

MAX_IDENTIFIERS = 10
MAX_NAME_CHARACTERS = 128
# Those of the gateway, of the normal spelling.
MAX_JWT_NAME_BYTES = 512
MAX_STEPS = 32

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2; RFC 6265 names cookies by the same rule
_JWT_NAME = re.compile(r"(?P<place>[a-z0-9-]{32,36}|[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):(?P<path>\$.*)", re.DOTALL)
# One step of a path: .name, ['name'], ["name"] or [index]. RFC 9535 writes quotes and backslashes inside a name with a backslash.
_STEP = re.compile(
    r"""\.(?P<dot>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)
      | \[\s*'(?P<single>(?:[^'\\\x00-\x1f]|\\['\\])+)'\s*\]
      | \[\s*"(?P<double>(?:[^"\\\x00-\x1f]|\\["\\])+)"\s*\]
      | \[\s*(?P<index>0|[1-9][0-9]{0,8})\s*\]""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class SessionIdentifier:
    """One place of identity. Make it with `checked`."""

    type: IdentifierType
    name: str

    def normalised(self) -> SessionIdentifier:
        """Spell it as it is compared: header names in lower case, claim paths in the normal form of RFC 9535 (`$['sub']`)."""
        match self.type:
            case "header":
                return SessionIdentifier(self.type, self.name.lower())
            case "jwt":
                place, _, path = self.name.partition(":")
                return SessionIdentifier(self.type, f"{place.lower()}:{_normal_path(path)}")
            case _:
                return self

    def __str__(self) -> str:
        """Write it as the command line does: `header:authorization`."""
        return f"{self.type}:{self.name}"


def checked(kind: str, name: str) -> SessionIdentifier:
    """
    Check one identifier; its spelling stays.

    Raises:
        ValueError: If the type is unknown, or the name is not one of that type.
    """
    if kind == "jwt":
        return _checked_claim(name)
    if kind not in TYPES:
        raise ValueError(f"must be of type {', '.join(TYPES)}")
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"must have at most {MAX_NAME_CHARACTERS} characters")
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"must be a {kind}'s name: letters, digits and - _ . without blanks")
    if kind == "header" and name.lower() in {"cookie", "set-cookie"}:
        raise ValueError("is all cookies together, which change all the time: name one cookie, of type cookie")
    return SessionIdentifier("cookie" if kind == "cookie" else "header", name)


def repeated(identifiers: Iterable[SessionIdentifier]) -> SessionIdentifier | None:
    """Find one that is there twice, in whatever spelling."""
    seen: set[SessionIdentifier] = set()
    for identifier in identifiers:
        normal = identifier.normalised()
        if normal in seen:
            return identifier
        seen.add(normal)
    return None


def _checked_claim(name: str) -> SessionIdentifier:
    if len(name) > MAX_JWT_NAME_BYTES:
        raise ValueError(f"must have at most {MAX_JWT_NAME_BYTES} bytes")
    if not _JWT_NAME.fullmatch(name):
        raise ValueError("must be the id of a token configuration or a header's name, ':' and a JSONPath to one claim: authorization:$.sub")
    identifier = SessionIdentifier("jwt", name)
    normal = identifier.normalised().name
    if len(normal.encode(errors="surrogatepass")) > MAX_JWT_NAME_BYTES or len(list(_steps(name.partition(":")[2]))) > MAX_STEPS:
        raise ValueError(f"must have at most {MAX_JWT_NAME_BYTES} bytes and {MAX_STEPS} steps")
    return identifier


def _normal_path(path: str) -> str:
    return "$" + "".join(_steps(path))


def _steps(path: str) -> Iterator[str]:
    """Read a path that selects one value: `$`, then at least one step."""
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError("has a JSONPath that may lead to several values or cannot be read: only names and indexes, such as $.user.id")
        if step["index"] is not None:
            yield f"[{step['index']}]"
        else:
            name = step["dot"] or re.sub(r"\\(.)", r"\1", step["single"] or step["double"])
            yield "['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']"
        at = step.end()
    if at == 1:
        raise ValueError("has a JSONPath that names no claim: write the claim after the $, such as $.sub")
