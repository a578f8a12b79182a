"""What must hold of names, addresses, keys, times and patterns."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]

TCP = "protocol = 'tcp'\nhost = 'x'\nrequest = '{subject}'\n"
CONNECTOR = "[connectors.dgt]\nurl = 'https://dgt.example/'\n"


@pytest.mark.parametrize("name", ["a", "0", "dgt", "a-b-2", "x" * 64])
def test_names_of_letters_digits_and_hyphens_are_good(mistakes: Mistakes, name: str) -> None:
    assert mistakes(f"[connectors.{name}]\nurl = 'http://x'\n[queries.{name}]\n[pools.{name}]") == []


@pytest.mark.parametrize(
    ("name", "would"),
    [("DGT", "dgt"), ("Tráfico de Madrid", "trafico-de-madrid"), ("-a", "a"), ("a_b", "a-b"), ("x" * 65, "x" * 64), ("ñ", "n")],
)
@pytest.mark.parametrize("family", ["connectors", "queries", "pools", "clients", "credentials"])
def test_other_names_are_not_and_one_is_proposed(mistakes: Mistakes, family: str, name: str, would: str) -> None:
    (found,) = [mistake for mistake in mistakes(f"\n[{family}.'{name}']") if "is no name" in mistake]
    assert found.startswith("esclusa.toml:2: ")
    assert found.endswith(f"; {would} would be one")


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8080", "0.0.0.0:0", "[::]:8080", "[::1]:65535", "localhost:1", "hub-1.example:443"]
)
def test_addresses_are_a_host_and_a_port(mistakes: Mistakes, address: str) -> None:
    assert mistakes(f"[server]\nlisten = '{address}'\nadmin = '127.0.0.1:9'") == []


@pytest.mark.parametrize(
    "address", ["", "8080", ":8080", "host", "host:", "host:x", "host:65536", "::1:80", "http://host:80", "a b:1"]
)
@pytest.mark.parametrize("key", ["listen", "admin"])
def test_anything_else_is_no_address(mistakes: Mistakes, key: str, address: str) -> None:
    (found,) = mistakes(f"[server]\n{key} = '{address}'")
    assert found == (
        f'esclusa.toml:2: server.{key} can\'t be "{address}": write HOST:PORT, such as "127.0.0.1:8080" or "[::]:8080"'
    )


def test_metrics_are_not_served_at_the_address_of_the_api(mistakes: Mistakes) -> None:
    (found,) = mistakes("[server]\nlisten = '127.0.0.1:80'\nadmin = '127.0.0.1:80'")
    assert found == "esclusa.toml:3: server.admin is the address of server.listen: leave it out, or take another port"
    assert mistakes("[server]\nlisten = '127.0.0.1:0'\nadmin = '127.0.0.1:0'") == []


DIGEST = hashlib.sha256(b"0123456789abcdef").hexdigest()


@pytest.mark.parametrize(
    ("client", "what"),
    [
        ("", '1: [clients.sede] has no key: add key = "${SOME_VARIABLE}", or keySha256'),
        (f"key = '0123456789abcdef'\nkeySha256 = '{DIGEST}'", "3: [clients.sede] has both key and keySha256: keep one of them"),
        ("key = '0123456789abcde'", "2: clients.sede.key has fewer than 16 characters: take a longer one, "),
        ("key = '0123456789abcdeñ'", "2: clients.sede.key can't be sent in a header: "),
        ("key = '0123456789abcdef\\t'".replace("'", '"'), "2: clients.sede.key can't be sent in a header: "),
        ("key = ' 0123456789abcdef'", "2: clients.sede.key can't be sent in a header: "),
        (f"keySha256 = '{DIGEST[:-1]}'", "2: clients.sede.keySha256 is no SHA-256 in hexadecimal: "),
        (
            f"key = '0123456789abcdef'\n[clients.two]\nkeySha256 = '{DIGEST}'",
            "4: clients.two has the key of clients.sede: give each",
        ),
    ],
)
def test_a_client_has_one_key_of_its_own_that_cannot_be_guessed(mistakes: Mistakes, client: str, what: str) -> None:
    (found,) = mistakes(f"[clients.sede]\n{client}")
    assert found.startswith(f"esclusa.toml:{what}")


def test_a_key_in_clear_or_its_digest_in_either_case_is_good(mistakes: Mistakes) -> None:
    assert mistakes(f"[clients.a]\nkey = '0123456789abcdeF'\n[clients.b]\nkeySha256 = '{DIGEST.upper()}'") == []


def test_nobody_is_called_like_the_operator(mistakes: Mistakes) -> None:
    assert mistakes("[clients.local]\nkey = '0123456789abcdef'") == [
        "esclusa.toml:1: [clients.local]: that is the operator at this machine: take another name"
    ]


def test_files_of_credentials_are_there(mistakes: Mistakes) -> None:
    found = mistakes(
        "[credentials.c]\nkind = 'certificate'\ncertificate = 'there.pem'\nkey = 'none.pem'\n"
        + CONNECTOR
        + "tls.ca = 'no.pem'",
        files={"there.pem": ""},
    )
    end = "and there is no such file: paths start at the file that has them"
    assert found == [
        f'esclusa.toml:4: credentials.c.key is "none.pem", {end}',
        f'esclusa.toml:7: connectors.dgt.tls.ca is "no.pem", {end}',
    ]


def test_descriptions_and_keys_to_sign_with_are_there_and_no_pipes(mistakes: Mistakes) -> None:
    os.mkfifo("pipe.wsdl")
    found = mistakes(
        "[connectors.s]\nprotocol = 'soap'\nwsdl = 'pipe.wsdl'\noperation = 'x'\n"
        "security.sign = { certificate = 'there.pem', key = 'none.pem' }\n"
        "[connectors.t]\nprotocol = 'soap'\nwsdl = 'https://elsewhere.example/?wsdl'\noperation = 'x'",
        files={"there.pem": ""},
    )
    assert [each.partition(",")[0] for each in found] == [
        'esclusa.toml:3: connectors.s.wsdl is "pipe.wsdl"',
        'esclusa.toml:5: connectors.s.security.sign.key is "none.pem"',
    ]


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("timeout = '0s'", "3: connectors.dgt.timeout can't be nothing: "),
        ("statuses = { 604 = 'ok' }", "3: connectors.dgt.statuses.604: this is no status: "),
        ("statuses = { 4XX = 'ok' }", "3: connectors.dgt.statuses.4XX: this is no status: "),
        ("tags = ['a', '#b']", '3: connectors.dgt.tags: write a tag without "#"'),
        ("tags = ['']", "3: connectors.dgt.tags: write a tag"),
    ],
)
def test_times_statuses_and_tags_of_a_connector_make_sense(mistakes: Mistakes, key: str, what: str) -> None:
    (found,) = mistakes(CONNECTOR + key)
    assert found.startswith(f"esclusa.toml:{what}")


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ("url = 'dgt.example/x'", "3: connectors.x.url: this is not an absolute http or https URL"),
        ("url = 'https://x/{subjct}'", "3: connectors.x.url: {subjct}: a placeholder is one of {subject}, "),
        ("url = 'https://x/'\nquery.a = '{'", "4: connectors.x.query.a: the { at character 1 has no partner"),
        ("url = 'https://x/'\nheaders.a = 'ñ'", "4: connectors.x.headers.a: a header is written in visible ASCII"),
        ("url = 'https://x/'\ntransform = 'a['", "4: connectors.x.transform: this is no JMESPath expression"),
        (
            "url = 'https://x/'\ntransform = 'none.such:one'",
            "4: connectors.x.transform: the module none.such can't be imported",
        ),
        ("url = 'https://x/'\nbody = 'a'", "4: connectors.x.body: a GET has no body: "),
        (
            "url = 'https://x/'\nenvironments.pro.url = 'ftp://x'",
            "4: connectors.x.url: this is not an absolute http or https URL",
        ),
        ("url = 'http://x/'\ntls.name = 'y'", "4: connectors.x.tls: the URL is not https"),
        (TCP + "port = 71010", "6: connectors.x.port: this is no port: "),
        (TCP + "port = 7\nencoding = 'latin1x'", "7: connectors.x.encoding: this is no charset "),
        (TCP + "port = '${PORT:-7}'\nanswer = '{name}{since}'", "7: connectors.x.answer: "),
    ],
)
def test_what_connectors_say_of_their_settings_is_told_with_its_line(mistakes: Mistakes, keys: str, what: str) -> None:
    (found,) = mistakes(f"\n[connectors.x]\n{keys}")
    assert found.startswith(f"esclusa.toml:{what}")


@pytest.mark.parametrize(
    "url", ["ftp://user:hunter2@x/", "https://user:hunter2@x/", "https://user:hunter2/x@y", "https://x:${SECRET}/", "${SECRET}"]
)
def test_they_do_not_tell_what_is_secret_in_them(mistakes: Mistakes, url: str) -> None:
    (found,) = mistakes(f"[connectors.x]\nurl = '{url}'", environ={"SECRET": "hunter2"})
    assert found.startswith("esclusa.toml:2: connectors.x.url: ")
    assert "hunter2" not in found


@pytest.mark.parametrize("port", ["'7101'", "'${UNSET}'", "'${WORD}'", "0"])
def test_what_is_required_and_no_value_of_its_kind_is_told_alone(mistakes: Mistakes, port: str) -> None:
    (found,) = mistakes(f"[connectors.x]\n{TCP}port = {port}\nanswer = '{{broken'", environ={"WORD": "seven"})
    assert found.startswith("esclusa.toml:5: ")


BASIC = "[connectors.x]\nurl = 'https://x/'\ncredentials = 'c'\n[credentials.c]\nkind = 'basic'\n"


@pytest.mark.parametrize(
    ("written", "what"),
    [
        (BASIC + "username = 'se:de'\npassword = '${SECRET}'", "6: credentials.c.username: a user name with a colon"),
        (BASIC + "username = 'se:de'\npassword = 'p@ss'", "6: credentials.c.username: a user name with a colon"),
        (BASIC + "username = 'a'\npassword = 'b'\n[queries.q]", None),
        (
            BASIC.replace("credentials", "headers.authorization = 'y'\ncredentials", 1)
            + "username = 'a'\npassword = '${SECRET}'",
            "6: credentials.c.kind: they are shown in Authorization, and the connector has that header already",
        ),
        (
            "[connectors.x]\nurl = 'https://x/'\nmethod = 'POST'\nbody = { a = '${PART}' }",
            "4: connectors.x.body: this can't be used, with ${PART} filled in",
        ),
        (
            "[connectors.x]\nurl = 'https://x/'\nquery.key = '${BRACE}'",
            "3: connectors.x.query.key: this can't be used, with ${BRACE} filled in: a { or } that is no placeholder is written twice",
        ),
    ],
)
def test_what_is_wrong_is_told_of_the_key_where_it_stands(mistakes: Mistakes, written: str, what: str | None) -> None:
    found = mistakes(written, environ={"SECRET": "a", "BRACE": "a{b", "PART": "x{hunter2}y"})
    assert "hunter2" not in str(found)
    assert [each.removeprefix("esclusa.toml:")[: len(what or "")] for each in found] == ([] if what is None else [what])


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("ttl = '60s'\nkeep = '10s'", "3: queries.q keeps results 10s, less than its ttl of 1m: set keep to 1m or more"),
        ("ttl = '11m'", "2: queries.q keeps results 10m, less than its ttl of 11m: set keep to 11m or more"),
        ("ttl = '0s'", "2: queries.q.ttl can't be nothing: "),
        ("refresh = '0s'", "2: queries.q.refresh can't be nothing: "),
        ("subject = 'nie'", '2: queries.q.subject can\'t be "nie": did you mean "nif"?'),
        ("subject = '(a'", '2: queries.q.subject can\'t be "(a": that is no regular expression'),
        ("params.'a b'.type = 'text'", '2: queries.q.params."a b" is no name: '),
        ("params.a = { type = 'date', max = 3 }", "2: queries.q.params.a.max says nothing of a date: "),
        ("params.a.type = 'tex'", '2: queries.q.params.a.type can\'t be "tex": did you mean "text"?'),
        ("connectors = []", "2: queries.q.connectors names nobody: "),
    ],
)
def test_times_subjects_and_parameters_of_a_query_make_sense(mistakes: Mistakes, query: str, what: str) -> None:
    (found,) = mistakes(f"[queries.q]\n{query}")
    assert found.startswith(f"esclusa.toml:{what}")


@pytest.mark.parametrize(
    "query",
    [
        "ttl = '10m'",
        "ttl = '1h'\nkeep = '1h'",
        "subject = 'text'",
        r"subject = '\d{8}'",
        "params.fechaAlta = { type = 'text', max = 3 }",
    ],
)
def test_what_makes_sense_is_no_mistake(mistakes: Mistakes, query: str) -> None:
    assert mistakes(f"[queries.q]\n{query}") == []
