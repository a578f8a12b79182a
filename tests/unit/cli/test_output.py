"""Words for people, one JSON document for programs, nothing that could control a terminal."""

from __future__ import annotations

import json
from typing import NoReturn

import msgspec
import pytest

from esclusa.cli.exits import Exit
from esclusa.cli.output import Failed, document, harmless, reported, tell
from esclusa.kernel.errors import ConfigurationError, Mistake, PartDied, StorageBusy, StorageUnavailable

MISTAKES = [Mistake("a.toml", 3, "wrong"), Mistake("a.toml", 5, "wrong too")]


def raising(error: Exception) -> NoReturn:
    raise error


STORY = "99002727D  Tecla grew up in A Coruña and lives in Zaragoza"


def test_a_paragraph_is_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell(STORY * 5, hanging=11)
    assert capsys.readouterr().out == STORY * 5 + "\n"


def test_and_is_broken_between_words_where_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    tell(STORY, hanging=11)
    assert capsys.readouterr().out.splitlines() == [
        "99002727D  Tecla grew up in A Coruña and",
        "           lives in Zaragoza",
    ]


def test_what_ends_well_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(lambda: Exit.INCOMPLETE, json=False) is Exit.INCOMPLETE
    assert capsys.readouterr() == ("", "")


def test_mistakes_go_to_standard_error_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(lambda: raising(ConfigurationError(MISTAKES)), json=False) is Exit.MISTAKE
    assert capsys.readouterr() == ("", "a.toml:3: wrong\na.toml:5: wrong too\n")


def test_with_json_they_are_one_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(lambda: raising(ConfigurationError(MISTAKES)), json=True) is Exit.MISTAKE
    out = json.loads(capsys.readouterr().out)
    assert out == {"sound": False, "mistakes": [msgspec.to_builtins(mistake) for mistake in MISTAKES]}


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (Failed(Exit.REFUSED, "no"), Exit.REFUSED, "no"),
        (StorageBusy("another process has data"), Exit.FAILED, "another process has data"),
        (PermissionError(13, "Permission denied", "data"), Exit.FAILED, "[Errno 13] Permission denied: 'data'"),
    ],
)
def test_other_errors_are_a_line_and_never_a_traceback(
    capsys: pytest.CaptureFixture[str], error: Exception, code: Exit, text: str
) -> None:
    assert reported(lambda: raising(error), json=False) is code
    assert capsys.readouterr() == ("", f"esclusa: {text}\n")
    assert reported(lambda: raising(error), json=True) is code
    assert json.loads(capsys.readouterr().out) == {"title": text}


def test_a_part_that_died_of_a_lost_disk_is_a_line_and_of_a_fault_of_ours_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert reported(lambda: raising(PartDied("purge", StorageUnavailable("disk full"))), json=False) is Exit.FAILED
    assert capsys.readouterr().err == "esclusa: purge: StorageUnavailable('disk full')\n"
    assert reported(lambda: raising(PartDied("purge", ZeroDivisionError())), json=False) is Exit.FAILED
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1]) == ("ZeroDivisionError", "esclusa: purge: ZeroDivisionError()")


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        reported(lambda: raising(ZeroDivisionError()), json=False)


def test_a_document_is_printed_whatever_it_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    document(b'{"a":[1,2]}')
    document(MISTAKES[0])
    text = capsys.readouterr().out
    assert text == '{\n  "a": [\n    1,\n    2\n  ]\n}\n{\n  "file": "a.toml",\n  "line": 3,\n  "what": "wrong"\n}\n'


def test_nothing_that_controls_a_terminal_or_hides_text_gets_through() -> None:
    assert harmless("Tráfico €\n\t😀") == "Tráfico €  😀"
    assert harmless("\x1b[2J") == r"\x1b[2J"
    assert harmless("\x07\x9b\u202e\ud800") == r"\x07\x9b\u202e\ud800"
