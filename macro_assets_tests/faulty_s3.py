"""A proxy before an S3 server that fails as planned: `python -m macro_assets_tests.faulty_s3 ENDPOINT FAULT...`.

Each FAULT is for one PUT of a log entry, in order: `lost` = it is carried out and the answer never comes, a number =
that HTTP status, and it is not carried out. It prints its address, serves until its input ends, and prints what of the
plan did not happen. A process of its own, because some calls of delta-rs hold the interpreter lock.
"""

from __future__ import annotations

import http.client
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_OWN_HEADERS = ("connection", "content-length", "transfer-encoding", "date", "server")


def proxy(endpoint: str, plan: list[str]) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    def fault_of(method: str, path: str) -> str | None:
        if method != "PUT" or "/_delta_log/" not in path or not urlsplit(path).path.endswith(".json"):
            return None
        with lock:
            return plan.pop(0) if plan else None

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = fault_of(self.command, self.path)
            if fault and fault.isdigit():
                self.answer(int(fault), [], b"")
                return
            upstream = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=60)
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            content = response.read()
            upstream.close()
            if fault == "lost":
                self.close_connection = True
                return
            self.answer(response.status, response.getheaders(), content, response.getheader("Content-Length"))

        def answer(
            self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _OWN_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            with suppress(ConnectionError):  # the client went away
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = forward  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    return Proxy


def main() -> None:
    endpoint, *plan = sys.argv[1:]
    with ThreadingHTTPServer(("127.0.0.1", 0), proxy(endpoint, plan)) as server:
        threading.Thread(target=server.serve_forever).start()
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        sys.stdin.read()
        server.shutdown()
        print(" ".join(plan), flush=True)


if __name__ == "__main__":
    main()
