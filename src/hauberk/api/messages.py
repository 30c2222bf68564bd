"""Answers that succeed and have something to tell besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.responses import JSONResponse


def success_with_messages(result: Any, messages: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """
    Wrap a result like `envelope.success`.

    Args:
        result: What the caller asked for.

        messages: What the caller should know, each `{"code", "message"}`.
    """
    return JSONResponse({"success": True, "errors": [], "messages": list(messages), "result": result})
