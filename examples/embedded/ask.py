"""Two bodies are asked about one person from inside one's own program: the hub is an async context manager.

Ends with 0 if everyone has answered, with 1 if somebody has not, and with 2 if the question could not be put.
"""

import asyncio
import json
import sys
from pathlib import Path

import esclusa

CONFIGURATION = Path(__file__).with_name("esclusa.toml")
ME = "client:me"


async def ask(subject: str) -> bool:
    """Print each answer as it comes; at the end, whether everyone has answered."""
    complete = False
    async with esclusa.open_hub(CONFIGURATION) as hub:
        receipt = await hub.submit(esclusa.Submission(caller=ME, query="about-me", subject=subject))
        async for _, news in hub.follow(receipt.id, ME):
            if isinstance(news, esclusa.Snapshot):
                complete = news.complete
            elif news.reason is None:
                print(f"{news.title}: {json.loads(news.data) if news.data else 'nothing'}")
            else:
                print(f"{news.title}: {news.reason}, {news.detail}")
    print("complete" if complete else "incomplete")
    return complete


def main() -> int:
    subject = sys.argv[1] if len(sys.argv) > 1 else "12345678Z"
    try:
        return 0 if asyncio.run(ask(subject)) else 1
    except esclusa.Refused as refused:  # the question can't be taken
        print(f"ask.py: {refused}", *(fault.message for fault in refused.faults), sep="\n  ", file=sys.stderr)
    except esclusa.EsclusaError as error:  # what the hub stands on: the configuration, the storage
        print(f"ask.py: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
