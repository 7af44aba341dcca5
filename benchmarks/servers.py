"""Starts each measured server fresh on a free loopback port and stops it again by its own pid."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.dialects import AIOHTTP, KODAMA, NCHAN, OLD, TORNADO

ROOT = Path(__file__).resolve().parent.parent
NGINX = """\
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; worker_processes {workers}; worker_rlimit_nofile 20000;
pid {folder}/pid; error_log {folder}/errors warn;
events {{ worker_connections 15000; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_timeout 600s; keepalive_requests 1000000; nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /pub/lobby {{ nchan_publisher; nchan_channel_id lobby; nchan_message_buffer_length 1000; }}
    location = /sub/lobby {{ nchan_subscriber longpoll eventsource websocket; nchan_channel_id lobby;
      nchan_subscriber_first_message newest; nchan_subscriber_timeout {hold}; }}
    location ~ ^/pub/(rm[0-9]+)$ {{ nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 1000; }}
    location ~ ^/sub/(rm[0-9]+)$ {{ nchan_subscriber longpoll eventsource websocket; nchan_channel_id $1;
      nchan_subscriber_first_message newest; nchan_subscriber_timeout {hold}; }}
  }}
}}
"""
PEERS = {OLD.name: "log2011", AIOHTTP.name: "on_aiohttp", TORNADO.name: "on_tornado"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(name: str, port: int, folder: Path, hold: int, workers: int) -> list[str]:
    if name == KODAMA.name:
        return [sys.executable, "-m", "kodama", "serve", "--port", str(port), "--data", str(folder / "data"),
                "--workers", str(workers)]  # fmt: skip
    if name == NCHAN.name:
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(port=port, folder=folder, hold=hold, workers=workers))
        return ["/usr/sbin/nginx", "-p", str(folder), "-c", str(config)]
    return [sys.executable, "-m", f"benchmarks.peers.{PEERS[name]}", str(port)]


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + 30
    while True:
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return


def _await_workers(port: int, workers: int) -> None:
    """Wait until each of several workers of ours has answered; who gets a connection is chance."""
    found: set[bytes] = set()
    give_up = time.monotonic() + 30
    while len(found) < workers:
        if time.monotonic() > give_up:
            raise RuntimeError("a worker did not start")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            said = b""
            while piece := one.recv(65536):
                said += piece
        found.update(re.findall(rb"^kodama_worker (\S+)", said, re.MULTILINE))


@contextmanager
def running(
    name: str, *, environ: Mapping[str, str] | None = None, folder: Path | None = None, hold: int = 0,
    workers: int = 1,
) -> Iterator[tuple[int, int, float]]:  # fmt: skip
    """A fresh server: its port, its pid, and the seconds it took to accept connections.

    ``hold`` is how many seconds Nchan lets a poll wait, 0 for ever; Kodama has its own default.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        own = folder or Path(scratch)
        own.chmod(0o755)
        log, port = own / "log", free_port()
        with log.open("wb") as output:
            began = time.monotonic()
            process = subprocess.Popen(
                _command(name, port, own, hold, workers), cwd=ROOT, stdout=output, stderr=output,
                env={**os.environ, **(environ or {})},
            )
            try:
                _await_port(process, port, log)
                if name == KODAMA.name and workers > 1:
                    _await_workers(port, workers)
                yield port, process.pid, time.monotonic() - began
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
