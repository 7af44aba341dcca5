"""Speak to the 2011 door: with words, send them; without, print what comes. Standard library only."""

import json
import sys
from http.cookiejar import CookieJar
from urllib.request import HTTPCookieProcessor, Request, build_opener

CALLBACK = "got"


def main() -> None:
    """Send the words after the URL, or listen."""
    url, words = sys.argv[1], sys.argv[2:]
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    if words:
        body = json.dumps({"text": " ".join(words)}).encode()
        print(browser.open(Request(url, data=body)).read().decode())
        return
    while True:
        call = browser.open(f"{url}?callback={CALLBACK}").read().decode()
        print(json.loads(call[len(CALLBACK) + 1 : -1]), flush=True)


if __name__ == "__main__":
    main()
