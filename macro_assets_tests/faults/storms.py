"""Fetches of processes of their own, for storms of refusals."""

from __future__ import annotations

import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.sources.http import HttpClient, Patience
from macro_assets.sources.protocol import connector
from macro_assets_tests.faults.upstream import WINDOW, small_catalog
from macro_assets_tests.intake.taking import taken

RATE, BURST = 20.0, 2
SERIES = ("BR_IPCA15_MOM", "BR_IPCA_CORE_EX0", "BR_IPCA_CORE_DP", "BR_IPCA_CORE_MA", "BR_IPCA_CORE_MS")
FACTS = {"requests_per_second": RATE, "burst": BURST, "in_flight": 2}


def take(url: str, lake: Path, limits: Path, told: Connection) -> None:
    """Wait for the word, fetch all series and store them; tells the failures."""
    tempfile.tempdir = str(limits)
    catalog = small_catalog(*SERIES, bcb_sgs=FACTS)
    environ = {"MACRO_URL_BCB_SGS": f"{url}/bcb_sgs"}
    patience = Patience(attempts=8, first_delay=0.02, longest_delay=0.1)
    told.send("ready")
    told.recv()
    done = taken(
        Lakehouse(lake, catalog),
        "bcb_sgs",
        SERIES,
        WINDOW,
        f"run{told.fileno()}",
        lambda s: HttpClient(s, connector(s).explain, environ=environ, patience=patience),
    )
    told.send({o.series.id: o.failure for o in done.outcomes if o.failure})
