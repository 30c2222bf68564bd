"""hauberk, a self-hosted API shield: it answers only callers it knows, and only requests that look right."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("hauberk")
except PackageNotFoundError:  # a checkout whose package was never installed
    __version__ = "0.0.0"
