"""Back ends from the settings of their connectors, and what is wrong with those."""

from __future__ import annotations

from functools import partial

from esclusa.connectors.backend import Backend
from esclusa.connectors.breaker import check_counts
from esclusa.connectors.faults import Check, KeyPath
from esclusa.connectors.items import item_checks
from esclusa.connectors.mock import MockBackend
from esclusa.connectors.mock.backend import checked
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.protocols import PROTOCOLS
from esclusa.connectors.settings import ConnectorSettings, CredentialsSettings, MockSettings
from esclusa.connectors.transform import compiled
from esclusa.kernel.errors import ConfigurationError, InvalidRequest, Mistake, UnusableSettings


def prepare_backend(name: str, settings: ConnectorSettings, workshop: Workshop) -> None:
    """Do what takes long of making the back end of the connector `name`, in any thread: it is in `workshop` then.

    `make_backend` says what was wrong with it.
    """
    prepare = PROTOCOLS[type(settings)].prepare
    if prepare is None or settings.mock is not False:
        return
    try:
        workshop.prepared[name] = prepare(name, settings, workshop)
    except UnusableSettings as error:
        workshop.prepared[name] = error


def make_backend(
    name: str, settings: ConnectorSettings, credentials: CredentialsSettings | None, workshop: Workshop
) -> Backend:
    """The back end that the connector `name` asks; it connects at the first question. Made inside a running event loop.

    `credentials`: what `settings.credentials` names. `ConfigurationError`, with no line, when it can't be made: see `faults`,
    and files that can't be used.
    """
    found = faults(name, settings, credentials)
    if not found and settings.mock is not False:
        return MockBackend(name, settings, workshop)
    if not found:
        try:
            if isinstance(unusable := workshop.prepared.get(name), UnusableSettings):
                raise unusable
            return PROTOCOLS[type(settings)].make(name, settings, credentials, workshop)
        except UnusableSettings as error:
            found = [(error.path, str(error))]
    raise ConfigurationError([Mistake("configuration", 0, f"{'.'.join(path)}: {what}", path) for path, what in found])


def faults(name: str, settings: ConnectorSettings, credentials: CredentialsSettings | None = None) -> list[tuple[KeyPath, str]]:
    """Everything wrong with the settings of one connector and its credentials: the key, and what is wrong with it.

    Reads no file and opens no connection; a module that the settings name is imported.
    """
    here = ("connectors", name)
    checks: list[Check] = [
        *PROTOCOLS[type(settings)].checks(name, settings, credentials),
        ((*here, "mock"), partial(_mock, settings)),
        ((*here, "transform"), partial(_transform, settings)),
        *([] if settings.items is None else item_checks((*here, "items"), settings.items)),
        ((*here, "breaker", "window"), partial(_window, settings)),
        ((*here, "breaker", "counts"), partial(check_counts, settings.breaker.counts or ())),
    ]
    found = []
    for path, check in checks:
        try:
            check()
        except (ValueError, InvalidRequest) as error:
            found.append((path, str(error)))
    return found


def _transform(settings: ConnectorSettings) -> None:
    if settings.transform is not None and settings.items is not None:
        raise ValueError("items say what becomes of the answer already: leave one of the two out")
    if settings.transform is not None:
        compiled(settings.transform)


def _mock(settings: ConnectorSettings) -> None:
    if isinstance(settings.mock, MockSettings):
        checked(settings.mock)


def _window(settings: ConnectorSettings) -> None:
    if not settings.breaker.window:
        raise ValueError('this can\'t be nothing: give it a length, such as "60s"')
