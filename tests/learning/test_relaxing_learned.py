"""What a trial of a learned schema blames is a statement of it, and learning without that statement lets the request pass."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from hauberk import _native
from hauberk.learned_schema import LearnedOperation
from hauberk.learning import documents, learn
from hauberk.learning.loosening import kin_of, loosened
from hauberk.learning.trial import Trial
from sensor_site import HOST, OPERATIONS, SensorClients, Sent

KEYS = [(method, HOST, endpoint) for method, endpoint in sorted(OPERATIONS)]
ODD: list[Any] = [
    "' OR 1=1 --",
    "x" * 20_000,
    -1,
    10**12,
    1.5,
    True,
    None,
    [],
    ["a", 1],
    {},
    {"a": 1},
    "",
    "<script>",
    "\u0000",
    "2026",
    "é" * 300,
]


def row(sent: Sent) -> dict[str, Any]:
    headers = [[name, value] for name, value in sent.headers.items() if name != "Authorization"]
    told = {"host": HOST, "method": sent.method, "url": f"https://{HOST}{sent.target}", "request_headers": headers, "status": 200}
    told |= {"client": f"192.0.2.{sent.caller}", "session": f"{sent.caller:016x}", "time": "2026-11-01T00:00:00Z"}
    return told | ({"request_body": sent.body.decode()} if sent.body is not None else {})


@pytest.fixture(scope="module")
def profiles() -> dict[str, dict[str, Any]]:
    learner = _native.Learner(operations=KEYS, session_identifiers=[], only="all", trusted=[], held_back=False)
    learner.feed(b"\n".join(json.dumps(row(sent)).encode() for sent in SensorClients(1).requests(6000)))
    return {
        f"{method} {host}{endpoint}": json.loads(learner.profile(method, host, endpoint)) for method, host, endpoint in learner.operations()
    }


def tried(learned: dict[str, LearnedOperation], rows: list[dict[str, Any]]) -> dict[str, Any]:
    written = {name: documents([operation], evidence=False)[0][1] for name, operation in learned.items()}
    trial = Trial(written, _native.Validator)
    trial.replay([json.dumps(one).encode() for one in rows])
    result: dict[str, Any] = trial.as_json()["successful"]
    return result


def mutated(one: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Put something odd at a random place of a request."""
    odd = chance.choice(ODD)
    parts = urlsplit(one["url"])
    query = parse_qsl(parts.query)
    if "request_body" in one and chance.random() < 0.8:
        body = json.loads(one["request_body"])
        holder = chance.choice([body, *(value for value in body.values() if isinstance(value, dict))])
        holder[chance.choice([*holder, "admin"])] = odd
        return one | {"request_body": json.dumps(chance.choice([body] * 9 + [odd]))}
    if chance.random() < 0.2:
        return one | {"url": f"https://{HOST}/sensors/{quote(str(odd) or 'x', safe='')}"}
    pairs = [*query, ("admin", "1")]
    at = chance.randrange(len(pairs))
    pairs = [*pairs[:at], (pairs[at][0], str(odd)), *pairs[at + 1 :], *(pairs[:1] if chance.random() < 0.2 else [])]
    return one | {"url": f"https://{HOST}{parts.path}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)}


def test_what_was_learned_from_passes(profiles: dict[str, dict[str, Any]]) -> None:
    learned = {name: learn(profile) for name, profile in profiles.items()}
    assert len(learned) == len(OPERATIONS)
    told = tried(learned, [row(sent) for sent in SensorClients(1).requests(6000)])
    assert (told["requests"], told["rules"]) == (6000, [])


def test_each_rule_a_trial_names_is_a_statement_and_can_be_relaxed(profiles: dict[str, dict[str, Any]]) -> None:
    learned = {name: learn(profile) for name, profile in profiles.items()}
    chance = random.Random(5)
    rows = [mutated(row(sent), chance) for sent in SensorClients(2).requests(1500)]
    blamed: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for one in rows:
        told = tried(learned, [one])
        rules = {rule["rule"]: rule for rule in told["rules"]}
        if not rules or not all(rule["can_be_relaxed"] for rule in rules.values()):
            continue
        (name,) = {rule["operation"] for rule in rules.values()}
        made = {statement.rule for statement in learned[name].statements if statement.is_made}
        assert rules.keys() <= made, one
        blamed.setdefault((name, tuple(sorted(rules))), one)
    assert len(blamed) > 40
    for (name, rules), one in blamed.items():
        made = {statement.rule for statement in learned[name].statements if statement.is_made}
        known = sorted({statement.rule for statement in learned[name].statements})
        kin = [other for rule in rules for other in kin_of(rule, known) if other not in made]
        again = learn(profiles[name], relaxed=[*rules, *kin])
        assert not tried({name: again}, [one])["refused"], (name, rules)
        looser = replace(learned[name], operation=loosened(learned[name].operation, rules))
        assert not tried({name: looser}, [one])["refused"], (name, rules)
