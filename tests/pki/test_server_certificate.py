"""Server certificates: the one made here, and the mistakes owners make with theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hauberk.errors import InvalidRequest
from hauberk.pki.pkcs8 import encrypted_pem
from hauberk.pki.server_certificate import check_server_certificate, self_signed

HOST = "api.example.com"
CERTIFICATE, KEY = self_signed(HOST)
OTHER_CERTIFICATE, OTHER_KEY = self_signed(HOST)


def test_a_self_signed_certificate_is_accepted_for_its_host_alone() -> None:
    assert check_server_certificate(CERTIFICATE, KEY, HOST) == ()
    with pytest.raises(InvalidRequest, match=r"does not name the host 'www\.example\.com'"):
        check_server_certificate(CERTIFICATE, KEY, "www.example.com")


def test_it_names_this_machine_too_if_asked() -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(HOST, loopback=True)[0].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST, "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_a_host_name_longer_than_a_common_name_is_fine() -> None:
    host = f"{'a' * 63}.{'b' * 63}.example.com"
    assert check_server_certificate(*self_signed(host), host) == ()


@pytest.mark.parametrize(
    ("named", "host", "covered"),
    [
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("api.example.com", "*.example.com", False),
        ("*.com", "*.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(named: str, host: str, covered: bool) -> None:
    certificate, key = self_signed(named)
    if covered:
        assert check_server_certificate(certificate, key, host) == ()
    else:
        with pytest.raises(InvalidRequest, match="does not name the host"):
            check_server_certificate(certificate, key, host)


ENCRYPTED = encrypted_pem(load_pem_private_key(KEY.encode(), None), "secret", iterations=1000).decode()  # type: ignore[arg-type]
BAD = {
    "certificate is garbage": ("garbage", KEY, "/certificate_pem", "not a certificate"),
    "certificate is a key": (KEY, KEY, "/certificate_pem", "private key too"),
    "certificate and key in one": (CERTIFICATE + KEY, KEY, "/certificate_pem", "private key too"),
    "key is garbage": (CERTIFICATE, "garbage", "/private_key_pem", "not a private key"),
    "key is a certificate": (CERTIFICATE, CERTIFICATE, "/private_key_pem", "not a private key"),
    "key is not ASCII": (CERTIFICATE, "schlüssel", "/private_key_pem", "not a private key"),
    "key is encrypted": (CERTIFICATE, ENCRYPTED, "/private_key_pem", "is encrypted.*openssl pkey"),
    "key of another": (CERTIFICATE, OTHER_KEY, "/private_key_pem", "does not belong"),
    "leaf not first": (OTHER_CERTIFICATE + CERTIFICATE, KEY, "/certificate_pem", "number 2 in the text and must come first"),
    "chain out of order": (CERTIFICATE + OTHER_CERTIFICATE, KEY, "/certificate_pem", "number 2 in the text did not sign number 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_named(name: str) -> None:
    certificate, key, pointer, reason = BAD[name]
    with pytest.raises(InvalidRequest, match=reason) as refused:
        check_server_certificate(certificate, key, HOST)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("days", "warning"),
    [(-1, "not valid before"), (0, None), (380, None), (390, "ends on"), (400, "ended on")],
)
def test_dates_are_warned_about(days: int, warning: str | None) -> None:
    warnings = check_server_certificate(CERTIFICATE, KEY, HOST, now=datetime.now(UTC) + timedelta(days=days))
    assert len(warnings) == (warning is not None)
    assert warning is None or warning in warnings[0]
