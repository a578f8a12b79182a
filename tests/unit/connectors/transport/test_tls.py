"""Who is trusted, who we are, what went wrong in words; and connections over TLS that are right, wrong, cut or slow."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path

import pytest

from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Response, client_context
from esclusa.connectors.transport.tls import in_our_words
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Certificates, Peer, always, answer, cut, healthy, hostile, secured
from unit.connectors.transport.calling import Outcomes, body, descriptors, error, get, local, outcome, turns, until
from unit.connectors.transport.hand_clock import HandClock


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("trust"))


def test_back_ends_are_verified_by_chain_and_name(trust: Certificates) -> None:
    for context in (client_context(), client_context(ca=trust.ca)):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_own_authorities_stand_in_place_of_the_systems(trust: Certificates) -> None:
    assert len(client_context(ca=trust.ca).get_ca_certs()) == 1


def test_a_certificate_of_our_own(trust: Certificates) -> None:
    certificate, key = trust.client("hub.example")
    client_context(ca=trust.ca, certificate=certificate, key=key)


def test_files_that_can_not_be_used_are_named(trust: Certificates, tmp_path: Path) -> None:
    certificate, key = trust.client("hub.example")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk", encoding="utf-8")
    absent = str(tmp_path / "absent.pem")
    with pytest.raises(ValueError, match=r"absent\.pem: no authorities can be read from it \(No such file"):
        client_context(ca=absent)
    os.mkfifo(tmp_path / "pipe")
    for given in ({"ca": str(tmp_path / "pipe")}, {"certificate": certificate, "key": str(tmp_path / "pipe")}):
        with pytest.raises(ValueError, match="pipe is no file"):
            client_context(**given)
    with pytest.raises(ValueError, match=r"junk\.pem: no authorities"):
        client_context(ca=str(junk))
    with pytest.raises(ValueError, match=r"absent\.pem: no certificate with its key can be read"):
        client_context(certificate=absent, key=key)
    with pytest.raises(ValueError, match=r"client\.pem: no certificate with its key"):
        client_context(certificate=certificate, key=str(junk))
    with pytest.raises(ValueError, match=r"client\.pem: no certificate with its key"):
        client_context(certificate=certificate)


def test_a_key_under_a_password(trust: Certificates, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    certificate, key = trust.client("hub.example")
    secret = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.key"
    coding = serialization.BestAvailableEncryption(b"open sesame")
    locked.write_bytes(secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, coding))
    client_context(certificate=certificate, key=str(locked), password="open sesame")
    for wrong in ("shut", None):
        with pytest.raises(ValueError, match="no certificate with its key"):
            client_context(certificate=certificate, key=str(locked), password=wrong)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "it refused TLS with us: certificate required"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "it refused TLS with us: handshake failure"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS as we do"),
        (None, "it does not speak TLS as we do"),
    ],
)
def test_errors_in_words(reason: str | None, words: str) -> None:
    failure = ssl.SSLError(1, "its words")
    failure.reason = reason  # type: ignore[assignment]  # as OpenSSL leaves it at times
    assert in_our_words(failure) == words


def test_an_error_that_openssl_did_not_raise() -> None:
    assert in_our_words(ssl.SSLError("its words")) == "it does not speak TLS as we do"


def test_a_certificate_of_a_forger() -> None:
    failure = ssl.SSLCertVerificationError(1, "its words")
    failure.verify_code = 7  # X509_V_ERR_CERT_SIGNATURE_FAILURE
    assert in_our_words(failure) == "its certificate was not signed by the authority that it names"


def test_a_certificate_that_fails_in_an_unusual_way() -> None:
    failure = ssl.SSLCertVerificationError(1, "its words")
    failure.verify_code = 77
    assert in_our_words(failure) == "its certificate can't be verified"
    assert "closed" in in_our_words(ConnectionResetError())


async def call_over_tls(
    trust: Certificates, side: ssl.SSLContext, *, host: str = "dgt.example", name: str | None = None
) -> Response | HttpError:
    """One call to a back end whose side of TLS this is."""
    async with hostile(secured(side, always(answer()))) as back:
        clock = Clock()
        origin = Origin("https", host, back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), name=name, lookup=local) as client:
            ended = await outcome(client, clock)
            if isinstance(ended, HttpError):
                assert client.connections == 0
                assert not ended.sent
            return ended


async def test_a_verified_back_end_answers(trust: Certificates) -> None:
    assert isinstance(await call_over_tls(trust, trust.server("dgt.example")), Response)
    assert isinstance(await call_over_tls(trust, trust.server("127.0.0.1"), host="127.0.0.1"), Response)
    assert isinstance(await call_over_tls(trust, trust.server("inner.example"), name="inner.example"), Response)


async def test_a_certificate_that_is_not_right_is_refused(trust: Certificates, tmp_path: Path) -> None:
    cases = {
        "for another name": trust.server("other.example"),
        "has expired": trust.server("dgt.example", expired=True),
        "not valid yet": trust.server("dgt.example", early=True),
        "an authority that is not trusted": Certificates(tmp_path).server("dgt.example"),
        "self-signed": trust.server("dgt.example", self_signed=True),
    }
    for words, side in cases.items():
        failed = error(await call_over_tls(trust, side))
        assert failed.kind == "tls"
        assert words in failed.detail


async def test_an_address_in_a_certificate_is_checked(trust: Certificates) -> None:
    failed = error(await call_over_tls(trust, trust.server("127.0.0.2"), host="127.0.0.1"))
    assert (failed.kind, failed.detail) == ("tls", "its certificate is for another address")


async def test_mutual_tls(trust: Certificates) -> None:
    async with hostile(secured(trust.server("dgt.example", clients=True), always(answer()))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        certificate, key = trust.client("hub.example")
        with_one = client_context(ca=trust.ca, certificate=certificate, key=key)
        async with HttpClient(origin, clock, tls=with_one, lookup=local) as client:
            for _ in range(3):
                assert isinstance(await outcome(client, clock), Response)
            assert client.connections == 1


async def test_a_back_end_that_wants_a_certificate_and_gets_none(trust: Certificates) -> None:
    """By TLS 1.3 it says so after the handshake, which is over for us by then."""
    context = trust.server("dgt.example", clients=True)

    def refuse(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        with peer, socket.socket(fileno=os.dup(peer.fileno())) as below:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(peer, server_side=True)
            while below.recv(10_000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        clock = Clock()
        origin = Origin("https", "dgt.example", listening.getsockname()[1])
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listening))
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), lookup=local) as client:
            failed = error(await outcome(client, clock))
            assert failed.kind == "tls"
            assert "certificate required" in failed.detail
            await refusing
            assert client.connections == 0


async def test_kept_alive_over_tls(trust: Certificates) -> None:
    async with hostile(secured(trust.server("dgt.example"), always(answer()))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), lookup=local) as client:
            for _ in range(20):
                assert isinstance(await outcome(client, clock), Response)
            assert back.accepted == 1


async def test_http_1_1_is_what_is_offered(trust: Certificates) -> None:
    context = trust.server("dgt.example")
    context.set_alpn_protocols(["h2", "http/1.1"])

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer(str(peer.protocol).encode()))

    async with hostile(secured(context, script)) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), lookup=local) as client:
            ended = await outcome(client, clock)
            assert isinstance(ended, Response)
            assert ended.body == b"http/1.1"


async def test_an_answer_without_a_length_ends_in_order_or_is_cut(trust: Certificates) -> None:
    """Over TLS the end is said; a connection that just ends may have been cut by anybody."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        if b"/cut" in request:
            await turns(5)
            peer.cut()
            await peer.gone()

    async with hostile(secured(trust.server("dgt.example"), script)) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), lookup=local) as client:
            whole = await outcome(client, clock)
            assert isinstance(whole, Response)
            assert whole.body == b"hello"
            assert error(await outcome(client, clock, get("/cut"))).kind == "closed"


