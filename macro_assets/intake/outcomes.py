"""What became of each series that was asked for, of all the holders that were asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from macro_assets.catalog import Series
from macro_assets.intake.judge import Verdict
from macro_assets.quality import CheckReport
from macro_assets.sources.errors import NO_NETWORK
from macro_assets.sources.fetching import without_names


@dataclass(frozen=True)
class Outcome:
    """What became of one series.

    Parameters
    ----------
    series
        As its source has it.
    provider
        Who was asked last: who served it, unless there is a `failure`. With one, its stored rows stayed as they were.
    warning
        What is not as it should be though it was had: another holder had to serve it.
    note
        What else there is to say of it.
    """

    series: Series
    provider: str
    report: CheckReport
    failure: str | None = None
    warning: str | None = None
    note: str | None = None


def outcomes(selected: Iterable[Series], verdicts: Sequence[Verdict], off: str | None) -> tuple[Outcome, ...]:
    """What became of series of a source, in their order. Of one that is off, series that nobody had are left out.

    Parameters
    ----------
    verdicts
        In the order of asking.
    off
        Why the source was not asked.
    """
    asked: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        asked.setdefault(verdict.series.id, []).append(verdict)
    found = (_outcome(s, asked[s.id], off) for s in selected if s.id in asked)
    return tuple(o for o in found if o is not None)


def _outcome(series: Series, asked: Sequence[Verdict], off: str | None) -> Outcome | None:
    *before, last = asked
    if off and not last.is_answered:
        return None
    if last.failure:
        return Outcome(series, last.provider, last.report, failure=_reasons(asked))
    if before:
        return Outcome(series, last.provider, last.report, warning=f"{_reasons(before)} {last.provider} served it.")
    return Outcome(series, last.provider, last.report, note=f"{last.provider} served it: {off}" if off else None)


def _reasons(asked: Sequence[Verdict]) -> str:
    """Why each of those that were asked failed; what is said of all alike, and that there is no network, once."""
    first, *others = asked
    return str(first.failure) + "".join(_of_holder(v.provider, str(v.failure), str(first.failure)) for v in others)


def _of_holder(provider: str, failure: str, first: str) -> str:
    why, said = without_names(failure), without_names(first)
    if why.startswith(NO_NETWORK) and said.startswith(NO_NETWORK):
        return ""
    return f" Its holder {provider} failed too{'.' if why == said else f': {failure}'}"
