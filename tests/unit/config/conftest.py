"""How these tests look at a configuration: write it, load it, and see the settings or the mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from esclusa.config.config import Configuration, load
from esclusa.kernel.errors import ConfigurationError

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`loaded(text, environ={...}, files={"more.toml": text})`: the settings, read in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def settings(
        text: str, *, environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
    ) -> Configuration:
        for name, content in {"esclusa.toml": text, **(files or {})}.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content, encoding="utf-8")
        return load(Path("esclusa.toml"), environ or {})

    return settings


@pytest.fixture
def mistakes(loaded: Load) -> Mistakes:
    """As `loaded`: the mistakes as they are printed; none if it is sound."""

    def found(text: str, **how: Mapping[str, str]) -> list[str]:
        try:
            loaded(text, **how)
        except ConfigurationError as error:
            return str(error).splitlines()
        return []

    return found
