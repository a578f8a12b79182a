"""What stands in no file: unfinished words, addresses of package registries, paths of somebody's machine, secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.tree import ROOT

SKIPPED = {".git", ".venv", "__pycache__", "_build", "build", "dist", "esclusa-data", ".hypothesis", "node_modules", "vendored"}
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK|NotImplement[e]dError)\b")
REGISTRY = re.compile(
    r"https?://[^\s\"'<>)]+/(simple/|mave[n]2|packages/[0-9a-f]{2}/|-/[\w.-]+\.tgz|@v/)"
    r"|(extra-)?inde[x]-url|find-link[s]|registry\s*=\s*[\"']?https?:"
)
MACHINE = re.compile(r"(?<![\w.:/\-}])/(wor[k]|hom[e]|roo[t]|Use[r]s|far[m])/[\w.]")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----")


def texts() -> Iterator[tuple[Path, list[str]]]:
    for folder, below, names in os.walk(ROOT):
        below[:] = sorted(name for name in below if name not in SKIPPED and not name.endswith(("_cache", ".egg-info")))
        for name in sorted(names):
            path = Path(folder, name)
            try:
                yield path, path.read_text(encoding="utf-8").splitlines()
            except UnicodeDecodeError:
                continue


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(UNFINISHED, id="unfinished"),
        pytest.param(REGISTRY, id="registry"),
        pytest.param(MACHINE, id="machine"),
        pytest.param(PRIVATE_KEY, id="private key"),
    ],
)
def test_no_file_says(words: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, lines in texts()
        for number, line in enumerate(lines, 1)
        if words.search(line)
    ]
    assert not found


def test_constraints_are_exact_and_name_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    loose = [line for line in lines if not line.startswith("#") and not re.fullmatch(r"[\w.-]+==[\w.!+]+", line)]
    assert not loose
