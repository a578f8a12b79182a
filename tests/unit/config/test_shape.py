"""Unknown keys and wrong types: each on its line, with the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import inspect

from esclusa.config import schema, shape
from esclusa.config.config import Configuration
from esclusa.config.shape import dotted
from support.rest import rest

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]

NAMED = 'write a number and its unit, such as "250ms", "3s", "1m30s" or "10m"'
QUOTED = "write a number and its unit between quotes, such as"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[conectors.dgt]", '1: unknown table [conectors]: did you mean "connectors"?'),
        ("listen = 'x'", "1: unknown key listen: write it below [server]"),
        ("colour = 'x'", "1: unknown key colour: write it below its [table]"),
        ("[server]\n\nlisen = 'x'", '3: unknown key server.lisen: did you mean "listen"?'),
        ("[server]\nmax_body = 1", '2: unknown key server.max_body: did you mean "maxBody"?'),
        ("[server]\n'a b' = 1", '2: unknown key server."a b": there is "listen", "admin", '),
        ("[connectors.x]\nurl = 'http://x'\nbreaker.failure = 3", '3: unknown key connectors.x.breaker.failure: did you mean "failures"?'),
        ("[connectors.x.braker]\n[connectors.x]\nurl = 'http://x'", '1: unknown key connectors.x.braker: did you mean "breaker"?'),
        ("\n[connectors.x]", '2: [connectors.x] has no url: add url = "..."'),
        ("[cassandra]\nhosts = ['h']\nkeyspace = 'k; drop'", '3: cassandra.keyspace can\'t be "k; drop": it must match ^[a-z]'),
        ("[cassandra]\nkeyspace = 'k'", "1: [cassandra] has no hosts: add hosts = "),
        ("[cassandra]\nhosts = ['']", "2: cassandra.hosts[0] can't be empty"),
        ("[kafka]\nprefix = '$(x)'", '2: kafka.prefix can\'t be "$(x)": it must match ^[A-Za-z'),
        ("[kafka]\nservers = []", "2: kafka.servers can't be empty: name 1 at least"),
        ("[credentials.x]\nkind = 'bearer'", '1: [credentials.x] has no token: add token = "..."'),
        ("[credentials.x]\nkind = 'bearer'\ntoken = 'a'\nuser = 'b'", '4: unknown key credentials.x.user: there is "kind", "token"'),
        ("[credentials.x]\ntoken = 'a'", '1: [credentials.x] has no kind: there is "basic", "bearer", "apikey", "certificate"'),
        ("[credentials.x]\nkind = 'kerberos'", '2: credentials.x.kind can\'t be "kerberos": there is "basic", '),
        ("[credentials.x]\nkind = 'berer'", '2: credentials.x.kind can\'t be "berer": did you mean "bearer"?'),
        ("credentials.x = 'secret'", "1: credentials.x is text, not a table: write [credentials.x] above its keys"),
        ("[queries]\nq = 3", "2: queries.q is a whole number, not a table: write [queries.q] above its keys"),
        ("[[server]]", "1: server is a list, not a table: write [server] above its keys"),
        ("connectors = []", "1: connectors is a list, not a table of names and values"),
        ("[hub]\nsettle = 3", f'2: hub.settle is a whole number, not a duration: {QUOTED} "3s"'),
        ("[hub]\nsettle = 0.5", f'2: hub.settle is a number, not a duration: {QUOTED} "0.5s"'),
        ("[hub]\nsettle = true", f'2: hub.settle is true, not a duration: {QUOTED} "3s"'),
        ("[hub]\nsettle = 07:32:00", f'2: hub.settle is a date or time, not a duration: {QUOTED} "3s"'),
        ("[hub]\nsettle = '3 s'", f'2: hub.settle can\'t be "3 s": {NAMED}'),
        ("[hub]\nsettle = ''", f'2: hub.settle can\'t be "": {NAMED}'),
        ("[hub]\nmaxOpen = '5'", "2: hub.maxOpen is text, not a whole number: write it without quotes"),
        ("[connectors.x]\nprotocol = 'tcp'\nhost = 'h'\nrequest = 'r'", "1: [connectors.x] has no port: add port = 10"),
        ("[hub]\nmaxOpen = '${N:-many}'", "2: hub.maxOpen is text, not a whole number: that is what its variable has to give"),
        ("[hub]\nmaxOpen = '${N:-0}'", "2: hub.maxOpen can't be \"${N:-0}\": it must be at least 1"),
        ("[hub]\nmaxOpen = '${N:-1.5}'", "2: hub.maxOpen is text, not a whole number: that is what its variable has to give"),
        ("[connectors.x]\nurl = 'http://x'\nidempotent = '${N:-yes}'", "3: connectors.x.idempotent is text, not true or false: that"),
        ("[hub]\nmaxOpen = 5.0", "2: hub.maxOpen is a number, not a whole number such as 10"),
        ("[hub]\nmaxOpen = true", "2: hub.maxOpen is true, not a whole number such as 10"),
        ("[hub]\nmaxOpen = 0", "2: hub.maxOpen can't be 0: it must be at least 1"),
        ("[pools.x]\npartitions = 2000", "2: pools.x.partitions can't be 2000: it must be at most 1024"),
        ("[connectors.x]\nurl = 'http://x'\nbreaker.rate = 0", "3: connectors.x.breaker.rate can't be 0: it must be more than 0"),
        ("[connectors.x]\nurl = 'http://x'\nbreaker.rate = nan", "3: connectors.x.breaker.rate can't be nan: it must be more than 0"),
        ("[connectors.x]\nurl = 'http://x'\nbreaker.rate = '1'", "3: connectors.x.breaker.rate is text, not a number: write it"),
        ("[connectors.x]\nurl = 'http://x'\nmethod = 'get'", '3: connectors.x.method can\'t be "get": did you mean "GET"?'),
        ("[connectors.x]\nurl = 'http://x'\nmethod = 1", '3: connectors.x.method can\'t be 1: there is "GET", "HEAD", '),
        ("[connectors.x]\nurl = 'http://x'\nidempotent = 'true'", "3: connectors.x.idempotent is text, not true or false: write one of them"),
        ("[connectors.x]\nurl = 'http://x'\ntags = 'a'", "3: connectors.x.tags is text, not a list: put it between [ and ]"),
        ("[connectors.x]\nurl = 'http://x'\ntags = [\n'a',\n1]", "5: connectors.x.tags[1] is a whole number, not text: put it"),
        ("[connectors.x]\nurl = 3", "2: connectors.x.url is a whole number, not text: put it between quotes"),
        ("[connectors.x]\nurl = 'http://x'\nbody = 3", "3: connectors.x.body is a whole number, not text: put it between quotes"),
        ("[connectors.x]\nurl = 'http://x'\nheaders = { a = 1 }", "3: connectors.x.headers.a is a whole number, not text: put it"),
        ("[connectors.x]\nurl = 'http://x'\nserves.province = '28'", "3: connectors.x.serves.province is text, not a list: put"),
        ("[connectors.x]\nurl = 'http://x'\nstatuses.404 = 'emty'", '3: connectors.x.statuses.404 can\'t be "emty": did you mean'),
        ("[log]\nlevel = 'warning'", '2: log.level can\'t be "warning": did you mean "warn"?'),
    ],
)  # fmt: skip
def test_it_is_named_on_its_line_with_the_remedy(mistakes: Mistakes, text: str, what: str) -> None:
    (found,) = mistakes(text)
    assert found.startswith(f"esclusa.toml:{what}")


def test_numbers_and_truths_may_come_from_variables(loaded: Load) -> None:
    text = "[hub]\nmaxOpen = '${OPEN}'\n[connectors.x]\nurl = 'http://x'\nidempotent = '${AGAIN:-true}'\nbreaker.rate = '${RATE:-0.5}'"
    settings = loaded(text, environ={"OPEN": "7"})
    connector = rest(settings, "x")
    assert (settings.hub.max_open, connector.idempotent, connector.breaker.rate) == (7, True, 0.5)


def test_a_table_with_a_wrong_type_is_looked_at_to_its_end(mistakes: Mistakes) -> None:
    found = mistakes("[connectors.x]\nurl = 1\ntimeout = 2\nconcurrency = '3'\nsafe = 4\nunknown = 5\npool = 'none'")
    assert [mistake.split(":")[1] for mistake in found] == ["2", "3", "4", "5", "6", "7"]


def test_paths_start_at_the_file_in_which_they_are_written(loaded: Load, tmp_path: Path) -> None:
    files = {
        "tls/more.toml": """
            [credentials.one]
            kind = "certificate"
            certificate = "one.pem"
            key = "../key.pem"
            [connectors.x]
            url = "https://x"
            tls.ca = "/dev/../etc/hostname"
            """,
        "tls/one.pem": "",
        "key.pem": "",
    }
    settings = loaded("[esclusa]\ninclude = ['tls/more.toml']\ndata = 'there'", files=files)
    one = settings.credentials["one"]
    assert settings.esclusa.data == str(tmp_path / "there")
    assert getattr(one, "certificate", None) == str(tmp_path / "tls" / "one.pem")
    assert getattr(one, "key", None) == str(tmp_path / "tls" / "../key.pem")
    assert rest(settings, "x").tls.ca == "/dev/../etc/hostname"


def test_a_body_may_be_text_or_a_table(loaded: Load) -> None:
    settings = loaded(
        "[connectors.x]\nurl = 'http://x'\nbody = 'a'\nmethod = 'POST'\n[connectors.y]\nurl = 'http://y'\nbody = { a = [1, { b = true }] }\nmethod = 'POST'"
    )
    assert rest(settings, "x").body == "a"
    assert rest(settings, "y").body == {"a": [1, {"b": True}]}


def test_every_kind_of_setting_that_there_is_can_be_judged_and_described() -> None:
    kinds = set(_kinds(inspect.type_info(Configuration)))
    assert kinds <= set(shape._KINDS)
    assert kinds <= set(schema._KINDS)


def _kinds(info: inspect.Type) -> Iterator[type[inspect.Type]]:
    if isinstance(info, inspect.NoneType):
        return
    yield type(info)
    below: list[inspect.Type] = []
    match info:
        case inspect.StructType():
            below = [field.type for field in info.fields]
        case inspect.UnionType():
            below = list(info.types)
        case inspect.DictType():
            below = [info.value_type]
        case inspect.ListType():
            below = [info.item_type]
        case inspect.Metadata():
            below = [info.type]
    for each in below:
        yield from _kinds(each)


def test_a_path_is_written_as_toml_writes_it() -> None:
    assert dotted(("connectors", "a b", "tags", 0)) == 'connectors."a b".tags[0]'
