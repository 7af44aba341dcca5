"""What the server of 2011 did, on today's twisted.web: all who wait get the next POST, nothing is kept."""

import json
import sys

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site


class Door(Resource):
    """Every path."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Request] = []

    def render_GET(self, request: Request) -> int:
        """Let the reader wait."""
        self.waiting.append(request)
        return NOT_DONE_YET

    def render_POST(self, request: Request) -> bytes:
        """Answer all who wait."""
        said = json.dumps(json.load(request.content)).encode()
        waiting, self.waiting = self.waiting, []
        for reader in waiting:
            reader.setHeader(b"Content-Type", b"application/javascript")
            reader.write(reader.args[b"callback"][0] + b"(" + said + b")")
            reader.finish()
        return b"OK"


if __name__ == "__main__":
    reactor.listenTCP(int(sys.argv[1]), Site(Door()), backlog=4096, interface="127.0.0.1")
    reactor.run()
