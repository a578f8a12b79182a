"""The command line of the demo on a cluster."""

from __future__ import annotations

import argparse
import sys

from dev.demo.demo import run
from dev.jars import Missing
from dev.node import NotReady


def main() -> int:
    """The exit code."""
    about = "The demo on a cluster of this machine, any process of which may be killed."
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=about)
    parser.add_argument("--subject", help="whom the first question is about; any valid NIF or NIE is somebody")
    rounds = parser.add_mutually_exclusive_group()
    rounds.add_argument("--once", action="store_const", const=1, dest="rounds", help="end after the first question")
    rounds.add_argument("--rounds", type=_positive, metavar="N", help="ask so often, and end")
    options = parser.parse_args()
    try:
        return run(options.subject, options.rounds)
    except (Missing, NotReady) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number of questions")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
