"""Pages of another site: a small web server whose pages a test writes, with a strict policy of their own."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Reply = Callable[[], tuple[int, str]]


class HostSite:
    """Serves ``pages`` by path, HTML with ``policy``, and what ``replies`` say as text, at any name of this machine."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.replies: dict[str, Reply] = {}
        self.policy = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self.port = self._server.server_address[1]
        self.origin = f"http://localhost:{self.port}"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, str]:
        """Return status, body and type."""
        if path in self.replies:
            return (*self.replies[path](), "text/plain")
        if path in self.pages:
            return 200, self.pages[path], "text/css" if path.endswith(".css") else "text/html; charset=utf-8"
        return 404, "", "text/plain"

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Requests(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, text, kind = site.answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Referrer-Policy", "no-referrer")
                if site.policy:
                    self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Requests
