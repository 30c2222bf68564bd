"""
An operation's noun: method, host and endpoint in the one spelling in which they are saved, matched and compared.

The rules of spelling are those of the gateway's router (`crates/openapi/src/template.rs`), so that two endpoints the router takes for
one are one here too, and so that whatever is saved can be matched. Normalising twice changes nothing.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple
from uuid import UUID, uuid5

METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE")
MAX_HOST_CHARACTERS = 255
MAX_ENDPOINT_CHARACTERS = 4096
MAX_SEGMENTS = 128  # of the gateway's router, which recurses once a segment

# Never change it: every operation id follows from it.
ID_NAMESPACE = UUID("7b6d0a57-3c43-5f4e-9a6c-5d1f1f0c0de5")

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_VARIABLE_LABEL = re.compile(r"\{[^{}]+\}")
_PERCENT_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What a path holds unencoded (RFC 3986 §3.3), and the sign that each encoded byte begins with.
_IN_PATHS = _UNRESERVED | frozenset(b"!$&'()*+,;=:@/%")


class OperationKey(NamedTuple):
    """What tells operations of a zone apart; equal to the plain tuple."""

    method: str
    """One of `METHODS`."""

    host: str
    """Lower case, no port; a label may be a variable: `{hostVar1}.example.com`."""

    endpoint: str
    """Path template with the variables `{var1}`, `{var2}`, … from left to right."""

    def operation_id(self, zone_id: str) -> str:
        """Tell the id this operation has in a zone: always the same one, so an edited operation is another operation."""
        return str(uuid5(ID_NAMESPACE, "\n".join((zone_id, *self))))


def normalise_method(method: str) -> str:
    """
    Check a method and write it in upper case.

    Raises:
        ValueError: If it is none of `METHODS`.
    """
    if not method.isascii() or method.upper() not in METHODS:
        raise ValueError(f"must be one of {', '.join(METHODS)}")
    return method.upper()


def normalise_host(host: str) -> str:
    """
    Normalise an operation's host: lower case, no final dot, variables named `{hostVar1}`, `{hostVar2}`, … from the right.

    Example:
        >>> normalise_host("{region}.{tenant}.Example.com")
        '{hostVar2}.{hostVar1}.example.com'

    Raises:
        ValueError: If it is no RFC 3986 host, has a port (the gateway matches a host on whatever port it listens), or a variable
            that is not a whole label.
    """
    if len(host) > MAX_HOST_CHARACTERS:
        raise ValueError(f"must have at most {MAX_HOST_CHARACTERS} characters")
    if not host.isascii():  # `lower()` turns some letters of other scripts into ASCII
        raise ValueError("must be ASCII: write an international name in its xn-- form")
    if host.startswith("["):
        return _normalise_ipv6(host)
    labels = host.lower().removesuffix(".").split(".")
    if any(label == "*" for label in labels):
        raise ValueError("must not hold '*': write a variable for any label, such as {hostVar1}.example.com")
    if "{" in host or "}" in host:
        labels = _rename_host_variables(labels)
    if any("{" not in label and not _LABEL.fullmatch(label) for label in labels):
        hint = ", without a port" if re.search(r":\d*$", host) else ""
        raise ValueError(f"must be a host name such as api.example.com{hint}")
    return ".".join(labels)


def normalise_endpoint(endpoint: str) -> str:
    """
    Normalise an endpoint: variables renamed from the left, text in one spelling, no `.` and `..` segments.

    A variable is a whole segment, or a part of one with text between it and the next: `/files/{name}.json`.

    Example:
        >>> normalise_endpoint("/users/{id}/%7efiles/{name}.json")
        '/users/{var1}/~files/{var2}.json'

    Raises:
        ValueError: If it does not begin with `/`, has a query or fragment, is too long, or has braces that do not pair.
    """
    if not endpoint.startswith("/"):
        raise ValueError("must begin with '/'")
    if "?" in endpoint or "#" in endpoint:
        raise ValueError("must be a path alone: no query ('?') and no fragment ('#')")
    if any(character < " " or character == "\x7f" for character in endpoint):
        raise ValueError("must not hold control characters")
    pieces = _split_variables(endpoint)
    spelled = [_spell(piece) for piece in pieces]
    joined = "".join(text if index == 0 else f"{{var{index}}}{text}" for index, text in enumerate(spelled))
    normal = _renumber(_without_dot_segments(joined))
    if normal.count("/") > MAX_SEGMENTS:
        raise ValueError(f"must have at most {MAX_SEGMENTS} segments")
    if len(normal) > MAX_ENDPOINT_CHARACTERS:
        raise ValueError(f"must have at most {MAX_ENDPOINT_CHARACTERS} characters, percent-encoded")
    return normal


def is_in_zone(host: str, zone_name: str) -> bool:
    """Tell whether a normalised host is at or below a zone's name."""
    return host == zone_name or host.endswith(f".{zone_name}")


def _normalise_ipv6(host: str) -> str:
    try:
        return f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    except AddressValueError:
        raise ValueError("must be an IPv6 address in brackets, such as [2001:db8::1], without a port") from None


def _rename_host_variables(labels: list[str]) -> list[str]:
    renamed: list[str] = []
    number = 0
    for label in reversed(labels):
        if "{" in label or "}" in label:
            if not _VARIABLE_LABEL.fullmatch(label):
                raise ValueError("a variable must be a whole label: {hostVar1}.example.com, not foo-{hostVar1}.example.com")
            number += 1
            label = f"{{hostVar{number}}}"  # noqa: PLW2901 - the label's new spelling
        renamed.append(label)
    return renamed[::-1]


def _split_variables(endpoint: str) -> list[str]:
    """Take the variables out; what is left is the text before, between and after them."""
    pieces: list[str] = []
    rest = endpoint
    while (opened := rest.find("{")) >= 0:
        text, variable = rest[:opened], rest[opened + 1 :]
        name, closed, rest = variable.partition("}")
        if "}" in text or not closed or "{" in name or "/" in name:
            raise ValueError("has braces that do not pair: a variable is {name} within one segment")
        if not name:
            raise ValueError("has a variable without a name: write {name}")
        if pieces and not text:
            raise ValueError("has two variables that touch, so none can tell where one ends: put text or '/' between them")
        pieces.append(text)
    if "}" in rest:
        raise ValueError("has braces that do not pair: a variable is {name} within one segment")
    return [*pieces, rest]


def _spell(text: str) -> str:
    def decode(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return b"%25"  # a sign that encodes nothing is read as the encoded one
        byte = int(match[1], 16)
        return bytes([byte]) if byte in _UNRESERVED else match[0].upper()

    decoded = _PERCENT_ENCODED.sub(decode, text.encode())
    return "".join(chr(byte) if byte in _IN_PATHS else f"%{byte:02X}" for byte in decoded)


def _without_dot_segments(path: str) -> str:
    """Remove `.` and `..` (RFC 3986 §5.2.4): clients do before they send, so an endpoint with them would match nothing."""
    segments = path.split("/")[1:]
    if not {".", ".."}.intersection(segments):
        return path
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _renumber(path: str) -> str:
    """Name the variables anew, since a `..` may have taken one away."""
    first, *others = re.split(r"\{var\d+\}", path)
    return first + "".join(f"{{var{number}}}{text}" for number, text in enumerate(others, 1))
