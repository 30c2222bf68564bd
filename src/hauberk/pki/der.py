"""
The little of DER that is needed by hand: to read a subject as it was sent, and to wrap an encrypted key.

`cryptography` reads and writes nearly everything else. X.690 §8.1 has the rules: a tag, a length, the content.
"""

from __future__ import annotations

from collections.abc import Iterator

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31


class MalformedDer(ValueError):
    """Bytes that are no DER."""


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """
    Walk the elements of a content, side by side: tag and content of each.

    Raises:
        MalformedDer: If an element is cut off, or has a tag or length of a form that names and keys never need.
    """
    position = 0
    while position < len(content):
        if len(content) - position < 2 or content[position] & 0x1F == 0x1F:
            raise MalformedDer("an element is cut off or has a long tag")
        tag, length = content[position], content[position + 1]
        position += 2
        if length >= 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 3 or position + octets > len(content):
                raise MalformedDer("an element's length is cut off or beyond 16 MiB")
            length = int.from_bytes(content[position : position + octets])
            position += octets
        if position + length > len(content):
            raise MalformedDer("an element is cut off")
        yield tag, content[position : position + length]
        position += length


def only(content: bytes, tag: int) -> bytes:
    """
    Give the content of the one element there is.

    Raises:
        MalformedDer: If there is another number of them, or the tag differs.
    """
    found = list(elements(content))
    if len(found) != 1 or found[0][0] != tag:
        raise MalformedDer("another element was expected")
    return found[0][1]


def element(tag: int, *contents: bytes) -> bytes:
    """Write one element around the contents."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    """Write a number that is not negative."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))
