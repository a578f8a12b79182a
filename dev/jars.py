"""An engine's JARs, fetched from Maven Central once and kept beside the user's other caches."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

PATIENCE = 600.0
"""Seconds for everything to come down."""
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>dev</groupId><artifactId>{name}</artifactId><version>1</version>
<dependencies>{dependencies}</dependencies></project>"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


class Missing(Exception):
    """A program that is needed is not there, or the JARs can't be had."""


def cache() -> Path:
    """The folder for what is fetched, and for what runs in the background."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "esclusa-dev"


def java() -> str:
    """The Java that is here; `Missing` when there is none."""
    return _program("java")


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Missing(
            f"{name} is not installed: Apache Kafka and Apache Cassandra need Java 17 or newer, and Maven to fetch them"
        )
    return path


async def fetched(name: str, artifacts: Sequence[str]) -> Path:
    """The folder of all JARs that `artifacts` (`group:artifact:version`) need; several may ask at once. `Missing`."""
    version = blake2b("\n".join(artifacts).encode(), digest_size=6).hexdigest()
    folder = cache() / f"{name}-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not folder.exists():
            with TemporaryDirectory(dir=folder.parent, prefix=f"{name}-") as made:
                jars = Path(made, "jars")
                await _fetch(name, artifacts, jars)
                jars.rename(folder)
    return folder


async def _fetch(name: str, artifacts: Sequence[str], into: Path) -> None:
    dependencies = "".join(_DEPENDENCY.format(*map(escape, artifact.split(":"))) for artifact in artifacts)
    pom = into.with_name("pom.xml")
    pom.write_text(_POM.format(name=name, dependencies=dependencies))
    command = [_program("mvn"), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={into}"]
    maven = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await maven.communicate()
    except TimeoutError:
        raise Missing(f"the JARs of {name} did not come down within {PATIENCE:g} s") from None
    finally:
        if maven.returncode is None:
            maven.kill()
    if maven.returncode:
        raise Missing(f"the JARs of {name} can't be fetched: {said.decode(errors='replace').strip()[-2000:]}")
