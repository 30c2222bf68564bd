"""The one place of the command line that speaks HTTP: envelopes are unwrapped here, and every failure becomes a sentence."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from hauberk.cli.failure import Failure, Refused

_PER_PAGE = 500
# Uploading a large document and compiling it takes a while; everything else answers at once.
_TIMEOUT = httpx.Timeout(60, connect=5)


def route(*segments: str) -> str:
    """
    Join path segments, each percent-encoded.

        >>> route("client/v4/zones", "a/b", "client_certificates")
        '/client/v4/zones/a%2Fb/client_certificates'
    """
    first, *rest = segments
    return "/".join(["", first, *(quote(segment, safe="") for segment in rest)])


class Client:
    """
    A caller of one control plane.

    Args:
        url: Its address, such as `http://127.0.0.1:8080`.

        token: The credential, sent as bearer token.

        tls: How its certificate is checked; by default against the system's authorities.
    """

    def __init__(self, url: str, token: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.url = url.rstrip("/")
        # A proxy from the environment cannot reach this machine's loopback, and should not be asked to.
        local = (urlsplit(self.url).hostname or "") in {"127.0.0.1", "::1", "localhost"}
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=not local,
            verify=tls if tls is not None else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, /, **query: Any) -> Any:
        """Read a resource: the envelope's `result`."""
        return self._result("GET", path, query=query)

    def post(self, path: str, body: Any, **query: Any) -> Any:
        """Create a resource; the result is what was created."""
        return self._result("POST", path, body, query)

    def put(self, path: str, body: Any) -> Any:
        """Replace a resource."""
        return self._result("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        """Change a resource."""
        return self._result("PATCH", path, body)

    def delete(self, path: str, **query: Any) -> Any:
        """Remove a resource."""
        return self._result("DELETE", path, query=query)

    def envelope(self, path: str, body: Any, **query: Any) -> dict[str, Any]:
        """POST, and return the whole envelope, for what stands beside `result`."""
        return self._envelope(self._send("POST", path, body, query))

    def put_envelope(self, path: str, body: Any) -> dict[str, Any]:
        """PUT, and return the whole envelope, for what stands beside `result`."""
        return self._envelope(self._send("PUT", path, body, None))

    def pages(self, path: str, /, *, limit: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """Read a list to its end, or to `limit` items, page by page."""
        per_page = _PER_PAGE if limit is None else max(1, min(_PER_PAGE, limit))
        page, given = 1, 0
        while items := self.get(path, page=page, per_page=per_page, **query):
            for item in items:
                if limit is not None and given >= limit:
                    return
                given += 1
                yield item
            if len(items) < per_page:
                return
            page += 1

    def content(self, path: str, **query: Any) -> bytes:
        """Read a resource that is no envelope, such as a CRL."""
        response = self._send("GET", path, None, query)
        if response.is_error:
            self._envelope(response)
        return response.content

    def _result(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        return self._envelope(self._send(method, path, body, query)).get("result")

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any] | None) -> httpx.Response:
        parameters = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in (query or {}).items() if value is not None
        }
        try:
            return self._http.request(method, path, json=body, params=parameters)
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Failure(
                    f"the certificate of {self.url} cannot be verified: {error}", "name its authority's file in SSL_CERT_FILE"
                ) from None
            raise Failure(
                f"nothing answers at {self.url}", "start it with 'hauberk up', or name another control plane with --url"
            ) from None
        except httpx.TimeoutException:
            raise Failure(f"{self.url} did not answer in time", "look at the control plane's log, then try again") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Failure(
                f"cannot speak with {self.url}: {error}", "give the control plane's address, such as http://127.0.0.1:8080"
            ) from None

    def _envelope(self, response: httpx.Response) -> dict[str, Any]:
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "success" not in body:
            raise Failure(
                f"{self.url} answered {response.status_code}, but not as a hauberk control plane does",
                "is this the gateway's address? --url is that of the REST API",
            )
        if response.is_error or not body["success"]:
            messages = [str(error.get("message", "")) for error in body.get("errors") or []]
            message = "; ".join(filter(None, messages)) or f"the control plane answered {response.status_code}"
            raise Refused(message, _hint(response.status_code), response.status_code, body)
        return body


def _hint(status: int) -> str | None:
    match status:
        case 401:
            return "give a token in HAUBERK_TOKEN or --token-file; the first one is in admin-token of the control plane's state folder"
        case 403:
            return "'hauberk token create --scope edit' makes a token that may; run it with one that already does"
        case _:
            return None
