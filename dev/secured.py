"""What makes an engine a secured one: certificates of an authority of its own, and three users.

    secured = Secured(folder / "secured")
    async with Kafka(folder, secured=secured) as kafka: ...

Several engines may share one: then a program needs one authority's file, and is the same user everywhere.
"""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


class User(NamedTuple):
    """Somebody that the engine knows."""

    name: str
    password: str


class Certificate(NamedTuple):
    """A certificate with its chain, and its private key, each in a file (PEM)."""

    certificate: Path
    key: Path


class Secured:
    """Certificates and users of one or more engines; every password is made up anew.

    `prefix`: what the names of topics and groups begin with that `user` has rights to.
    In the folder: `ca.pem`, the authority; `client.pem` and `client.key`, a client's; `users.json`, the passwords.
    """

    prefix = "esclusa."

    def __init__(self, folder: Path, *, required: bool = False, hosts: Sequence[str] = HOSTS) -> None:
        """`required`: nobody is let in without a certificate, whatever else they have to show. `hosts`: the server's names."""
        folder.mkdir(parents=True, exist_ok=True)
        self.required = required
        self.admin = _made_up("admin")
        """May do everything."""
        self.user = _made_up("esclusa")
        """May do what Esclusa needs; the client's certificate has the same name."""
        self.stranger = _made_up("stranger")
        """May log in, and nothing else."""
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)
        self.server = self.issue("server", *hosts)
        self.client = self.issue("client", "client.example", name=self.user.name)  # Java takes no certificate without a host
        self.store = folder / "server.store"
        """The server's certificate and key in one file, as Java's programs want them."""
        self.store.write_bytes(self.server.key.read_bytes() + self.server.certificate.read_bytes())
        (folder / "users.json").write_text(json.dumps({user.name: user.password for user in self.users}))

    @property
    def users(self) -> tuple[User, User, User]:
        """All of them."""
        return self.admin, self.user, self.stranger

    def issue(
        self, file: str, *hosts: str, name: str | None = None, until: datetime | None = None, password: str | None = None
    ) -> Certificate:
        """A certificate of the authority, in files called `file`, for `hosts`; for a client, who is called `name`.

        `until`: when it expires. `password`: what its key is encrypted with.
        """
        issued = self._authority.issue_cert(*hosts, common_name=name, not_after=until)
        made = Certificate(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        made.key.touch(mode=0o600)
        made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return made

    def context(self) -> ssl.SSLContext:
        """The client's side of TLS."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(*self.client)
        return context


def _made_up(name: str) -> User:
    return User(name, secrets.token_hex(16))
