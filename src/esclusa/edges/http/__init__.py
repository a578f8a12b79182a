"""The API: the contract of the hub served over HTTP, described by OpenAPI, errors as problem details.

Promises: what is served is what `/openapi.json` says; every answer bears its trace; every error is a problem; nobody reads
what is another's; headers, bodies, connections and readers have limits, and who keeps to none costs the others nothing;
draining lets every request at hand finish. Needs: a hub, and who the clients are. Emits: `esclusa_http_*`,
`esclusa_dependency_up`, a line at DEBUG a request and one at ERROR a fault.

A request comes by a `connection`, through the `front`, to a route of the `app`; `api` says which routes there are, and
`operations` how they are described.
"""
