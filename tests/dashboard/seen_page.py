"""What of a page matters to whoever finds their way: its links, and its buttons."""

from __future__ import annotations

from html.parser import HTMLParser

from hauberk.dashboard.sessions import is_own_affair


class Seen(HTMLParser):
    """Reads a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.changing: list[str] = []
        """Where buttons would send a form that changes more than its sender's own affairs."""
        self._action: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "form" and (given.get("method") or "").lower() == "post":
            self._action = given.get("action") or ""
        elif tag == "button" and self._action is not None and given.get("type", "submit") == "submit" and "disabled" not in given:
            action = given.get("formaction") or self._action
            if not is_own_affair(action):
                self.changing.append(action)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = None
