"""Curves of all dates at once against the package `nelson_siegel_svensson`, which fits a day at a time.

The Treasury's par yields of eleven tenors on every day that has them all, from a file in the layout of the Treasury's
own (`Date, 1 Mo, ..., 30 Yr`): `MACRO_PAR_YIELDS` names it. Without it there are 4,000 curves of known parameters
with noise. The package is fitted on all days, once: it needs seconds. Ours takes the median of five.

Equality first: our root mean square is on no date more than 0.01 basis points above the package's, where what it found
is a Nelson-Siegel curve (tau above 0). Svensson and monotone convex are reported.
"""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from measure import Ratio, show, timed

TENORS = {
    "1 Mo": 1 / 12,
    "3 Mo": 0.25,
    "6 Mo": 0.5,
    "1 Yr": 1,
    "2 Yr": 2,
    "3 Yr": 3,
    "5 Yr": 5,
    "7 Yr": 7,
    "10 Yr": 10,
    "20 Yr": 20,
    "30 Yr": 30,
}
"""The eleven: neither two nor four months, which began in 2018 and 2022."""

TIMES_FASTER, WORSE_BP = 200, 0.01
ROUNDS = 5


def par_yields() -> np.ndarray:
    """A row a day, a column a tenor, percent."""
    place = os.environ.get("MACRO_PAR_YIELDS")
    if not place:
        draw = np.random.default_rng(1)
        level, slope, curvature = draw.uniform(2, 6, 4000), draw.uniform(-3, 1, 4000), draw.uniform(-3, 3, 4000)
        ratio = np.array(list(TENORS.values())) / draw.uniform(0.8, 4, (4000, 1))
        mean = -np.expm1(-ratio) / ratio
        smooth = level[:, None] + slope[:, None] * mean + curvature[:, None] * (mean - np.exp(-ratio))
        return np.round(smooth + draw.normal(0, 0.04, smooth.shape), 2)
    with Path(place).open(newline="") as lines:
        rows = [[row[name] for name in TENORS] for row in csv.DictReader(lines)]
    return np.array([[float(cell) for cell in row] for row in rows if all(row)])


def run() -> list[Ratio]:
    """Race the package where it is installed; print what is reported."""
    from macro_assets.transforms.curves import monotone_convex, nelson_siegel

    times, rates = np.array(list(TENORS.values())), par_yields()
    ways = {
        "Nelson-Siegel": lambda: nelson_siegel.fit(times, rates),
        "Svensson": lambda: nelson_siegel.fit(times, rates, svensson=True),
        "monotone convex, par to zero": lambda: monotone_convex.par_to_zero(times, rates, unsolved="null"),
    }
    seconds = {name: median(timed(way) for _ in range(ROUNDS)) for name, way in ways.items()}
    fits, two = ways["Nelson-Siegel"](), ways["Svensson"]()
    print(f"{len(rates):,} days of {len(times)} tenors")
    for name, taken in seconds.items():
        print(f"{name}: {taken:.3f} s, {1e6 * taken / len(rates):.1f} microseconds a day")
    for name, found in (("Nelson-Siegel", fits), ("Svensson", two)):
        print(f"{name}: median {np.median(found.rmse_bp):.2f} bp, identified on {found.identified.sum():,} days")
    try:
        theirs, package = _by_package(times, rates)
    except ImportError:
        print("nelson_siegel_svensson: not run, pip install '.[bench]'")
        return []
    excess = fits.rmse_bp - theirs
    assert not (excess > WORSE_BP).any(), f"worse by {np.nanmax(excess)} bp"
    print(f"package: {package:.1f} s; no curve on {np.isnan(theirs).sum()} days")
    print(f"ours worse by at most {np.nanmax(excess):.4f} bp")
    print(f"ours better by more than {WORSE_BP} bp on {(excess < -WORSE_BP).sum()} days")
    name = f"Nelson-Siegel, {len(rates):,} days of 11 tenors"
    return [Ratio(name, seconds["Nelson-Siegel"], "nelson_siegel_svensson, day by day", package, 1 / TIMES_FASTER)]


def _by_package(times: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, float]:
    """Root mean squares in basis points, NaN where the package fails or its tau is not positive; and seconds."""
    from nelson_siegel_svensson.calibrate import calibrate_ns_ols

    found = np.full(len(rates), np.nan)

    def all_days() -> None:
        for day, row in enumerate(rates):
            try:
                curve = calibrate_ns_ols(times, row)[0]
            except np.linalg.LinAlgError:
                continue
            if curve.tau > 0:
                found[day] = 100 * np.sqrt(((curve(times) - row) ** 2).mean())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found, timed(all_days)


if __name__ == "__main__":
    show(run())
