"""The employee side of recovery: who is able, allowed, free and rested; how many it takes; what waits, what is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery.employees.errors import UnstableQueue
    from crmcore.recovery.employees.measuring import QueueMeasures, erlang_a, erlang_c
    from crmcore.recovery.employees.needing import QueueTargets, StaffNeeded, agents_needed

__all__ = ["QueueMeasures", "QueueTargets", "StaffNeeded", "UnstableQueue", "agents_needed", "erlang_a", "erlang_c"]

__getattr__ = lazy_names(
    __name__,
    {
        "QueueMeasures": ".measuring",
        "QueueTargets": ".needing",
        "StaffNeeded": ".needing",
        "UnstableQueue": ".errors",
        "agents_needed": ".needing",
        "erlang_a": ".measuring",
        "erlang_c": ".measuring",
    },
)
