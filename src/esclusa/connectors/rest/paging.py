"""Answers in pages: asked for one after the other, their items in one list (H10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from esclusa.connectors.backend import TOO_LARGE, Abort, Done, Outcome, Reason
from esclusa.connectors.expression import expression
from esclusa.connectors.faults import Check, KeyPath
from esclusa.connectors.http.client import Client, Sent
from esclusa.connectors.rest.links import next_link
from esclusa.connectors.rest.outcome import Outcomes
from esclusa.connectors.rest.settings import PagingSettings, RestSettings
from esclusa.connectors.template import percent
from esclusa.connectors.transport import HttpError, InvalidRequest, Origin, Request, Response

Again = Callable[[Request, str], Request]
"""The same request for another target."""

_EMPTY = Outcome()
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")
_UNREADABLE = Outcome(
    reason=Reason.BACKEND_ERROR, detail="What it answered has no list of items where one should be", cause="answer"
)
_ELSEWHERE = Outcome(
    reason=Reason.BACKEND_ERROR, detail="Its next page is not one of its own addresses, and is not followed", cause="answer"
)
_CIRCLE = Outcome(reason=Reason.BACKEND_ERROR, detail="Its pages go in circles", cause="answer")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def paging_checks(path: KeyPath, settings: RestSettings, paging: PagingSettings) -> list[Check]:
    """What is to be looked at in `paging`, which stands at `path`, of a connector with `settings`."""
    return [
        (path, partial(_one_way, settings, paging)),
        ((*path, "items"), partial(expression, paging.items)),
        *([] if paging.next is None else [((*path, "next"), partial(expression, paging.next))]),
    ]


def _one_way(settings: RestSettings, paging: PagingSettings) -> None:
    if settings.method == "HEAD":
        raise ValueError("an answer to HEAD has no pages")
    if paging.next is not None and paging.parameter is not None:
        raise ValueError("next and parameter are two ways to the next page: leave one of the two out")
    if paging.parameter is not None and paging.parameter in settings.query:
        raise ValueError(f"{paging.parameter} is in the query already")
    if paging.parameter is None and (paging.size is not None or paging.first != 1):
        raise ValueError("first and size are of pages that a parameter counts: add it, or leave them out")


class Pager:
    """Asks one back end for its pages."""

    def __init__(
        self, settings: PagingSettings, origin: Origin, outcomes: Outcomes, client: Client, again: Again, max_answer: int
    ) -> None:
        """`max_answer`: bytes of JSON, of all pages, beyond which an answer is too large."""
        self.settings = settings
        self.outcomes = outcomes
        self.client = client
        self.again = again
        self.max_answer = max_answer
        self.items = expression(settings.items)
        self._origin = origin
        self._next = None if settings.next is None else expression(settings.next)

    def ask(self, request: Request, by: float, done: Done) -> Abort:
        """Make one attempt, all of whose pages have come `by` then (seconds since the epoch); as `Backend.ask`."""
        return _Walk(self, request, by, done).abort

    def first(self, target: str) -> str:
        """The target of the first page of what is at `target`."""
        return self._numbered(target, 0)

    def after(self, first: str, here: str, response: Response, page: Any, items: int, number: int) -> str | None:
        """The target of the page after the one `here`, which was the `number`th and had so many `items`.

        None: that was the last one. `first`: the target without the number of a page. `ValueError` for what is not an
        address of this back end.
        """
        if self.settings.parameter is not None:
            return None if items < (self.settings.size or 1) else self._numbered(first, number)
        link = next_link(response) if self._next is None else self._next(page)
        if not link:
            return None
        if not isinstance(link, str):
            raise ValueError("this is no address")  # noqa: TRY004 - of data, not of a program
        url = urljoin(f"{self._origin}{here}", link)
        if Origin.of(url) != self._origin:
            raise ValueError("this is another's address")
        parts = urlsplit(url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _numbered(self, target: str, page: int) -> str:
        name, first = self.settings.parameter, self.settings.first
        return target if name is None else f"{target}{'&' if '?' in target else '?'}{percent(name)}={first + page}"


class _Walk:
    """From page to page for one attempt. A call is under way until `done` is called, or `abort`."""

    __slots__ = ("_by", "_call", "_done", "_found", "_here", "_met", "_pager", "_pieces", "_request", "_size")

    def __init__(self, pager: Pager, request: Request, by: float, done: Done) -> None:
        """The first page is asked for. `request` has the target without the number of a page. `InvalidRequest`."""
        self._pager = pager
        self._request = request
        self._by = by
        self._done = done
        self._pieces: list[bytes] = []
        """The items of each page, without the brackets of the list."""
        self._size = 2
        """Bytes of the answer so far."""
        self._found = False
        """A page had a list, were it an empty one."""
        self._met: set[str] = set()
        """The targets that were called."""
        self._call = self._send(pager.first(request.target.decode()))

    def abort(self) -> None:
        """As what `Backend.ask` returns."""
        self._call.abort()

    def _send(self, target: str) -> Sent:
        self._here = target
        self._met.add(target)
        return self._pager.client.send(self._pager.again(self._request, target), self._by, self._ended)

    def _ended(self, ending: Response | HttpError) -> None:
        if isinstance(ending, HttpError):
            self._done(self._pager.outcomes.read(ending))
            return
        said = self._pager.outcomes.said(ending)
        outcome: Outcome | None
        if isinstance(said, bytes):
            outcome = self._page(ending, said)
        elif said == _EMPTY and len(self._met) > 1:
            outcome = self._whole()  # a page that has nothing comes after the last one
        else:
            outcome = said
        if outcome is not None:
            self._done(outcome)

    def _page(self, response: Response, said: bytes) -> Outcome | None:
        """How it ended with this page; None: the next one is asked for."""
        try:
            page = _decode(said)
        except (msgspec.DecodeError, RecursionError):
            return self._pager.outcomes.garbage
        try:
            items = self._items(page)
        except Exception:  # noqa: BLE001 - the answer may be like none that the expression was written for
            return _UNREADABLE
        if self._size - 1 > self._pager.max_answer:
            return _TOO_LARGE
        try:
            following = self._pager.after(self._request.target.decode(), self._here, response, page, items, len(self._met))
        except Exception:  # noqa: BLE001 - as above
            return _ELSEWHERE
        return self._whole() if following is None else self._go_on(following)

    def _items(self, page: Any) -> int:
        """Keeps the items of `page`. How many they are. `ValueError` when they are no list."""
        items = self._pager.items(page)
        if items is None:
            return 0
        if not isinstance(items, list):
            raise ValueError("this is no list")  # noqa: TRY004 - of data, not of a program
        self._found = True
        if items:
            piece = _encode(items)[1:-1]
            self._pieces.append(piece)
            self._size += len(piece) + 1
        return len(items)

    def _go_on(self, target: str) -> Outcome | None:
        """Asks for the next page, or ends here."""
        if target in self._met:
            return _CIRCLE
        if len(self._met) == self._pager.settings.pages:
            return self._whole(cut=True)
        try:
            self._call = self._send(target)
        except InvalidRequest:
            return _ELSEWHERE
        return None

    def _whole(self, *, cut: bool = False) -> Outcome:
        """What all pages had. `cut`: there may be more of them."""
        if not self._found:
            return _EMPTY
        outcome = self._pager.outcomes.shaped(b"[" + b",".join(self._pieces) + b"]")
        if cut and outcome.reason is None:
            detail = f"There may be more: only the first {self._pager.settings.pages} pages were read"
            return msgspec.structs.replace(outcome, detail=detail)
        return outcome
