"""
PEM read strictly (RFC 7468): whole blocks, known labels, proper base64, and nothing beside them.

Other readers skip what they do not know; here a key pasted beside a certificate must not slip into the database unseen.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

# Neither part can match a hyphen of the next, so the time is linear in the text's length.
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_WHITESPACE = re.compile(r"[ \t\r\n]+")


class MalformedPem(ValueError):
    """Text that is not PEM; the message says what was found instead, without quoting it."""


@dataclass(frozen=True)
class Block:
    """One PEM block."""

    label: str
    """E.g. `CERTIFICATE`."""

    base64: str
    """What stands between the two lines, line ends and all."""

    def der(self) -> bytes:
        """
        Decode the content.

        Raises:
            MalformedPem: If it is not base64, or empty.
        """
        try:
            content = binascii.a2b_base64(_WHITESPACE.sub("", self.base64).encode("ascii"), strict_mode=True)
        except (binascii.Error, UnicodeEncodeError):
            content = b""
        if not content:
            raise MalformedPem(f"the content of the {self.label} block is not base64: it was cut short or changed on the way")
        return content


def holds_private_key(text: str) -> bool:
    """Tell whether a private key is in the text, whole or in part."""
    return "PRIVATE KEY-----" in text


def blocks(text: str) -> list[Block]:
    """
    Read all blocks of a text that holds nothing else.

    Raises:
        MalformedPem: If there is no block, one is cut off, or there is other text around them.
    """
    if not text.strip():
        raise MalformedPem("it is empty")
    found = [Block(match[1], match[2]) for match in _BLOCK.finditer(text)]
    around = _BLOCK.sub("", text).strip()
    if not around:
        return found
    if "\\n" in text:
        raise MalformedPem("its line ends are written as a backslash and an n: send real line ends (in JSON, \\n and not \\\\n)")
    if "-----BEGIN" in around or "-----END" in around:
        raise MalformedPem("a block is cut off or its BEGIN and END lines differ: send the file whole and unchanged")
    if not found:
        raise MalformedPem(
            "it is not PEM: a line '-----BEGIN …-----' is expected at its start (DER is converted by 'openssl … -inform DER')"
        )
    raise MalformedPem("there is text around the block: send the block alone ('openssl … -text' is what adds such text)")
