"""
The JSON every answer has, success or failure, and how errors become it.

Source: the wire conventions of Cloudflare's API v4, which the official SDKs read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, StatementError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hauberk.errors import HauberkError, InvalidRequest, InvalidSchema, TooManyRequests, Unauthenticated

NO_ROUTE_CODE = 7000
INTERNAL_CODE = 1500

log = logging.getLogger(__name__)


def success(
    result: Any,
    *,
    result_info: Mapping[str, Any] | None = None,
    messages: Sequence[Mapping[str, Any]] = (),
    status: int = 200,
    **top: Any,
) -> JSONResponse:
    """
    Wrap a result.

    Args:
        result: What the caller asked for: an object, a list, or `None`.

        result_info: Paging counts, for lists.

        messages: What the caller should know besides, each `{"code", "message"}`.

        status: The HTTP status.

        top: Members to repeat beside `result`, for the SDK methods that read the outermost object.
    """
    body: dict[str, Any] = {**top, "success": True, "errors": [], "messages": list(messages), "result": result}
    if result_info is not None:
        body["result_info"] = dict(result_info)
    return JSONResponse(body, status)


def failure(status: int, errors: Sequence[Mapping[str, Any]], **top: Any) -> JSONResponse:
    """Wrap one or more errors, each `{"code", "message"}` and perhaps `source.pointer`."""
    headers = {"WWW-Authenticate": 'Bearer realm="hauberk"'} if status == Unauthenticated.status else None
    return JSONResponse({**top, "success": False, "errors": list(errors), "messages": [], "result": None}, status, headers)


def _error(code: int, message: str, pointer: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message} | ({"source": {"pointer": pointer}} if pointer is not None else {})


def install(app: FastAPI) -> None:
    """Make every error of the application an envelope, whoever raised it."""
    app.add_exception_handler(HauberkError, _from_hauberk)
    app.add_exception_handler(RequestValidationError, _from_validation)
    app.add_exception_handler(HTTPException, _from_http)
    app.add_exception_handler(StatementError, _from_statement)
    app.add_exception_handler(UnicodeEncodeError, _from_statement)
    app.add_exception_handler(OverflowError, _from_statement)
    app.add_exception_handler(ClientDisconnect, _from_leaver)
    app.add_exception_handler(Exception, _from_bug)


def _from_hauberk(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HauberkError)  # noqa: S101 - registered for this class alone
    if error.status >= HauberkError.status:
        log.error("request failed", extra={"path": request.scope["path"], "reason": error.message})
    top: dict[str, Any] = {}
    if isinstance(error, InvalidSchema):
        problems = {severity: [p for p in error.problems if p["severity"] == severity] for severity in ("critical", "error", "warning")}
        top["upload_details"] = {"critical": problems["critical"], "errors": problems["error"], "warnings": problems["warning"]}
    response = failure(error.status, [_error(error.code, error.message, error.pointer)], **top)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _from_validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    # `input` and `ctx` of an error hold the value that was sent: they stay out of the answer.
    errors = []
    for problem in error.errors():
        where, *path = problem["loc"]
        if problem["type"] == "json_invalid":
            errors.append(_error(InvalidRequest.code, "the body is not valid JSON"))
            continue
        name = ".".join(str(part) for part in path) or str(where)
        pointer = "/" + "/".join(str(part) for part in path) if where == "body" else None
        errors.append(_error(InvalidRequest.code, f"{where} {name}: {problem['msg'].removeprefix('Value error, ')}", pointer))
    return failure(InvalidRequest.status, errors)


def _from_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    if error.status_code == InvalidRequest.status:  # the framework could not read the body at all
        return failure(
            InvalidRequest.status, [_error(InvalidRequest.code, "the body cannot be read: it is not valid JSON, or nests too deep")]
        )
    messages = {
        404: "no route for this URI: see /docs for the ones there are",
        405: f"method {request.method} is not served at this URI: see /docs for the ones that are",
    }
    response = failure(error.status_code, [_error(NO_ROUTE_CODE, messages.get(error.status_code, str(error.detail)))])
    response.headers.update(error.headers or {})
    return response


def _from_statement(request: Request, error: Exception) -> JSONResponse:
    """Tell what no database can hold, such as a lone surrogate or a time before year 1, from a fault of ours."""
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(error, DataError):  # PostgreSQL's word for it; SQLite holds these
        message = "a text holds the character NUL or is too long, or a number is out of range"
        return failure(InvalidRequest.status, [_error(InvalidRequest.code, message)])
    if isinstance(cause, UnicodeEncodeError):
        return failure(InvalidRequest.status, [_error(InvalidRequest.code, "a text holds a lone surrogate, which is no character")])
    if isinstance(cause, OverflowError):
        return failure(InvalidRequest.status, [_error(InvalidRequest.code, "a number or a time is out of range")])
    return _from_bug(request, error)


def _from_leaver(_request: Request, _gone: Exception) -> JSONResponse:
    # Nobody reads this, and nothing is wrong here.
    return failure(InvalidRequest.status, [_error(InvalidRequest.code, "the body ended before its time")])


def _from_bug(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra={"path": request.scope["path"]}, exc_info=error)
    return failure(500, [_error(INTERNAL_CODE, "an error inside hauberk: its log has the details")])
