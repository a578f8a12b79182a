"""A request is one request on the wire, whatever is put into it."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esclusa.connectors.transport import InvalidRequest, Request, RequestTemplate


class Reader:
    """What a server reads."""

    def __init__(self, data: bytes) -> None:
        self.targets: list[bytes] = []
        self.methods: list[bytes] = []
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.targets.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.methods.append(self._parser.get_method())

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1


def test_a_request_on_the_wire() -> None:
    request = Request("GET", "/expedientes/1?x=%20", ((b"Accept", b"application/json"),))
    assert request.wire(b"dgt.example") == (
        b"GET /expedientes/1?x=%20 HTTP/1.1\r\n"
        b"host: dgt.example\r\n"
        b"Accept: application/json\r\n"
        b"user-agent: esclusa\r\n"
        b"accept-encoding: gzip, deflate\r\n"
        b"\r\n"
    )


def test_a_body_goes_with_its_length() -> None:
    wire = Request("POST", "/", body=b"abc").wire(b"h")
    assert wire.endswith(b"\r\ncontent-length: 3\r\n\r\nabc")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_no_body_has_a_length_too_where_one_is_expected(method: str) -> None:
    assert b"content-length: 0\r\n" in Request(method, "/").wire(b"h")


def test_a_template_is_checked_and_encoded_once() -> None:
    template = RequestTemplate("GET", ((b"accept", b"text/plain"), (b"x", b"1")))
    plain = Request(template, "/a").wire(b"h")
    assert plain.count(b"accept:") == 1
    further = Request(template, "/b", ((b"user-agent", b"me"), (b"y", b"2"))).wire(b"h")
    assert b"x: 1\r\nuser-agent: me\r\ny: 2\r\n" in further
    assert further.count(b"user-agent") == 1


def test_a_request_does_not_repeat_its_templates_headers() -> None:
    with pytest.raises(InvalidRequest, match="authorization"):
        Request(RequestTemplate("GET", ((b"Authorization", b"a"),)), "/", ((b"authorization", b"b"),))


def test_a_templates_checks_do_not_grow_with_its_requests() -> None:
    template = RequestTemplate("GET")
    for number in range(1000):
        assert b"x-%d: 1" % number in Request(template, "/", ((b"x-%d" % number, b"1"),)).wire(b"h")
    assert len(template._checked) <= 64
    with pytest.raises(InvalidRequest, match="the value of b"):
        Request(template, "/", ((b"a", b"1"), (b"b", b"\r\n")))


def test_a_host_can_be_named_once() -> None:
    wire = Request("GET", "/", ((b"Host", b"virtual.example"),)).wire(b"real.example")
    assert wire.count(b"ost: ") == 1
    assert b"virtual.example" in wire
    with pytest.raises(InvalidRequest):
        Request("GET", "/", ((b"Host", b"a"), (b"host", b"b")))


@pytest.mark.parametrize(
    ("method", "idempotent"),
    [("GET", True), ("HEAD", True), ("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)],
)
def test_the_method_says_whether_a_request_may_be_repeated(method: str, idempotent: bool) -> None:
    assert Request(method, "/").idempotent is idempotent
    assert Request(RequestTemplate(method, idempotent=not idempotent), "/").idempotent is not idempotent


@pytest.mark.parametrize("name", [b"Content-Length", b"transfer-encoding", b"Connection", b"Expect", b"Upgrade", b"TE"])
def test_framing_is_the_clients_alone(name: bytes) -> None:
    with pytest.raises(InvalidRequest, match="by the client itself"):
        Request("GET", "/", ((name, b"1"),))


@pytest.mark.parametrize("method", ["", "GET /", "GE\r\nT", "CONNECT", "GÉT", "\ud800"])
def test_what_is_no_method_is_refused(method: str) -> None:
    with pytest.raises(InvalidRequest):
        Request(method, "/")


@pytest.mark.parametrize(
    "target", ["", "x", "http://h/", "/a b", "/a\r\n", "/a\n", "/ñ", "/a#b", "/\x7f", "/\0", "/\ud800", b"/\xff"]
)
def test_what_is_no_target_is_refused(target: str | bytes) -> None:
    with pytest.raises(InvalidRequest):
        Request("GET", target)


@pytest.mark.parametrize(
    "field", [(b"", b"x"), (b"a b", b"x"), (b"a:", b"x"), (b"a\r\n", b"x"), (b"a", b"x\r\ny: z"), (b"a", b"\0")]
)
def test_what_is_no_header_field_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(InvalidRequest):
        Request("GET", "/", (field,))


nasty = st.text(st.sampled_from('aZ/?%: \t\r\n\0\x7fñ#"\ud800'), max_size=12)


@given(
    method=st.sampled_from(["GET", "POST"]) | nasty,
    target=st.builds(lambda rest: "/" + rest, nasty | st.text(max_size=20)),
    name=st.sampled_from([b"x-subject"]) | st.binary(max_size=8),
    value=st.binary(max_size=20) | nasty.map(lambda text: text.encode("utf-8", "surrogatepass")),
    body=st.binary(max_size=30),
)
@example(method="GET", target="/ HTTP/1.1\r\n\r\nGET /", name=b"a", value=b"", body=b"")
@example(method="GET", target="/", name=b"a", value=b"x\r\n\r\nGET / HTTP/1.1\r\n\r\n", body=b"")
@example(method="GET", target="/", name=b"a", value=b"x", body=b"GET / HTTP/1.1\r\n\r\n")
@example(method="aZ", target="/", name=b"a", value=b"x", body=b"")
def test_whatever_is_put_into_a_request_it_is_one_request(
    method: str, target: str, name: bytes, value: bytes, body: bytes
) -> None:
    try:
        wire = Request(method, target, ((name, value),), body).wire(b"h")
    except InvalidRequest:
        return
    if method not in {"GET", "POST"}:
        assert wire.startswith(method.encode() + b" /")  # a token that llhttp need not know
        return
    seen = Reader(wire)
    assert seen.complete == 1
    assert seen.methods == [method.encode()]
    assert seen.targets == [target.encode()]
    assert (name, value.strip(b" \t")) in [(field, text.strip(b" \t")) for field, text in seen.fields]
    assert seen.body == body
