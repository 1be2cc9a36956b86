"""Every connector of the catalog keeps the contract that its tests declare, law by law."""

from __future__ import annotations

from typing import Any

import pytest

from macro_assets.catalog import default_catalog
from macro_assets_tests.sources.contract import LAWS, Contract, Law, contract_of, served
from macro_assets_tests.sources.wire import RECORDINGS, Recording, check_recording, explains, recordings

CONNECTORS = sorted({s.module for s in default_catalog().sources.values()})


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_connector_keeps_the_law(connector: str, law: Law) -> None:
    breaches = list(law(contract_of(connector), served(default_catalog(), connector)))
    assert not breaches, "\n".join([f"{connector}: {law.__doc__}", *breaches])


def declared() -> dict[str, Contract]:
    """Contracts of the connectors that have one: those that have none fail above."""
    found = {}
    for connector in CONNECTORS:
        try:
            found[connector] = contract_of(connector)
        except LookupError:
            continue
    return found


def recorded() -> list[Any]:
    """Each recording with the connector that must read it."""
    cases = []
    for connector, contract in declared().items():
        if contract.recorded is None:
            continue
        found = recordings(contract.recorded.provider)
        cases += [pytest.param(connector, r, id=f"{connector}-{r.file}") for r in found]
        if not found:
            why = f"no recordings of {contract.recorded.provider} at {RECORDINGS}"
            cases.append(pytest.param(connector, None, id=f"{connector}-none", marks=pytest.mark.skip(reason=why)))
    return cases


@pytest.mark.parametrize(("connector", "recording"), recorded())
def test_a_recording_is_read(connector: str, recording: Recording) -> None:
    how = contract_of(connector).recorded
    assert how is not None
    source = next(s for s in default_catalog().sources.values() if s.module == connector)
    check_recording(recording, how, explains(source.name))
