"""Recovery: what went wrong is put right for the customer, in the process, and with the staff.

`cases` takes complaints in and brings them to an end; `service` says what was promised and whether it was kept; `words`
checks drafts and keeps machines away from the distressed; `compliments` thanks in time and reuses praise where its
author permits it; `process` finds causes, draws control charts and keeps registers of failures; `employees` knows
who is able, allowed, free and rested, routes work, and plans how many are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmcore._base import lazy_names

if TYPE_CHECKING:
    from crmcore.recovery import cases, compliments, employees, process, service, words
    from crmcore.recovery.cases.complaints import Complaint
    from crmcore.recovery.cases.desk import CaseDesk
    from crmcore.recovery.cases.policies import RecoveryPolicy
    from crmcore.recovery.cases.short import open_case

__all__ = ["CaseDesk", "Complaint", "RecoveryPolicy", "cases", "compliments", "employees", "open_case", "process", "service", "words"]

__getattr__ = lazy_names(
    __name__,
    {
        "CaseDesk": ".cases.desk",
        "Complaint": ".cases.complaints",
        "RecoveryPolicy": ".cases.policies",
        "cases": ".cases",
        "compliments": ".compliments",
        "employees": ".employees",
        "open_case": ".cases.short",
        "process": ".process",
        "service": ".service",
        "words": ".words",
    },
)
