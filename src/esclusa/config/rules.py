"""What must hold of a configuration beyond the types of its keys."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from esclusa.config import engines, references
from esclusa.config.document import FAMILIES
from esclusa.config.draft import Draft
from esclusa.config.findings import nearest
from esclusa.config.lines import Key
from esclusa.config.shape import dotted, has_all
from esclusa.config.tree import Node
from esclusa.connectors.assembly import faults
from esclusa.edges.http.settings import ClientSettings
from esclusa.hub.settings import QuerySettings
from esclusa.kernel.settings import files_of

OPERATOR = "local"
"""The caller on the socket in the data folder: a client of that name would read the operator's requests."""
SHORTEST_KEY = 16
"""Characters of a client's key."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PARAM = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})", re.ASCII)
_HIGHEST_PORT = 65_535
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_WORD = re.compile(r"[A-Za-z]+")
_ADDRESSES = ("url", "host", "wsdl")
"""Keys whose values might have a user and a password in them."""
_WITH_MAX = ("text", "number", "dateRange")


def check(draft: Draft, *, whole: bool) -> None:
    """Note everything that is wrong. Unless the document is `whole`, nobody can say what a name refers to."""
    names(draft)
    engines.check(draft)
    server(draft)
    clients(draft)
    files(draft)
    connectors(draft)
    transports(draft)
    queries(draft)
    if whole:
        references.check(draft)


def names(draft: Draft) -> None:
    """Names end up in topics, paths, metrics and logs, so they are plain."""
    for family in FAMILIES:
        for name in draft.root.table(family):
            if not _NAME.fullmatch(name):
                plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
                slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]
                draft.wrong(
                    (family, name),
                    f"[{dotted((family, name))}] is no name: a to z, 0 to 9 and -, at most 64, a letter or digit first"
                    + (f"; {slug} would be one" if slug else ""),
                )


def server(draft: Draft) -> None:
    """Addresses are HOST:PORT."""
    settings = draft.settings.server
    for key, address in (("listen", settings.listen), ("admin", settings.admin)):
        found = _ADDRESS.fullmatch(address) if address is not None else None
        if address is not None and (found is None or int(found["port"]) > _HIGHEST_PORT):
            what = (
                f'server.{key} can\'t be {draft.shown("server", key)}: write HOST:PORT, such as "127.0.0.1:8080" or "[::]:8080"'
            )
            draft.wrong(("server", key), what)
    if settings.admin == settings.listen and not settings.listen.endswith(":0"):
        draft.wrong(("server", "admin"), "server.admin is the address of server.listen: leave it out, or take another port")


def clients(draft: Draft) -> None:
    """Each has one key, in clear or as its SHA-256, that no other has and that can't be guessed."""
    owners: dict[str, str] = {}
    for name, client in draft.settings.clients.items():
        table = dotted(("clients", name))
        if name == OPERATOR:
            draft.wrong(("clients", name), f"[{table}]: that is the operator at this machine: take another name")
        written = [key for key in ("key", "keySha256") if draft.root.find("clients", name, key) is not None]
        if not written:
            draft.wrong(("clients", name), f'[{table}] has no key: add key = "${{SOME_VARIABLE}}", or keySha256')
        elif len(written) > 1:
            draft.wrong(("clients", name, "keySha256"), f"[{table}] has both key and keySha256: keep one of them")
        if client.key is not None and len(client.key) < SHORTEST_KEY:
            remedy = 'take a longer one, such as "openssl rand -hex 32" prints'
            draft.wrong(("clients", name, "key"), f"{table}.key has fewer than {SHORTEST_KEY} characters: {remedy}")
        elif client.key is not None and not (
            client.key.isascii() and client.key.isprintable() and client.key == client.key.strip()
        ):
            draft.wrong(
                ("clients", name, "key"), f"{table}.key can't be sent in a header: take ASCII characters, no space at its ends"
            )
        if client.key_sha256 is not None and not _SHA256.fullmatch(client.key_sha256):
            remedy = 'write the 64 digits that "printf %s KEY | sha256sum" prints'
            draft.wrong(("clients", name, "keySha256"), f"{table}.keySha256 is no SHA-256 in hexadecimal: {remedy}")
        digest = _digest(client)
        if digest is not None and owners.setdefault(digest, name) != name:
            draft.wrong(("clients", name, written[0]), f"{table} has the key of clients.{owners[digest]}: give each its own")


