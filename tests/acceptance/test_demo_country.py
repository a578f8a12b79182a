"""Somebody who has never seen it runs `esclusa demo`: H1, H2, H4, H10, H11, H13, H40."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from pathlib import Path
from time import monotonic

KINDS = {"backend_error", "backend_timeout", "circuit_open", "rejected", "platform_timeout"}


async def test_one_question_is_answered_body_by_body_and_what_could_not_be_had_is_named() -> None:
    command = [str(Path(sys.executable).with_name("esclusa")), "demo", "--once", "--json"]
    began = monotonic()
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    assert monotonic() - began < 20
    result = json.loads(said)
    assert (result["queryMore"], result["complete"], result["pending"]) == (False, False, [])
    assert len(result["answers"]) >= 24
    answers = Counter(answer.get("reason", answer["state"]) for answer in result["answers"])
    assert answers["ok"] >= 20
    assert answers.keys() >= KINDS
    assert all(item["label"] for answer in result["answers"] for item in answer.get("data") or [])
