"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`cases` takes complaints in and brings them to an end; `process` finds causes, draws control charts and keeps registers
of failures; `employees` knows who is able, allowed, free and rested, routes work, and plans how many are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import cases, employees, process
    from crmcore.recovery.cases.complaints import Complaint
    from crmcore.recovery.cases.desk import CaseDesk
    from crmcore.recovery.cases.policies import RecoveryPolicy
    from crmcore.recovery.cases.short import open_case

__all__ = ["CaseDesk", "Complaint", "RecoveryPolicy", "cases", "employees", "open_case", "process"]

__getattr__ = lazy_names(
    __name__,
    {
        "CaseDesk": ".cases.desk",
        "Complaint": ".cases.complaints",
        "RecoveryPolicy": ".cases.policies",
        "cases": ".cases",
        "employees": ".employees",
        "open_case": ".cases.short",
        "process": ".process",
    },
)
