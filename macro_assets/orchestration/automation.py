"""When things run by themselves: the named conditions, each with a tick test.

`AutomationCondition.eager()` does not serve: it reruns everything below a fetch that changed nothing, because it looks
at updates and not at data versions. Nor does `since_last_handled()`, which forgets a reason when the table comes out:
a change that arrived while the run was under way was asked for in none of the four ticks after it, and lost for good.
"""

from __future__ import annotations

import dagster as dg

_C = dg.AutomationCondition

CHANGED = (_C.data_version_changed() & ~_C.executed_with_root_target()).with_label("data changed")
"""Of an input: it has other data, out of a run that did not go on to this table."""

NEW_CODE = _C.code_version_changed().with_label("the code changed")
"""The formula, or a fact of the catalog that it reads."""

FAILED = _C.execution_failed().since(_C.newly_updated()).newly_true().with_label("first failure since it came out")
"""Not plainly "newly failed": a retry that is under way at a tick is no failure, so that its own failure would be a new
one: a table that could not be made was tried again in every round, without end."""

ADDED = (
    (_C.newly_missing() & _C.any_deps_match(~_C.missing()))
    .since((_C.newly_requested() | ~_C.missing()).with_label("requested or made"))
    .with_label("it is new and an input is there")
)
"""The table was never made. A latch of its own, because the first evaluation, which clears the other, is when a new
table is seen. An empty lake asks for nothing. "Any input is there" and not "not all are missing": a table of months
counts as missing as long as one month is, so that a new chart of forecasts would never be drawn."""

IDLE = (~_C.any_deps_in_progress() & ~_C.in_progress()).with_label("nothing is under way")
"""Neither the table nor an input of it."""


def _wanted(of_an_input: dg.AutomationCondition) -> dg.AutomationCondition:
    """There is a reason to run that no request has answered.

    A reason that arrives between the tick which requested a run and the next one stays. Dagster sees both in that next
    tick and would let the request win, although the run may have read its inputs before: asked for in none of the ticks
    after it, as measured, and sources land one by one within seconds.
    """
    reason = (_C.any_deps_match(of_an_input) | NEW_CODE | FAILED).with_label("a reason to run")
    handled = ((_C.newly_requested() & ~reason) | _C.initial_evaluation()).with_label("requested")
    return reason.since(handled) | ADDED


DERIVED = (_wanted(CHANGED | _C.will_be_requested()) & IDLE).with_label("derived: input or code changed, or new")
"""Rematerialize when an input has other data or is about to be made, when the code changed, when the table is new, and
once after a failure.

Every derived asset returns a hash of its output as data version, so a ripple ends where nothing changed. No
`~any_deps_missing()`: one source without a key would block everything for ever; the body says what it lacks.
"""

AS_OF = (_wanted(CHANGED) & _C.in_latest_time_window() & IDLE).with_label("as of: as derived, latest month only")
"""As `DERIVED`, for the open month only: past as-of months run by backfill, which is the real-time backtest.

Models are expensive, so a month waits until an input has come out and is different, and is not requested along with it.
"""
