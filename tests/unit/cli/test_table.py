"""The live table: fed with results as the API gives them, it shows each body as it answers."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from rich.console import Console

from esclusa.cli.client import Away
from esclusa.cli.moments import time_of_day
from esclusa.cli.table import FRAME, AnswerTable, Aside, watch
from esclusa.edges.http.wire import SnapshotBody
from esclusa.kernel.clock import Clock
from support.service import TITLES, ko, ok, result

DGT = ok("dgt", [{"label": "Permiso B", "value": "12 puntos"}, {"label": "Permiso A"}])
FIRST = ([DGT], ["padron", "catastro"])
INCOMPLETE = ([DGT, ok("padron"), ko("catastro", "backend_timeout", "No answer in time")], None)
COMPLETE = ([DGT, ok("padron"), ok("catastro", received="10:20:33.200")], None)


def snapshot(answers: list[dict[str, Any]], pending: list[str] | None = None) -> SnapshotBody:
    return msgspec.json.decode(msgspec.json.encode(result(answers, pending)), type=SnapshotBody)


def table() -> AnswerTable:
    return AnswerTable("Mis expedientes", TITLES, began=100.0)


def by(processes: dict[str, str]) -> Aside:
    return Aside("By", 12, lambda connector: processes.get(connector, ""))


def lines(thing: Any, width: int = 120) -> list[str]:
    """As a terminal shows it."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(thing)
    return [line.rstrip() for line in capture.get().splitlines()]


def drawn(thing: Any, width: int = 120) -> list[str]:
    """The lines that say something."""
    return [line for line in lines(thing, width) if line]


@pytest.mark.parametrize("before", [True, False])
def test_each_body_has_a_row_in_the_order_of_the_service_whoever_answers_first(*, before: bool) -> None:
    answers = table()
    if before:
        answers.update(snapshot([], ["dgt", "padron", "catastro"]))
    answers.update(snapshot([ok("catastro")], ["dgt", "padron"]))
    rows = drawn(answers.live(101.0, 120, 40))[3:6]
    assert [row.split("  ")[0].strip() for row in rows] == list(TITLES.values())
    assert ["waiting" in row for row in rows] == [True, True, False]


def test_a_row_says_state_reason_attempts_time_and_a_line_of_the_data() -> None:
    answers = table()
    answers.update(snapshot(*INCOMPLETE))
    rows = drawn(answers.final(120))
    assert rows[0] == "Mis expedientes"
    assert rows[1].split() == ["Body", "State", "Reason", "Tries", "Time", "Answer"]
    assert rows[3].split("  ")[0].strip() == "Dirección General de Tráfico"
    assert rows[3].split()[4:] == ["ok", "1", "0.25", "s", "Permiso", "B,", "12", "puntos", "(and", "1", "more)"]
    assert rows[4].split()[2:] == ["ok", "1", "0.25", "s", "nothing", "about", "this", "person"]
    assert rows[5].split()[1:] == ["KO", "backend_timeout", "1", "3.00", "s", "No", "answer", "in", "time"]


def test_the_bar_shows_the_time_to_the_deadline_and_how_many_have_answered() -> None:
    answers = table()
    assert drawn(answers.live(100.0, 120, 40))[-1] == "asking"
    answers.update(snapshot(*FIRST))
    assert drawn(answers.live(102.5, 120, 40))[-1].endswith(" 2.5 of 10 s, 1 of 3 answered")
    assert drawn(answers.live(99.0, 120, 40))[-1].endswith(" 0.0 of 10 s, 1 of 3 answered")
    assert drawn(answers.live(999.0, 120, 40))[-1].endswith(" 10.0 of 10 s, 1 of 3 answered")


def test_it_never_grows_beyond_the_terminal_and_who_is_missing_or_awaited_is_left_out_last() -> None:
    answers = table()
    names = [f"body-{number}" for number in range(50)]
    came = [ok(name) for name in names[:20]]
    answers.update(snapshot(came, names[20:]))
    came += [ko(names[48], "backend_error"), ok(names[49])]
    answers.update(snapshot(came, names[20:48]))
    for width, height in ((40, 9), (80, 10), (80, 24), (120, 11), (150, 50)):
        seen = lines(answers.live(100.0, width, height), width)
        assert len(seen) == height - 1, "the last line is the cursor's"
        assert all(len(line) <= width for line in seen)
        assert seen[-1].endswith("22 of 50 answered")
        text = "\n".join(seen)
        assert "body-48 " in text
        assert "body-20 " in text
        assert re.search(r"^\.\.\. and \d+ more$", text, re.MULTILINE)
    assert "body-49 " in "\n".join(drawn(answers.live(100.0, 100, 37)))
    assert "body-0 " not in "\n".join(drawn(answers.live(100.0, 100, 37)))
    whole = "\n".join(drawn(answers.final(100)))
    assert all(f"{name} " in whole for name in names)


