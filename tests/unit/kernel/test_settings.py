"""What a table of the configuration shows of itself, and what it never does."""

from __future__ import annotations

import io

from rich.console import Console
from rich.pretty import Pretty

from esclusa.kernel.settings import Secret, Settings, TlsSettings


class Door(Settings, frozen=True, kw_only=True):
    """A table with secrets of all kinds, and another table in it."""

    name: str = "north"
    password: Secret
    spare: Secret | None = None
    bell: str | None = None
    tls: TlsSettings | None = None


DOOR = Door(password="open sesame", spare="abracadabra", tls=TlsSettings(ca="ca.pem", password="hocus"))


def test_a_secret_is_never_shown() -> None:
    assert repr(DOOR) == (
        "Door(name='north', password='***', spare='***', bell=None,"
        " tls=TlsSettings(ca='ca.pem', certificate=None, key=None, password='***'))"
    )
    assert str(DOOR) == f"{DOOR}" == repr(DOOR)


def test_nor_by_who_prints_it_nicely() -> None:
    printed = io.StringIO()
    Console(file=printed, width=200).print(Pretty(DOOR))
    assert "north" in printed.getvalue()
    assert not [secret for secret in ("sesame", "abracadabra", "hocus") if secret in printed.getvalue()]


def test_that_there_is_none_is_seen() -> None:
    assert "password=''" in repr(Door(password=""))
    assert "spare=None" in repr(Door(password=""))
