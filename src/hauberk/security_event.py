"""
A security event as its zone's owner looks for it: what of a gateway's report can be filtered and counted by.

The report itself is kept as it came; nothing here ever holds a value of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DIMENSIONS = ("rule", "code", "operation", "host", "source", "client")
"""What events are counted by."""


def code_of(event: Mapping[str, Any]) -> str | None:
    """
    Tell in one word what was wrong: the kind of the first violation with its detail, else the gateway's own reason.

    >>> code_of({"violation": {"error_class": "constraint_violation", "error_detail": "number_too_big"}})
    'constraint_violation.number_too_big'
    >>> code_of({"source": "apiShield", "reason": "ambiguous_path"})
    'ambiguous_path'
    >>> code_of({"source": "firewallCustom", "reason": "blocked_by_rule"}) is None
    True
    """
    violation = event.get("violation")
    if isinstance(violation, Mapping):
        parts = [violation.get("error_class"), violation.get("error_detail")]
        return ".".join(part for part in parts if isinstance(part, str) and part) or None
    reason = event.get("reason")
    return reason if isinstance(reason, str) and event.get("rule_id") is None else None


def fingerprint_of(event: Mapping[str, Any]) -> str | None:
    """Give the SHA-256 fingerprint of the client certificate, if there was one."""
    certificate = event.get("client_certificate")
    fingerprint = certificate.get("fingerprint_sha256") if isinstance(certificate, Mapping) else None
    return fingerprint if isinstance(fingerprint, str) else None
