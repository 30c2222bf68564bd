"""
Simulated traffic: sets of requests to an API, drawn from its document, with values of many kinds in many numbers.

A set is like what one host sees: a test suite that uses each value once, or a busy service with hundreds of users. Everything follows from
the random generator that is passed in.
"""

from __future__ import annotations

import re
import string
from random import Random
from uuid import UUID

VARIABLE = re.compile(r"\{([^{}]*)\}")
BASE62 = string.digits + string.ascii_letters
HEX = "0123456789abcdef"
NOISE = (
    "index.php",
    "wp-login.php",
    "admin",
    "phpmyadmin",
    "cgi-bin",
    "test",
    "backup.zip",
    "images",
    "css",
    "js",
    "login.asp",
    "etc",
    "passwd",
    ".git",
    ".env",
    "config.bak",
    "joomla",
    "components",
    "modules",
    "templates",
    "media",
    "administrator",
    "robots.txt",
    "favicon.ico",
    "dvwa",
    "vulnerabilities",
    "includes",
    "setup.php",
    "icons",
    "server-status",
    "manual",
    "README.txt",
    "%3Cscript%3E",
    "..%5c..",
    "a'b",
    "WEB-INF",
    "web.xml",
    "tmp",
    "uploads",
    "old",
)
"""What scanners ask for."""


WORDY = re.compile(
    r"type|status|state|kind|category|format|action|mode|level|scope|role|event|resource|collection|entity|feature|setting|metric"
    r"|interval|period|attribute|field|property|option|language|view|section"
)
"""Names of variables whose values are words."""

CONTINENTS = ("us", "europe", "asia", "australia", "southamerica")
DIRECTIONS = ("east", "west", "central", "north", "southeast")
THINGS = ("id", "item", "device", "node", "user", "test", "order", "server", "sku")

PERSON = re.compile(r"email|user|owner|login|author|member|account|username|actor|person|assignee|friend|handle|subscriber")
"""Names of variables whose values are names of users."""


