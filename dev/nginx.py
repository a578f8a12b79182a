"""nginx, with what one test or demo wants of it: a server of files, or a proxy before hubs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from dev.health import says_ok
from dev.jars import Missing
from dev.node import Listener, Node

_PLACES = "/usr/sbin:/usr/local/sbin:/sbin"
"""Where it is on systems on which servers are not on the PATH of people."""
_ALL = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
"""
_PROXY = """
    log_format line escape=json
        '{{"event":"passed on","method":"$request_method","path":"$uri","status":"$status","to":"$upstream_addr"}}';
    access_log /dev/stdout line;
    upstream hubs {{
        # One that does not answer is left alone for two seconds; meanwhile the others do its work.
{servers}
        keepalive 32;
    }}
    server {{
        listen {listen};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_connect_timeout 2s;
        proxy_read_timeout 45s;             # a long poll is held for 30 s, and events are never silent for more than 15 s
        proxy_buffering off;                # an event is passed on when it comes
        client_max_body_size 64k;           # as the hub has it
        # What may be repeated is asked of another hub when one breaks off: by itself nginx takes that of what only reads.
        proxy_next_upstream error timeout;
        proxy_next_upstream_tries 3;
        error_page 418 = @once;
        location / {{
            if ($http_idempotency_key) {{ return 418; }}
            proxy_pass http://hubs;
        }}
        # A question with an Idempotency-Key is taken once, however often it is sent.
        location @once {{
            proxy_next_upstream error timeout non_idempotent;
            proxy_pass http://hubs;
        }}
    }}
"""


def program() -> str:
    """The nginx that is here; `Missing` when there is none."""
    path = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", os.defpath), _PLACES)))
    if path is None:
        raise Missing('nginx is not installed: "dev/install nginx" does it with apt-get')
    return path


def nginx(folder: Path, http: str, address: str, path: str, log: Path | Listener) -> Node:
    """One process of nginx, with `http` as what its block of that name says; it is ready once it answers `path` with 200.

    `folder`: for its configuration and what it writes. `log`: what it complains of, and what `http` sends to /dev/stdout.
    """
    configuration = folder / "nginx.conf"
    configuration.write_text(_ALL.format(folder=folder, http=http))
    command = [program(), "-e", "stderr", "-c", str(configuration), "-p", str(folder)]
    return Node("nginx", address, command, log, partial(says_ok, address, path))


def before_hubs(listen: str, hubs: Mapping[str, str]) -> str:
    """What `nginx` is told as `http` to pass on to `hubs` (their addresses, by name) what comes to `listen`.

    Each request is a line of JSON once it is over: method, path, status, and `to`, the address of the hub that was asked;
    where one did not answer, several with ", " between them.
    """
    servers = "\n".join(f"        server {address} max_fails=1 fail_timeout=2s; # {name}" for name, address in hubs.items())
    return _PROXY.format(servers=servers, listen=listen)
