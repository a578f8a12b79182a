"""Connectors of REST, sketched from OpenAPI descriptions (https://spec.openapis.org/oas/latest), 3.0 and 3.1."""
