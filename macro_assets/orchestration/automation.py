"""When things run by themselves: the named conditions, each with a tick test.

`AutomationCondition.eager()` does not serve: it reruns everything below a fetch that changed nothing, because it looks
at updates and not at data versions.
"""

from __future__ import annotations

import dagster as dg

_C = dg.AutomationCondition

DERIVED = (
    (
        _C.any_deps_match((_C.data_version_changed() & ~_C.executed_with_root_target()) | _C.will_be_requested())
        | _C.execution_failed().newly_true()
    ).since_last_handled()
    & ~_C.any_deps_in_progress()
    & ~_C.in_progress()
).with_label("derived: an input's data changed")
"""Rematerialize when the data version of an input changed, or once after a failure.

Every derived asset returns a hash of its output as data version, so a ripple ends where nothing changed. No
`~any_deps_missing()`: one source without a key would block everything for ever; the body says what it lacks.
"""

AS_OF = (DERIVED & _C.in_latest_time_window()).with_label("as of: an input's data changed, latest month only")
"""As `DERIVED`, for the open month only: past as-of months run by backfill, which is the real-time backtest."""
