"""A question as a SOAP request, by the operation that its connector calls: compiled once."""

from __future__ import annotations

from typing import Any

import msgspec
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types
from zeep.exceptions import Error as ZeepError

from esclusa.connectors.backend import Question
from esclusa.connectors.http.correlation import Correlation
from esclusa.connectors.http.credentials import headers_of
from esclusa.connectors.settings import CredentialsSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.security import Security
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.target import Target
from esclusa.connectors.template import JsonTemplate, header_template
from esclusa.connectors.transport import Fields, Request, RequestTemplate
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import InvalidRequest, UnusableSettings
from esclusa.kernel.ids import Ids

_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"


class _AnyParameter(dict[str, str]):
    """Has the same value for every parameter."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self._value = value

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 - as in the base
        return self._value


def _sample(value: str) -> Question:
    return Question("00000000-0000-7000-8000-000000000000", "sample", value, _AnyParameter(value))


_SAMPLE, _ANOTHER = _sample("1"), _sample("2")


class Envelopes:
    """Makes the requests of one connector. `UnusableSettings` when none can be made by its settings.

    Every request is tied to its question (`Correlation`).
    """

    def __init__(
        self,
        name: str,
        settings: SoapSettings,
        credentials: CredentialsSettings | None,
        description: Description,
        security: Security | None,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """`name`: the connector's, for what is wrong."""
        self._operation = description.operation
        self._security = security
        self._clock = clock
        self._arguments = JsonTemplate(settings.arguments)
        try:
            self._target = Target(description.url, {})
        except ValueError as error:
            raise UnusableSettings(("connectors", name, "url" if settings.url else "wsdl"), str(error)) from error
        headers = {key: header_template(text) for key, text in settings.headers.items()}
        self._filled = [(key.encode(), text) for key, text in headers.items() if text.constant is None]
        given = {key.lower() for key in headers}
        fixed = {key: value for key, value in _headers(description).items() if key.lower() not in given}
        fixed |= {key: text.constant for key, text in headers.items() if text.constant is not None} | headers_of(credentials)
        self._correlation = Correlation(given, ids)
        fields: Fields = tuple((key.encode(), value.encode()) for key, value in fixed.items())
        try:
            self._template = RequestTemplate("POST", fields, idempotent=settings.idempotent)
        except InvalidRequest as error:
            raise UnusableSettings(("connectors", name, "wsdl"), str(error)) from error
        try:
            self._try()
        except Exception as error:  # zeep raises whatever wrong arguments lead to
            why = f"operation {settings.operation} can't be called with them: {getattr(error, 'message', None) or error}"
            raise UnusableSettings(("connectors", name, "arguments"), why) from error

    def _try(self) -> None:
        """Raises for arguments that the operation does not take, whatever is asked. A placeholder's value may be of any type."""
        try:
            self._envelope(_SAMPLE)
        except ValueError:  # as zeep says that a value is none of its type
            if self._arguments.fill(_SAMPLE) == self._arguments.fill(_ANOTHER):
                raise

    def make(self, question: Question) -> Request:
        """The request for `question`. `ValueError` or `InvalidRequest`, in words, when a value can't stand where it should."""
        try:
            envelope = self._envelope(question)
        except (ZeepError, TypeError, AttributeError):
            raise ValueError("a value is left out, or none that the operation takes") from None
        except ValueError:
            raise ValueError("a value has characters that XML can't have, or is none that the operation takes") from None
        if self._security is not None:
            self._security.secure(envelope, self._clock.millis())
        fields = self._correlation.fields(question)
        for key, text in self._filled:
            value = text.fill(question)
            if value is not None:
                fields.append((key, value.encode()))
        body = _DECLARATION + etree.tostring(envelope, encoding="utf-8", xml_declaration=False)
        return Request(self._template, self._target.fill(question), tuple(fields), body)

    def _envelope(self, question: Question) -> etree._Element:
        arguments: dict[str, Any] = msgspec.json.decode(self._arguments.fill(question))
        return self._operation.create(**arguments).content


def _headers(description: Description) -> dict[str, str]:
    """What SOAP asks of the headers: version 1.1, 6.1.1; version 1.2, part 2, 7.1.4."""
    if description.newer:
        action = f'; action="{description.action}"' if description.action else ""
        return {"Content-Type": f"application/soap+xml; charset=utf-8{action}", "Accept": "application/soap+xml"}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{description.action}"', "Accept": "text/xml"}
