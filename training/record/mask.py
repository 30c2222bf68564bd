"""
Take the secrets out of a record: the same secret always becomes the same mask, so sessions stay tellable apart.

The salt is made anew in each run of the recorder, so a mask cannot be turned back by guessing.
"""

import hashlib
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SALT = secrets.token_bytes(16)
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?\d?\]?$|passwd|pwd|secret|token|csrf|xsrf|api_?key|access_?key|private_?key|session_?id|^sid$|^jwt$|authenticity|nonce$",
    re.IGNORECASE,
)
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-csrftoken", "x-csrf-token", "x-xsrf-token", "x-xsrftoken", "x-api-key"}
)


def mask(value: str) -> str:
    """Replace a secret by `h:` and twelve digits that are the same for the same secret."""
    return "h:" + hashlib.blake2b(value.encode(), key=_SALT, digest_size=6).hexdigest()


def mask_header(name: str, value: str) -> str:
    """Mask the values of cookies (names and attributes stay) and of headers that carry credentials."""
    lower = name.lower()
    if lower == "cookie":
        return "; ".join(_mask_pair(pair) for pair in value.split("; "))
    if lower == "set-cookie":
        first, separator, rest = value.partition(";")
        return _mask_pair(first) + separator + rest
    if lower in {"authorization", "proxy-authorization"}:
        scheme, separator, credentials = value.partition(" ")
        return scheme + separator + mask(credentials) if credentials else mask(value)
    if lower in _SECRET_HEADERS or _SECRET_NAME.search(lower):
        return mask(value)
    return mask_url(value) if lower in {"referer", "location"} else value


def mask_url(url: str) -> str:
    """Mask the values of query parameters whose names say that they are secret."""
    split = urlsplit(url)
    if not split.query:
        return url
    return urlunsplit(split._replace(query=_mask_form(split.query)))


def mask_body(body: str, content_type: str) -> str:
    """Mask secret members of JSON, secret fields of a form; any other body stays as it is."""
    if "json" in content_type or body[:1] in {"{", "["}:
        try:
            document = json.loads(body)
        except ValueError:
            return body
        masked = _mask_json(document)
        return body if masked == document else json.dumps(masked, ensure_ascii=False, separators=(",", ":"))
    if "urlencoded" in content_type:
        return _mask_form(body) if _SECRET_NAME.search(body) or "=" in body else body
    if "multipart" in content_type:
        return _MULTIPART_SECRET.sub(lambda found: found[1] + mask(found[3]), body)
    return body


_MULTIPART_SECRET = re.compile(r'(name="[^"]*(pass|csrf|token|secret)[^"]*"\r\n\r\n)([^\r\n]+)', re.IGNORECASE)


def _mask_pair(pair: str) -> str:
    name, separator, value = pair.partition("=")
    return name + separator + (mask(value) if value else "")


def _mask_form(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(_SECRET_NAME.search(name) and value for name, value in pairs):
        return text
    return urlencode([(name, mask(value) if value and _SECRET_NAME.search(name) else value) for name, value in pairs])


def _mask_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: mask(member) if isinstance(member, str) and member and _SECRET_NAME.search(name) else _mask_json(member)
            for name, member in value.items()
        }
    return [_mask_json(member) for member in value] if isinstance(value, list) else value
