"""Settings that were changed on the control plane, as a gateway hears of them and keeps them for its next start."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from hauberk.config import Settings
from hauberk.tunable import laid_over

log = logging.getLogger(__name__)


class ToldSettings:
    """
    What the control plane has told of settings that were changed while hauberk runs; kept on disk for the next start.

    Args:
        settings: Of this gateway's own file and environment, which are stronger.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._file = settings.state_dir / "told-settings.json"
        self._told: dict[str, Any] = {}
        try:
            told = json.loads(self._file.read_text("utf-8"))
            self._told = told if isinstance(told, dict) else {}
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("settings that were told cannot be read; the control plane tells them again", extra={"reason": str(error)})

    def laid_over(self) -> Settings:
        """Give the settings, with what was told laid over those that nothing here sets."""
        return laid_over(self.settings, self._told, os.environ)

    def keep(self, told: dict[str, Any]) -> None:
        """Note what is told now."""
        if told == self._told:
            return
        self._told = told
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(told, stream)
        except OSError as error:
            log.warning("settings that were told cannot be kept for the next start", extra={"reason": error.strerror})
