"""The image without a builder of images: its commands run in a folder, and its process on a file system that it can't write.

What the Dockerfile says is taken from there, so that what is tried here is what would be built. What isn't: the layers of the
last stage, which need root and Debian's image (tests/rules/test_container.py looks at them).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from rules.deployment import KUBERNETES, SECRET, final, healthcheck, instructions
from rules.tree import ROOT
from support.poll import until
from support.program import free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

INSTALLED = "/opt/esclusa"
READ_ONLY = """
set -e
cd "$1"; mount --bind data data
for place in "$2" /; do mount -o remount,bind,ro "$place"; done
if touch "$1/etc/probe" 2>/dev/null; then echo "$1 can be written" >&2; exit 9; fi
cd "$1/etc"; shift 2
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
"""
"""In a mount namespace of its own: everything read-only but for the folder `data`, and no right that root has."""


async def run(*words: str | Path, environ: dict[str, str], cwd: Path) -> str:
    """What a command prints, which has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=cwd, env=environ, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-3000:]
    return said.decode()


async def built(folder: Path) -> Path:
    """The environment that the first stage makes, by its own commands, on this Python in place of the image's."""
    source = folder / "source"
    source.mkdir()
    for copied in (each.value.split() for each in instructions() if each.stage == 0 and each.keyword == "COPY"):
        for name in copied[:-1]:
            place = source if copied[-1] == "./" else source / copied[-1]
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, place)
    environ = dict(os.environ)
    await run(sys.executable, "-m", "venv", folder / "python", environ=environ, cwd=folder)
    environ["PATH"] = f"{folder / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for each in instructions():
        if each.stage == 0 and each.keyword == "RUN":
            command = each.value.replace(INSTALLED, str(folder / "installed")).replace("/wheel", str(folder / "wheel"))
            await run("sh", "-c", command, environ=environ, cwd=source)
    return folder / "installed"


def configured(folder: Path, listen: int, admin: int) -> None:
    """The configuration of the folder `embedded`, at ports and in a folder of this test's."""
    text = (KUBERNETES / "embedded" / "esclusa.toml").read_text(encoding="utf-8")
    for before, after in (
        ('"0.0.0.0:8080"', f'"127.0.0.1:{listen}"'),
        ('"0.0.0.0:8081"', f'"127.0.0.1:{admin}"'),
        ('"/var/lib/esclusa"', f'"{folder / "data"}"'),
    ):
        assert before in text
        text = text.replace(before, after)
    (folder / "etc").mkdir()
    (folder / "etc" / "esclusa.toml").write_text(text, encoding="utf-8")
    (folder / "data").mkdir(mode=0o700)


def confined(folder: Path, words: Sequence[str]) -> list[str]:
    """`words`, run where only `folder`/data can be written."""
    mounted = folder
    while not mounted.is_mount():
        mounted = mounted.parent
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *own, "--mount", "sh", "-c", READ_ONLY, "sh", str(folder), str(mounted), *words]


async def test_what_the_image_installs_runs_on_a_read_only_file_system_as_the_image_starts_it(tmp_path: Path) -> None:
    installed = await built(tmp_path)
    environ = {"PATH": f"{installed / 'bin'}{os.pathsep}/usr/sbin:/usr/bin:/sbin:/bin", "SEDE_KEY": SECRET}
    assert (await run("esclusa", "--version", environ=environ, cwd=tmp_path)).startswith("0.")
    await run("python", "-c", "import acsylla, confluent_kafka", environ=environ, cwd=tmp_path)
    assert not list(installed.glob("lib/*/site-packages/pip")), "what installs is left in the image"

    listen, admin = free_port(), free_port()
    configured(tmp_path, listen, admin)
    (entry,), (words,) = final("ENTRYPOINT"), final("CMD")
    process = await asyncio.create_subprocess_exec(
        *confined(tmp_path, [*entry.words, *words.words]), env=environ,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        check = [word.replace("8081", str(admin)) for word in healthcheck()]

        async def healthy() -> bool:
            assert process.returncode is None, (await process.communicate())[0].decode()[-3000:]
            asking = await asyncio.create_subprocess_exec(*check, env=environ, stderr=asyncio.subprocess.DEVNULL)
            return await asking.wait() == 0

        assert await until(healthy, seconds=30)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listen}", trust_env=False) as client:
            question = {"query": "expedientes", "subject": "12345678Z"}
            answer = await client.post("/api/v1/requests", json=question, headers={"Authorization": f"Bearer {SECRET}"})
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            assert (await client.get("/metrics")).status_code == httpx.codes.NOT_FOUND
        assert "12345678Z" not in await run("esclusa", "status", environ=environ, cwd=tmp_path / "etc")
        process.terminate()  # STOPSIGNAL
        async with asyncio.timeout(30):
            said = (await process.communicate())[0].decode()
        assert process.returncode == 0, said
        assert '"stopped"' in said
        assert "Traceback" not in said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    gone = await asyncio.create_subprocess_exec(*check, env=environ, stderr=asyncio.subprocess.DEVNULL)
    assert await gone.wait() != 0
