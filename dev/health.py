"""Whether an HTTP server is there and well."""

from __future__ import annotations

import asyncio


async def says_ok(address: str, path: str) -> bool:
    """Whether it answers `path` with 200. `OSError` where nobody listens."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        status = (await reader.readline()).split()
        return len(status) > 1 and status[1] == b"200"
    finally:
        writer.close()