class Values:
    """Draws values for the variables of one set, each variable in a style of its own."""

    def __init__(self, random: Random, pools: dict[str, list[str]], seen: dict[str, list[str]], words: list[str]) -> None:
        self.random, self.pools, self.seen, self.words = random, pools, seen, words
        self.id_style = random.choice(
            (
                "small",
                "medium",
                "medium",
                "big",
                "uuid",
                "uuid",
                "hex24",
                "hex32",
                "prefixed",
                "prefixed",
                "short",
                "short",
                "base36",
                "lower",
                "number_in_name",
            )
        )
        self.busy = random.random() < 0.45
        self.drawn: dict[str, list[str]] = {}

    def pool(self, name: str, about: dict) -> list[str]:
        """Give the values of a variable; the same ones wherever it stands in the set."""
        if name not in self.drawn:
            counts = (2, 5, 12, 30, 60, 120) if self.busy else (1, 1, 1, 1, 2, 2, 3, 4, 6, 10)
            count = self.random.choice(counts)
            make = self.maker(name, about)
            self.drawn[name] = sorted({re.sub(r"[/?#\s]", "-", make()) or "x" for _ in range(count)})
        return self.drawn[name]

    def maker(self, name: str, about: dict):  # noqa: PLR0911, PLR0912 - a table of names, read from the top
        """Choose how the values of a variable are made."""
        random, pools = self.random, self.pools
        lower = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        if about.get("e") and random.random() < 0.8:
            return lambda: random.choice(about["e"])
        if about.get("x") and random.random() < 0.25:
            return lambda: random.choice(about["x"])
        last = re.split(r"[^a-z]+", lower.rstrip("_"))[-1]
        if self.seen.get(last) and random.random() < 0.25:
            return lambda: random.choice(self.seen[last])
        if about.get("f") == "uuid":
            return self.identifier("uuid")
        if about.get("f") in {"date", "date-time"} or re.search(r"date|day$|timestamp|_at$", lower):
            return self.date()
        if about.get("t") in {"integer", "number"}:
            return self.identifier(random.choice(("small", "medium", "medium", "big")))
        if "email" in lower or last == "mail":
            return lambda: random.choice(pools["email"])
        if re.search(r"year$", lower):
            return lambda: str(random.randint(1990, 2026))
        if re.search(r"version|release", lower) and random.random() < 0.7:
            return random.choice(
                (
                    lambda: f"{random.randint(0, 9)}.{random.randint(0, 30)}.{random.randint(0, 9)}",
                    lambda: f"v{random.randint(0, 3)}.{random.randint(0, 30)}.{random.randint(0, 9)}",
                    lambda: f"{random.randint(1, 5)}.{random.randint(0, 30)}",
                    lambda: str(random.randint(1, 60)),
                    lambda: random.choice(("latest", "current", "draft", "1.0", "2")),
                )
            )
        if re.search(r"sha|hash|digest|commit|checksum|fingerprint", lower) and random.random() < 0.8:
            return self.identifier("hex40")
        if re.search(r"branch|(^|_)ref$|revision", lower):
            return lambda: random.choice(
                (
                    "main",
                    "master",
                    "develop",
                    "dev",
                    "release",
                    "staging",
                    f"feature-{random.randint(1, 400)}",
                    f"fix-{random.choice(pools['word'])}",
                    f"v{random.randint(0, 9)}.{random.randint(0, 9)}",
                    f"{random.choice(pools['word'])}-{random.choice(pools['word'])}",
                )
            )
        if (
            re.search(r"file|path|document_name|attachment_name|object_name|artifact|key$", lower)
            and not re.search(r"id$", lower)
            and random.random() < 0.6
        ):
            return random.choice(
                (
                    lambda: random.choice(pools["file"]),
                    lambda: random.choice(
                        ("README.md", "setup.py", "package.json", "index.html", "Makefile", "main.go", "logo.png", "config.yml", "LICENSE")
                    ),
                )
            )
        if re.search(r"domain|host|fqdn|zone_name|site", lower) and not re.search(r"id$", lower):
            return lambda: random.choice(pools[random.choice(("domain", "domain", "host"))])
        if re.search(r"ip$|address$|cidr", lower) and random.random() < 0.5:
            return lambda: f"{random.randint(1, 223)}.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        if re.search(r"region|location|datacenter|(^|_)zone$", lower) and random.random() < 0.8:
            return random.choice(
                (
                    lambda: f"{random.choice(('us', 'eu', 'ap', 'sa'))}-{random.choice(DIRECTIONS)}-{random.randint(1, 3)}",
                    lambda: f"{random.choice(CONTINENTS)}-{random.choice(DIRECTIONS)}{random.randint(1, 4)}",
                    lambda: f"{random.choice(('nyc', 'fra', 'sfo', 'lon', 'ams'))}{random.randint(1, 3)}",
                    lambda: random.choice(pools["city"]).lower(),
                )
            )
        if re.search(r"country|nation", lower):
            return lambda: random.choice(pools["country"])
        if re.search(r"currency|symbol|iso", lower):
            return lambda: random.choice(pools["currency"])
        if re.search(r"lang|locale|culture", lower):
            return random.choice(
                (
                    lambda: random.choice(("en", "de", "fr", "es", "it", "ja", "pt", "nl", "ru")),
                    lambda: random.choice(("en-US", "de-DE", "fr-FR", "pt-BR", "en_GB", "ja-JP")),
                )
            )
        if re.search(
            r"email|user|owner|login|author|member|account|username|actor|person|assignee|friend|handle|subscriber", lower
        ) and random.random() < (0.35 if re.search(r"id$", lower) else 0.9):
            return self.user()
        if re.search(r"(id|uuid|guid|sid|uid|key|no|number|num|reference|token|code|hash)s?$", lower) and random.random() < 0.87:
            return self.identifier(self.id_style if random.random() < 0.75 else None)
        if (
            re.search(
                WORDY,
                lower,
            )
            and random.random() < 0.75
        ):
            return self.word()
        return self.name() if random.random() < 0.8 else self.identifier(None)

    def identifier(self, style: str | None):
        """Make identifiers of a style; of any if none is given."""
        random = self.random
        style = style or random.choice(
            (
                "small",
                "medium",
                "big",
                "uuid",
                "hex24",
                "hex32",
                "prefixed",
                "short",
                "base36",
                "lower",
                "hex40",
                "upper",
                "number_in_name",
                "dashed",
                "long62",
            )
        )
        start = random.randint(10_000, 10**9)
        prefix = random.choice(
            (
                *"abcdefgt",
                "ch",
                "cus",
                "in",
                "id",
                "usr",
                "org",
                "prj",
                "acct",
                "file",
                "rec",
                "app",
                "shp",
                "adr",
                "evt",
                "tmpl",
                "t1",
                "t3",
                "AC",
                "SM",
                "run",
                "asst",
            )
        )
        joint = random.choice("__-")
        length = random.randint(10, 24)

        def some(alphabet: str, count: int) -> str:
            return "".join(random.choice(alphabet) for _ in range(count))

        return {
            "small": lambda: str(random.randint(1, random.choice((9, 99, 999)))),
            "medium": lambda: str(start + random.randint(0, 5000)),
            "big": lambda: str(random.randint(10**15, 10**18)),
            "uuid": lambda: str(UUID(int=random.getrandbits(128), version=4)),
            "hex24": lambda: some(HEX, 24),
            "hex32": lambda: some(HEX, 32),
            "hex40": lambda: some(HEX, random.choice((40, 40, 40, 7, 64))),
            "prefixed": lambda: prefix + joint + some(random.choice((BASE62, BASE62, string.digits + string.ascii_lowercase)), length),
            "short": lambda: some(BASE62, random.randint(6, 11)),
            "long62": lambda: some(BASE62 + "-_", random.choice((20, 22, 27, 44))),
            "base36": lambda: some(string.digits + string.ascii_lowercase, random.choice((4, 5, 6, 6, 7))),
            "lower": lambda: some(string.ascii_lowercase, random.choice((6, 8, 10, 12))),
            "upper": lambda: some(string.ascii_uppercase + string.digits, random.choice((4, 6, 8, 12))),
            "number_in_name": lambda: (
                f"{random.choice(THINGS)}{random.choice(('', '-', '_'))}{random.randint(1, 99999)}{random.choice(('', '', '-a', 'b'))}"
            ),
            "dashed": lambda: "-".join(some(string.digits + string.ascii_uppercase, 4) for _ in range(random.choice((2, 3, 4)))),
        }[style]

    def date(self):
        """Make dates."""
        random = self.random
        form = random.choice(("{0}-{1:02}-{2:02}", "{0}-{1:02}-{2:02}", "{0}{1:02}{2:02}", "{0}-{1:02}-{2:02}T{3:02}:00:00Z", "{0}-{1:02}"))
        return lambda: form.format(random.randint(2009, 2026), random.randint(1, 12), random.randint(1, 28), random.randint(0, 23))

    def user(self):
        """Make names of users and organisations."""
        random, pools = self.random, self.pools
        return random.choice(
            (
                lambda: random.choice(pools["user"]),
                lambda: random.choice(pools[random.choice(("user", "package", "company"))]),
                lambda: random.choice(pools["first"]) + random.choice(("", ".", "_", "-")) + random.choice(pools["last"]),
                lambda: random.choice(pools["first"])[0] + random.choice(pools["last"]),
                lambda: random.choice(pools["company"]),
                lambda: random.choice(pools["first"]),
                lambda: (
                    random.choice(("admin", "test", "demo", "me", "alice", "bob", "testuser", "octo", "acme", "root", "system"))
                    + random.choice(("", "", "1", "2", "-bot", "user", "org"))
                ),
                lambda: (
                    random.choice(("my", "test", "demo", "the", "acme"))
                    + random.choice(("-", "_", ""))
                    + random.choice(("org", "team", "user", "company", "account", "group"))
                ),
            )
        )

    def word(self):
        """Make words that could be fixed text: the hard ones."""
        random, pools = self.random, self.pools
        few = [random.choice(self.words) for _ in range(random.choice((3, 6, 12)))]
        return random.choice(
            (
                lambda: random.choice(few),
                lambda: random.choice(few),
                lambda: random.choice(few).upper(),
                lambda: random.choice(few) + "_" + random.choice(few),
                lambda: random.choice(pools["word"]),
                lambda: random.choice(
                    (
                        "open",
                        "closed",
                        "active",
                        "all",
                        "pending",
                        "public",
                        "private",
                        "daily",
                        "weekly",
                        "json",
                        "csv",
                        "pdf",
                        "standard",
                        "basic",
                        "default",
                    )
                ),
            )
        )

    def name(self):
        """Make names of things."""
        random, pools = self.random, self.pools

        def camel() -> str:
            return "".join(random.choice(pools["word"]).capitalize() for _ in range(random.randint(2, 3)))

        def mine() -> str:
            joint = random.choice("--__.")
            return joint.join(
                (
                    random.choice(("my", "test", "new", "foo", "demo", "example", "prod", "dev", "staging", random.choice(pools["word"]))),
                    random.choice((*self.words[:40], *pools["word"][:40])),
                    *random.choice(((), (), (str(random.randint(1, 99)),))),
                )
            )

        def sandbox() -> str:
            return random.choice(
                (
                    "test",
                    "foo",
                    "bar",
                    "baz",
                    "sandbox",
                    "example",
                    "default",
                    "demo",
                    "sample",
                    "dummy",
                    "temp",
                    "hello",
                    "Hello-World",
                    "main",
                    "primary",
                )
            ) + random.choice(("", "", "", "1", "2", "-1"))

        return random.choice(
            (
                mine,
                mine,
                sandbox,
                camel,
                lambda: random.choice(pools["package"]),
                lambda: random.choice(pools["package"]),
                lambda: random.choice(pools["package"]),
                lambda: random.choice(pools["slug"]),
                lambda: random.choice(pools["company"]),
                lambda: random.choice(pools["title"]),
                lambda: random.choice(pools["word"]) + random.choice("-_") + random.choice(pools["word"]),
                lambda: random.choice(pools["word"]) + str(random.randint(1, 99)),
                lambda: random.choice(pools["job"]),
                lambda: random.choice(pools["color"]),
                lambda: random.choice(pools["word"]).upper() + "_" + random.choice(pools["word"]).upper(),
            )
        )


