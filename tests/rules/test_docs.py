"""Documentation can't rot: the reference is made from the code, and is held here against the code in another way."""

from __future__ import annotations

import re
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from cyclopts import App

from esclusa.bootstrap import Runtime, make_application
from esclusa.cli.cli import command_line
from esclusa.config.config import ConfigurationText, load
from esclusa.config.settings import Configuration
from esclusa.kernel.errors import Refused
from esclusa.kernel.settings import Settings
from reference.api import api_page
from reference.commands import commands_page
from reference.errors import errors_page
from reference.markdown import attribute_docs
from reference.metrics import instruments, metrics_page
from reference.settings import fields, settings_page, tables
from rules.tree import ROOT, imported

DOCS = ROOT / "docs"


def below(cls: type[Any]) -> set[type[Any]]:
    return {found for child in cls.__subclasses__() for found in {child} | below(child)}


def test_every_setting_is_in_the_reference_and_says_what_it_does() -> None:
    imported()
    documented = {
        (struct.cls, field.name): attribute_docs(struct.cls).get(field.name)
        for field in fields(Configuration)
        for _, struct in tables(field.encode_name, field.type)
        for field in struct.fields
    }
    page = settings_page()
    for cls in below(Settings) - {Configuration}:
        if not cls.__module__.startswith("esclusa."):
            continue  # a test's own
        if cls.__subclasses__():
            continue  # its keys stand in the tables of those that extend it
        for name, key in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True):
            assert documented.get((cls, name)), f"{cls.__name__}.{name} has no docstring, or its table is in no configuration"
            assert f"| `{key}` |" in page


def test_every_setting_says_what_it_takes() -> None:
    assert "| anything |" not in settings_page()
    assert '| `data` | path | `"esclusa-data"` |' in settings_page()


def test_every_refusal_is_in_the_reference() -> None:
    page = errors_page()
    absent = [cls.__name__ for cls in below(Refused) if f"`/problems/{cls.name}`" not in page]
    assert not absent


async def test_what_a_process_serves_and_counts_is_in_the_reference(tmp_path: Path) -> None:
    path = tmp_path / "esclusa.toml"
    path.write_text(f'[server]\nlisten = "127.0.0.1:0"\n{WHOLE}', encoding="utf-8")
    text = ConfigurationText(path, {})
    application = make_application(text.configuration(), Runtime.real(), text=text)
    async with application.lifecycle:
        assert application.server.address is not None
        async with httpx.AsyncClient(base_url=application.server.address.url) as client:
            described = (await client.get("/openapi.json")).json()
            counted = (await client.get("/metrics")).text
    api, metrics = api_page(), metrics_page()
    routes = [f"{method.upper()} {route}" for route, methods in described["paths"].items() for method in methods]
    names = re.findall(r"^# TYPE (esclusa_\S+)", counted, re.MULTILINE)
    assert len(routes) > 5
    assert len(names) > 10
    assert not [route for route in routes if f"## `{route}`" not in api]
    assert not [name for name in names if f"| `{name}` |" not in metrics]


def commands(app: App, *above: str) -> Iterator[str]:
    for name in app:
        if not name.startswith("-"):
            yield " ".join([*above, name])
            yield from commands(app[name], *above, name)


def test_every_command_is_in_the_reference() -> None:
    page = commands_page()
    named = list(commands(command_line(), "esclusa"))
    assert "esclusa config schema" in named
    assert not [name for name in named if not re.search(rf"^#+ {name}$", page, re.MULTILINE)]


def markdown() -> list[Path]:
    """Every page, those that stand beside what they are about included."""
    folders = ("docs", "examples", "deploy", "tests", "src")
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md"))])


def test_links_between_files_lead_somewhere() -> None:
    """Those of the documentation are Sphinx's to check too; README and its neighbours are read where they stand."""
    broken = []
    for path in markdown():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            made = target.startswith(("reference/", "../reference/"))
            if "://" not in target and not made and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert not broken


def mentioned(pattern: str) -> set[tuple[str, ...]]:
    """What the pages say between backquotes that looks like `pattern`, by its groups."""
    return {found.groups() for path in markdown() for found in re.finditer(f"`{pattern}", path.read_text(encoding="utf-8"))}


def test_what_the_pages_mention_exists() -> None:
    """Metrics, commands, and settings such as `[hub] drain`."""
    imported()
    settings = {
        (place.split(".")[0], field.encode_name)
        for table in fields(Configuration)
        for place, struct in tables(table.encode_name, table.type)
        for field in struct.fields
    }
    metrics = {name for name, *_ in instruments()}
    known = set(command_line())
    assert {name for (name,) in mentioned(r"(esclusa_[a-z_]+)")} <= metrics
    assert {name for (name,) in mentioned(r"esclusa ([a-z]+)")} <= known
    assert mentioned(r"\[(\w+)\] (\w+)") <= settings


def configurations() -> list[Any]:
    """Every block of TOML that stands in a page."""
    return [
        pytest.param(block, id=f"{path.relative_to(ROOT)}:{number}")
        for path in markdown()
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL), 1)
    ]


@pytest.mark.parametrize("block", configurations())
def test_configurations_in_the_pages_are_right(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of one stand on a small whole, whose tables give way to theirs."""
    names = set(re.findall(r"\$\{(\w+)", block))
    whole = WHOLE if "connectors" not in tomllib.loads(block) else ""
    path = tmp_path / "esclusa.toml"
    path.write_text(whole + block.replace(CERTIFICATES, str(tmp_path)), encoding="utf-8")
    certified(tmp_path)
    for named in re.findall(r'"([\w-]+\.(?:wsdl|pem|key|crt))"', block):
        (tmp_path / named).touch()
    for module, function in re.findall(r'"(\w+):(\w+)"', block):
        monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
        vars(sys.modules[module])[function] = print
    load(path, dict.fromkeys(names, "0123456789abcdef"))


CERTIFICATES = "/etc/esclusa/tls"
"""Where the pages have them."""


def certified(folder: Path) -> None:
    """The files that are there."""
    authority = trustme.CA()
    own = authority.issue_cert("esclusa.example")
    for name in ("kafka-ca.pem", "cassandra-ca.pem"):
        authority.cert_pem.write_to_path(folder / name)
    own.cert_chain_pems[0].write_to_path(folder / "esclusa.pem")
    own.private_key_pem.write_to_path(folder / "esclusa.key")


WHOLE = """
[connectors.some-body]
url = "https://body.example/{subject}"
"""
