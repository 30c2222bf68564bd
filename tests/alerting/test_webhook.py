"""Alerts reach a real receiver, signed, again after failure, and never in the way of who sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from conftest import eventually, free_port
from hauberk.alerting.webhook import ID_HEADER, SIGNATURE_HEADER, Webhook, WebhookSettings, signature


@dataclass
class Receiver:
    """What came in, and what is answered: the answers in turn, then 204."""

    answers: list[int] = field(default_factory=list)
    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    this = Receiver()
    this.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            this.held.wait(20)
            this.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(this.answers.pop(0) if this.answers else 204)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    this.url = f"http://127.0.0.1:{server.server_port}/alerts"
    yield this
    this.held.set()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def running(url: str, secret: bytes | None = b"s3cret", **settings: Any) -> Iterator[tuple[Webhook, list[str], Callable[[str], float]]]:
    """Give a webhook that runs, the ids of what was delivered, and its count of an outcome."""
    registry, delivered = CollectorRegistry(), list[str]()
    webhook = Webhook(WebhookSettings(url, secret, first_wait_seconds=0.01, **settings), delivered.append, registry)
    webhook.start()
    try:
        yield webhook, delivered, lambda outcome: registry.get_sample_value("hauberk_webhook_messages_total", {"outcome": outcome}) or 0
    finally:
        webhook.stop()


def test_a_message_comes_signed(receiver: Receiver) -> None:
    with running(receiver.url) as (webhook, delivered, count):
        assert webhook.offer("7", {"text": "Grüße"})
        eventually(lambda: delivered == ["7"] and count("delivered") == 1)
    ((headers, body),) = receiver.received
    assert json.loads(body) == {"text": "Grüße"}
    at, _, digest = headers[SIGNATURE_HEADER.lower()].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(b"s3cret", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert (headers[ID_HEADER.lower()], headers["content-type"]) == ("7", "application/json")


def test_the_signature_is_as_documented() -> None:
    # As `printf '1767225600.{}' | openssl dgst -sha256 -hmac secret` gives it.
    expected = "t=1767225600,v1=" + hmac.new(b"secret", b"1767225600.{}", "sha256").hexdigest()
    assert signature(b"secret", 1767225600, b"{}") == expected


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    with running(receiver.url, None) as (webhook, delivered, _):
        webhook.offer("1", {})
        eventually(lambda: delivered == ["1"])
    assert SIGNATURE_HEADER.lower() not in receiver.received[0][0]


@pytest.mark.parametrize("answers", [[500], [503, 429], [408, 500, 502]])
def test_what_can_be_helped_is_tried_again(receiver: Receiver, answers: list[int]) -> None:
    tries = len(answers) + 1
    receiver.answers = answers
    with running(receiver.url) as (webhook, delivered, count):
        webhook.offer("1", {})
        eventually(lambda: delivered == ["1"] and count("delivered") == 1)
    assert len(receiver.received) == tries


@pytest.mark.parametrize("answer", [400, 401, 404, 410, 301, 307])
def test_what_cannot_is_not(receiver: Receiver, answer: int) -> None:
    receiver.answers = [answer]
    with running(receiver.url) as (webhook, delivered, count):
        webhook.offer("1", {})
        eventually(lambda: count("failed") == 1)
        webhook.offer("2", {})
        eventually(lambda: delivered == ["2"])
    assert [headers[ID_HEADER.lower()] for headers, _ in receiver.received] == ["1", "2"]


def test_it_gives_up_in_the_end(receiver: Receiver) -> None:
    receiver.answers = [500] * 3
    with running(receiver.url, tries=3) as (webhook, delivered, count):
        webhook.offer("1", {})
        eventually(lambda: count("failed") == 1)
        assert not delivered
    assert len(receiver.received) == 3


def test_nobody_answers(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), running(f"http://127.0.0.1:{free_port()}/x?token=hidden", tries=2) as (webhook, _, count):
        webhook.offer("1", {"text": "told"})
        eventually(lambda: count("failed") == 1)
    assert "hidden" not in caplog.text
    assert "ConnectError" in str([record.__dict__ for record in caplog.records])


def test_a_receiver_that_hangs_holds_nobody_up(receiver: Receiver) -> None:
    receiver.held.clear()
    with running(receiver.url, queue_length=2) as (webhook, delivered, count):
        taken = [webhook.offer(str(n), {}) for n in range(10)]
        # One may be on its way; two wait.
        assert sum(taken) in {2, 3}
        assert count("dropped") == 10 - sum(taken)
        receiver.held.set()
        eventually(lambda: len(delivered) == sum(taken))


def test_it_times_out_and_comes_again(receiver: Receiver) -> None:
    receiver.held.clear()
    with running(receiver.url, timeout_seconds=0.1) as (webhook, delivered, _):
        webhook.offer("1", {})
        threading.Timer(0.3, receiver.held.set).start()
        eventually(lambda: delivered == ["1"])
    assert {headers[ID_HEADER.lower()] for headers, _ in receiver.received} == {"1"}


def test_stopping_does_not_wait_for_a_receiver(receiver: Receiver) -> None:
    receiver.answers = [500] * 10
    registry = CollectorRegistry()
    webhook = Webhook(WebhookSettings(receiver.url, None, first_wait_seconds=1000), lambda _: None, registry)
    webhook.start()
    webhook.offer("1", {})
    eventually(lambda: len(receiver.received) == 1)
    webhook.stop()
    assert webhook._thread is not None
    assert not webhook._thread.is_alive()
