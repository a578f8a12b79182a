"""The whole tree of errors.

Foreign errors (of sqlite3, of sockets, of a vendor's client) are translated at the seam where they appear and never cross
a port. What a caller of the API did wrong is a `Refused`; its `name` is the last part of the problem's `type`
(RFC 9457), listed in the reference.

    EsclusaError
     ├─ ConfigurationError     the file is wrong: every mistake with its place
     ├─ UnusableSettings       what they name can't be used: a certificate, a description of a service
     ├─ PartDied               a long-running part ended with an error
     ├─ StorageError           a port could not do it
     │   ├─ StorageUnavailable     not now; the same call may succeed later
     │   │   └─ StorageRefused         it is there, and won't have this program
     │   ├─ StorageTooNew          written by a newer version
     │   ├─ StorageBusy            another process has this folder
     │   └─ Closed                 the port or subscription has been closed
     ├─ Unreadable             a message or row that can't be decoded or opened
     ├─ CannotListen           an address can't be served on
     ├─ TransportError         a back end could not be asked, or its answer can't be used
     │   ├─ HttpError              of the HTTP client: what happened, by `kind`
     │   └─ InvalidRequest         it would not be one well-formed request on the wire; nothing was sent
     └─ Refused                the caller's request can't be served
         ├─ Malformed, HeadersTooLarge, TooLarge, TooSlow, UnsupportedType
         ├─ Unauthorized, Forbidden, NotFound, MethodNotAllowed
         ├─ UnknownQuery, InvalidParams, InvalidSubject, IdempotencyMismatch
         ├─ TooManyOpen, Unavailable          with `retry_after`
         ├─ InvalidConfiguration              it was to be taken anew
         └─ Internal                          our own fault
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec


class EsclusaError(Exception):
    """Anything that this program raises on purpose."""


class Mistake(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong in a configuration."""

    file: str
    line: int
    """From 1; 0 when the mistake has no line, such as an absent table."""
    what: str
    """What is wrong and the remedy, in one line."""
    key: tuple[str, ...] = ()
    """The key in the configuration that it is about, where its line is not known: `("connectors", "dgt", "wsdl")`."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


class ConfigurationError(EsclusaError):
    """The configuration can't be used; `mistakes` has every one of them, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class UnusableSettings(EsclusaError):
    """What only turns out as something is made of settings: a file that can't be used, a description that can't be read."""

    def __init__(self, path: tuple[str, ...], what: str) -> None:
        """`path`: the key that names it, such as `("connectors", "dgt", "tls", "ca")`."""
        super().__init__(what)
        self.path = path


class PartDied(EsclusaError):
    """A part's background work ended with an error (its `__cause__`); the process ends in order."""

    def __init__(self, part: str, cause: BaseException) -> None:
        super().__init__(f"{part}: {cause!r}")
        self.part = part
        self.__cause__ = cause


class StorageError(EsclusaError):
    """A port could not do what it was asked to."""


class StorageUnavailable(StorageError):
    """Not done, or not known to be done; the same call may succeed later. Disk full, broker away, time over."""


class StorageRefused(StorageUnavailable):
    """It is there, and won't have this program: its login, its rights, a certificate. Somebody has to mend that.

    It may be mended while a process runs, which is why it is a kind of `StorageUnavailable`; but no start waits for it.
    """


class StorageTooNew(StorageError):
    """The stored data were written by a newer version of this program."""


class StorageBusy(StorageError):
    """Another process is using the same data folder."""


class Closed(StorageError):
    """The port or the subscription has been closed."""


class Unreadable(EsclusaError):
    """A stored message or row can't be decoded, or its key is gone."""


class TransportError(EsclusaError):
    """A back end could not be asked, or its answer can't be used."""


HttpErrorKind = Literal["token", "busy", "resolve", "connect", "tls", "timeout", "closed", "protocol", "too_large", "aborted"]


class HttpError(TransportError):
    """An HTTP call that ended without an answer.

    `kind`, in the order of the life of a call: `token` (there is none to show), `busy` (as many calls are waiting as may), `resolve` (its name has no
    address), `connect`, `tls`, `timeout` (the call's time was over), `closed` (the back end closed the connection before
    the answer was whole), `protocol` (what came is not an answer by the rules of HTTP/1.1), `too_large`, `aborted` (the
    client was closed).
    """

    def __init__(self, kind: HttpErrorKind, detail: str, *, sent: bool = False) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: HttpErrorKind = kind
        self.detail = detail
        """What happened, in our words, never in the back end's."""
        self.sent = sent
        """Some of the request had been handed to the socket: the back end may have acted on it."""


class InvalidRequest(TransportError):
    """A method, target or header that would not be one well-formed request on the wire; nothing was sent."""


class CannotListen(EsclusaError):
    """An address can't be served on: taken, not this machine's, or not permitted."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong in what a caller sent."""

    pointer: str
    """Where: a JSON pointer (RFC 6901) into the body."""
    message: str


class Refused(EsclusaError):
    """What the caller asked for can't be done; the message is for the caller's eyes."""

    name: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str = "", *, faults: tuple[Fault, ...] = (), retry_after: float | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.faults = faults
        self.retry_after = retry_after


class Malformed(Refused):
    """The body is not what the operation takes."""

    name = "malformed"
    title = "The request is malformed"


class HeadersTooLarge(Refused):
    """The request line and the headers are longer than they may be."""

    name = "headers-too-large"
    title = "The request's headers are too large"


class TooLarge(Refused):
    """The body is longer than it may be."""

    name = "too-large"
    title = "The request is too large"


class TooSlow(Refused):
    """The request has not come whole in time."""

    name = "too-slow"
    title = "The request did not come whole in time"


class UnsupportedType(Refused):
    """The body is not of a media type or coding that the operation takes."""

    name = "unsupported-type"
    title = "The body is of a type that this operation does not take"


class Unauthorized(Refused):
    """Nobody is known by these credentials."""

    name = "unauthorized"
    title = "Credentials are missing or wrong"


class Forbidden(Refused):
    """The caller is known and may not do this."""

    name = "forbidden"
    title = "This caller may not do that"


class NotFound(Refused):
    """Unknown, expired, cancelled or somebody else's: all the same."""

    name = "not-found"
    title = "There is nothing here"


class MethodNotAllowed(Refused):
    """The address is served, by other methods."""

    name = "method-not-allowed"
    title = "This method is not served here"


class UnknownQuery(Refused):
    """No query of this name is declared."""

    name = "unknown-query"
    title = "No such query"


class InvalidParams(Refused):
    """Parameters or connectors do not fit the query."""

    name = "invalid-params"
    title = "The parameters do not fit the query"


class InvalidSubject(Refused):
    """The subject is not an identifier of the kind that the query takes."""

    name = "invalid-subject"
    title = "The subject is not valid"


class IdempotencyMismatch(Refused):
    """The same Idempotency-Key was used with another body."""

    name = "idempotency-mismatch"
    title = "This Idempotency-Key was used with another body"


class InvalidConfiguration(Refused):
    """The configuration was to be taken anew, and can't be; the one before is still in force."""

    name = "invalid-configuration"
    title = "The configuration can't be taken"


class TooManyOpen(Refused):
    """The subject has as many open requests as it may have."""

    name = "too-many-open"
    title = "Too many open requests of this subject"


class Unavailable(Refused):
    """Not now: storage does not answer, or the process is full or draining."""

    name = "unavailable"
    title = "The service can't do this right now"


class Internal(Refused):
    """Something failed here that should not; the log says what."""

    name = "internal"
    title = "Something failed here that should not"
