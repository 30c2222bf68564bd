"""
Make `values.ndjson.zst`: names to fill variables with when traffic is simulated. Needs the package Faker; the table is committed.

    python training/paths/make_values.py --packages FILE   (a list of package names, one a line, of which some are taken)
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

from collect import HERE, write_lines
from faker import Faker


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, required=True)
    packages = parser.parse_args().packages.read_text(errors="replace").splitlines()
    names = sorted({line.split("\t")[0] for line in packages if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{2,30}", line.split("\t")[0])})
    random.seed(7)
    Faker.seed(7)
    fake = Faker()

    def some(make: object, count: int) -> list[str]:
        return sorted({str(make()) for _ in range(count)})  # type: ignore[operator]

    table = {
        "user": some(fake.user_name, 900),
        "first": some(lambda: fake.first_name().lower(), 300),
        "last": some(lambda: fake.last_name().lower(), 300),
        "company": some(lambda: re.sub(r"[^A-Za-z0-9]+", random.choice(["-", "", "_"]), fake.company()), 500),
        "slug": some(fake.slug, 500),
        "title": some(lambda: fake.sentence(nb_words=random.randint(2, 4)).rstrip(".").replace(" ", "%20"), 200),
        "domain": some(fake.domain_name, 400),
        "host": some(fake.hostname, 300),
        "email": some(fake.ascii_email, 300),
        "file": some(fake.file_name, 400),
        "city": some(lambda: fake.city().replace(" ", random.choice(["-", "%20", "_"])), 200),
        "word": some(fake.word, 400),
        "package": sorted(random.sample(names, 2500)),
        "country": some(fake.country_code, 100),
        "currency": some(fake.currency_code, 80),
        "color": some(fake.color_name, 80),
        "job": some(lambda: re.sub(r"[^A-Za-z]+", "-", fake.job()).lower(), 200),
    }
    write_lines(HERE / "values.ndjson.zst", [table])
    print({key: len(value) for key, value in table.items()})


if __name__ == "__main__":
    main()
