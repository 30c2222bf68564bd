"""REST credentials: how their text becomes what the database keeps."""

from __future__ import annotations

import hashlib


def token_sha256(token: str) -> str:
    """Hash a token as the database keeps it; tokens are 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
