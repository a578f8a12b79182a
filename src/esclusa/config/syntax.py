"""What tomllib says of a text that is not TOML, with the line of its own and the remedy."""

from __future__ import annotations

import ast
import re
import tomllib

_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_TWICE = re.compile(r"Cannot declare (?P<key>\(.*\)) twice")

_SAID = {
    "Invalid value": "no value, or none that TOML knows: put text between quotes",
    "Invalid statement": 'neither a [table] nor a key = value; a comment begins with "#"',
    "Invalid initial character for a key part": "a key begins here that TOML doesn't know: put it between quotes",
    "Cannot overwrite a value": "this key or table stands twice: keep one of them",
    "Expected newline or end of document after a statement": "something follows the value: one key = value a line",
    "Expected '=' after a key in a key/value pair": 'no "=" after the key: write key = value',
    "Expected ']' at the end of a table declaration": 'the table\'s name stops without "]": close it, or quote what is no plain letter',
    "Expected ']]' at the end of an array declaration": 'the table\'s name stops without "]]": close it, or quote what is no plain letter',
    "Unclosed array": 'the list is not closed: write "]"',
    "Unclosed inline table": 'the inline table is not closed: write "}"',
    "Unterminated string": "the text is not closed: write the closing quote",
    "Illegal character '\\n'": 'the text goes on past its line: write the closing quote, or """ around several lines',
    'Expected "\'"': "the text goes on past its line: write the closing quote, or ''' around several lines",
    "Unescaped '\\' in a string": "a backslash by itself: double it, or put the text between single quotes",
}


def explained(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, str]:
    """The line, from 1, where `text` stops being TOML, and what is wrong there."""
    message = str(error)
    where = _WHERE.search(message)
    line = int(where["line"]) if where and where["line"] else text.rstrip("\n").count("\n") + 1
    said = _WHERE.sub("", message)
    twice = _TWICE.fullmatch(said)
    if twice is not None:
        return line, f"[{'.'.join(ast.literal_eval(twice['key']))}] stands twice: keep one of them"
    return line, _SAID.get(said, f"not TOML: {said[:1].lower()}{said[1:]}")
