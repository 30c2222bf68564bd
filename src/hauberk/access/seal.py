"""
What a browser holds: the secret of its session in a signed cookie, and beside each form a token that only this session has.

The database knows the secret's hash alone. The signature spares it the questions of those who make cookies up, and ends all sessions
when the key is changed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from itsdangerous import Signer

SECRET_BYTES = 32


def new_secret() -> str:
    """Make the secret of a session or a link: 256 random bits, fit for a cookie and an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_sha256(secret: str) -> str:
    """Hash a secret as the database keeps it; it is random, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Seal:
    """
    Signs with the installation's key.

    Args:
        key: 32 random bytes or more.
    """

    def __init__(self, key: bytes) -> None:
        self._cookies = _signer(key, "session cookie")
        self._forms = _signer(key, "form")

    def seal(self, secret: str) -> str:
        """Give a cookie's value."""
        return self._cookies.sign(secret.encode(errors="replace")).decode()

    def open(self, cookie: str) -> str | None:
        """Give the secret of a cookie, or `None` if it was not signed here."""
        secret = cookie.rpartition(".")[0]
        # Compared as text: a signature's last character has spare bits, so its bytes could be written in several ways.
        return secret if hmac.compare_digest(self.seal(secret).encode(), cookie.encode(errors="replace")) else None

    def form_token(self, secret: str) -> str:
        """Give the token that forms of this secret's browser carry."""
        return self._forms.get_signature(secret).decode()

    def is_form_token(self, secret: str, token: str) -> bool:
        """Tell whether a form came from a page that was made for this secret's browser."""
        return hmac.compare_digest(self.form_token(secret).encode(), token.encode(errors="replace"))


def _signer(key: bytes, purpose: str) -> Signer:
    return Signer(key, salt=f"hauberk {purpose}", key_derivation="hmac", digest_method=hashlib.sha256)