def test_in_80_columns_names_are_whole_and_the_reason_stands_with_the_answer() -> None:
    answers = table()
    answers.update(snapshot(*INCOMPLETE))
    rows = drawn(answers.final(80), 80)
    assert rows[1].split() == ["Body", "State", "Time", "Answer"]
    assert rows[3].split("  ")[0].strip() == "Dirección General de Tráfico"
    assert rows[5].split()[:5] == ["Catastro", "KO", "3.00", "s", "backend_timeout,"]
    assert all(len(row) <= 80 for row in rows)


def test_an_aside_has_a_column_for_which_others_make_room() -> None:
    answers = AnswerTable("Mis expedientes", TITLES, 100.0, by({"dgt": "process-1", "catastro": "process-2"}))
    answers.update(snapshot(*INCOMPLETE))
    wide, middle, narrow = (drawn(answers.final(width), width) for width in (150, 120, 80))
    assert wide[1].split() == ["Body", "State", "Reason", "Tries", "Time", "Answer", "By"]
    assert middle[1].split() == ["Body", "State", "Time", "Answer", "By"]
    assert "backend_timeout, No answer in" in middle[5]
    assert narrow[1].split() == ["Body", "State", "Time", "By"]
    for rows in (wide, middle, narrow):
        assert rows[3].startswith(("Dirección General de Tráfico", " Dirección General de Tráfico"))
        assert rows[3].endswith("process-1")
        assert rows[4].split()[:2] == ["Padrón", "municipal"]
        assert rows[5].endswith("process-2")


def test_and_stands_at_the_end_of_a_plain_line_once_it_is_known() -> None:
    answers = AnswerTable("Mis expedientes", TITLES, 100.0, by({"dgt": "process-1"}))
    first, second, _ = answers.update(snapshot(*INCOMPLETE))
    assert answers.line(first).endswith("(and 1 more)  [process-1]")
    assert answers.line(second).endswith("nothing about this person")


def test_a_long_title_is_cut_to_its_line() -> None:
    answers = AnswerTable("What do they know about me? " * 5, TITLES, began=100.0)
    answers.update(snapshot(*FIRST))
    assert lines(answers.live(101.0, 80, 24), 80)[0].endswith("…")
    assert lines(answers.live(101.0, 80, 24), 80)[1].startswith("Body")


def test_who_is_missing_stays_indented_where_the_line_is_too_long() -> None:
    answers = table()
    answers.update(snapshot([DGT, ok("padron"), ko("catastro", "circuit_open", "Not asked: it is left alone for a while")]))
    assert drawn(answers.final(50), 50)[-2:] == ["  Catastro: circuit_open, Not asked: it is left", "  alone for a while"]


def test_a_service_that_is_away_is_told_with_until_when_it_is_asked_again_and_the_line_goes_when_it_is_back() -> None:
    answers, away = table(), Away(1_000.0)
    line = f"the service is away; trying again until {time_of_day(1_000.0)}"
    answers.update(snapshot(*FIRST))
    assert answers.lost(away) == line
    assert answers.lost(away) is None
    assert line in drawn(answers.live(101.0, 80, 9), 80)
    assert len(lines(answers.live(101.0, 80, 9), 80)) < 9
    answers.update(snapshot(*FIRST))
    assert "away" not in "\n".join(drawn(answers.live(101.0, 80, 40), 80))


def test_the_end_says_complete_and_how_long_it_took() -> None:
    answers = table()
    answers.update(snapshot(*COMPLETE))
    assert answers.verdict() == ["complete: 3 bodies in 3.2 s"]


def test_or_who_is_missing_and_why() -> None:
    answers = table()
    answers.update(snapshot([DGT, ko("padron", "circuit_open"), ko("catastro", "no_answer")]))
    assert answers.verdict() == [
        "incomplete: 1 of 3 bodies in 10.0 s; without",
        "  Padrón municipal: circuit_open",
        "  Catastro: no_answer",
    ]


def test_a_question_that_concerns_nobody_is_complete() -> None:
    answers = table()
    answers.update(snapshot([]))
    assert answers.verdict() == ["complete: the question concerns nobody"]
    assert answers.final(120) is not None


