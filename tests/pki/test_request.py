"""What is signed and what is refused, and that a refusal says why without repeating what was sent."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key
from csr_builder import attribute, csr, raw_csr, to_pem
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import require_tool
from hauberk.certificate import Subject
from hauberk.errors import InvalidCertificateRequest
from hauberk.pki import der, pem
from hauberk.pki.request import MAX_CSR_BYTES, check_validity_days, parse_request

RSA_KEY = rsa.generate_private_key(65537, 2048)
GOOD = csr(common_name="device-7", organization="Example")
GOOD_DER = pem.blocks(GOOD)[0].der()
SECRET = "secret-name-3141"


def private_key_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key_pem() -> str:
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def with_another_key() -> str:
    """A request that names a key its sender does not hold."""
    mine, other = csr(common_name=SECRET), csr(common_name=SECRET)
    keys = [pem.blocks(text)[0].der().partition(b"\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00")[2][:65] for text in (mine, other)]
    return to_pem(pem.blocks(mine)[0].der().replace(keys[0], keys[1]))


BAD = {
    "empty": ("", "empty"),
    "blank": (" \r\n\t", "empty"),
    "words": (f"please sign {SECRET}", "not PEM"),
    "binary": (b"\xff\xfe\x00" + SECRET.encode(), "not PEM text"),
    "not ASCII": (GOOD.replace("REQUEST", "RÉQUEST"), "not PEM text"),
    "bare base64": ("".join(GOOD.splitlines()[1:-1]), "not PEM"),
    "written line ends": (GOOD.replace("\n", "\\n"), "backslash"),
    "cut short": (GOOD[:-40], "cut off"),
    "cut inside": (GOOD.replace("\n", "!\n", 3), "not base64"),
    "labels differ": (GOOD.replace("END CERTIFICATE REQUEST", "END NEW CERTIFICATE REQUEST"), "cut off"),
    "two requests": (GOOD + GOOD, "2 PEM blocks"),
    "text before": (f"Certificate Request: {SECRET}\n{GOOD}", "text around"),
    "byte order mark": ("\ufeff" + GOOD, "not PEM text"),
    "a private key": (private_key_pem(), "private key"),
    "request and key": (GOOD + private_key_pem(), "private key"),
    "half a private key": (GOOD + private_key_pem()[:100], "private key"),
    "a certificate": (to_pem(GOOD_DER, "CERTIFICATE"), "holds a certificate"),
    "request and certificate": (GOOD + to_pem(GOOD_DER, "CERTIFICATE"), "holds a certificate"),
    "a public key": (public_key_pem(), "another kind"),
    "empty block": ("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", "not base64"),
    "no DER": (to_pem(b"hello"), "not a certificate request"),
    "DER and more": (to_pem(GOOD_DER + b"\0"), "not a certificate request"),
    "too large": (GOOD + "\n" * MAX_CSR_BYTES, "16 KiB"),
    "RSA 1024": (csr(rsa.generate_private_key(65537, 1024), common_name=SECRET), "1024 bits"),
    "RSA exponent 3": (csr(rsa.generate_private_key(3, 2048), common_name=SECRET), "exponent"),
    "P-521": (csr(ec.generate_private_key(ec.SECP521R1()), common_name=SECRET), "secp521r1"),
    "P-224": (csr(ec.generate_private_key(ec.SECP224R1()), common_name=SECRET), "secp224r1"),
    "secp256k1": (csr(ec.generate_private_key(ec.SECP256K1()), common_name=SECRET), "secp256k1"),
    "Ed448": (csr(ed448.Ed448PrivateKey.generate(), None, common_name=SECRET), "another kind"),
    "DSA": (csr(dsa.generate_private_key(2048), common_name=SECRET), "another kind"),
    "changed after signing": (to_pem(pem.blocks(csr(common_name="secret-name-3140"))[0].der().replace(b"3140", b"3141")), "signature"),
    "another's key": (with_another_key(), "signature"),
    "no subject": (raw_csr(), "missing"),
    "other fields alone": (raw_csr(der.element(der.SET, der.element(der.SEQUENCE, bytes.fromhex("0603550405"), b"\x0c\x01a"))), "missing"),
    "blank name": (raw_csr(attribute("common_name", b" ")), "missing"),
    "long CN": (raw_csr(attribute("common_name", b"x" * 65)), "common_name of more than 64"),
    "long O": (csr(organization=SECRET * 5), "organization of more than 64"),
    "long OU": (csr(organizational_unit=SECRET * 5), "organizational_unit of more than 64"),
    "long ST": (csr(state="x" * 129), "state of more than 128"),
    "long L": (csr(location="ä" * 65), "location of more than 128"),
    "three-letter country": (raw_csr(attribute("country", b"DEU", 0x13)), "two letters"),
    "country of digits": (raw_csr(attribute("country", b"49", 0x13)), "two letters"),
    "line feed": (csr(common_name=f"{SECRET}\nadmin"), "control characters in common_name"),
    "NUL": (csr(common_name=f"admin\0{SECRET}"), "control characters in common_name"),
    "DEL": (csr(organization="a\x7f"), "control characters in organization"),
    "text turned round": (csr(common_name="admin\u202eecived"), "control characters"),
    "line separator": (csr(common_name="a\u2028b"), "control characters"),
    "two common names": (raw_csr(attribute("common_name", b"a"), attribute("common_name", b"b")), "more than one common_name"),
    "many units": (raw_csr(*[attribute("organizational_unit", b"%d" % i) for i in range(17)]), "more than 16"),
    "broken UTF-8": (raw_csr(attribute("common_name", b"\xff\xfe")), "not a certificate request|malformed"),
    "name as a number": (raw_csr(attribute("common_name", b"\x01", der.INTEGER)), "not a certificate request|malformed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_with_its_reason(name: str) -> None:
    content, reason = BAD[name]
    with pytest.raises(InvalidCertificateRequest, match=reason) as refused:
        parse_request(content)
    assert refused.value.pointer == "/csr"
    assert refused.value.message.startswith("csr: ")
    assert SECRET not in refused.value.message


@pytest.mark.parametrize("digest", ["sha1", "md5", "sha224", "sha3-256"])
def test_a_request_signed_with_a_poor_or_rare_hash_is_refused(digest: str, tmp_path: Path) -> None:
    openssl = require_tool("openssl")
    arguments = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", f"-{digest}", "-subj", "/CN=a"]
    made = subprocess.run([openssl, *arguments], capture_output=True, check=True)
    with pytest.raises(InvalidCertificateRequest, match="SHA-256"):
        parse_request(made.stdout)


KEYS = {
    "RSA 2048": (RSA_KEY, "sha256"),
    "RSA 3072 with SHA-512": (rsa.generate_private_key(65537, 3072), "sha512"),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), "sha256"),
    "P-384 with SHA-384": (ec.generate_private_key(ec.SECP384R1()), "sha384"),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), None),
}


@pytest.mark.parametrize("kind", KEYS)
def test_good_keys_are_accepted(kind: str) -> None:
    key, digest = KEYS[kind]
    algorithms = {"sha384": SHA384(), "sha512": SHA512(), None: None}
    text = csr(key, algorithms[digest]) if digest != "sha256" else csr(key)
    assert parse_request(text).public_key == key.public_key()


def test_line_ends_of_windows_and_the_older_label_are_fine_and_kept() -> None:
    text = GOOD.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST").replace("\n", "\r\n")
    request = parse_request(text)
    assert request.csr_pem == text
    assert request.subject == Subject((("common_name", "device-7"), ("organization", "Example")))


def test_order_and_repetition_of_fields_are_kept_and_other_fields_left_out() -> None:
    serial_number = der.element(der.SET, der.element(der.SEQUENCE, bytes.fromhex("0603550405"), b"\x0c\x01a"))
    units = [attribute("organizational_unit", b"b"), attribute("organizational_unit", b"a")]
    subject = parse_request(raw_csr(*units, serial_number, attribute("location", b""), attribute("common_name", b"x"))).subject
    assert subject.attributes == (("organizational_unit", "b"), ("organizational_unit", "a"), ("common_name", "x"))
    assert subject.value("organizational_unit") == "b, a"
    assert subject.value("state") is None


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [(0x13, b"plain", "plain"), (0x16, b"a@b", "a@b"), (0x14, b"gr\xfc\xdfe", "grüße"), (0x1E, "日本".encode("utf-16-be"), "日本")],
)
def test_every_kind_of_string_is_read(tag: int, value: bytes, text: str) -> None:
    assert parse_request(raw_csr(attribute("common_name", value, tag))).subject.value("common_name") == text


def test_what_cfssl_makes_is_accepted(tmp_path: Path) -> None:
    cfssl, cfssljson = require_tool("cfssl"), require_tool("cfssljson")
    names = [{"C": "US", "L": "Austin", "O": "Temperature Testers, Inc.", "OU": "Tech Operations", "ST": "Texas"}]
    wanted = {"hosts": ["device.example"], "CN": "device-1", "key": {"algo": "rsa", "size": 2048}, "names": names}
    (tmp_path / "csr.json").write_text(json.dumps(wanted))
    made = subprocess.run([cfssl, "genkey", "csr.json"], cwd=tmp_path, capture_output=True, check=True)
    subprocess.run([cfssljson, "-bare", "device"], input=made.stdout, cwd=tmp_path, check=True)
    request = parse_request((tmp_path / "device.csr").read_bytes())
    key = load_pem_private_key((tmp_path / "device-key.pem").read_bytes(), None)
    assert request.public_key == key.public_key()
    assert request.subject.value("common_name") == "device-1"
    assert request.subject.value("organization") == "Temperature Testers, Inc."


@pytest.mark.parametrize("days", [1, 5475])
def test_a_validity_in_range_is_fine(days: int) -> None:
    check_validity_days(days)


@pytest.mark.parametrize("days", [-1, 0, 5476, 10**12])
def test_a_validity_out_of_range_is_refused(days: int) -> None:
    with pytest.raises(InvalidCertificateRequest, match="between 1 and 5475") as refused:
        check_validity_days(days)
    assert refused.value.pointer == "/validity_days"


def judge(content: str | bytes) -> None:
    """Read it: accepted or refused, nothing else."""
    with suppress(InvalidCertificateRequest):
        parse_request(content)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_random_bytes_are_refused_and_nothing_worse(content: bytes) -> None:
    with pytest.raises(InvalidCertificateRequest):
        parse_request(content)
    with pytest.raises(InvalidCertificateRequest):
        parse_request(to_pem(content))


@settings(deadline=None)
@given(st.text(max_size=500))
def test_random_text_is_refused_and_nothing_worse(content: str) -> None:
    with pytest.raises(InvalidCertificateRequest):
        parse_request(content)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(GOOD_DER) - 1), st.integers(0, 255), st.binary(max_size=4))
def test_a_damaged_request_is_judged_and_nothing_worse(place: int, byte: int, inserted: bytes) -> None:
    judge(to_pem(GOOD_DER[:place] + bytes((byte,)) + GOOD_DER[place + 1 :]))
    judge(to_pem(GOOD_DER[:place] + inserted + GOOD_DER[place:]))
    judge(to_pem(GOOD_DER[:place]))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(["common_name", "country", "location"]), st.binary(max_size=20), st.integers(0, 255)), max_size=4)
)
def test_a_subject_of_random_bytes_is_judged_and_nothing_worse(attributes: list[tuple[str, bytes, int]]) -> None:
    judge(raw_csr(*[attribute(*parts) for parts in attributes]))
