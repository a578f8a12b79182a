"""WS-Security 1.1 in the header of an envelope: who we are, when it was sent, and a signature over its body.

UsernameToken Profile 1.1 and X.509 Token Profile 1.1 (OASIS); signatures are RSA with SHA-256 over exclusive canonical XML.
"""

from __future__ import annotations

import base64
from hashlib import sha1
from pathlib import Path

import xmlsec
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types
from xmlsec import constants

from esclusa.connectors.soap.settings import SecuritySettings, SignatureSettings
from esclusa.connectors.transport import client_context
from esclusa.kernel.clock import rfc3339
from esclusa.kernel.errors import UnusableSettings
from esclusa.kernel.ids import Ids

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_USERNAME = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
_NONCE = 16
"""Bytes."""


class Security:
    """Adds the header that `settings` describe. `UnusableSettings` for files that can't be used."""

    def __init__(self, settings: SecuritySettings, name: str, ids: Ids) -> None:
        """`name`: the connector's, for what is wrong."""
        self._settings = settings
        self._ids = ids
        self._key: xmlsec.Key | None = None
        self._certificate = ""
        if settings.sign is not None:
            self._key, self._certificate = _signer(settings.sign, ("connectors", name, "security", "sign"))

    def secure(self, envelope: etree._Element, millis: int) -> None:
        """Put the header into `envelope`, sent at `millis` since the epoch. Nothing in it may be changed after that."""
        version = etree.QName(envelope).namespace
        header = envelope.find(f"{{{version}}}Header")
        if header is None:
            header = etree.Element(f"{{{version}}}Header")
            envelope.insert(0, header)
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
        security.set(f"{{{version}}}mustUnderstand", "1")
        signed = []
        if self._settings.timestamp is not None:
            signed.append(_timestamp(security, millis, self._settings.timestamp))
        if self._settings.username is not None:
            self._token(security, self._settings.username, millis)
        if self._key is not None:
            body = envelope.find(f"{{{version}}}Body")
            if body is not None:
                signed.append(body)
            self._sign(security, self._key, signed)

    def _token(self, security: etree._Element, username: str, millis: int) -> None:
        token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
        etree.SubElement(token, f"{{{WSSE}}}Username").text = username
        secret = self._settings.password
        if secret is None:
            return
        password = etree.SubElement(token, f"{{{WSSE}}}Password")
        if self._settings.type == "text":
            password.set("Type", f"{_USERNAME}#PasswordText")
            password.text = secret
            return
        nonce, created = self._ids.secret(_NONCE), rfc3339(millis)
        password.set("Type", f"{_USERNAME}#PasswordDigest")
        password.text = digest(nonce, created, secret)
        once = etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=_BASE64)
        once.text = base64.b64encode(nonce).decode()
        etree.SubElement(token, f"{{{WSU}}}Created").text = created

    def _sign(self, security: etree._Element, key: xmlsec.Key, parts: list[etree._Element]) -> None:
        token = etree.Element(f"{{{WSSE}}}BinarySecurityToken", EncodingType=_BASE64, ValueType=_X509)
        token.set(f"{{{WSU}}}Id", "certificate")
        token.text = self._certificate
        security.insert(0, token)  # before what refers to it, so that it can be read in one go
        signature = xmlsec.template.create(security, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds")
        security.append(signature)
        context = xmlsec.SignatureContext()
        context.key = key
        for number, part in enumerate(parts):
            identity = f"signed-{number}"
            part.set(f"{{{WSU}}}Id", identity)
            context.register_id(part, "Id", WSU)
            reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri=f"#{identity}")
            xmlsec.template.add_transform(reference, constants.TransformExclC14N)
        info = xmlsec.template.ensure_key_info(signature)
        where = etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference")
        etree.SubElement(where, f"{{{WSSE}}}Reference", URI="#certificate", ValueType=_X509)
        context.sign(signature)


def digest(nonce: bytes, created: str, password: str) -> str:
    """A password as UsernameToken Profile 1.1, 3.1, shows it in place of itself."""
    return base64.b64encode(sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()).decode()


def _timestamp(security: etree._Element, millis: int, seconds: float) -> etree._Element:
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp")
    etree.SubElement(timestamp, f"{{{WSU}}}Created").text = rfc3339(millis)
    etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = rfc3339(millis + round(seconds * 1000))
    return timestamp


def _signer(settings: SignatureSettings, here: tuple[str, ...]) -> tuple[xmlsec.Key, str]:
    """The key, with its certificate, and the certificate as it is shown."""
    try:
        pem = Path(settings.key).read_bytes()
        key = xmlsec.Key.from_memory(
            pem, constants.KeyDataFormatPem, settings.password or ""
        )  # with none, it asks the terminal
    except (OSError, xmlsec.Error):
        raise UnusableSettings((*here, "key"), f"{settings.key}: no private key can be read from it") from None
    try:
        certificate = Path(settings.certificate).read_text()
        key.load_cert_from_memory(certificate.encode(), constants.KeyDataFormatCertPem)
        lines = certificate.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]
    except (OSError, ValueError, xmlsec.Error):
        raise UnusableSettings((*here, "certificate"), f"{settings.certificate}: no certificate can be read from it") from None
    try:
        client_context(certificate=settings.certificate, key=settings.key, password=settings.password)
    except ValueError:  # which xmlsec does not look at
        raise UnusableSettings((*here, "key"), f"{settings.key}: it is not the key of {settings.certificate}") from None
    return key, "".join(lines.split())
