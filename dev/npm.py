"""Programs for Node.js, fetched from npm's registry once and kept beside the user's other caches."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from dev.jars import PATIENCE, Missing, cache


def node() -> str:
    """The Node.js that is here; `Missing` when there is none."""
    return _program("node")


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{name} is not installed: it comes with Node.js")
    return path


async def fetched(package: str, version: str) -> Path:
    """The `node_modules` with `package` of exactly that `version` and what it needs; several may ask at once. `Missing`."""
    folder = cache() / f"npm-{package}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not folder.exists():
            with TemporaryDirectory(dir=folder.parent, prefix=f"npm-{package}-") as made:
                await _fetch(f"{package}@{version}", Path(made, "whole"))
                Path(made, "whole").rename(folder)
    return folder / "node_modules"


async def _fetch(what: str, into: Path) -> None:
    command = [_program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(into), what]
    npm = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await npm.communicate()
    except TimeoutError:
        raise Missing(f"{what} did not come down within {PATIENCE:g} s") from None
    finally:
        if npm.returncode is None:
            npm.kill()
    if npm.returncode:
        raise Missing(f"{what} can't be fetched: {said.decode(errors='replace').strip()[-2000:]}")
