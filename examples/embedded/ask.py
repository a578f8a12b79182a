"""Two bodies are asked about one person from inside one's own program: the hub is an async context manager."""

import asyncio
import json
import sys
from pathlib import Path

import esclusa


async def main(subject: str) -> None:
    async with esclusa.open_hub(Path(__file__).with_name("esclusa.toml")) as hub:
        receipt = await hub.submit(esclusa.Submission(caller="client:me", query="about-me", subject=subject))
        async for _, news in hub.follow(receipt.id, "client:me"):
            if isinstance(news, esclusa.Answer):
                data = json.loads(news.data) if news.data else "nothing"
                print(f"{news.title}: {news.reason or data}")
            else:
                print("complete" if news.complete else "incomplete")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "12345678Z"))
