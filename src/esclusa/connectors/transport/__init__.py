"""The HTTP client: HTTP/1.1 to one back end, quickly, within bounds, and safe from whatever the back end does.

Usable by itself:

    clock = Clock()
    async with HttpClient(Origin.of("https://dgt.example"), clock) as client:
        response = await client.request(Request("GET", "/expedientes/12345678Z"), clock.now() + 3)
        response.status, response.content_type, response.body

Promises: a call is over by the time it was given, once, with a `Response` or an `HttpError`; heads, bodies, compressed
bodies, connections and queues are bounded; nothing that a back end had sent before a request was handed to the socket is
taken for its answer, and whatever comes with a complete answer closes the connection (HTTP/1.1 itself can't tell what is
sent unasked after that from an answer); a request is one request on the wire, whatever is put into it (`InvalidRequest`);
the certificate of a back end is verified; redirects are not followed; an aborted call leaves nothing behind.

Needs: a running event loop and a `Clock`. The loop should be uvloop's: asyncio's own can't tell a TLS connection that was
ended from one that was cut, which matters for an answer without a length. Emits: nothing; its counts can be read.

Two ways to call: `HttpClient.request` is a coroutine; `HttpClient.send` takes a callback, costs neither task, future nor
timer, and is what calling back ends all day is done with. A `RequestTemplate` holds what many requests have in common.
"""

from esclusa.connectors.transport.call import Call, Done
from esclusa.connectors.transport.client import HttpClient
from esclusa.connectors.transport.limits import Limits
from esclusa.connectors.transport.origin import Origin
from esclusa.connectors.transport.request import Fields, Request, RequestTemplate
from esclusa.connectors.transport.resolver import Address
from esclusa.connectors.transport.response import Response
from esclusa.connectors.transport.tls import client_context
from esclusa.kernel.errors import HttpError, InvalidRequest, TransportError

__all__ = [
    "Address",
    "Call",
    "Done",
    "Fields",
    "HttpClient",
    "HttpError",
    "InvalidRequest",
    "Limits",
    "Origin",
    "Request",
    "RequestTemplate",
    "Response",
    "TransportError",
    "client_context",
]
