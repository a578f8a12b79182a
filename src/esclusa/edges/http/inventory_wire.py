"""What the API says of the inventory, as JSON: queries, connectors, processes, pools. As `esclusa.edges.http.wire`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from esclusa.edges.http.wire import Body, Time, encode
from esclusa.hub.settings import ParamType, QuerySettings
from esclusa.kernel.clock import rfc3339

if TYPE_CHECKING:
    from esclusa.hub.lag import PoolLag
    from esclusa.hub.presence import ConnectorHealth, ProcessReport

Count = Annotated[int, Meta(ge=0)]
Lag = Annotated[int, Meta(ge=0, description="Messages not yet done with")]
Breaker = Literal["closed", "half_open", "open"]


class ParamBody(Body, frozen=True, kw_only=True):
    """A parameter of a query."""

    name: str
    type: ParamType
    title: str
    required: bool
    max: Annotated[int, Meta(description="Characters, the largest number, or days, by type")] | UnsetType = UNSET


class QueryBody(Body, frozen=True, kw_only=True):
    """Something that may be asked."""

    name: str
    title: str
    ttl_ms: Annotated[int, Meta(ge=0, description="How long the user waits")]
    keep_ms: Annotated[int, Meta(ge=0, description="How long the results can be read")]
    subject: Annotated[str, Meta(description="`nif`, `text`, or a regular expression")]
    params: list[ParamBody]
    connectors: Annotated[list[str], Meta(description="Whom it concerns: names, `#tag`, or `*` for all")]


class QueriesBody(Body, frozen=True, kw_only=True):
    """What may be asked."""

    queries: list[QueryBody]


class ConnectorBody(Body, frozen=True, kw_only=True):
    """A back end and how it is, over all processes that serve it."""

    name: str
    title: str
    pool: str
    tags: list[str]
    breaker: Annotated[Breaker, Meta(description="The worst of all processes")]
    waiting: Annotated[int, Meta(ge=0, description="Questions in line")]
    running: Annotated[int, Meta(ge=0, description="Calls being made")]
    processes: Annotated[int, Meta(ge=0, description="How many serve it; 0: nobody has said so lately")]


class ConnectorsBody(Body, frozen=True, kw_only=True):
    """The inventory and its health."""

    connectors: list[ConnectorBody]


class ServedBody(Body, frozen=True, kw_only=True):
    """A connector as one process sees it."""

    name: str
    breaker: Breaker
    waiting: Count
    running: Count


class ProcessBody(Body, frozen=True, kw_only=True):
    """A process that has said lately that it lives."""

    id: str
    version: str
    started_at: Time
    seen_at: Time
    roles: list[str]
    pools: list[str]
    configuration: Annotated[str, Meta(description="A short hash: processes of one pool should have the same")]
    connectors: list[ServedBody]


class ProcessesBody(Body, frozen=True, kw_only=True):
    """Every process of this installation."""

    processes: list[ProcessBody]


class GroupBody(Body, frozen=True, kw_only=True):
    """A consumer group that reads a pool's requests."""

    name: str
    connector: Annotated[str, Meta(description="Whose it is, where each connector has its own")] | UnsetType = UNSET
    lag: Annotated[Lag | None, Meta(description="`null`: nobody has joined it yet")]


class PoolBody(Body, frozen=True, kw_only=True):
    """A pool and how far behind it is, whether or not any process of it lives."""

    name: str
    consumers: Literal["pool", "connector"]
    partitions: Annotated[int, Meta(ge=1, description="How many processes can share its work")]
    lag: Annotated[
        Lag | None, Meta(description="Requests: of the group that is furthest behind; `null`: nobody has joined yet")
    ]
    answers_lag: Annotated[Lag | None, Meta(description="Answers not yet recorded; `null`: no collector has joined yet")]
    groups: list[GroupBody]


class PoolsBody(Body, frozen=True, kw_only=True):
    """Every pool, as of a moment ago."""

    pools: list[PoolBody]


def queries_body(queries: Mapping[str, QuerySettings]) -> bytes:
    """What may be asked."""
    return encode(
        QueriesBody(
            queries=[
                QueryBody(
                    name=name,
                    title=query.title or name,
                    ttl_ms=round(query.ttl * 1000),
                    keep_ms=round(query.kept * 1000),
                    subject=query.subject,
                    params=[
                        ParamBody(
                            name=param,
                            type=settings.type,
                            title=settings.title or param,
                            required=settings.required,
                            max=UNSET if settings.max is None else settings.max,
                        )
                        for param, settings in query.params.items()
                    ],
                    connectors=query.connectors,
                )
                for name, query in queries.items()
            ]
        )
    )


def connectors_body(connectors: Iterable[ConnectorHealth]) -> bytes:
    """The inventory and its health."""
    return encode(
        ConnectorsBody(
            connectors=[
                ConnectorBody(
                    name=each.name,
                    title=each.title,
                    pool=each.pool,
                    tags=list(each.tags),
                    breaker=each.breaker,
                    waiting=each.waiting,
                    running=each.running,
                    processes=each.processes,
                )
                for each in connectors
            ]
        )
    )


def processes_body(processes: Iterable[ProcessReport]) -> bytes:
    """Every process that has said lately that it lives."""
    return encode(
        ProcessesBody(
            processes=[
                ProcessBody(
                    id=each.id,
                    version=each.version,
                    started_at=rfc3339(each.started),
                    seen_at=rfc3339(each.seen),
                    roles=each.roles,
                    pools=each.pools,
                    configuration=each.configuration,
                    connectors=[
                        ServedBody(name=state.name, breaker=state.breaker, waiting=state.waiting, running=state.running)
                        for state in each.connectors
                    ],
                )
                for each in processes
            ]
        )
    )


def pools_body(pools: Iterable[PoolLag]) -> bytes:
    """Every pool, and how far behind it is."""
    return encode(
        PoolsBody(
            pools=[
                PoolBody(
                    name=each.name,
                    consumers=each.consumers,
                    partitions=each.partitions,
                    lag=each.behind,
                    answers_lag=each.answers,
                    groups=[
                        GroupBody(
                            name=group.name,
                            connector=UNSET if group.connector is None else group.connector,
                            lag=group.behind,
                        )
                        for group in each.groups
                    ],
                )
                for each in pools
            ]
        )
    )
