"""Real nginx, HAProxy and Caddy before a server, with the very configurations of docs/how-to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines import answers, until
from tests.ports import free_port

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
LEAVING = 10.0


class Proxy:
    """One proxy process before the server at ``target``; ``edits`` change its configuration.

    Of the published configuration only addresses and TLS are changed for the test.
    """

    def __init__(
        self, name: str, target: int, folder: Path, *, edits: tuple[tuple[str, str], ...] = ()
    ) -> None:
        program = shutil.which(name, path=PLACES)
        if program is None:
            pytest.skip(f"{name} is not installed")
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = published(name).replace("127.0.0.1:8080", f"127.0.0.1:{target}")
        for old, new in edits:
            assert old in text, f"{old} is not in the configuration"
            text = text.replace(old, new)
        arguments = {"nginx": self._nginx, "haproxy": self._haproxy, "caddy": self._caddy}[name](text, folder)
        with (folder / "said").open("w") as said:
            self._process = subprocess.Popen(
                [program, *arguments], cwd=folder, stdout=said, stderr=said,
                env={"HOME": str(folder), "PATH": PLACES},
            )  # fmt: skip
        try:
            until(lambda: self._process.poll() is not None or answers(self.port), f"the start of {name}")
            assert self._process.poll() is None, (folder / "said").read_text()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, gently if it lets itself be ended so: nginx has workers."""
        self._process.terminate()
        try:
            self._process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(LEAVING)

    def _nginx(self, text: str, folder: Path) -> list[str]:
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port};")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr error;\n"
            f"events {{ worker_connections 256; }}\nhttp {{ access_log off;\n{paths}{text}\n}}\n"
        )
        return ["-e", "stderr", "-p", str(folder), "-c", str(config)]

    def _haproxy(self, text: str, folder: Path) -> list[str]:
        config = folder / "haproxy.cfg"
        config.write_text(re.sub(r"bind :443 .*", f"bind 127.0.0.1:{self.port}", text))
        return ["-db", "-f", str(config)]

    def _caddy(self, text: str, folder: Path) -> list[str]:
        config = folder / "Caddyfile"
        site = text.replace("chat.example.org", f"http://127.0.0.1:{self.port}")
        config.write_text(
            f"{{\n admin off\n storage file_system {folder}\n auto_https off\n grace_period 1s\n}}\n{site}"
        )
        return ["run", "--config", str(config), "--adapter", "caddyfile"]


def published(name: str) -> str:
    """Return the configuration that the documentation gives."""
    block = re.search(rf"```{name}\n(.*?)```", (DOCS / f"behind-{name}.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    return block[1]
