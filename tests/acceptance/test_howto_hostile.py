"""The page about the hostile back end: its files work as they stand there, and its table is what there is."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from esclusa.testing.hostile import MISBEHAVIOURS

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "hostile.md").read_text(encoding="utf-8")


async def test_every_block_of_the_page_is_run(tmp_path: Path) -> None:
    blocks = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", PAGE, re.DOTALL)
    for name, source in blocks:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(source)
    assert len(blocks) == PAGE.count("```") / 2
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert re.search(rb"\b\d{2} passed", said), said.decode()


def test_the_table_is_what_there_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| .* \| (\w+) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, one.wire, one.ending) for name, one in MISBEHAVIOURS.items()]
