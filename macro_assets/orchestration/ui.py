"""`macro ui`: the Dagster webserver, its daemon and the chart pages, all on 127.0.0.1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from macro_assets.catalog import default_catalog
from macro_assets.chart_pages import write_index
from macro_assets.lakehouse.delta import LakeError, check_writable
from macro_assets.lakehouse.paths import charts_folder, lake_root

HOST = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def chart_server(port: int) -> ThreadingHTTPServer:
    """A server of the chart pages, not yet serving."""
    folder = charts_folder(lake_root())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return ThreadingHTTPServer((HOST, port), partial(_QuietHandler, directory=str(folder)))
    except OSError as error:
        raise LakeError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); choose another with --charts-port"
        ) from None


def serve(port: int, charts_port: int) -> int:
    """Serve until Ctrl-C or until the webserver or the daemon stops; returns the exit code."""
    check_writable(lake_root())
    charts = chart_server(charts_port)
    os.environ["MACRO_CHARTS_URL"] = f"http://{HOST}:{charts_port}"
    write_index(lake_root(), default_catalog())
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
