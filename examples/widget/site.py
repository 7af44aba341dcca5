"""A site with a chat on it, in Python: `python site.py`, then http://localhost:8000/. See README.md."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = os.environ.get("CHAT_SECRET", "a secret of this demo, 32 bytes or more")
PAGE = Path(__file__).with_name("index.html")


def token(user: str, name: str) -> str:
    """Say to the chat who somebody is, for ten minutes (RFC 7519, HS256)."""
    claims = {"iss": "http://localhost:8000", "sub": user, "name": name, "exp": int(time.time()) + 600}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mark = base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).rstrip(b"=")
    return f"{signed.decode()}.{mark.decode()}"


class Site(BaseHTTPRequestHandler):
    """Two addresses: the page, and who is signed in here."""

    def do_GET(self) -> None:
        """Answer; a real site looks up its own session here, and says nothing for nobody."""
        who = self.path.partition("?")[0] == "/chat-token"
        body = token("42", "Aiko").encode() if who else PAGE.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if who else "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8000), Site).serve_forever()
