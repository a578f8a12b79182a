"""What may be asked, and which back ends a question concerns (H4): no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from esclusa.connectors.settings import ConnectorSettings
from esclusa.hub.settings import QuerySettings
from esclusa.kernel.errors import Fault, InvalidParams, UnknownQuery

DEFAULT_POOL = "default"


class Inventory:
    """Connectors and queries as configured."""

    def __init__(self, connectors: Mapping[str, ConnectorSettings], queries: Mapping[str, QuerySettings]) -> None:
        self.change(connectors, queries)

    def change(self, connectors: Mapping[str, ConnectorSettings], queries: Mapping[str, QuerySettings]) -> None:
        """From now on these are configured (H40). Requests that were made keep the connectors that they concern."""
        self.connectors = connectors
        self.queries = queries
        self.titles = {name: settings.title or name for name, settings in connectors.items()}
        self._selected = {name: self._select(query.connectors) for name, query in queries.items()}

    def query(self, name: str) -> QuerySettings:
        """The query of that name, or `UnknownQuery`."""
        try:
            return self.queries[name]
        except KeyError:
            raise UnknownQuery(f"There is no query {name!r}") from None

    def retry_after(self, query: str) -> int:
        """Milliseconds that a poller of `query` is told to wait."""
        settings = self.queries.get(query)
        return 2000 if settings is None else round(settings.refresh * 1000)

    def concerned(self, query: str, params: Mapping[str, str], subset: Sequence[str] | None = None) -> list[str]:
        """The connectors that `query` with `params` concerns, in the order of the configuration.

        With `subset`, those of it alone. `InvalidParams` when it names one that the query does not ask.
        """
        selected = self._selected[query]
        if subset is not None:
            wanted, known = set(subset), set(selected)
            faults = [
                Fault(f"/connectors/{place}", f"The query {query!r} does not ask {name!r}")
                for place, name in enumerate(subset)
                if name not in known
            ]
            if faults:
                raise InvalidParams("Connectors that this query does not ask", faults=tuple(faults))
            selected = [name for name in selected if name in wanted]
        return [name for name in selected if serves(self.connectors[name].serves, params)]

    def by_pool(self, connectors: Sequence[str]) -> dict[str, list[str]]:
        """`connectors` by the pool that serves them, in order; one that is configured no more goes to the default pool."""
        pools: dict[str, list[str]] = {}
        for name in connectors:
            known = self.connectors.get(name)
            pools.setdefault(DEFAULT_POOL if known is None else known.pool, []).append(name)
        return pools

    def _select(self, patterns: Sequence[str]) -> list[str]:
        names, tags = set(patterns), {pattern[1:] for pattern in patterns if pattern.startswith("#")}
        return [
            name
            for name, settings in self.connectors.items()
            if "*" in names or name in names or not tags.isdisjoint(settings.tags)
        ]


def serves(rules: Mapping[str, Sequence[str]], params: Mapping[str, str]) -> bool:
    """Whether `params` concern a connector with these rules; a parameter that is left out matches."""
    return all(params[key] in values for key, values in rules.items() if key in params)
