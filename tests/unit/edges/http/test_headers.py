"""Headers and query parameters, by the rules of their standards."""

from __future__ import annotations

from typing import Any

import pytest

from esclusa.edges.http.headers import check_query, data_of, header, idempotency_key_of, tags_of, wait_of
from esclusa.kernel.errors import Malformed


def scope(*headers: tuple[str, str], query: str = "") -> Any:
    return {
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "query_string": query.encode(),
    }


def test_the_first_of_a_header_counts() -> None:
    said = scope(("accept", "a"), ("accept", "b"))
    assert header(said, b"accept") == b"a"
    assert header(said, b"host") is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ([], None),
        (["wait=10"], 10),
        (["WAIT = 10"], 10),
        (['wait="10"'], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "wait=10; foo=bar"], 10),
        (["wait=5, wait=10"], 5),
        (["wait=31"], 30),
        (["wait=999999999"], 30),
        (["wait=0"], 0),
        (["wait=-1"], None),
        (["wait=soon"], None),
        (["wait=1.5"], None),
        (["wait"], None),
    ],
)
def test_how_long_a_caller_prefers_to_wait(said: list[str], seconds: int | None) -> None:
    """RFC 7240: the first of several; what can't be read is no preference."""
    assert wait_of(scope(*(("prefer", value) for value in said))) == seconds


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ([], None),
        (['"abc"'], {"abc"}),
        (['W/"abc"'], {"abc"}),
        (['"abc", W/"def"', '"g,h"'], {"abc", "def", "g,h"}),
        (["*"], {"*"}),
        (["abc"], set()),
    ],
)
def test_the_tags_that_a_caller_has(said: list[str], tags: set[str] | None) -> None:
    assert tags_of(scope(*(("if-none-match", value) for value in said))) == tags


def test_an_idempotency_key_is_a_short_line() -> None:
    assert idempotency_key_of(scope()) is None
    assert idempotency_key_of(scope(("idempotency-key", '"8e03978e"'))) == '"8e03978e"'
    assert idempotency_key_of(scope(("idempotency-key", "a" * 255))) == "a" * 255


@pytest.mark.parametrize("key", ["", " ", '""', "a" * 256, "\x7f", "ñ"])
def test_what_is_no_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(Malformed, match="Idempotency-Key"):
        idempotency_key_of(scope(("idempotency-key", key)))


def test_two_idempotency_keys_are_refused() -> None:
    with pytest.raises(Malformed):
        idempotency_key_of(scope(("idempotency-key", "a"), ("idempotency-key", "a")))


@pytest.mark.parametrize(("query", "data"), [("", True), ("data=true", True), ("data=false", False), ("other=1", True)])
def test_whether_data_are_wanted(query: str, *, data: bool) -> None:
    assert data_of(scope(query=query)) is data


@pytest.mark.parametrize("query", ["data=", "data", "data=no", "data=False", "data=true&data=false", "data=%ff"])
def test_what_is_neither_true_nor_false_is_refused(query: str) -> None:
    with pytest.raises(Malformed) as refused:
        data_of(scope(query=query))
    assert [fault.message for fault in refused.value.faults] == ["data: true or false, once"]


@pytest.mark.parametrize("query", ["", "data", "data=1&data=2", "d%61ta=1", "&"])
def test_a_query_has_the_parameters_that_are_known(query: str) -> None:
    check_query(scope(query=query), ["data"])


def test_others_are_named_once_each_with_those_that_there_are() -> None:
    with pytest.raises(Malformed) as refused:
        check_query(scope(query="wait=5&data=true&Data=1&wait=6&=&%ff"), ["data"])
    assert [fault.message for fault in refused.value.faults] == [
        f"there is no parameter '{name}': this address takes data" for name in ("wait", "Data", "", "\ufffd")
    ]
    with pytest.raises(Malformed) as refused:
        check_query(scope(query="data=true"), [])
    assert [fault.message for fault in refused.value.faults] == ["there is no parameter 'data': this address takes none"]
