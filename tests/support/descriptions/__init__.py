"""Descriptions of services that tests make up, as public bodies have them: OpenAPI 3.0 and 3.1, and WSDLs with imports."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from esclusa.config.config import Configuration, load

HERE = Path(__file__).parent
OPENAPI = {
    "petstore.json": ["listPets", "createPet", "showPetById"],
    "expedientes.yaml": ["expedientes", "búsqueda de multas", "POST /formulario", "certificado", "conToken"],
}
"""Descriptions of REST, with their operations."""
WSDLS = {
    "census.wsdl": ["Person"],
    "padron.wsdl": ["PadronService/consulta", "PadronService/historia", "PadronDePruebas/consulta", "PadronDePruebas/historia"],
    "catastro.wsdl": ["ConsultaFincas"],
}
"""Descriptions of SOAP, with their operations."""


def checked(text: str, folder: Path) -> Configuration:
    """The configuration `text`, as `esclusa check` sees it once the variables are set that it names."""
    path = folder / "esclusa.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, dict.fromkeys(re.findall(r"(?<!\$)\$\{(\w+)\}", text), "0123456789abcdef"))


def contents(text: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The only connector of `text`, its credentials and its query. Whatever else is in it fails."""
    tables = tomllib.loads(text)
    assert tables.keys() <= {"connectors", "credentials", "queries"}
    assert all(len(family) == 1 for family in tables.values())
    connector, query = tables["connectors"].popitem()[1], tables["queries"].popitem()[1]
    return connector, tables.get("credentials", {"": {}}).popitem()[1], query


def uncommented(text: str, key: str) -> str:
    """`text` with the line of a `key`, or with the table at `[...key]`, no longer in a comment."""
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if re.match(rf"# (\[[\w.-]+\.{key}\]|{key} = )", line):
            while lines[place].startswith("# "):
                lines[place] = lines[place].removeprefix("# ")
                place += 1  # noqa: PLW2901 - to the end of the table
                if " = " in line:
                    break
            return "\n".join(lines)
    raise AssertionError(f"there is no {key} in a comment")