@pytest.mark.parametrize("reset", [False, True])
async def test_tls_cut_at_any_byte_is_an_error_or_whole(trust: Certificates, reset: bool) -> None:
    """From the first byte of the handshake to the last of the answer."""
    side = trust.server("127.0.0.1")
    side.num_tickets = 0
    async with hostile(cut(secured(side, healthy), reset=reset), answer=b"good") as back:
        clock = Clock()
        origin = Origin("https", "127.0.0.1", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca)) as client:
            ended = [await outcome(client, clock)]
            while isinstance(failed := ended[-1], HttpError):
                assert failed.kind in ("tls", "closed")
                assert failed.sent is (failed.kind == "closed")
                assert client.connections == 0
                ended.append(await outcome(client, clock))
            assert body(ended[-1]) == b"good"
            assert len(ended) > 500


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\x00\x05junk!", b"\x15\x03\x03\x00\x02\x02\x28", b""]
)
async def test_what_does_not_speak_tls_is_an_error(trust: Certificates, said: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(said)

    async with hostile(script) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca), lookup=local) as client:
            failed = error(await outcome(client, clock))
            assert (failed.kind, failed.sent) == ("tls", False)
            assert client.connections == 0


async def test_a_handshake_that_hangs_is_left_at_the_deadline(trust: Certificates) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.gone()
        gone.set()

    async with hostile(script) as back:
        clock = HandClock()
        origin = Origin("https", "dgt.example", back.port)
        context = client_context(ca=trust.ca)
        async with HttpClient(origin, clock, tls=context, lookup=local, limits=Limits(connections=1)) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 3, outcomes)
            await until(lambda: back.accepted == 1)
            await turns()
            clock.move(3)
            assert error(outcomes[0]).kind == "timeout"
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_a_call_aborted_at_any_moment_leaves_nothing(trust: Certificates) -> None:
    """At every turn of the loop from its sending to its answer."""
    async with hostile(secured(trust.server("dgt.example"), always(answer()))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        context = client_context(ca=trust.ca)
        moment, ended, before = 0, False, 0
        while not ended:
            async with HttpClient(origin, clock, tls=context, lookup=local) as client:
                outcomes = Outcomes()
                call = client.send(get(), clock.now() + 10, outcomes)
                await turns(moment)
                ended = bool(outcomes)
                call.abort()
                if not ended:
                    await until(lambda: client.connections == 0)
                    await turns()
                    assert not outcomes
            await until(lambda: back.open == 0)
            before = before or descriptors()
            assert descriptors() <= before
            moment += 1
        assert moment > 5
