"""Draws docs/images/demo.svg: the demo's table as it stands a few seconds after the question. Run it when that changes.

.venv/bin/python dev/picture.py
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from esclusa.cli.moments import instant
from esclusa.cli.table import AnswerTable
from esclusa.edges.http.wire import SnapshotBody

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
AT = 1.5
"""Seconds after the question."""
WIDTH, HEIGHT = 120, 44


def main() -> None:
    """Ask, and draw what there was to see at that moment."""
    esclusa = Path(sys.executable).with_name("esclusa")
    said = subprocess.run([esclusa, "demo", "--once", "--json"], check=True, capture_output=True, timeout=60).stdout
    final = msgspec.json.decode(said, type=SnapshotBody)
    began = instant(final.created_at)
    titles = {answer.connector: answer.title for answer in final.answers}
    there = [answer for answer in final.answers if answer.received_at and instant(answer.received_at) <= began + AT]
    waited = [answer.connector for answer in final.answers if answer not in there]
    table = AnswerTable("Mis expedientes", titles, began)
    for answers, pending in (([], list(titles)), (there, waited)):
        table.update(msgspec.structs.replace(final, answers=answers, pending=pending, query_more=True, complete=False))
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True)
    console.print(table.live(began + AT, WIDTH, HEIGHT))
    # A picture fetches nothing: the reader's own monospaced font will do.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", console.export_svg(title="make demo"), flags=re.DOTALL)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
