"""Reading descriptions of services, from files and over HTTP, within bounds."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from esclusa.connectors.http import documents
from esclusa.connectors.http.documents import Documents


def test_what_came_from_another_machine_can_not_import_files_of_this_one(tmp_path: Path) -> None:
    reader = Documents("http://h/a.wsdl", perf_counter, None)
    for place in (str(tmp_path), f"file://{tmp_path}"):
        with pytest.raises(ValueError, match="a file of this machine"):
            reader.load(place)


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
