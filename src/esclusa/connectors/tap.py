"""What can be seen of a call on its way: written down where somebody looks at one call, and nowhere else."""

from __future__ import annotations

import codecs
import re
import sysconfig
import traceback
from pathlib import Path
from typing import Literal

import msgspec

import esclusa
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import HttpError

Kind = Literal["request", "answer", "failed", "transformed", "untransformed"]
"""`failed`: in place of an answer; `untransformed`: the transform did not take it. Both have words in place of a body."""

_DECLARED = re.compile(rb'<\?xml[^>]*\sencoding\s*=\s*["\']([\w.:-]+)')
"""The charset that an XML document says of itself, where it is one of those that begin like ASCII."""
_LIBRARIES = (*map(sysconfig.get_path, ("stdlib", "platlib", "purelib")), str(Path(esclusa.__file__).parent), "<")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Step(msgspec.Struct, frozen=True):
    """One thing that happened."""

    kind: Kind
    at: float
    """Seconds since the epoch."""
    head: str
    """What stands before the body: a request's or an answer's first line and fields, or what was called; in clear."""
    body: str = ""
    """As it was to be sent, or as it came (decompressed and decoded); in clear."""


class Tap:
    """Keeps what is seen of one call. Bodies, subjects and secrets are in it: it is for the eyes of who asked for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.steps: list[Step] = []
        self.secrets: list[str] = []
        """What came on the way and is nobody's business, such as a token: in clear, to be masked wherever it turns up."""

    def saw(self, kind: Kind, head: str, body: bytes = b"", charset: str | None = None) -> None:
        """It happened now. `charset`: of `body`, where it is known."""
        self.steps.append(Step(kind, self._clock.now(), head, _text(body, charset)))

    def missed(self, error: HttpError, came: bytes = b"", charset: str | None = None) -> None:
        r"""No answer came, or only `came`, which is shown with `\r` and the like: where it ends may be what is looked for."""
        said = str(error) if error.sent else f"{error}; nothing was sent"
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in _text(came, charset))
        self.steps.append(Step("failed", self._clock.now(), f"{said}; what came stands below" if text else said, text))

    def raised(self, kind: Kind, error: Exception, body: bytes = b"") -> None:
        """Somebody's code did not take `body`: what it raised, and where."""
        self.saw(kind, f"{type(error).__name__}: {error}{_where(error)}", body)


def _where(error: BaseException) -> str:
    """The innermost line of somebody's own code: neither ours, nor a library's."""
    frames = [*traceback.extract_tb(error.__traceback__)]
    if error.__cause__ is not None:
        frames += traceback.extract_tb(error.__cause__.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)]
    return f" ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else ""


def _text(body: bytes, charset: str | None) -> str:
    r"""`body` by its charset, by what it says of itself, or as UTF-8; bytes that are no characters as `\xNN`."""
    try:
        return body.decode(charset or _said(body), "backslashreplace")
    except (LookupError, UnicodeError):  # some charsets know no escapes
        return body.decode("utf-8", "backslashreplace")


def _said(body: bytes) -> str:
    for mark, name in _MARKS.items():
        if body.startswith(mark):
            return name
    declared = _DECLARED.match(body)
    return declared[1].decode() if declared else "utf-8"
