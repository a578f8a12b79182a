"""What a WSDL says that it wants in WS-Security's header (WS-SecurityPolicy 1.2): as much as tells what to write."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

from esclusa.connectors.soap.xml import UnsafeXml, parsed

_POLICIES = ("securitypolicy", "ws-sx")
"""What the namespaces of all versions of it have."""
_SIGNATURES = {"AsymmetricBinding", "SignedParts", "InitiatorToken"}
_BEYOND = {"SamlToken", "IssuedToken", "KerberosToken", "EncryptedParts", "SecureConversationToken"}


class Policy(msgspec.Struct, frozen=True):
    """What is stated anywhere in the documents of a WSDL: for one operation it may be less."""

    username: bool = False
    digest: bool = False
    timestamp: bool = False
    signed: bool = False
    beyond: tuple[str, ...] = ()
    """What no connector can show."""

    @property
    def stated(self) -> bool:
        """Whether there is anything."""
        return self != Policy()


def policy_of(documents: Iterable[bytes]) -> Policy:
    """What `documents` state. Those that can't be read state nothing: who reads a WSDL as a whole has told so."""
    names: set[str] = set()
    for document in documents:
        try:
            root = parsed(document)
        except UnsafeXml:
            continue
        for element in root.iter("*"):
            name = etree.QName(element)
            if name.namespace and any(each in name.namespace for each in _POLICIES):
                names.add(name.localname)
    return Policy(
        username="UsernameToken" in names,
        digest="HashPassword" in names,
        timestamp="IncludeTimestamp" in names,
        signed=bool(names & _SIGNATURES),
        beyond=tuple(sorted(names & _BEYOND)),
    )
