"""A question as an HTTP request, by the settings of its connector: compiled once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from esclusa.connectors.backend import Question
from esclusa.connectors.http.correlation import Correlation
from esclusa.connectors.http.credentials import headers_of
from esclusa.connectors.rest.content import ACCEPT
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.settings import CredentialsSettings
from esclusa.connectors.target import Target, parameter
from esclusa.connectors.template import JsonTemplate, Template, escape_of, header_template, percent
from esclusa.connectors.transport import Fields, Request, RequestTemplate
from esclusa.connectors.transport.request import IDEMPOTENT
from esclusa.kernel.ids import Ids

Body = Callable[[Question], bytes]

_CONTENT_TYPE = "content-type"


class Requests:
    """Makes the requests of one connector. `ValueError` or `InvalidRequest`, in words, when no request can be made by its settings.

    Every request is tied to its question (`Correlation`).
    """

    __slots__ = ("_body", "_correlation", "_filled", "_target", "_template")

    def __init__(self, settings: RestSettings, credentials: CredentialsSettings | None, ids: Ids) -> None:
        self._target = Target(settings.url, settings.query)
        self._body = body_of(settings)
        headers = {name: header_template(text) for name, text in settings.headers.items()}
        self._filled = [(name.encode(), text) for name, text in headers.items() if text.constant is None]
        fixed = {name: text.constant for name, text in headers.items() if text.constant is not None} | headers_of(credentials)
        given = {name.lower() for name in (*headers, *fixed)}
        if "accept" not in given:
            fixed["Accept"] = ACCEPT[settings.accepts]
        if self._body is not None and _CONTENT_TYPE not in given:
            fixed["Content-Type"] = content_type_of(settings)
        self._correlation = Correlation(given, ids)
        fields: Fields = tuple((name.encode(), value.encode()) for name, value in fixed.items())
        self._template = RequestTemplate(settings.method, fields, idempotent=is_idempotent(settings))

    @property
    def of_the_call(self) -> frozenset[bytes]:
        """Names of headers, in lower case, that are others in each call and don't tell what is asked for."""
        return self._correlation.names

    def make(self, question: Question) -> Request:
        """The request for `question`. `ValueError` or `InvalidRequest` when a value can't stand where it should."""
        fields = self._correlation.fields(question)
        for name, text in self._filled:
            value = text.fill(question)
            if value is not None:
                fields.append((name, value.encode()))
        body = b"" if self._body is None else self._body(question)
        return Request(self._template, self._target.fill(question), tuple(fields), body)

    def again(self, request: Request, target: str) -> Request:
        """What `make` made, for another target. `InvalidRequest` for what is none."""
        return Request(self._template, target, request.headers[len(self._template.headers) :], request.body)


def is_idempotent(settings: RestSettings) -> bool:
    """Whether a call may be cut or made again without harm: as the settings say, else by the method."""
    return settings.method in IDEMPOTENT if settings.idempotent is None else settings.idempotent


def content_type_of(settings: RestSettings) -> str:
    """The media type of a request's body: as its headers say; else form or JSON for a table, plain text for a text."""
    for name, value in settings.headers.items():
        if name.lower() == _CONTENT_TYPE:
            return value
    if settings.form:
        return "application/x-www-form-urlencoded"
    return "text/plain; charset=utf-8" if isinstance(settings.body, str) else "application/json"


def body_of(settings: RestSettings) -> Body | None:
    """What makes the body of a request. In a text, a placeholder without value is nothing."""
    if settings.form:
        fields = [(percent(name), parameter(text)) for name, text in settings.form.items()]
        return partial(_form, fields)
    body: str | dict[str, Any] | None = settings.body
    if body is None:
        return None
    if isinstance(body, dict):
        return JsonTemplate(body).fill
    text = Template(body, escape_of(content_type_of(settings)), absent="")
    return lambda question: (text.fill(question) or "").encode()


def _form(fields: list[tuple[str, Template]], question: Question) -> bytes:
    filled = [(name, text.fill(question)) for name, text in fields]
    return "&".join([f"{name}={value}" for name, value in filled if value is not None]).encode()
