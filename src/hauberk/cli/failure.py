"""What ends a command: one line that says what is wrong, and one that says what to do about it."""

from __future__ import annotations


class Failure(Exception):
    """
    A command cannot do what it was asked.

    Args:
        message: What is wrong, naming the thing; printed after `error:`.

        hint: What to do next; printed after `hint:`.

        status: The process's exit status.
    """

    def __init__(self, message: str, hint: str | None = None, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


class Refused(Failure):
    """
    The control plane answered with an error.

    Args:
        message: What it said.

        hint: What to do next.

        http_status: The HTTP status of its answer.

        body: The answer's JSON, for callers that print more of it, such as the problems of a schema.
    """

    def __init__(self, message: str, hint: str | None, http_status: int, body: dict[str, object]) -> None:
        super().__init__(message, hint)
        self.http_status = http_status
        self.body = body
