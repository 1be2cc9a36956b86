"""The Dagster code location.

The garbage collector rests while it loads and passes over what was loaded: among 190,000 objects, all of them kept,
it would find nothing to free, and looking took a third of the time until a process that loads it has ended.
"""

import gc

_collects = gc.isenabled()
gc.disable()
try:
    from macro_assets.orchestration.build import build_defs

    defs = build_defs()
    gc.freeze()
finally:
    if _collects:
        gc.enable()
