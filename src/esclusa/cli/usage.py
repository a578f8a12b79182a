"""What is wrong with a command line, in words that say what to write instead."""

from __future__ import annotations

from difflib import get_close_matches

from cyclopts import CycloptsError, MissingArgumentError, Token, UnknownOptionError, UnusedCliTokensError

_WITH_FILE = ("run", "check")
"""Commands that take the configuration as `FILE`."""
_WITH_CONFIG = ("ask", "status", "connectors", "connector try")
"""Commands that take it as `--config FILE`."""
_VALUES = {"--subject": "NIF", "--config": "FILE"}
"""What stands for the value of an option whose name does not say it."""


def explained(error: CycloptsError) -> str:
    """The mistake in one line, with the right form where it is known; else in the parser's words."""
    command = " ".join(error.command_chain or ())
    match error:
        case MissingArgumentError(argument=argument, keyword=keyword) if argument is not None:
            name = argument.name
            form = f"{name} {_value_of(name)}" if name.startswith("-") else name
            if keyword is not None:
                return f"{keyword} has no value: write {form}"
            misspelt = get_close_matches(name, [token.partition("=")[0] for token in error.root_input_tokens or ()], n=1)
            remedy = f"you wrote {misspelt[0]}" if misspelt else f'see "esclusa {command} --help"'
            return f"{form} is missing: {remedy}"
        case UnknownOptionError(token=token) if _option(token) == "--config" and command in _WITH_FILE:
            return f'"esclusa {command}" takes the configuration without an option: write "esclusa {command} FILE"'
        case UnusedCliTokensError(unused_tokens=[first, *_]) if command in _WITH_CONFIG:
            return f'"{first}" is too much: a configuration is named with --config FILE'
        case UnusedCliTokensError(unused_tokens=[first, *_]):
            return f'"{first}" is too much: see "esclusa {command} --help"'
        case _:
            return str(error)


def _option(token: Token) -> str:
    """An option that is not known is a keyword to the parser, or a value that looks like one."""
    return (token.keyword or token.value).partition("=")[0]


def _value_of(option: str) -> str:
    return _VALUES.get(option, option.lstrip("-").upper())