def simulate(document: dict, random: Random, pools: dict[str, list[str]], seen: dict[str, list[str]], words: list[str]) -> list[list[str]]:
    """Draw one set of requests: `[method, path, template]`; what is noise has the template `!`."""
    values = Values(random, pools, seen, words)
    paths = sorted(document["paths"])
    share = random.choice((0.1, 0.3, 0.6, 1.0))
    if random.random() < 0.5:  # a part of the tree, as one application uses it
        prefix = random.choice(paths).split("/")[: random.choice((2, 3, 4))]
        near = [path for path in paths if path.split("/")[: len(prefix)] == prefix]
        paths = near if len(near) >= 3 else paths
    paths = random.sample(paths, max(1, min(int(len(paths) * share) + 1, len(paths), random.choice((20, 60, 160)))))
    most = random.choice((1, 2, 3)) if not values.busy else random.choice((3, 10, 40))
    rows = []
    for template in paths:
        methods = [method for method in document["paths"][template] if random.random() < 0.7] or document["paths"][template][:1]
        for method in methods:
            for _ in range(1 if "{" not in template else random.randint(1, most)):
                path = VARIABLE.sub(lambda match: random.choice(values.pool(match[1], document["variables"].get(match[1], {}))), template)
                rows.append([method, path, template])
    if random.random() < 0.12:
        for _ in range(random.randint(3, 80)):
            path = "".join("/" + random.choice(NOISE) for _ in range(random.choice((1, 1, 2, 2, 3, 4))))
            rows.append(["GET", path, "!"])
    return rows


def resample(rows: list[list[str]], random: Random) -> list[list[str]]:
    """Draw a part of a recorded host's requests, as `simulate` gives them."""
    share = random.choice((1.0, 1.0, 0.6, 0.3, 0.1))
    kept = [
        [method, path.rstrip("/") if not template.endswith("/") and len(path) > 1 else path, template]
        for _, method, path, template, *_ in rows
        if random.random() < share
    ]
    return kept or [[method, path, template] for _, method, path, template, *_ in rows[:1]]
