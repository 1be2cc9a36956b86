"""All synthetic providers on one loopback server: each source below a folder of its name."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from macro_assets_tests.providers import World, answer

KEY = "synthetic-key-0123456789"


@contextmanager
def serving(
    world: World | None = None, latency: float = 0.0, sent: list[int] | None = None
) -> Iterator[dict[str, str]]:
    """Serve until the block ends; gives the environment that leads every source of the catalog there.

    Parameters
    ----------
    latency
        Seconds before each answer.
    sent
        Gets the bytes of each answer.
    """
    known = world or World()
    answered_before: dict[tuple[str, bytes], tuple[int, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # header and body are two writes: the second would wait for an acknowledgement

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            _, source, rest = self.path.split("/", 2)
            time.sleep(latency)
            question = (self.path, body)
            if question not in answered_before:
                answered_before[question] = answer(source, f"/{rest}", body, known)
            status, answered = answered_before[question]
            if sent is not None:
                sent.append(len(answered))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield environment(known, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environment(world: World, base: str) -> dict[str, str]:
    """Base URLs, keys and lifted rate limits for every source."""
    live = [s for s in world.catalog.sources.values() if s.api is not None]
    environ = {f"MACRO_URL_{s.name.upper()}": f"{base}/{s.name}" for s in live}
    environ |= {f"MACRO_RATE_{s.name.upper()}": "1000" for s in live}
    return environ | {s.api.key.environment: KEY for s in live if s.api and s.api.key}


if (
    __name__ == "__main__"
):  # serve on its own until the input ends: `python -m macro_assets_tests.providers.server 0.05`
    import json
    import sys

    answers: list[int] = []
    with serving(latency=float(sys.argv[1]), sent=answers) as found:
        print(json.dumps(found), flush=True)
        for _ in sys.stdin:  # a line asks how much was sent
            print(json.dumps([len(answers), sum(answers)]), flush=True)
