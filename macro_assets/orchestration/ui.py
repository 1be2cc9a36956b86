"""`macro ui`: the Dagster webserver, its daemon and the chart pages, all on 127.0.0.1."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from macro_assets.lakehouse.delta import LakeError, check_writable
from macro_assets.lakehouse.files import read_file
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import charts_folder, lake_root
from macro_assets.publishing.pages import write_index

HOST = "127.0.0.1"
_PAGE = re.compile(r"^[a-z0-9_]+\.html$")


class _ChartPages(BaseHTTPRequestHandler):
    """Serves the chart pages of the lake, wherever it is, and nothing else."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].lstrip("/") or "index.html"
        page = read_file(charts_folder(lake_root()), name) if _PAGE.match(name) else None
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "no such chart page")
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args: object) -> None:
        pass


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def chart_server(port: int) -> ThreadingHTTPServer:
    """A server of the chart pages, not yet serving."""
    try:
        return ThreadingHTTPServer((HOST, port), _ChartPages)
    except OSError as error:
        raise LakeError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); choose another with --charts-port"
        ) from None


def serve(port: int, charts_port: int) -> int:
    """Serve until Ctrl-C or until the webserver or the daemon stops; returns the exit code."""
    check_writable(lake_root())
    charts = chart_server(charts_port)
    os.environ["MACRO_CHARTS_URL"] = f"http://{HOST}:{charts_port}"
    write_index(Lakehouse.at())
    threading.Thread(target=charts.serve_forever, daemon=True).start()
    programs = [
        [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port), "-w", "workspace.yaml"],
        [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", "workspace.yaml"],
    ]
    processes = [subprocess.Popen(p, start_new_session=True) for p in programs]
    signal.signal(signal.SIGTERM, _interrupt)
    print(f"Dagster UI  http://{HOST}:{port}\nCharts      http://{HOST}:{charts_port}\nCtrl-C stops both.", flush=True)
    try:
        while all(p.poll() is None for p in processes):
            threading.Event().wait(0.5)
        return next(p.returncode for p in processes if p.returncode is not None) or 1
    except KeyboardInterrupt:
        return 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        charts.shutdown()
