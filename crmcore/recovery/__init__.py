"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`process` finds causes, draws control charts and keeps registers of failures; `employees` knows who is able, allowed,
free and rested, routes work to them, and plans how many are needed; `remedies` decides what a customer gets, and holds
the money; `afterwards` measures what it brought; `audit` holds the handling against the principles of ISO 10002.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import afterwards, audit, employees, process, remedies

__all__ = ["afterwards", "audit", "employees", "process", "remedies"]

__getattr__ = lazy_names(
    __name__,
    {
        "afterwards": ".afterwards",
        "audit": ".audit",
        "employees": ".employees",
        "process": ".process",
        "remedies": ".remedies",
    },
)
