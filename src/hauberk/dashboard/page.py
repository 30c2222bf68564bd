"""
What the handler of a page has in hand: who visits, the REST API with their rights, the zone, and ways to answer.

A handler reads with GET and changes nothing; a POST makes one change and sends the visitor on (303), so that a page can be loaded again,
shared and gone back to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.forms import read_form
from hauberk.dashboard.notices import Left, Notice, Notices, Undo
from hauberk.dashboard.rendering import TEMPLATES
from hauberk.dashboard.rest import Answer, Rest, RestError
from hauberk.dashboard.sessions import PART_HEADER, SignInNeeded, Visitor, check_form, is_own_affair, signed_in, visitor_of
from hauberk.errors import StorageError

COMPATIBLE = "/client/v4"
OWN = "/hauberk/v1"

# A document pasted into a form comes as a text field; the whole body has its own limit, control_plane.max_upload_bytes.
MAX_FIELD_BYTES, MAX_FIELDS = 64 * 2**20, 20_000
# What viewers may send, too: passwords.
MAX_OWN_FIELD_BYTES, MAX_OWN_FIELDS = 16 * 2**10, 20

ALL_ZONES = 5000
"""As many zones as one REST answer lists."""

__all__ = ["Change", "NoSuchZone", "Page", "PageOf", "Undo"]


class NoSuchZone(Exception):
    """The address names a zone that is not there."""


@dataclass(frozen=True)
class Change:
    """A call that was made, and the version of the snapshot that holds what it changed."""

    answer: Answer
    version: int | None
    """`None` where gateways enforce nothing new."""


class Page:
    """
    One request for a page, by someone who is signed in.

    Args:
        request: The request.

        visitor: Who is signed in.

        rest: The REST API with the visitor's rights.

        notices: What was told visitors.
    """

    def __init__(self, request: Request, visitor: Visitor, rest: Rest, notices: Notices) -> None:
        self.request = request
        self.visitor = visitor
        self.rest = rest
        self.form: FormData = FormData()
        """What was POSTed. Text may hold whole documents, so read it here and not by FastAPI's `Form`, which stops at 1 MB."""
        self.zones: list[dict[str, Any]] = []
        self.zone: dict[str, Any] = {}
        """`id`, `name` and more of the zone that the address names, or of the only one; else nothing."""
        self.status: dict[str, Any] = {"version": 0, "gateways": []}
        self._notices = notices

    async def prepare(self) -> None:
        """
        Read what every page shows: the zones, and how gateways are.

        Raises:
            NoSuchZone: If the address names another.
        """
        zones, status = await asyncio.gather(self.rest.get(f"{COMPATIBLE}/zones", per_page=ALL_ZONES), self.rest.get(f"{OWN}/status"))
        self.zones, self.status = zones.result, status.result
        # Parts of pages that are the same in every zone name theirs in the query.
        name = self.request.path_params.get("zone_name") or self.query.get("zone") or None
        if name is not None:
            found = [zone for zone in self.zones if zone["name"] == name]
            if not found:
                raise NoSuchZone(name)
            self.zone = found[0]
        elif len(self.zones) == 1:
            self.zone = self.zones[0]  # so that pages about the installation have the whole menu, too

    # --- Addresses ------------------------------------------------------------------------------------------------------------------------

    def v4(self, path: str = "") -> str:
        """Give the path of a compatible REST resource of this zone, e.g. `v4("client_certificates")`."""
        return f"{COMPATIBLE}/zones/{self.zone['id']}/{path}".rstrip("/")

    def own(self, path: str = "") -> str:
        """Give the path of one of hauberk's own REST resources of this zone."""
        return f"{OWN}/zones/{self.zone['id']}/{path}".rstrip("/")

    def link(self, *parts: object, **query: object) -> str:
        """Give the address of a page of this zone; parts are quoted, query parameters that are `None` or empty are left out."""
        return link(self.zone.get("name"), *parts, **query)

    # --- The query of tables --------------------------------------------------------------------------------------------------------------

    @property
    def query(self) -> Mapping[str, str]:
        """The address's query."""
        return self.request.query_params

    @property
    def number(self) -> int:
        """Which page of a table is asked for, from 1; what is no number counts as 1."""
        return self._whole("page", 1, 1, 2**31)

    @property
    def per_page(self) -> int:
        """How many rows of a table to show."""
        return self._whole("per_page", 50, 1, 500)

    @property
    def is_part(self) -> bool:
        """Whether a script asks, which takes a part of the page and leaves the rest."""
        return PART_HEADER in self.request.headers

    def _whole(self, name: str, default: int, least: int, most: int) -> int:
        text = self.query.get(name, "")
        return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 12 else default

    # --- Answers --------------------------------------------------------------------------------------------------------------------------

    def render(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Answer with a page made from a template, which also sees `page`, `visitor`, `zone`, `zones`, `notice`, `link`, `csrf`."""
        notice = self._notices.find(self.visitor.session_id, self.query.get("notice", ""))
        whole = {
            "page": self,
            "request": self.request,
            "visitor": self.visitor,
            "may_edit": self.visitor.may_edit,
            "csrf_token": self.visitor.csrf_token,
            "zone": self.zone,
            "zones": self.zones,
            "gateways": self.status["gateways"],
            "link": self.link,
            "notice": notice,
            "theme": self.request.cookies.get("hauberk_theme", ""),
        }
        return HTMLResponse(TEMPLATES.get_template(template).render({**whole, **context}), status)

    async def change(self, call: Callable[[], Awaitable[Answer]]) -> Change:
        """Make a call that may change what gateways enforce, and find out whether it did."""
        before = self.status["version"]
        answer = await call()
        self.status = (await self.rest.get(f"{OWN}/status")).result
        after = self.status["version"]
        return Change(answer, after if after != before else None)

    def moved(
        self, address: str, *, done: str | None = None, kind: str = "ok", change: Change | None = None, undo: Undo | None = None
    ) -> Response:
        """
        Send the visitor to a page after a change.

        Args:
            address: The page, as `link` gives it.

            done: What was done, as a sentence; the page shows it once.

            kind: `ok`, `warn` or `bad`.

            change: The change, so that the page tells when all gateways enforce it.

            undo: How to take it back.
        """
        if done is not None:
            version = change.version if change is not None else None
            key = self._notices.add(self.visitor.session_id, Notice(done, kind, version, undo, address))
            address += ("&" if "?" in address else "?") + urlencode({"notice": key})
        return RedirectResponse(address, 303)

    async def undo(self, key: str) -> Response:
        """Take back what a notice offers to take back, once."""
        taken = self._notices.take(self.visitor.session_id, key)
        if taken is None:
            return self.moved("/", done="This cannot be taken back any more: it was done already, or too long ago.", kind="warn")
        notice, undo = taken
        played = 0

        async def play() -> Answer:
            nonlocal played
            if undo.left is not None and not await self._is_there(undo.left):
                raise RestError(409, [{"message": "it was changed since. Look at what is there now, and change that"}])
            answer = None
            for method, address, json in undo.calls:
                path, _, query = address.partition("?")
                answer = await self.rest.call(method, path, json=json, query=dict(parse_qsl(query, keep_blank_values=True)))
                played += 1
            assert answer is not None  # noqa: S101 - an undo has at least one call
            return answer

        try:
            change = await self.change(play)
        except RestError as error:
            # What is at fault may pass, such as a database that is busy: then the rest can be tried again.
            left = replace(undo, calls=undo.calls[played:]) if error.status >= 500 and played < len(undo.calls) else None
            how = "Not taken back" if not played else "Taken back in part"
            return self.moved(notice.address, done=f"{how}: {error.message}", kind="bad", undo=left)
        told = "".join(f" {message['message']}." for message in change.answer.messages)
        return self.moved(undo.address or notice.address, done=f"Taken back: {notice.text}{told}", change=change)

    async def _is_there(self, left: Left) -> bool:
        try:
            return bool(left.read((await self.rest.get(left.path, **left.query)).result) == left.seen)
        except RestError as error:
            if error.status != 404:
                raise
            return False


async def _page(request: Request) -> AsyncIterator[Page]:
    visitor = await visitor_of(request)
    rest = Rest(request.app.state.rest, visitor.caller)
    page = Page(request, visitor, rest, request.app.state.notices)
    try:
        if request.method == "POST":
            most, size = (MAX_OWN_FIELDS, MAX_OWN_FIELD_BYTES) if is_own_affair(request.url.path) else (MAX_FIELDS, MAX_FIELD_BYTES)
            page.form = await read_form(request, request.app.state.max_form_bytes, max_fields=most, max_field_bytes=size)
            check_form(visitor, page.form.get("csrf"))
        await page.prepare()
        yield page
    finally:
        await rest.close()
        await page.form.close()  # what was uploaded lies in files


PageOf = Annotated[Page, Depends(_page)]
"""A page's handler asks for this; strangers are sent to the sign-in page."""


async def frame_of(request: Request) -> Page | None:
    """Give a page to tell an error on, if somebody is signed in and REST says what all pages show; its form was not looked at."""
    try:
        visitor = await signed_in(request)
    except (SignInNeeded, StorageError):
        return None
    rest = Rest(request.app.state.rest, visitor.caller)
    page = Page(request, visitor, rest, request.app.state.notices)
    try:
        await page.prepare()
    except NoSuchZone:  # known as soon as all else is
        pass
    except RestError:
        return None
    finally:
        await rest.close()
    return page