def _digest(client: ClientSettings) -> str | None:
    if client.key is not None:
        return hashlib.sha256(client.key.encode()).hexdigest()
    return client.key_sha256.lower() if client.key_sha256 is not None else None


def files(draft: Draft) -> None:
    """Files that connectors and credentials name are there, and are files: a pipe would keep waiting who opens it."""
    for family in ("credentials", "connectors"):
        for name, settings in getattr(draft.settings, family).items():
            for key, file in files_of(settings).items():
                path = (family, name, *key)
                if "://" not in file and draft.given(*path) and not Path(file).is_file():
                    what = f"{dotted(path)} is {draft.shown(*path)}, and there is no such file: paths start at the file that has them"
                    draft.wrong(path, what)


def connectors(draft: Draft) -> None:
    """Times and tags make sense."""
    for name, settings in draft.settings.connectors.items():
        path = ("connectors", name)
        if not settings.timeout:
            draft.wrong((*path, "timeout"), f'connectors.{name}.timeout can\'t be nothing: give it a length, such as "3s"')
        for place, tag in enumerate(settings.tags):
            if not tag or tag.startswith("#"):
                draft.wrong((*path, "tags", place), f'connectors.{name}.tags: write a tag without "#", which is for queries')


def transports(draft: Draft) -> None:
    """Connectors can be made of their settings, as far as the connectors themselves can say."""
    for name, settings in draft.settings.connectors.items():
        node = draft.root.find("connectors", name)
        if node is None or any(text.unknown for text in node.strings()) or not has_all(node, type(settings)):
            continue
        for path, what in faults(name, settings, draft.settings.credentials.get(settings.credentials or "")):
            draft.wrong(path, f"{dotted(path)}: {_without_values(path, draft.root.find(*path), what)}")


def _without_values(path: Key, node: Node | None, said: str) -> str:
    """What a connector says of the value in `node`, which may quote it, without what must not be shown."""
    for text in node.strings() if node is not None else ():
        if "@" in text.value and (path[-1] in _ADDRESSES or "://" in text.value):
            return "this can't be used: no user or password stands here, and any other @ is written %40"
        if text.taken:  # what is said might quote a part of its value, and that might be a secret
            names = ", ".join(f"${{{name}}}" for name in text.taken)
            braces = any(brace in value for value in text.taken.values() for brace in "{}")
            remedy = ": a { or } that is no placeholder is written twice" if braces else ""
            return f"this can't be used, with {names} filled in{remedy}"
        said = said.replace(repr(text.value), "this")
    return said


def queries(draft: Draft) -> None:
    """Times fit each other, subjects and parameters can be checked."""
    for name, settings in draft.settings.queries.items():
        path = ("queries", name)
        for key in ("ttl", "keep", "refresh"):
            if not getattr(settings, key):
                draft.wrong((*path, key), f'queries.{name}.{key} can\'t be nothing: give it a length, such as "60s"')
        if settings.keep < settings.ttl:
            key = "keep" if draft.given(*path, "keep") else "ttl"
            what = f"queries.{name} keeps results {settings.keep}, less than its ttl of {settings.ttl}: set keep to {settings.ttl} or more"
            draft.wrong((*path, key), what)
        _subject(draft, name, settings)
        for param, declared in settings.params.items():
            at = (*path, "params", param)
            if not _PARAM.fullmatch(param):
                draft.wrong(at, f"{dotted(at)} is no name: a letter, then letters, digits, _ and -, at most 64")
            if declared.max is not None and draft.given(*at, "type") and declared.type not in _WITH_MAX:
                what = f"{dotted(at)}.max says nothing of a {declared.type}: take it away; {', '.join(_WITH_MAX)} have one"
                draft.wrong((*at, "max"), what)


def _subject(draft: Draft, name: str, settings: QuerySettings) -> None:
    path = ("queries", name, "subject")
    if settings.subject in {"nif", "text"}:
        return
    if _WORD.fullmatch(settings.subject):
        draft.wrong(
            path,
            f"{dotted(path)} can't be {draft.shown(*path)}: {nearest(settings.subject, ('nif', 'text'))} Or write a pattern",
        )
        return
    try:
        re.compile(settings.subject)
    except (re.error, RecursionError, OverflowError):
        draft.wrong(path, f"{dotted(path)} can't be {draft.shown(*path)}: that is no regular expression")
