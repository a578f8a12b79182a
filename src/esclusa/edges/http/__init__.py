"""The API: the contract served over HTTP, described by OpenAPI, errors as problem details."""
