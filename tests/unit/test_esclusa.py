"""`import esclusa`: costs nothing, and gives every public name when it is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import esclusa

ALONE = "import sys, esclusa; print(*sorted(name for name in sys.modules if name.startswith('esclusa.')))"


def test_importing_it_imports_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - our own
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", esclusa.__all__)
def test_every_public_name_is_there_and_the_same_each_time(name: str) -> None:
    found = getattr(esclusa, name)
    assert found is getattr(esclusa, name)
    assert found.__module__.startswith("esclusa.")
    assert found.__name__ == name


def test_a_name_that_there_is_not_is_told_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = esclusa.nothing
    with pytest.raises(ImportError):
        from esclusa import nothing  # noqa: F401 - it isn't there
