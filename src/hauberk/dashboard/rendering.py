"""The templates' environment: everything is escaped, and what a page does not know is an error rather than a gap."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import hauberk
from hauberk.dashboard import addresses, charts, text
from hauberk.dashboard.violations import in_words

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


@cache
def asset(name: str) -> str:
    """Give the address of a static file; it changes with the content, so browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=text.visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        number=text.number,
        percent=text.percent,
        pieces=text.pieces,
        bytes=text.size,
        seconds=text.seconds,
        ago=text.ago,
        exactly=text.exactly,
        exact=text.exact,
        visible=text.visible,
        json_text=text.json_text,
        in_words=in_words,
    )
    environment.globals.update(asset=asset, version=hauberk.__version__, charting=charts, query=addresses.query)
    return environment


TEMPLATES = _environment()
