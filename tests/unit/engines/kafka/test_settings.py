"""What can't be used of `[kafka]` is refused with its remedy."""

from __future__ import annotations

import pytest

from esclusa.engines.kafka.settings import KafkaSettings, check
from esclusa.kernel.errors import StorageError
from esclusa.kernel.settings import TlsSettings


def test_brokers_may_be_trusted_as_the_system_does() -> None:
    check(KafkaSettings(tls=TlsSettings()))
    check(KafkaSettings(tls=TlsSettings(ca="ca.pem", certificate="own.pem", key="own.key")))


@pytest.mark.parametrize("tls", [TlsSettings(certificate="own.pem"), TlsSettings(key="own.key")])
def test_a_certificate_and_its_key_belong_together(tls: TlsSettings) -> None:
    with pytest.raises(StorageError, match="belong together"):
        check(KafkaSettings(tls=tls))
