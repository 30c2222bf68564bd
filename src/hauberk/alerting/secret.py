"""The secret that signs what the webhook is sent: from the environment, else from a file; never from the settings themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hauberk.config import WEBHOOK_SECRET_VARIABLE
from hauberk.errors import ConfigurationError

# Shorter ones are guessed; longer ones are no secrets but wrong files.
LEAST_BYTES, MOST_BYTES = 16, 4096


def webhook_secret(file: Path | None, environment: Mapping[str, str]) -> bytes | None:
    """
    Give the secret, without the white space around it; `None` if there is none.

    Raises:
        ConfigurationError: If the file cannot be read, or the secret is too short or too long.
    """
    told = environment.get(WEBHOOK_SECRET_VARIABLE)
    where = WEBHOOK_SECRET_VARIABLE if told else f"alerts.webhook_secret_file: {file}"
    if told:
        secret = told.encode(errors="surrogateescape").strip()
    elif file is None:
        return None
    else:
        try:
            with file.open("rb") as stream:
                secret = stream.read(MOST_BYTES + 1).strip()
        except OSError as error:
            raise ConfigurationError(f"{where} cannot be read: {error.strerror}") from None
    if not LEAST_BYTES <= len(secret) <= MOST_BYTES:
        raise ConfigurationError(f"{where} must hold {LEAST_BYTES} to {MOST_BYTES:,} bytes: 'openssl rand -hex 32' makes a good secret")
    return secret
