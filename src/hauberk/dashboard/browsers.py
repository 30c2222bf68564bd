"""What a browser says of itself, in a few words."""

from __future__ import annotations

import re

# In this order: most name those they are compatible with as well.
_BROWSERS = (
    ("Edge", r"Edg\w*/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS)/(\d+)"),
)
_SAFARI = re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/")
_SYSTEMS = (("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))


def browser_name(user_agent: str) -> str:
    """
    Name browser and system; what is not known is given as it is, cut short.

        >>> browser_name("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
        'Chrome 140 on Linux'
    """
    system = next((name for part, name in _SYSTEMS if part in user_agent), None)
    for name, pattern in (*_BROWSERS, ("Safari", _SAFARI.pattern)):
        found = re.search(pattern, user_agent)
        if found is not None:
            return f"{name} {found[1]}" + (f" on {system}" if system is not None else "")
    return user_agent[:40] or "unknown"
