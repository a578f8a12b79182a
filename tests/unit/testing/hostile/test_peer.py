from __future__ import annotations

import asyncio

from esclusa.testing.hostile import hostile


async def test_bytes_are_sent_as_they_are_and_the_connection_is_closed_after_them() -> None:
    async with hostile("half_frame", answer=b"12345678") as back:
        reader, writer = await asyncio.open_connection(back.host, back.port)
        writer.write(b"anything")
        assert await reader.read() == b"1234"
        writer.close()
