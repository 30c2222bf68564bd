"""Keys and requests made for callers who have none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hauberk.certificate import Subject
from hauberk.errors import InvalidCertificateRequest
from hauberk.pki.generate import KeyKind, generate_request
from hauberk.pki.request import parse_request


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_generated_request_is_one_that_is_signed(kind: KeyKind) -> None:
    subject = Subject.of(common_name="device", country="DE")
    generated = generate_request(subject, kind)
    request = parse_request(generated.csr_pem)
    key = load_pem_private_key(generated.private_key_pem.encode(), None)
    assert request.public_key == key.public_key()
    assert request.subject == subject
    assert "PRIVATE" not in repr(generated)


@pytest.mark.parametrize("subject", [Subject(()), Subject.of(common_name=" "), Subject.of(common_name="x" * 65), Subject.of(country="D")])
def test_an_unfit_subject_is_refused(subject: Subject) -> None:
    with pytest.raises(InvalidCertificateRequest):
        generate_request(subject)