def test_what_a_body_says_controls_no_terminal() -> None:
    hostile = {**ko("dgt", "backend_error", "\x1b]0;owned\x07"), "title": "\x1b[2JDGT\u202e"}
    answers = table()
    answers.update(snapshot([hostile, ok("padron", "\x1b[31mred\x9b")]))
    answer = answers.update(snapshot([hostile, ok("padron"), ok("catastro", ["\x1b[H"])]))[0]
    text = "\n".join([*drawn(answers.final(120)), *answers.verdict(), answers.line(answer)])
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


def test_an_answer_is_new_once() -> None:
    answers = table()
    assert [answer.connector for answer in answers.update(snapshot(*FIRST))] == ["dgt"]
    assert [answer.connector for answer in answers.update(snapshot(*COMPLETE))] == ["padron", "catastro"]
    assert answers.update(snapshot(*COMPLETE)) == []


async def coming(clock: Clock, *each: SnapshotBody | Away, every: float = 1.0) -> AsyncIterator[SnapshotBody | Away]:
    for one in each:
        await clock.sleep(every)
        yield one


@pytest.mark.virtual_time
async def test_without_a_terminal_each_answer_is_a_line_when_it_comes() -> None:
    clock, out = Clock(), io.StringIO()
    watching = asyncio.ensure_future(
        watch(coming(clock, snapshot(*FIRST), snapshot(*INCOMPLETE)), table(), Console(file=out, width=40), clock)
    )
    await clock.sleep(1.5)
    assert out.getvalue() == "ok   0.25 s  Dirección General de Tráfico: Permiso B, 12 puntos (and 1 more)\n"
    assert (await watching).complete is False
    assert out.getvalue().splitlines()[1:] == [
        "ok   0.25 s  Padrón municipal: nothing about this person",
        "KO   3.00 s  Catastro: backend_timeout, No answer in time",
        "incomplete: 2 of 3 bodies in 3.0 s; without",
        "  Catastro: backend_timeout, No answer in time",
    ]


@pytest.mark.virtual_time
async def test_without_a_terminal_an_absence_is_one_line() -> None:
    clock, out = Clock(), io.StringIO()
    news = coming(clock, snapshot(*FIRST), Away(1_000.0), Away(1_000.0), snapshot(*COMPLETE))
    assert (await watch(news, table(), Console(file=out, width=40), clock)).complete
    assert out.getvalue().count("the service is away; trying again until ") == 1


@pytest.mark.virtual_time
async def test_on_a_terminal_the_bar_moves_even_while_nobody_answers() -> None:
    clock, out = Clock(), io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, height=30, legacy_windows=False, _environ={"TERM": "xterm"})
    answers = AnswerTable("Mis expedientes", TITLES, began=clock.now())
    last = await watch(coming(clock, snapshot(*FIRST), snapshot(*COMPLETE)), answers, console, clock)
    text = out.getvalue()
    assert last.complete
    for seconds in (1.2, 1.4, 1.6, 1.8):
        assert f"{seconds} of 10 s, 1 of 3 answered" in text
    assert pytest.approx(0.2) == FRAME
    assert "complete: 3 bodies in 3.2 s" in text.rpartition("Mis expedientes")[2]


@pytest.mark.virtual_time
async def test_on_a_dumb_terminal_there_are_no_control_codes() -> None:
    clock, out = Clock(), io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, _environ={"TERM": "dumb"})
    await watch(coming(clock, snapshot(*COMPLETE)), table(), console, clock)
    assert "\x1b" not in out.getvalue()
    assert "complete: 3 bodies" in out.getvalue()


@pytest.mark.virtual_time
async def test_whoever_stops_watching_gets_the_terminal_back_with_what_was_received() -> None:
    clock, out = Clock(), io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, height=30, _environ={"TERM": "xterm"})
    watching = asyncio.ensure_future(
        watch(coming(clock, snapshot(*FIRST), snapshot(*COMPLETE), every=5), table(), console, clock)
    )
    await clock.sleep(6)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")  # the cursor is shown again
    left = out.getvalue().rpartition("\x1b[?25h")[2]
    assert "Permiso B" in left  # what was received stays
    assert "waiting" in left
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.virtual_time
async def test_an_error_of_the_service_ends_the_watching() -> None:
    async def broken() -> AsyncIterator[SnapshotBody]:
        yield snapshot(*FIRST)
        raise ConnectionError("gone")

    clock = Clock()
    with pytest.raises(ConnectionError):
        await watch(broken(), table(), Console(file=io.StringIO()), clock)
