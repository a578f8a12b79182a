"""Answers in pages, from a back end on a real socket (H10)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from esclusa.connectors.assembly import faults, make_backend
from esclusa.connectors.backend import TOO_LARGE, Backend, Outcome, Question, Reason
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.settings import PagingSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import Hostile, Peer, answer, hostile

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})
NEXT = PagingSettings(next="next", items="items")
NUMBERED = PagingSettings(parameter="page", items="items")


class Pages:
    """A back end with a page at each target. What it was asked for is in `called`."""

    def __init__(self, pages: dict[str, Any]) -> None:
        self.pages = pages
        self.called: list[str] = []
        self.hanging = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        while request := await peer.request():
            target = request.split(b" ")[1].decode()
            self.called.append(target)
            page = self.pages.get(target, answer(b"", b"404 Not Found"))
            if page is None:
                self.hanging.set()
                await peer.gone()
                self.gone.set()
                return
            await peer.send(page if isinstance(page, bytes) else answer(json.dumps(page).encode()))


@asynccontextmanager
async def asked(pages: Pages, paging: PagingSettings, **settings: Any) -> AsyncIterator[tuple[Backend, Hostile]]:
    async with hostile(pages) as back:
        said = RestSettings(url=f"http://127.0.0.1:{back.port}/p", paging=paging, **settings)
        clock = Clock()
        backend = make_backend("dgt", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
        try:
            yield backend, back
        finally:
            await backend.close()


async def outcome(pages: Pages, paging: PagingSettings = NEXT, *, seconds: float = 20.0, **settings: Any) -> Outcome:
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    async with asked(pages, paging, **settings) as (backend, _):
        backend.ask(QUESTION, Clock().now() + seconds, ended.set_result)
        return await ended


def page(*items: Any, then: Any = None) -> dict[str, Any]:
    return {"items": list(items), "next": then}


async def test_next_links_are_followed_and_the_items_of_all_pages_are_one_list_in_order() -> None:
    pages = Pages({"/p": page(1, 2, then="/p?at=x%20y"), "/p?at=x%20y": page(3, then="?at=3"), "/p?at=3": page(4)})
    assert await outcome(pages) == Outcome(data=b"[1,2,3,4]")
    assert pages.called == ["/p", "/p?at=x%20y", "/p?at=3"]


async def test_the_header_link_is_followed_where_no_key_says_more() -> None:
    pages = Pages({"/p": answer(b"[1]", b"200 OK", b'Link: </q>; rel="next"'), "/q": [2]})
    assert await outcome(pages, PagingSettings()) == Outcome(data=b"[1,2]")


async def test_pages_are_counted_in_a_parameter_until_one_has_no_items() -> None:
    pages = Pages({"/p?a=b&page=1": page(1), "/p?a=b&page=2": page(2), "/p?a=b&page=3": page()})
    assert await outcome(pages, NUMBERED, query={"a": "b"}) == Outcome(data=b"[1,2]")


async def test_a_page_that_is_not_full_is_the_last() -> None:
    pages = Pages({"/p?page=0": page(1, 2), "/p?page=1": page(3)})
    assert await outcome(pages, PagingSettings(parameter="page", first=0, size=2, items="items")) == Outcome(data=b"[1,2,3]")


async def test_a_page_after_the_last_may_be_a_status_that_means_nothing() -> None:
    pages = Pages({"/p?page=1": page(1)})
    assert await outcome(pages, NUMBERED, statuses={"404": "empty"}) == Outcome(data=b"[1]")


async def test_nothing_about_the_subject_is_that_also_in_pages() -> None:
    assert await outcome(Pages({}), statuses={"404": "empty"}) == Outcome()
    assert await outcome(Pages({"/p": {}})) == Outcome()
    assert await outcome(Pages({"/p": page()})) == Outcome(data=b"[]")


async def test_the_transform_is_of_the_list_of_all() -> None:
    pages = Pages({"/p": page({"n": 1}, then="/q"), "/q": page({"n": 2})})
    assert await outcome(pages, transform="[].n") == Outcome(data=b"[1,2]")


async def test_no_more_pages_are_read_than_the_limit_and_the_answer_says_so() -> None:
    pages = Pages({f"/p?page={number}": page(number) for number in range(1, 9)})
    said = await outcome(pages, PagingSettings(parameter="page", items="items", pages=3))
    assert said == Outcome(data=b"[1,2,3]", detail="There may be more: only the first 3 pages were read")
    assert len(pages.called) == 3


@pytest.mark.parametrize(
    "link",
    [
        "http://elsewhere.example/p",
        "//elsewhere.example/p",
        "http://127.0.0.1:1/p",
        "https://127.0.0.1/p",
        7,
        "/a b",
        "http://[",
    ],
)
async def test_what_is_not_an_address_of_the_same_back_end_is_not_followed(link: Any) -> None:
    pages = Pages({"/p": page(1, then=link)})
    said = await outcome(pages)
    assert said.reason is Reason.BACKEND_ERROR
    assert said.detail == "Its next page is not one of its own addresses, and is not followed"
    assert pages.called == ["/p"]


async def test_an_absolute_address_of_the_same_back_end_is_followed() -> None:
    pages = Pages({"/q": page(2)})
    async with asked(pages, NEXT) as (backend, back):
        pages.pages["/p"] = page(1, then=f"http://127.0.0.1:{back.port}/q#top")
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        backend.ask(QUESTION, Clock().now() + 20, ended.set_result)
        assert await ended == Outcome(data=b"[1,2]")


async def test_pages_that_go_in_circles_are_an_error_and_end() -> None:
    pages = Pages({"/p": page(1, then="/q"), "/q": page(2, then="/p")})
    assert (await outcome(pages)).detail == "Its pages go in circles"
    assert pages.called == ["/p", "/q"]


async def test_pages_are_too_large_together() -> None:
    pages = Pages({f"/p?page={number}": page("x" * 300) for number in range(1, 9)})
    assert await outcome(pages, NUMBERED) == Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")
    assert len(pages.called) == 4


@pytest.mark.parametrize(
    ("second", "detail"),
    [
        (answer(b"", b"500 Oops"), "It answered with status 500"),
        (answer(b"<html>"), "What it answered is not JSON"),
        ({"items": 3}, "What it answered has no list of items where one should be"),
    ],
)
async def test_a_page_that_fails_is_the_end_of_all(second: Any, detail: str) -> None:
    said = await outcome(Pages({"/p": page(1, then="/q"), "/q": second}))
    assert (said.reason, said.data, said.detail) == (Reason.BACKEND_ERROR, None, detail)


async def test_all_pages_have_the_time_of_one_attempt() -> None:
    said = await outcome(Pages({"/p": page(1, then="/q"), "/q": None}), seconds=0.3)
    assert said.reason is Reason.BACKEND_TIMEOUT


async def test_an_abort_ends_what_is_under_way_on_any_page_and_nothing_is_told() -> None:
    pages = Pages({"/p": page(1, then="/q"), "/q": None})
    told: list[Outcome] = []
    async with asked(pages, NEXT) as (backend, _):
        abort = backend.ask(QUESTION, Clock().now() + 20, told.append)
        async with asyncio.timeout(20):
            await pages.hanging.wait()
            abort()
            await pages.gone.wait()
        abort()
    assert told == []


async def test_every_page_is_asked_for_with_the_same_headers_and_body() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            line, _, rest = request.partition(b"\r\n")
            seen.append((line, rest))
            await peer.send(answer(b'{"items":[1],"next":"/q"}' if b"/p" in line else b'{"items":[2]}'))

    async with hostile(script) as back:
        clock = Clock()
        settings = RestSettings(
            url=f"http://127.0.0.1:{back.port}/p",
            paging=NEXT,
            method="POST",
            form={"nif": "{subject}"},
            headers={"X-A": "{subject}"},
        )
        backend = make_backend("dgt", settings, None, Workshop(clock, Ids(clock), 1000, Contexts()))
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        backend.ask(QUESTION, clock.now() + 20, ended.set_result)
        assert await ended == Outcome(data=b"[1,2]")
        await backend.close()
    assert [line for line, _ in seen] == [b"POST /p HTTP/1.1", b"POST /q HTTP/1.1"]
    assert seen[0][1] == seen[1][1]
    assert seen[0][1].endswith(b"nif=12345678Z")


@pytest.mark.parametrize(
    ("paging", "more", "key"),
    [
        ({"next": "a", "parameter": "page"}, {}, "paging"),
        ({"parameter": "page"}, {"query": {"page": "1"}}, "paging"),
        ({}, {"method": "HEAD"}, "paging"),
        ({"next": "a", "size": 3}, {}, "paging"),
        ({"first": 0}, {}, "paging"),
        ({"next": "a["}, {}, "paging.next"),
        ({"items": "a["}, {}, "paging.items"),
    ],
)
def test_settings_that_say_too_much_or_nothing_that_can_be_read_are_named(
    paging: dict[str, Any], more: dict[str, Any], key: str
) -> None:
    settings = RestSettings(url="http://dgt.example/", paging=PagingSettings(**paging), **more)
    assert [".".join(path) for path, _ in faults("dgt", settings)] == [f"connectors.dgt.{key}"]
