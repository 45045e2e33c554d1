"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`process` finds causes, draws control charts and keeps registers of failures; `employees` knows who is able, allowed,
free and rested, routes work to them, and plans how many are needed; `words` checks drafts and keeps machines away from
the distressed; `compliments` thanks in time and reuses praise where its author permits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import compliments, employees, process, words

__all__ = ["compliments", "employees", "process", "words"]

__getattr__ = lazy_names(__name__, {name: f".{name}" for name in __all__})
