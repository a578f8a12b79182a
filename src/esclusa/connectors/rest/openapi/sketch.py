"""An operation of an OpenAPI description as a configuration to start from."""

from __future__ import annotations

from typing import Any

from esclusa.connectors.http.credentials import check_header
from esclusa.connectors.http.documents import shown
from esclusa.connectors.rest.openapi.address import path_names, servers_of, url_of
from esclusa.connectors.rest.openapi.body import Body, answered, asked, leaves
from esclusa.connectors.rest.openapi.description import OpenApi, Operation
from esclusa.connectors.rest.openapi.schema import part_of
from esclusa.connectors.rest.openapi.security import REPLACE, Security, security_of
from esclusa.connectors.rest.openapi.tree import table, text
from esclusa.connectors.sketch.answer import items, list_in, outline
from esclusa.connectors.sketch.page import Page, as_text, visible
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked
from esclusa.connectors.sketch.template import write_template
from esclusa.connectors.target import Target
from esclusa.kernel.errors import InvalidRequest

_PAGES = ("page", "pagina", "página", "pagenumber", "page_number")
"""Names of parameters that count pages."""
_OF_THEIR_OWN = ("accept", "content-type", "authorization")
"""Headers that are no parameters, whatever a description says (OpenAPI 3.1, 4.8.12)."""


def sketched(description: OpenApi, operation: Operation, name: str) -> str:
    """The configuration of a connector `name`, its credentials, and a query that asks it: TOML, with comments."""
    return _Sketch(description, operation, name).text()


