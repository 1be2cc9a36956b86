"""A request gets its key as it leaves, and nothing above the wire ever sees it."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import httpx

from macro_assets.catalog import Key


class Keyed(httpx.BaseTransport):
    """Adds the key to a request at the last moment, so that whoever logs requests above never sees it."""

    def __init__(self, transport: httpx.BaseTransport, place: Key, key: str) -> None:
        self.transport, self.place, self.key = transport, place, key
        # Below it speaks httpcore, which at DEBUG prints the headers of answers: some repeat the query in a Location.
        logging.getLogger("httpcore").setLevel(logging.INFO)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.transport.handle_request(self._with_key(request))

    def _with_key(self, request: httpx.Request) -> httpx.Request:
        name, value = self.place.name, self.place.prefix + self.key
        url, headers, content = request.url, request.headers.copy(), request.read()
        if self.place.place == "parameter":
            joint = "&" if url.query else "?"
            url = httpx.URL(f"{url}{joint}{quote(name, safe='')}={quote(value, safe='')}")
        elif self.place.place == "header":
            headers[name] = value
        elif content:
            content = json.dumps({**json.loads(content), name: value}).encode()
            headers["Content-Length"] = str(len(content))
        return httpx.Request(request.method, url, headers=headers, content=content, extensions=request.extensions)

    def close(self) -> None:
        self.transport.close()
