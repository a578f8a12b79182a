"""`esclusa connector new`: a configuration to start from, by what a service says of itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from esclusa.cli.exits import Exit
from esclusa.cli.options import Json
from esclusa.cli.output import Failed, complain, document, harmless, reported, ruled, say, words
from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.documents import Documents
from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.rest.openapi.sketch import sketched
from esclusa.connectors.sketch.offer import Offer, named
from esclusa.connectors.transport import client_context
from esclusa.kernel.clock import Clock

_REMOTE = ("http://", "https://")


class _Source(msgspec.Struct, frozen=True):
    """A description that has been read."""

    offers: Sequence[Offer]
    written: Callable[[str, str], str]
    """From the names of an operation and of the connector to the configuration. `ValueError`."""


def new_connector(
    *,
    openapi: Annotated[
        str | None, Parameter(help="A description by OpenAPI 3.0 or 3.1, in JSON or YAML: a file or a URL.")
    ] = None,
    wsdl: Annotated[str | None, Parameter(help="A description of a SOAP service: a file or a URL.")] = None,
    operation: Annotated[
        str | None, Parameter(help="Which one; all are listed when there are several and none is named.")
    ] = None,
    name: Annotated[str | None, Parameter(help="What the connector is called; the operation's name unless given.")] = None,
    out: Annotated[
        Path | None, Parameter(help="Write it to this file, which must not be there, in place of standard output.")
    ] = None,
    json: Json = False,
) -> int:
    """Write a configuration with comments to start from, by the description of a service. Calls no operation.

    What is a guess says so, and secrets are variables. It has a connector, its credentials, and a query that asks it; \
"esclusa check" looks at it once its variables are set.

    For example:

        esclusa connector new --openapi https://dgt.example/openapi.json
        esclusa connector new --openapi dgt.yaml --operation listFiles --name dgt >> esclusa.toml
        esclusa connector new --wsdl census.wsdl --operation Person --out census.toml
    """
    return reported(lambda: _new(openapi, wsdl, operation, name, out, json=json), json=json)


def _new(
    openapi: str | None, wsdl: str | None, operation: str | None, name: str | None, out: Path | None, *, json: bool
) -> Exit:
    if (openapi is None) == (wsdl is None):
        raise Failed(Exit.MISTAKE, "write either --openapi or --wsdl, with a file or a URL")
    if name is not None and named(name) != name:
        raise Failed(Exit.MISTAKE, f"{name} is no name of a connector: a to z, 0 to 9 and -; {named(name)} would be one")
    try:
        source = asyncio.run(_read(openapi, wsdl, out))
        if operation is None and len(source.offers) > 1:
            return _list(source.offers, json=json)
        chosen = operation or source.offers[0].operation
        text = source.written(chosen, name or named(chosen))
    except ValueError as error:
        raise Failed(Exit.FAILED, str(error)) from error
    if out is not None:
        _write(out, text)
    if json:
        document({"operation": chosen, "configuration": text})
    elif out is None:
        say(text.rstrip("\n"))
    else:
        say(f'{out} is written. Look at what says "guess", set the variables that it names, then: esclusa check {out}')
    return Exit.DONE


async def _read(openapi: str | None, wsdl: str | None, out: Path | None) -> _Source:
    ticks = Clock().ticks
    if openapi is not None:
        return await asyncio.to_thread(_openapi, openapi, ticks)
    return await asyncio.to_thread(_wsdl, wsdl or "", out, ticks)


def _openapi(place: str, ticks: Callable[[], float]) -> _Source:
    documents = Documents(place, ticks, client_context() if is_secure(place) else None)
    description = OpenApi(documents.load(place), place)
    offers = [each.offer for each in description.operations]
    return _Source(offers, lambda operation, name: sketched(description, description.chosen(operation), name))


def _wsdl(place: str, out: Path | None, ticks: Callable[[], float]) -> _Source:
    if find_spec("zeep") is None:
        raise ValueError('SOAP is not installed: pip install "esclusa[soap]"')
    from esclusa.connectors.soap import sketch as soap  # noqa: PLC0415 - its packages are an extra

    described = soap.Wsdl(place, ticks, client_context() if is_secure(place) else None)
    beside = place
    if not place.startswith(_REMOTE) and out is not None:
        beside = os.path.relpath(place, out.parent)  # paths start at the file that has them
    offers = [each.offer for each in described.operations]
    return _Source(offers, lambda operation, name: soap.sketched(described, described.chosen(operation), name, beside))


def _list(offers: Sequence[Offer], *, json: bool) -> Exit:
    if json:
        document({"operations": offers})
        return Exit.DONE
    console = words()
    table = ruled(console.width)
    for heading in ("Operation", "Call", "About"):
        table.add_column(heading)
    for offer in offers:
        table.add_row(harmless(offer.operation), harmless(offer.call), harmless(offer.about[:120]))
    console.print(table)
    complain("Choose one of them: add --operation OPERATION")
    return Exit.DONE


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise Failed(Exit.FAILED, f"{out} is there already, and stays as it is: name another file") from None
    except OSError as error:
        raise Failed(Exit.FAILED, f"{out} can't be written: {(error.strerror or str(error)).lower()}") from error