class _Sketch:
    """Writes one page, from its top to its end."""

    def __init__(self, description: OpenApi, operation: Operation, name: str) -> None:
        self._description = description
        self._operation = operation
        self._name = name
        self._page = Page()
        self._security: Security = security_of(description, operation, name)
        self._body = asked(description, operation)
        self._answer: Body | None = answered(description, operation)
        self._parts: dict[str, dict[str, Part]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for node in description.parameters(operation):
            part = _parameter(description, node)
            self._parts.get(text(node, "in"), {}).setdefault(part.name, part)
        for called in path_names(operation):
            self._parts["path"].setdefault(called, Part(called, "text", required=True))
        in_body = [] if self._body is None else list(leaves(self._body.part))
        self._paged = False
        """All pages are read, and what shapes the answer sees the list of items alone."""
        self._asked = Asked([*(part for kind in self._parts.values() for part in kind.values()), *in_body])

    def text(self) -> str:
        """The page."""
        self._head()
        self._address()
        self._policies()
        self._outline()
        self._headers()
        self._query()
        self._content()
        if self._answer is not None and self._answer.form == "json":
            items(self._page, self._answer.part, self._name, paged=self._paged)
        self._credentials()
        self._asked.query(self._page, self._name, self._description.title or self._name)
        return self._page.text()

    def _head(self) -> None:
        page, offer = self._page, self._operation.offer
        service = " ".join(each for each in (self._description.title or "A service", self._description.version) if each)
        page.remark(f"{service}: {', '.join(dict.fromkeys((offer.operation, offer.call)))}")
        if offer.about:
            page.remark(offer.about)
        page.remark(
            f'Written from {shown(self._description.place)} by "esclusa connector new". What is a guess says so: look at it, then run "esclusa check".'
        )
        for each in self._security.remarks:
            page.remark(each)
        self._asked.admit(page)
        page.blank()
        page.table("connectors", self._name)
        page.entry("title", as_text(visible(self._description.title) or self._name))

    def _address(self) -> None:
        page = self._page
        servers = servers_of(self._description, self._operation)
        why = None
        if not servers:
            why = "guess: the description has no address that can be called from here; write here where the service is"
        elif servers[0].startswith(REPLACE):
            why = "guess: the description has a path alone; write here on which host the service is"
        elif len(servers) > 1:
            why = f"guess: the first of its servers; the others are {', '.join(servers[1:])}"
        url, said = url_of(servers[0] if servers else REPLACE, self._operation, self._parts["path"], self._asked)
        try:
            Target(url.replace("$$", "$"), {})
        except ValueError as error:
            url, why = f"{REPLACE}/{{subject}}", f"guess: the description's path can't be called ({error}); write another one"
        for each in said:
            page.remark(each)
        page.entry("url", url, why)
        if self._operation.method != "GET":
            page.entry("method", self._operation.method)

    def _policies(self) -> None:
        page = self._page
        page.entry("timeout", "5s", "guess: the longest that one attempt may take")
        if self._operation.method == "POST":
            page.entry(
                "idempotent", value=True, why='guess: take away the "# " if this only asks; then it may be retried', off=True
            )
            page.entry("retry", {"attempts": 2}, "guess: as above", off=True)
        else:
            page.entry(
                "retry",
                {"attempts": 2},
                f"guess: a {self._operation.method} may be repeated; most calls need no second attempt",
            )
        if "404" in table(self._operation.node, "responses"):
            page.entry(
                "statuses",
                {"404": "empty"},
                'guess: take away the "# " if 404 says that there is nothing about the subject',
                off=True,
            )
        self._paging()
        if self._security.credentials:
            page.entry("credentials", self._name, "see below", off=self._security.off)

    def _paging(self) -> None:
        """What counts pages is no parameter of a question: without paging, the first page is had."""
        query = self._parts["query"]
        counting = next((name for name, part in query.items() if name.lower() in _PAGES and not part.required), None)
        if counting is not None:
            del query[counting]
            value: dict[str, Any] = {"parameter": as_text(counting), "first": 1}
            source = None if self._answer is None else list_in(self._answer.part)
            if source is None:
                why = (
                    'guess: take away the "# " to read all pages, not only the first, and add where the list is: items = "..."'
                )
                self._page.entry("paging", value, why, off=True)
                return
            self._paged = True
            value["items"] = as_text(source)
            self._page.entry("paging", value, "guess: all pages are read, at most 10; transform and items see the list alone")

    def _headers(self) -> None:
        lines: dict[str, tuple[str, str | None]] = {
            name: line for name, line in self._security.headers.items() if name.lower() != self._security.header
        }
        taken = {*_OF_THEIR_OWN, self._security.header, *(name.lower() for name in lines)}
        refused = [name for name in self._security.headers if name not in lines]
        for name, part in self._parts["header"].items():
            if name.lower() in taken:
                continue
            taken.add(name.lower())
            value, why = self._asked.text(part)
            if _can_be_sent(name, value):
                lines[name] = value, why
            else:
                refused.append(name)
        for name in refused:
            self._page.remark(f"guess: left out, because it can't be sent: the header {name}")
        needed = [name for name, part in self._parts["cookie"].items() if part.required]
        if needed:
            self._page.remark(f"guess: left out, because cookies come from a session: {', '.join(needed)}; see headers")
        self._lines("headers", lines)

    def _query(self) -> None:
        lines: dict[str, tuple[str, str | None]] = {}
        for name, part in self._parts["query"].items():
            if name not in self._security.query:
                value, why = self._asked.text(part)
                lines[name] = value, f"a list: only one value of it; {why}" if part.many else why
        self._lines("query", {**lines, **self._security.query})

    def _lines(self, key: str, lines: dict[str, tuple[str, str | None]]) -> None:
        if not lines:
            return
        self._page.blank()
        self._page.table("connectors", self._name, key)
        for name, (value, why) in lines.items():
            self._page.entry(name, value, why)

    def _content(self) -> None:
        body = self._body
        if body is None or not _is_table(body):
            return
        if body.form == "form":
            self._form(body)
        else:
            write_template(self._page, ("connectors", self._name, "body"), body.part.parts, self._asked, typed=True)

    def _form(self, body: Body) -> None:
        """Texts alone: a form has nothing else."""
        lines: dict[str, tuple[str, str | None]] = {}
        for part in body.part.parts:
            if not part.parts:
                value, why = self._asked.text(part)
                lines[part.name] = value, f"a list: only one value of it; {why}" if part.many else why
        self._lines("form", lines)

    def _outline(self) -> None:
        """What the table of the connector itself says of bodies."""
        page = self._page
        if self._body is not None and self._body.form not in ("json", "form", "xml", "text"):
            page.remark(f"guess: it wants a body in {self._body.form}, which no connector of REST sends: see functions.")
        elif self._body is not None and not _is_table(self._body):
            page.entry(
                "body", "{subject}", f"guess: a body in {self._body.form}, of which the description says no more", off=True
            )
        if self._answer is None or self._answer.form == "json":
            outline(page, Part("") if self._answer is None else self._answer.part, paged=self._paged)
        elif self._answer.form in ("xml", "text"):
            page.entry("accepts", self._answer.form, "what it answers with; of XML becomes JSON by fixed rules")
        else:
            page.remark(f"guess: it answers with {self._answer.form}, which no connector of REST reads: see functions.")

    def _credentials(self) -> None:
        lines = self._security.credentials
        if not lines:
            return
        off = self._security.off
        self._page.blank()
        self._page.blank()
        self._page.table("credentials", self._name, off=off)
        for key, value, why in lines:
            self._page.entry(key, value, why, off=off)


def _parameter(description: OpenApi, node: dict[str, Any]) -> Part:
    schema: Any = node.get("schema")
    if schema is None:
        content = table(node, "content")
        schema = table(next(iter(content.values()), None), "schema")
    required = node.get("required") is True or text(node, "in") == "path"
    return part_of(description, text(node, "name"), schema, required=required, about=text(node, "description"))


def _is_table(body: Body) -> bool:
    """Whether its parts can be written down one by one."""
    return body.form in ("json", "form") and bool(body.part.parts) and not body.part.many


def _can_be_sent(name: str, value: str) -> bool:
    try:
        check_header(name, value)
    except (ValueError, InvalidRequest):
        return False
    return True
