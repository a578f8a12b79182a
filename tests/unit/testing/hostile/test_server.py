from __future__ import annotations

import asyncio

from esclusa.testing.hostile import hostile


async def test_it_counts_who_comes_and_is_healed() -> None:
    async with hostile("garbage", answer=b"good") as back:
        assert (back.accepted, back.url) == (0, f"http://127.0.0.1:{back.port}")
        for healed in (False, True):
            if healed:
                back.heal()
            reader, writer = await asyncio.open_connection(back.host, back.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            said = await reader.read(9)
            assert (said == b"HTTP/1.1 ") is healed
            writer.close()
        assert back.accepted == 2
