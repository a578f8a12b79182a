"""Reading descriptions of services, from files and over HTTP, within bounds."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

import pytest
import trustme

from esclusa.connectors.http import documents
from esclusa.connectors.http.documents import Documents


def test_what_came_from_another_machine_can_not_import_files_of_this_one(tmp_path: Path) -> None:
    reader = Documents("http://h/a.wsdl", perf_counter, None)
    for place in (str(tmp_path), f"file://{tmp_path}"):
        with pytest.raises(ValueError, match="a file of this machine"):
            reader.load(place)


def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (str(tmp_path / "pipe"), f"file://{tmp_path}"):
        with pytest.raises(ValueError, match="is no file"):
            Documents(place, perf_counter, None).load(place)


def test_what_may_be_a_secret_in_an_address_is_not_told() -> None:
    place = "http://user:hunter2@127.0.0.1:9/a?wsdl&key=hunter2"
    with pytest.raises(ValueError, match=r"^http://127\.0\.0\.1:9/a can't be read \(.*refused\)$"):
        Documents(place.replace("user:hunter2@", ""), perf_counter, None).load(place.replace("user:hunter2@", ""))
    assert documents.shown(place) == "http://127.0.0.1:9/a"
    assert documents.shown("/a folder/b?c.wsdl") == "/a folder/b?c.wsdl"


def test_documents_are_bounded_in_size_number_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xsd"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(documents, "LARGEST", 99)
    with pytest.raises(ValueError, match="is larger than"):
        Documents(str(path), perf_counter, None).load(str(path))
    monkeypatch.setattr(documents, "LARGEST", 100)
    times = iter([0.0, 10.1])
    with pytest.raises(ValueError, match="did not come within 10 s"):
        Documents(str(path), lambda: next(times), None).load(str(path))
    monkeypatch.setattr(documents, "MOST", 1)
    reader = Documents(str(path), perf_counter, None)
    assert reader.load(str(path)) == b"x" * 100
    with pytest.raises(ValueError, match="more than 1 documents"):
        reader.load(str(path))


@contextmanager
def served(*pieces: bytes, endless: bytes = b"", pause: float = 0.02, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a server that takes one connection, says `pieces`, and then `endless` again and again."""
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection, suppress(OSError):
            connection.recv(4096)
            for piece in pieces:
                connection.sendall(piece)
            while endless and not ended.wait(pause):
                connection.sendall(endless)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/a.json"
        finally:
            ended.set()
            thread.join(10)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"HTTP/1.1 200 OK\r\nX-"], id="headers"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"], id="body"),
        pytest.param([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"], id="chunk"),
    ],
)
def test_what_trickles_is_cut_when_its_time_is_over(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LONGEST", 0.3)
    with served(*pieces, endless=b"a") as url:
        begun = perf_counter()
        with pytest.raises(ValueError, match="did not come within"):
            Documents(url, perf_counter, None).load(url)
        assert perf_counter() - begun < 5


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_what_is_no_http_is_told(said: bytes) -> None:
    with served(said) as url, pytest.raises(ValueError, match="can't be read"):
        Documents(url, perf_counter, None).load(url)


def test_what_is_said_is_read_whole() -> None:
    with served(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"ab", b"cd") as url:
        assert Documents(url, perf_counter, None).load(url) == b"abcd"


def test_over_tls_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    shown, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(shown)
    authority.configure_trust(trusted)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    with served(head, b"abcd", tls=shown) as url:
        assert Documents(url, perf_counter, trusted).load(url) == b"abcd"
    monkeypatch.setattr(documents, "LONGEST", 0.5)
    with served(head[:10], endless=b"a", tls=shown) as url, pytest.raises(ValueError, match="did not come within"):
        Documents(url, perf_counter, trusted).load(url)
