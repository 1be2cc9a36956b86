"""docs/sources.md names every source, and what it says of keys, vintages and holders is what the catalog says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from macro_assets.catalog import Catalog
from macro_assets.intake.windows import LOOK_AGAIN
from macro_assets.orchestration.due import ASK_AGAIN
from macro_assets.quality import answers
from macro_assets_tests.conftest import ROOT

PAGE = (ROOT / "docs/sources.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", text))


def names(sources: Iterable[str]) -> list[str]:
    return sorted(sources)


def test_every_source_has_one_row(catalog: Catalog) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section("On what each format rests"), re.MULTILINE)
    assert rows == names(catalog.sources)


def test_what_is_off_without_a_key(catalog: Catalog) -> None:
    off, without = section("Without a key").split("Everything else runs.")
    keys = {s.name: s.api.key for s in catalog.sources.values() if s.api and s.api.key}
    assert named(off) == {name for name, key in keys.items() if key.required}
    assert named(without) == {name for name, key in keys.items() if not key.required}


def test_who_has_vintages(catalog: Catalog) -> None:
    for kind in ("changes", "whole"):
        row = next(r for r in section("Vintages and release times").splitlines() if r.startswith(f"| `{kind}` |"))
        of_kind = {s.name for s in catalog.sources.values() if s.vintages == kind}
        assert named(row.split("|")[2]) == of_kind


def test_who_is_asked_after_whom(catalog: Catalog) -> None:
    told: dict[str, set[str]] = {}
    for left, right in re.findall(r"^\| (`.+?) \| (`.+?) \|$", section("Holders"), re.MULTILINE):
        for source in named(left):
            told.setdefault(source, set()).update(named(right))
    found: dict[str, set[str]] = {}
    for series in catalog.series.values():
        for holder in series.holders:
            found.setdefault(series.source, set()).add(holder.source)
    assert told == found


def test_how_many_are_copies(catalog: Catalog) -> None:
    other_base = [c for c in catalog.copies if c.unit != catalog.series[c.id].unit]
    said = f"has copies of {len(catalog.copies)} series, of which {len(other_base)} are in the dollars or base"
    assert said in " ".join(section("Holders").split())


def test_the_rules_have_the_numbers_of_the_code() -> None:
    asked, refused = section("What is asked for, and when"), section("What is refused")
    assert f"{ASK_AGAIN.total_seconds() / 3600:g} hours ago" in asked
    assert LOOK_AGAIN.days == 7
    assert f"more than {answers._AHEAD_DAYS} days in the future" in refused
    assert f"at least {answers._OVERLAP_OF_SAME} figures" in refused
    assert f"{100 * answers._FACTOR_FROM:g} % or more" in refused
    assert f"at least {answers._OVERLAP_OF_LEVEL} about a factor {100 * answers._LEVEL_FROM:g} % or more" in refused
    grace = answers._GRACE_DAYS
    assert f"{grace['D']} days for daily, {grace['W']} for weekly" in refused
